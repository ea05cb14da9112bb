"""Remote files as file objects: read from any place, or written and put in place when they are closed."""

from __future__ import annotations

import io
import os
import tempfile
from typing import TYPE_CHECKING, Any

from ._supermega import RemoteFile, Session
from .errors import InputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["RemoteReader", "RemoteWriter"]

#: What a buffered reader asks for at once.
BUFFER = 1 << 20
#: Content that is being written stays in memory up to this size; more goes to a temporary file.
SPOOLED = 32 << 20


class RemoteReader(io.RawIOBase):
    """A remote file that is read. Nothing is fetched before the first read.

    What is read from the beginning to the end without a seek is verified: its last bytes come only when everything
    agrees with the file's MAC, and :class:`~supermega.IntegrityError` comes in their place if it does not. Behind a
    seek nothing can be verified, since MEGA keeps one MAC for the whole file.
    """

    def __init__(self, file: RemoteFile) -> None:
        super().__init__()
        self._file = file
        self._reader = file.reader()
        self._position = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return self._file.name

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._file.size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Reads into a buffer as many bytes as are there."""
        self._must_be_open()
        view = memoryview(buffer).cast("B")
        data = self._reader.read(self._position, len(view)).wait()
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        """Reads everything up to the end."""
        self._must_be_open()
        data = self._reader.read_all(self._position).wait()
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place."""
        self._must_be_open()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}
        if whence not in start:
            raise ValueError(f"invalid whence ({whence})")
        if start[whence] + offset < 0:
            raise ValueError("a position before the beginning of the file")
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        """The place."""
        return self._position

    def _must_be_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


class RemoteWriter(io.RawIOBase):
    """A remote file that is written. It appears, whole, when it is closed, and not at all if the ``with`` block ends in
    an exception or :meth:`discard` is called.
    """

    def __init__(self, session: Session, remote: str, *, overwrite: bool = True) -> None:
        super().__init__()
        self._session = session
        self._remote = remote
        self._overwrite = overwrite
        self._memory: io.BytesIO | None = io.BytesIO()
        self._spool: Any = None
        self._discarded = False

    @property
    def name(self) -> str:
        """Where it will lie."""
        return self._remote

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Takes bytes."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        view = memoryview(data).cast("B")
        if self._memory is not None and self._memory.tell() + len(view) > SPOOLED:
            self._spool = tempfile.NamedTemporaryFile(prefix="supermega-")
            self._spool.write(self._memory.getbuffer())
            self._memory = None
        if self._memory is not None:
            self._memory.write(view)
        else:
            self._spool.write(view)
        return len(view)

    def tell(self) -> int:
        """How many bytes were written."""
        return int((self._memory or self._spool).tell())

    def discard(self) -> None:
        """Throws away what was written."""
        self._discarded = True
        self.close()

    def close(self) -> None:
        """Uploads what was written, unless that is to be thrown away."""
        if self.closed:
            return
        try:
            if not self._discarded:
                self._upload()
        finally:
            self._memory = None
            if self._spool is not None:
                self._spool.close()
            super().close()

    def _upload(self) -> None:
        if self._memory is not None:
            data = self._memory.getvalue()
            self._session.upload_bytes(data, self._remote, overwrite=self._overwrite).wait()
        else:
            self._spool.flush()
            self._session.upload(self._spool.name, self._remote, overwrite=self._overwrite).wait()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self._discarded = True
        self.close()

    def __del__(self) -> None:
        # A file that nobody closed was not finished.
        self._discarded = True
        super().__del__()


class _Buffered(io.BufferedWriter):
    """Collects small writes, and keeps the promise of :class:`RemoteWriter` about exceptions."""

    raw: RemoteWriter

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self.raw._discarded = True
        self.close()


class _Text(io.TextIOWrapper):
    """Text over :class:`_Buffered`, with the same promise."""

    buffer: _Buffered

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self.buffer.raw._discarded = True
        self.close()


def open_reader(
    file: RemoteFile, mode: str, buffering: int, encoding: str | None, errors: str | None, newline: str | None
) -> Any:
    """Opens a file to be read: raw with ``buffering=0``, buffered, or as text."""
    raw = RemoteReader(file)
    if buffering == 0:
        if "b" not in mode:
            raise ValueError("can't have unbuffered text I/O")
        return raw
    buffered = _Reader(raw, BUFFER if buffering < 0 else max(buffering, 2))
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


class _Reader(io.BufferedReader):
    """A buffered reader that hands a read of everything through."""

    raw: RemoteReader

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads so many bytes, or everything."""
        if size is None or size < 0:
            position = self.tell()
            if position == self.raw.tell():
                return self.raw.readall()
        return super().read(size)


def open_writer(
    session: Session,
    remote: str,
    mode: str,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> Any:
    """Opens a file to be written, as bytes or as text; with ``x`` it must not exist."""
    raw = RemoteWriter(session, remote, overwrite="x" not in mode)
    buffered = _Buffered(raw, BUFFER)
    return buffered if "b" in mode else _Text(buffered, encoding, errors, newline)


def check_mode(mode: str) -> None:
    """Refuses modes that there are not."""
    kinds = [letter for letter in mode if letter in "rwx"]
    if len(kinds) != 1 or set(mode) - set("rwxbt") or ("b" in mode and "t" in mode):
        raise InputError(f"{mode!r}: a mode is r, w or x, with b or t")
