"""Where things are: what callers may name a node by, and what the service and the account are taken from."""

from __future__ import annotations

import os
from typing import Union

from ._supermega import Client, Node

#: A path below a root of the account (``/Photos``, ``//trash/old``, ``H:HANDLE``), or a node.
Place = Union[str, "os.PathLike[str]", Node]

#: A local path.
LocalPath = Union[str, "os.PathLike[str]"]


def place(what: Place) -> str:
    """The text that names a node."""
    if isinstance(what, Node):
        return f"H:{what.handle}"
    text = os.fspath(what)
    return text.removeprefix("mega:")


def client(api_url: str | None = None, timeout: float | None = None) -> Client:
    """The service at an address: the given one, that of ``SUPERMEGA_API_URL``, or MEGA's own."""
    return Client(api_url or os.environ.get("SUPERMEGA_API_URL") or None, timeout=timeout)


def credentials() -> tuple[str, str] | None:
    """E-mail address and password of the environment, under today's names or those of 2013."""
    for email, password in [("SUPERMEGA_EMAIL", "SUPERMEGA_PASSWORD"), ("MEGA_USERNAME", "MEGA_PASSWORD")]:
        if email in os.environ and password in os.environ:
            return os.environ[email], os.environ[password]
    return None
