"""The programming interface of 2013: a session, its datastore, and files that hand themselves to a function.

    s = supermega.Session()
    s.login('user@example.org', 'password')
    s.download(to_disk, 'https://mega.co.nz/#!FILE_URL')

``to_disk(file, chunks)`` gets a file whose ``name`` can be opened as it is, and an iterator of bytes. The iterator
ends in :class:`~supermega.IntegrityError`, and never cleanly, if what arrived is not what was stored.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from . import _place
from ._supermega import Client, Node, RemoteFile
from ._supermega import Session as _Session
from .errors import AuthenticationError, InputError, NotFoundError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Container", "Datastore", "Directory", "File", "Session"]

#: What a download is handed to: the file, its content in pieces, and what else the caller gave.
Handler = Callable[..., Any]


class _Meta:
    """What files and folders have in common."""

    def __init__(self, session: Session, node: Node) -> None:
        self._session = session
        self._node = node

    @property
    def handle(self) -> str:
        """The handle, which stays the same when it is moved."""
        return self._node.handle

    @property
    def parent(self) -> str | None:
        """The handle of the folder it lies in."""
        return self._node.parent

    @property
    def name(self) -> str:
        """The name that a local file can have: it holds no slash and leads out of no folder."""
        return self._node.local_name

    @property
    def original_name(self) -> str:
        """The name as whoever made it wrote it."""
        return self._node.name

    @property
    def created(self) -> float | None:
        """When the service made it, in seconds since 1970."""
        return self._node.created

    def get_public_url(self) -> str:
        """The public link, which is made if there is none: whoever has it can read what it leads to."""
        return self._session._own().link(_place.place(self._node)).wait()

    def move_to(self, folder: Container) -> None:
        """Moves it into a folder."""
        self._node = self._session._own().move(_place.place(self._node), _place.place(folder._node)).wait()

    def delete(self) -> None:
        """Deletes it for good, whether it lies in the rubbish bin or not."""
        self._session._own().delete(_place.place(self._node)).wait()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Meta) and self.handle == other.handle

    def __hash__(self) -> int:
        return hash(self._node)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.original_name!r} ({self.handle})>"


class File(_Meta):
    """A file: of the account, or behind a public link."""

    def __init__(self, session: Session, node: Node | None, remote: RemoteFile | None = None) -> None:
        self._session = session
        self._remote = remote
        if node is not None:
            super().__init__(session, node)

    @classmethod
    def from_url(cls, url: str, *, password: str | None = None, api_url: str | None = None) -> File:
        """The file behind a public link. No account is needed."""
        return Session(api_url=api_url)._public(url, password)

    @classmethod
    def upload(cls, folder: Container, source: IO[bytes] | str | os.PathLike[str], name: str | None = None) -> File:
        """Uploads an open file or a local path into a folder."""
        session = folder._session
        if isinstance(source, (str, os.PathLike)):
            name = name or Path(source).name
            remote = session._below(folder, name)
            return File(session, session._own().upload(source, remote).wait())
        name = name or Path(str(getattr(source, "name", ""))).name
        if not name:
            raise InputError("an upload from a stream needs a name")
        remote = session._below(folder, name)
        return File(session, session._own().upload_bytes(source.read(), remote).wait())

    @property
    def handle(self) -> str:
        """The handle of the file, or of its link."""
        return self._node.handle if self._remote is None else self._remote.handle

    @property
    def name(self) -> str:
        """The name that a local file can have: it holds no slash and leads out of no folder."""
        return self._node.local_name if self._remote is None else self._remote.local_name

    @property
    def original_name(self) -> str:
        """The name as whoever made it wrote it."""
        return self._node.name if self._remote is None else self._remote.name

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._node.size if self._remote is None else self._remote.size

    def download(self, function: Handler, *args: Any, **kwargs: Any) -> None:
        """Calls ``function(file, chunks, …)``."""
        function(self, self._source().chunks(), *args, **kwargs)

    def _source(self) -> RemoteFile:
        if self._remote is not None:
            return self._remote
        return self._session._own().file(_place.place(self._node)).wait()


class Container(_Meta):
    """A folder, or a root of the account."""

    @property
    def children(self) -> list[File | Directory]:
        """What lies in it, in the order of names."""
        nodes = self._session._own().children(_place.place(self._node)).wait()
        return [self._session._wrap(node) for node in nodes]

    @property
    def subdirs(self) -> list[Directory]:
        """Its folders."""
        return [child for child in self.children if isinstance(child, Directory)]

    @property
    def files(self) -> list[File]:
        """Its files."""
        return [child for child in self.children if isinstance(child, File)]

    def walk(self) -> Iterator[tuple[Container, list[Directory], list[File]]]:
        """Each folder with its folders and files, before the folders in it."""
        for _, node, folders, files in self._session._own().walk(_place.place(self._node)).wait():
            here = self if node == self._node else Directory(self._session, node)
            subdirs = [Directory(self._session, folder) for folder in folders]
            yield here, subdirs, [File(self._session, file) for file in files]

    def find(self, name: str) -> File | Directory | None:
        """The first file or folder of this name below the folder; nothing if there is none."""
        found = self._session._own().find(_place.place(self._node), name).wait()
        return self._session._wrap(found[0]) if found else None

    def print_tree(self, file: TextIO | None = None) -> None:
        """Prints everything below the folder, each level further to the right."""
        out = sys.stdout if file is None else file
        print(self.original_name or "/", file=out)
        self._print_below(1, out)

    def _print_below(self, depth: int, out: TextIO) -> None:
        for child in self.children:
            shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in child.original_name)
            print("  " * depth + shown + ("/" if isinstance(child, Directory) else ""), file=out)
            if isinstance(child, Directory):
                child._print_below(depth + 1, out)

    def __iter__(self) -> Iterator[File | Directory]:
        return iter(self.children)

    def __getitem__(self, name: str) -> File | Directory:
        for child in self.children:
            if child.original_name == name:
                return child
        raise KeyError(name)


class Directory(Container):
    """A folder."""


class Datastore:
    """All files and folders of an account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def root(self) -> Container:
        """The root of the cloud drive."""
        return self._root("root")

    @property
    def trash(self) -> Container:
        """The rubbish bin."""
        return self._root("trash")

    @property
    def inbox(self) -> Container:
        """What was the inbox, and holds backups today."""
        return self._root("vault")

    def get_node(self, handle: str) -> File | Directory | Container:
        """The file or folder with this handle."""
        found: File | Directory | Container = self._session._wrap(self._session._own().node(f"H:{handle}").wait())
        return found

    def find(self, name: str) -> File | Directory | None:
        """The first file or folder of this name in the cloud drive; nothing if there is none."""
        return self.root.find(name)

    def __getitem__(self, handle: str) -> File | Directory | Container:
        try:
            return self.get_node(handle)
        except (NotFoundError, InputError):
            raise KeyError(handle) from None

    def _root(self, kind: str) -> Container:
        return Container(self._session, self._session._own().root(kind).wait())


class Session:
    """An account, or nobody yet: public files need none.

    Args:
        username: e-mail address; with it, the session logs in at once.
        password: the account's password.
        api_url: where the service is; ``SUPERMEGA_API_URL`` or MEGA itself unless given.
    """

    def __init__(
        self, username: str | None = None, password: str | None = None, *, api_url: str | None = None
    ) -> None:
        self._client: Client = _place.client(api_url)
        self._session: _Session | None = None
        self._datastore = Datastore(self)
        if username is not None:
            self.login(username, password or "")

    @classmethod
    def from_env(cls, *, api_url: str | None = None) -> Self:
        """Logs in with ``SUPERMEGA_EMAIL`` and ``SUPERMEGA_PASSWORD``, or ``MEGA_USERNAME`` and ``MEGA_PASSWORD``."""
        known = _place.credentials()
        if known is None:
            raise AuthenticationError("set SUPERMEGA_EMAIL and SUPERMEGA_PASSWORD")
        session = cls(api_url=api_url)
        session.login(*known)
        return session

    @classmethod
    def ephemeral(cls, *, api_url: str | None = None) -> Self:
        """Makes an account without e-mail address and password, which lives as long as its session."""
        session = cls(api_url=api_url)
        session._session = session._client.ephemeral().wait()
        return session

    def login(self, username: str, password: str, mfa_code: str | None = None) -> None:
        """Logs in."""
        self._session = self._client.login(username, password, mfa_code=mfa_code).wait()

    def logout(self) -> None:
        """Ends the session on the server."""
        self._own().logout().wait()
        self._session = None

    def init_datastore(self) -> None:
        """Fetches the list of all files and folders, anew each time it is called."""
        self._own().refresh().wait()

    @property
    def datastore(self) -> Datastore:
        """All files and folders."""
        return self._datastore

    @property
    def root(self) -> Container:
        """The root of the cloud drive."""
        return self._datastore.root

    @property
    def trash(self) -> Container:
        """The rubbish bin."""
        return self._datastore.trash

    @property
    def inbox(self) -> Container:
        """What was the inbox, and holds backups today."""
        return self._datastore.inbox

    def download(self, function: Handler, file: File | str, *args: Any, **kwargs: Any) -> None:
        """Calls ``function(file, chunks, …)`` for a file of the account or a public link."""
        source = self._public(file, None) if isinstance(file, str) else file
        source.download(function, *args, **kwargs)

    def download_to_file(self, file: File | str, handle: IO[bytes] | None = None) -> None:
        """Downloads into the working folder, under the file's name, or into an open file.

        The former appears once it is complete and verified, and replaces none. What was written to an open file
        must be thrown away if this raises.
        """
        source = self._public(file, None) if isinstance(file, str) else file
        if handle is None:
            source._source().to_path(source.name).wait()
            return
        for chunk in source._source().chunks():
            handle.write(chunk)

    def _public(self, url: str, password: str | None) -> File:
        return File(self, None, self._client.open_file(url, password=password).wait())

    def _own(self) -> _Session:
        if self._session is None:
            raise AuthenticationError("nobody is logged in: call login() first")
        return self._session

    def _below(self, folder: Container, name: str) -> str:
        return f"{self._own().path(_place.place(folder._node)).wait().rstrip('/')}/{name}"

    def _wrap(self, node: Node) -> Any:
        if node.is_file:
            return File(self, node)
        return Directory(self, node) if node.kind == "folder" else Container(self, node)

    def __repr__(self) -> str:
        return f"<Session: {self._session!r}>" if self._session else f"<Session of nobody at {self._client.api_url}>"
