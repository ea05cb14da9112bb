"""The same as :mod:`supermega.drive`, for programs that use asyncio.

    async with supermega.aio.connect("me@example.org", "password") as mega:
        await mega.upload("notes.txt", "/")
        async for event in mega.events():
            print(event.kind, event.node)

A task that is cancelled ends what it waits for, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from . import files
from ._account import Account
from ._place import LocalPath, Place, place
from ._supermega import Client as _Client
from ._supermega import Event, Meter, Node, Operation, PublicLink, Quota, RemoteFile, Session, is_link
from .drive import Progress, Usage, WalkStep, local_target, way_in
from .errors import NotFoundError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["AsyncFile", "AsyncMega", "connect"]

T = TypeVar("T")

#: How often progress is told.
TICK = 0.05


async def finish(operation: Operation[T], meter: Meter, progress: Progress | None) -> T:
    """Waits for a transfer, and tells of it in the event loop's thread."""
    if progress is None:
        return await operation
    work = asyncio.ensure_future(_awaited(operation))
    try:
        while not work.done():
            await asyncio.wait([work], timeout=TICK)
            progress(meter.done, meter.total)
        return work.result()
    finally:
        work.cancel()


async def _awaited(operation: Operation[T]) -> T:
    return await operation


class _Connecting:
    """What :func:`connect` gives: to be awaited, or entered with ``async with``."""

    def __init__(self, operation: Operation[Session]) -> None:
        self._operation = operation
        self._mega: AsyncMega | None = None

    def __await__(self) -> Generator[Any, None, AsyncMega]:
        return self._open().__await__()

    async def _open(self) -> AsyncMega:
        return AsyncMega(await self._operation)

    async def __aenter__(self) -> AsyncMega:
        self._mega = await self._open()
        return self._mega

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mega = None


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
) -> _Connecting:
    """Logs in, comes back, or opens a folder link: ``async with connect(…) as mega``, or ``mega = await connect(…)``.

    The arguments are those of :func:`supermega.connect`.
    """
    return _Connecting(
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
        )
    )


class AsyncMega(Account):
    """An account that is logged in, or an open folder link. Every method is the one of :class:`supermega.Mega`."""

    async def quota(self) -> Quota:
        """How much the account holds."""
        return await self._session.quota()

    async def logout(self) -> None:
        """Ends the session on the server."""
        await self._session.logout()

    async def node(self, path: Place) -> Node:
        """The file or folder at a path."""
        return await self._session.node(place(path))

    async def exists(self, path: Place) -> bool:
        """Whether there is anything at a path."""
        try:
            await self.node(path)
        except NotFoundError:
            return False
        return True

    async def ls(self, path: Place = "/") -> list[Node]:
        """What lies in a folder, in the order of names."""
        return await self._session.children(place(path))

    async def walk(self, path: Place = "/") -> AsyncIterator[WalkStep]:
        """Each folder below a path, and itself, before the folders in it."""
        for step in await self._session.walk(place(path)):
            yield WalkStep(*step)

    async def find(self, name: str, path: Place = "/") -> list[Node]:
        """Everything of this name below a path."""
        return await self._session.find(place(path), name)

    async def path(self, node: Place) -> str:
        """The path of a node."""
        return await self._session.path(place(node))

    async def usage(self, path: Place = "/") -> Usage:
        """How much lies below a path."""
        return Usage(*await self._session.usage(place(path)))

    async def refresh(self) -> None:
        """Fetches the list of all files and folders anew."""
        await self._session.refresh()

    async def events(self) -> AsyncIterator[Event]:
        """What changes from now on, whoever does it."""
        events = await self._session.events()
        while (event := await events.next()) is not None:
            yield event

    async def mkdir(self, path: Place, *, parents: bool = False, exist_ok: bool = False) -> Node:
        """Makes a folder."""
        return await self._session.mkdir(place(path), parents, exist_ok)

    async def rename(self, path: Place, name: str) -> Node:
        """Gives a file or folder another name."""
        return await self._session.rename(place(path), name)

    async def move(self, path: Place, folder: Place) -> Node:
        """Moves a file or folder into a folder."""
        return await self._session.move(place(path), place(folder))

    async def copy(self, path: Place, folder: Place, name: str | None = None) -> Node:
        """Copies a file or folder into a folder, on the server."""
        return await self._session.copy(place(path), place(folder), name)

    async def trash(self, path: Place) -> Node:
        """Moves a file or folder to the rubbish bin."""
        return await self._session.trash(place(path))

    async def restore(self, path: Place) -> Node:
        """Moves a node out of the rubbish bin, to where it lay before."""
        return await self._session.restore(place(path))

    async def delete(self, path: Place) -> None:
        """Deletes a file or folder for good."""
        await self._session.delete(place(path))

    async def empty_trash(self) -> None:
        """Deletes everything in the rubbish bin for good."""
        await self._session.empty_trash()

    async def upload(
        self,
        local: LocalPath,
        remote: Place = "/",
        *,
        overwrite: bool = True,
        wait_for_quota: bool = False,
        progress: Progress | None = None,
    ) -> Node:
        """Uploads a local file to a path, or into a folder under its own name."""
        meter = Meter()
        operation = self._session.upload(
            local, place(remote), overwrite=overwrite, wait_for_quota=wait_for_quota, meter=meter
        )
        return await finish(operation, meter, progress)

    async def download(
        self,
        remote: Place,
        local: LocalPath = ".",
        *,
        overwrite: bool = False,
        keep_partial: bool = False,
        wait_for_quota: bool = False,
        link_password: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Downloads a file of the account, or behind a public link, to a path or into a folder."""
        file = await self.file(remote, link_password=link_password)
        target = local_target(local, file)
        meter = Meter()
        operation = file.to_path(
            target, replace=overwrite, keep_partial=keep_partial, wait_for_quota=wait_for_quota, meter=meter
        )
        await finish(operation, meter, progress)
        return target

    async def file(self, remote: Place, *, link_password: str | None = None) -> RemoteFile:
        """The file at a path or behind a public link."""
        if isinstance(remote, str) and is_link(remote):
            return await _Client(self._session.api_url).open_file(remote, password=link_password)
        return await self._session.file(place(remote))

    async def chunks(self, remote: Place) -> AsyncIterator[bytes]:
        """A file's content in pieces, of which the last comes once the whole is verified."""
        chunks = (await self.file(remote)).chunks()
        while (chunk := await chunks.next()) is not None:
            yield chunk

    async def open(self, path: Place, mode: str = "rb") -> AsyncFile:
        """Opens a remote file: ``rb``, ``wb`` or ``xb``."""
        files.check_mode(mode)
        if "b" not in mode:
            raise ValueError("asynchronous files hold bytes: add b to the mode")
        if "r" in mode:
            return AsyncFile(self._session, await self.file(path), None)
        return AsyncFile(self._session, None, files.RemoteWriter(self._session, place(path), overwrite="x" not in mode))

    async def read_bytes(self, path: Place) -> bytes:
        """A file's content, verified."""
        return await (await self.file(path)).reader().read_all(0)

    async def write_bytes(self, path: Place, data: bytes, *, overwrite: bool = True) -> Node:
        """Writes a file."""
        return await self._session.upload_bytes(data, place(path), overwrite=overwrite)

    async def link(self, path: Place, *, expires: float | None = None, password: str | None = None) -> str:
        """The public link of a file or folder, which is made if there is none."""
        return await self._session.link(place(path), expires=expires, password=password)

    async def unlink(self, path: Place) -> None:
        """Ends the public link of a file or folder."""
        await self._session.unlink(place(path))

    async def links(self) -> list[PublicLink]:
        """All public links of the account."""
        return await self._session.links()

    async def import_link(self, url: str, folder: Place = "/", *, link_password: str | None = None) -> Node:
        """Copies what a public link leads to into a folder of the account."""
        return await self._session.import_link(url, place(folder), password=link_password)


class AsyncFile:
    """A remote file that is read from any place, or written and put in place when it is closed."""

    def __init__(self, session: Session, file: RemoteFile | None, writer: files.RemoteWriter | None) -> None:
        self._session = session
        self._reader = file.reader() if file is not None else None
        self._writer = writer
        self._position = 0
        self._size = file.size if file is not None else 0

    async def read(self, size: int = -1) -> bytes:
        """Reads so many bytes, fewer only at the end, or everything. What is read from beginning to end is verified."""
        if self._reader is None:
            raise ValueError("the file is open for writing")
        if size < 0:
            data = await self._reader.read_all(self._position)
            self._position += len(data)
            return data
        pieces = []
        while size > 0 and (piece := await self._reader.read(self._position, size)):
            pieces.append(piece)
            self._position += len(piece)
            size -= len(piece)
        return b"".join(pieces)

    async def seek(self, position: int) -> int:
        """Goes to a place, counted from the beginning."""
        if position < 0:
            raise ValueError("a position before the beginning of the file")
        self._position = position
        return position

    def tell(self) -> int:
        """The place."""
        return self._position if self._writer is None else self._writer.tell()

    async def write(self, data: bytes) -> int:
        """Takes bytes."""
        if self._writer is None:
            raise ValueError("the file is open for reading")
        return self._writer.write(data)

    async def close(self) -> None:
        """Uploads what was written."""
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)

    async def __aenter__(self) -> AsyncFile:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._writer is not None:
            self._writer.discard()
        await self.close()
