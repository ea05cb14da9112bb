"""MEGA (mega.nz) for Python programs.

* :func:`connect` and :mod:`supermega.aio`: an account or a folder link, for programs of today.
* :class:`Session` and :class:`File`: the programming interface of 2013.
* :mod:`supermega.fsspec`: a file system for data tools, as ``mega:///path``.
* :mod:`supermega.testing`: a local server, for the tests of programs that use MEGA.

Everything that goes wrong is a :class:`SupermegaError`.
"""

from __future__ import annotations

from . import aio, errors
from ._supermega import Event, Node, PublicLink, Quota, RemoteFile, __version__
from .drive import Mega, Usage, WalkStep, connect
from .errors import *  # noqa: F403
from .errors import __all__ as _errors
from .session import Container, Datastore, Directory, File, Session

__all__ = [
    "Container",
    "Datastore",
    "Directory",
    "Event",
    "File",
    "Mega",
    "Node",
    "PublicLink",
    "Quota",
    "RemoteFile",
    "Session",
    "Usage",
    "WalkStep",
    "__version__",
    "aio",
    "connect",
    "errors",
]
__all__ += _errors
