"""An account or a folder link, for programs of today.

    with supermega.connect("me@example.org", "password") as mega:
        mega.upload("notes.txt", "/")
        with mega.open("/notes.txt", "rb") as file:
            print(file.read())

Every call that waits lets other threads run, can be ended by Ctrl-C, and may be made from any thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

from . import _place, files
from ._account import Account
from ._place import LocalPath, Place, place
from ._supermega import Event, Events, Meter, Node, Operation, PublicLink, Quota, RemoteFile, Session, is_link
from ._supermega import Client as _Client
from .errors import AuthenticationError, Cancelled, InputError, NotFoundError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Mega", "Usage", "WalkStep", "connect"]

T = TypeVar("T")

#: Is told how many bytes are there, and how many there are to be. What it raises ends the transfer.
Progress = Callable[[int, int], object]


class WalkStep(NamedTuple):
    """One folder of a walk."""

    #: Its path.
    path: str
    #: The folder.
    folder: Node
    #: Its sub-folders. Taking some out of this list keeps nobody from walking them.
    folders: list[Node]
    #: Its files.
    files: list[Node]


class Usage(NamedTuple):
    """How much lies somewhere."""

    #: Bytes of current files.
    bytes: int
    #: Current files.
    files: int
    #: Folders.
    folders: int


def way_in(
    email: str | None,
    password: str | None,
    *,
    session: str | None,
    link: str | None,
    link_password: str | None,
    ephemeral: bool,
    mfa_code: str | None,
    totp_secret: str | None,
    api_url: str | None,
    timeout: float | None,
    live: bool,
) -> Operation[Session]:
    """What :func:`connect` and its asynchronous twin begin with."""
    client = _place.client(api_url, timeout)
    ways = [email is not None, session is not None, link is not None, ephemeral]
    if sum(ways) > 1:
        raise InputError("give one of: e-mail address and password, session, link, ephemeral")
    if link is not None:
        return client.open_folder(link, password=link_password, live=live)
    if ephemeral:
        return client.ephemeral(live=live)
    saved = session if session is not None or email is not None else os.environ.get("SUPERMEGA_SESSION")
    if saved is not None:
        return client.resume(saved, live=live)
    if email is None or password is None:
        known = _place.credentials() if email is None else None
        if known is None:
            raise AuthenticationError(
                "give an e-mail address and a password, or set SUPERMEGA_EMAIL and SUPERMEGA_PASSWORD"
            )
        email, password = known
    return client.login(email, password, mfa_code=mfa_code, totp_secret=totp_secret, live=live)


def connect(
    email: str | None = None,
    password: str | None = None,
    *,
    session: str | None = None,
    link: str | None = None,
    link_password: str | None = None,
    ephemeral: bool = False,
    mfa_code: str | None = None,
    totp_secret: str | None = None,
    api_url: str | None = None,
    timeout: float | None = None,
    live: bool = True,
) -> Mega:
    """Logs in, comes back, or opens a folder link.

    Args:
        email: the account; without any other way in, ``SUPERMEGA_EMAIL`` and ``SUPERMEGA_PASSWORD`` are taken.
        password: its password.
        session: a session that was saved (:meth:`Mega.save`), or ``SUPERMEGA_SESSION``.
        link: the public link of a folder.
        link_password: what opens the link, if it is protected.
        ephemeral: make an account without e-mail address and password.
        mfa_code: the six digits of the account's second factor.
        totp_secret: the secret that such codes are made of.
        api_url: where the service is; ``SUPERMEGA_API_URL`` or MEGA itself unless given.
        timeout: for how many seconds to try to reach a host that refuses.
        live: show what others do while one looks, which takes a connection of its own.
    """
    return Mega(
        way_in(
            email,
            password,
            session=session,
            link=link,
            link_password=link_password,
            ephemeral=ephemeral,
            mfa_code=mfa_code,
            totp_secret=totp_secret,
            api_url=api_url,
            timeout=timeout,
            live=live,
        ).wait()
    )


def finish(
    operation: Operation[T], meter: Meter, progress: Progress | None, cancel: threading.Event | None
) -> T:
    """Waits for a transfer, tells of it, and gives it up when that is wanted."""
    if progress is None and cancel is None:
        return operation.wait()

    def tick() -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("the transfer was given up")
        if progress is not None:
            progress(meter.done, meter.total)

    result = operation.wait(tick)
    if progress is not None:
        progress(meter.done, meter.total)
    return result


class Mega(Account):
    """An account that is logged in, or an open folder link. See :func:`connect`.

    Remote paths begin with a slash; ``//trash`` is the rubbish bin, ``//in/EMAIL`` what that user shares, ``H:HANDLE`` a
    node by its handle. Wherever one is taken, a node or a path-like object may stand.
    """

    def quota(self) -> Quota:
        """How much the account holds."""
        return self._session.quota().wait()

    def logout(self) -> None:
        """Ends the session on the server: whoever saved it cannot come back with it."""
        self._session.logout().wait()

    def close(self) -> None:
        """Does nothing by itself: the session stays good on the server, and what it holds here goes with this object."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What lies where.

    def node(self, path: Place) -> Node:
        """The file or folder at a path."""
        return self._session.node(place(path)).wait()

    def exists(self, path: Place) -> bool:
        """Whether there is anything at a path."""
        try:
            self.node(path)
        except NotFoundError:
            return False
        return True

    def ls(self, path: Place = "/") -> list[Node]:
        """What lies in a folder, in the order of names; a file is given alone."""
        return self._session.children(place(path)).wait()

    def walk(self, path: Place = "/") -> Iterator[WalkStep]:
        """Each folder below a path, and itself, before the folders in it: all of one snapshot."""
        for step in self._session.walk(place(path)).wait():
            yield WalkStep(*step)

    def find(self, name: str, path: Place = "/") -> list[Node]:
        """Everything of this name below a path."""
        return self._session.find(place(path), name).wait()

    def path(self, node: Place) -> str:
        """The path of a node."""
        return self._session.path(place(node)).wait()

    def usage(self, path: Place = "/") -> Usage:
        """How much lies below a path. Nothing is asked of the service for that."""
        return Usage(*self._session.usage(place(path)).wait())

    def refresh(self) -> None:
        """Fetches the list of all files and folders anew."""
        self._session.refresh().wait()

    def events(self) -> Iterator[Event]:
        """What changes from now on, whoever does it. The iterator ends with the session."""
        events = self._session.events().wait()
        return _each(events)

    # Changes.

    def mkdir(self, path: Place, *, parents: bool = False, exist_ok: bool = False) -> Node:
        """Makes a folder."""
        return self._session.mkdir(place(path), parents, exist_ok).wait()

    def rename(self, path: Place, name: str) -> Node:
        """Gives a file or folder another name."""
        return self._session.rename(place(path), name).wait()

    def move(self, path: Place, folder: Place) -> Node:
        """Moves a file or folder into a folder."""
        return self._session.move(place(path), place(folder)).wait()

    def copy(self, path: Place, folder: Place, name: str | None = None) -> Node:
        """Copies a file or folder into a folder, on the server."""
        return self._session.copy(place(path), place(folder), name).wait()

    def trash(self, path: Place) -> Node:
        """Moves a file or folder to the rubbish bin."""
        return self._session.trash(place(path)).wait()

    def restore(self, path: Place) -> Node:
        """Moves a node out of the rubbish bin, to where it lay before."""
        return self._session.restore(place(path)).wait()

    def delete(self, path: Place) -> None:
        """Deletes a file or folder for good."""
        self._session.delete(place(path)).wait()

    def empty_trash(self) -> None:
        """Deletes everything in the rubbish bin for good."""
        self._session.empty_trash().wait()

    # Contents.

    def upload(
        self,
        local: LocalPath,
        remote: Place = "/",
        *,
        overwrite: bool = True,
        wait_for_quota: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Node:
        """Uploads a local file to a path, or into a folder under its own name. A file that is there becomes an old
        version of the new one, unless ``overwrite`` is false.

        Args:
            progress: called in this thread, some twenty times a second, with the bytes that are there and those that
                there are to be. What it raises ends the transfer.
            cancel: ends the transfer once another thread sets it.
            wait_for_quota: wait until there is quota again, rather than raise ``QuotaExceeded``.
        """
        meter = Meter()
        operation = self._session.upload(
            local, place(remote), overwrite=overwrite, wait_for_quota=wait_for_quota, meter=meter
        )
        return finish(operation, meter, progress, cancel)

    def download(
        self,
        remote: Place,
        local: LocalPath = ".",
        *,
        overwrite: bool = False,
        keep_partial: bool = False,
        wait_for_quota: bool = False,
        link_password: str | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> str:
        """Downloads a file of the account, or behind a public link, to a path or into a folder. Gives the local path.

        The file appears once it is complete and verified. ``keep_partial`` keeps what has arrived of a download that
        ends early, and the next one of the same file to the same path goes on with it. The other arguments are those
        of :meth:`upload`.
        """
        file = self.file(remote, link_password=link_password)
        target = local_target(local, file)
        meter = Meter()
        operation = file.to_path(
            target, replace=overwrite, keep_partial=keep_partial, wait_for_quota=wait_for_quota, meter=meter
        )
        finish(operation, meter, progress, cancel)
        return target

    def file(self, remote: Place, *, link_password: str | None = None) -> RemoteFile:
        """The file at a path or behind a public link, to be fetched in whichever way."""
        if isinstance(remote, str) and is_link(remote):
            client = _Client(self._session.api_url)
            return client.open_file(remote, password=link_password).wait()
        return self._session.file(place(remote)).wait()

    def open(
        self,
        path: Place,
        mode: str = "r",
        *,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Opens a remote file as Python opens a local one: ``r``, ``w`` or ``x``, with ``b`` for bytes.

        Read, it is fetched as it is needed, from any place; public links may be read, too. Written, it appears when it
        is closed, and what is there becomes an old version.
        """
        files.check_mode(mode)
        if "r" in mode:
            return files.open_reader(self.file(path), mode, buffering, encoding, errors, newline)  # type: ignore[no-any-return]
        return files.open_writer(self._session, place(path), mode, encoding, errors, newline)  # type: ignore[no-any-return]

    def read_bytes(self, path: Place) -> bytes:
        """A file's content, verified."""
        return self.file(path).reader().read_all(0).wait()

    def write_bytes(self, path: Place, data: bytes, *, overwrite: bool = True) -> Node:
        """Writes a file."""
        return self._session.upload_bytes(data, place(path), overwrite=overwrite).wait()

    # Links.

    def link(self, path: Place, *, expires: float | None = None, password: str | None = None) -> str:
        """The public link of a file or folder, which is made if there is none: whoever has it can read what it leads to.

        Args:
            expires: when it ends, in seconds since 1970; accounts without a plan get no such links.
            password: what it takes to open the link.
        """
        return self._session.link(place(path), expires=expires, password=password).wait()

    def unlink(self, path: Place) -> None:
        """Ends the public link of a file or folder."""
        self._session.unlink(place(path)).wait()

    def links(self) -> list[PublicLink]:
        """All public links of the account."""
        return self._session.links().wait()

    def import_link(self, url: str, folder: Place = "/", *, link_password: str | None = None) -> Node:
        """Copies what a public link leads to into a folder of the account. Nothing is downloaded for that."""
        return self._session.import_link(url, place(folder), password=link_password).wait()


def local_target(local: LocalPath, file: RemoteFile) -> str:
    """Where a download goes: into a folder under the file's own name, made safe, or to this very path."""
    path = os.fspath(local)
    return os.path.join(path, file.local_name) if os.path.isdir(path) else path


def _each(events: Events) -> Iterator[Event]:
    while (event := events.next().wait()) is not None:
        yield event
