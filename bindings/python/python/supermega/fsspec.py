"""An fsspec file system, so that pandas, Polars, PyArrow, DuckDB, xarray, Dask and Ray read and write MEGA.

    pandas.read_parquet("mega:///data/2024.parquet", columns=["price"])
    fsspec.open("mega://mega.nz/folder/HANDLE#KEY/inside/it.csv")

Options: ``email`` and ``password``, or ``session`` (a saved one), or ``link`` (a public folder or file), and ``api_url``;
without any, the environment's. See :func:`supermega.connect`.

**What is fetched.** Opened files fetch the blocks that are read, ``cat_file`` and ``cat_ranges`` exactly the bytes that are
asked for. MEGA keeps one MAC for a whole file: a part cannot be checked, while ``get_file``, ``cat_file`` of a whole file
and files that are opened with ``cache_type="all"`` are, and end in ``IntegrityError`` where they must.

**What is shown.** Listings come from the session's tree, which follows what others do; there is no cache to expire.

**Secrets.** An instance pickles to its saved session, which is as good as the password, though not the password; workers on
other machines use it so. Tokens, hashes and reprs are made of the address and the account's name or the link's handle, and
of no secret.
"""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from fsspec.utils import stringify_path, tokenize

from . import files
from ._place import client
from ._supermega import Client, Meter, Node, Operation, RemoteFile, Session
from .drive import finish, way_in
from .errors import AlreadyExistsError, InputError, NotFoundError

__all__ = ["MegaFile", "MegaFileSystem"]

#: Options that nothing shown, hashed or stored may derive from.
SECRETS = ("password", "session", "link", "link_password", "mfa_code", "totp_secret")


class _Instances(type(AbstractFileSystem)):  # type: ignore[misc]
    """Finds the instance for some options by what is no secret, and hands it to those who know its secrets."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if args:
            raise InputError("options are given by name: email, password, session, link, api_url")
        secrets = {name: options.pop(name) for name in SECRETS if options.get(name) is not None}
        holder = _Secrets(secrets)
        public = {**options, "identity": holder.identity(options)}
        fs = super().__call__(**public, secrets=holder)
        if fs._secrets != holder:
            fs = super().__call__(**public, secrets=holder, skip_instance_cache=True)
        fs.storage_args = ()
        fs.storage_options = dict(options)
        return fs


class _Secrets:
    """What an instance logs in with; it has no representation."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def identity(self, options: dict[str, Any]) -> str:
        """Which account or link this is, as far as that can be told without secrets."""
        if "link" in self._values:
            return f"link {Client.link_handle(self._values['link'])}"
        return "session" if "session" in self._values else str(options.get("email", "environment"))

    def values(self) -> dict[str, Any]:
        return self._values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Secrets) or self._values.keys() != other._values.keys():
            return False
        pairs = [(str(value), str(other._values[name])) for name, value in self._values.items()]
        return all([compare_digest(a.encode(), b.encode()) for a, b in pairs])

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<secrets>"


class MegaFileSystem(AbstractFileSystem, metaclass=_Instances):  # type: ignore[misc]
    """MEGA as a file system: an account, a public folder, or a public file.

    Args:
        email: the account.
        password: its password.
        session: a saved session in their place.
        link: the public link of a folder, which is the root then, or of a file, which is all there is.
        link_password: what opens the link, if it is protected.
        api_url: where the service is; ``SUPERMEGA_API_URL`` or MEGA itself unless given.
        permanent: whether what is removed is gone at once, rather than in the rubbish bin.
    """

    protocol = "mega"
    root_marker = "/"
    _strip_tokenize_options = ("secrets",)

    def __init__(
        self,
        email: str | None = None,
        api_url: str | None = None,
        timeout: float | None = None,
        ephemeral: bool = False,
        permanent: bool = True,
        *,
        secrets: _Secrets,
        identity: str = "",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._secrets = secrets
        self._identity = identity
        self._permanent = permanent
        self._api_url = api_url
        self._public: RemoteFile | None = None
        self._own: Session | None = None
        given = secrets.values()
        link = given.get("link")
        if link is not None and not Client.leads_to_folder(link):
            opening = client(api_url, timeout).open_file(link, password=given.get("link_password"))
            self._public = opening.wait()
            return
        self._own = way_in(
            email,
            given.get("password"),
            session=given.get("session"),
            link=link,
            link_password=given.get("link_password"),
            ephemeral=ephemeral,
            mfa_code=given.get("mfa_code"),
            totp_secret=given.get("totp_secret"),
            api_url=api_url,
            timeout=timeout,
            live=True,
        ).wait()

    # Who it is, without secrets.

    @property
    def fsid(self) -> str:
        """Address, and user or link."""
        who = self._own.user if self._own is not None and self._own.user else self._identity
        return f"mega-{tokenize(self._address, who)}"

    @property
    def _address(self) -> str:
        return self._own.api_url if self._own is not None else client(self._api_url).api_url

    def __reduce__(self) -> Any:
        options: dict[str, Any] = {"api_url": self._address, "permanent": self._permanent}
        given = self._secrets.values()
        if "link" in given:
            options |= {"link": given["link"], "link_password": given.get("link_password")}
        elif self._own is not None:
            options["session"] = self._own.save()
        return _again, (options,)

    def to_dict(self, *, include_password: bool = True) -> dict[str, Any]:
        """What makes it anew, as long as the environment, or whoever does, gives the secrets: they are never in it."""
        return super().to_dict(include_password=False)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<MegaFileSystem: {self._own or self._identity}>"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        text = stringify_path(path)
        for prefix in ("mega://", "mega::", "mega:"):
            if text.startswith(prefix):
                text = text[len(prefix) :]
                break
        _, text = _split_link(text)
        text = text.rstrip("/")
        return text if text.startswith(("/", "H:")) else f"/{text}"

    @staticmethod
    def _get_kwargs_from_urls(path: Any) -> dict[str, Any]:
        link, _ = _split_link(stringify_path(path).removeprefix("mega://"))
        return {"link": link} if link else {}

    # What lies where.

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Name, size, type, times and handle of what lies at a path."""
        path = self._strip_protocol(path)
        if self._public is not None:
            return self._public_info(path)
        return self._info(path, self._session.node(path).wait())

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        """What lies in a folder; a file is given alone."""
        path = self._strip_protocol(path)
        if self._public is not None:
            found = [self._public_info(f"/{self._public.name}" if path == "/" else path)]
        else:
            found = self._list(path)
        return found if detail else [one["name"] for one in found]

    def _list(self, path: str) -> list[dict[str, Any]]:
        node = self._session.node(path).wait()
        if node.is_file:
            return [self._info(path, node)]
        base = "" if path == "/" else path
        return [self._info(f"{base}/{node.name}", node) for node in self._session.children(path).wait()]

    def _info(self, path: str, node: Node) -> dict[str, Any]:
        return {
            "name": path,
            "size": node.size if node.is_file else 0,
            "type": "file" if node.is_file else "directory",
            "mtime": node.modified or node.created,
            "created": node.created,
            "handle": node.handle,
        }

    def _public_info(self, path: str) -> dict[str, Any]:
        file = self._public
        assert file is not None
        if path == "/":
            return {"name": "/", "size": 0, "type": "directory", "handle": file.handle}
        if path != f"/{file.name}":
            raise NotFoundError(f"{path} not found")
        return {
            "name": path,
            "size": file.size,
            "type": "file",
            "mtime": file.modified,
            "handle": file.handle,
        }

    def created(self, path: str) -> Any:
        """When the service made it."""
        return _moment(self.info(path).get("created"))

    def modified(self, path: str) -> Any:
        """When it was changed last where it came from."""
        return _moment(self.info(path).get("mtime"))

    def ukey(self, path: str) -> str:
        """Tells one content from another: each upload has a handle of its own."""
        return f"{self.fsid}-{self.info(path)['handle']}"

    def checksum(self, path: str) -> int:
        """The same as a number."""
        return int(tokenize(self.ukey(path)), 16)

    def invalidate_cache(self, path: str | None = None) -> None:
        """Fetches the list of all files and folders anew."""
        if self._own is not None:
            self._own.refresh().wait()

    # Changes.

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Makes a folder."""
        self._session.mkdir(self._strip_protocol(path), create_parents, False).wait()

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Makes a folder and those around it."""
        self._session.mkdir(self._strip_protocol(path), True, exist_ok).wait()

    def rmdir(self, path: str) -> None:
        """Removes an empty folder."""
        path = self._strip_protocol(path)
        if self._session.children(path).wait():
            raise OSError(f"{path} is not empty")
        self._remove(path)

    def rm_file(self, path: str) -> None:
        """Removes a file."""
        self._remove(self._strip_protocol(path))

    def _rm(self, path: str) -> None:
        self._remove(self._strip_protocol(path))

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Removes files, and folders with all that is in them if that is wanted."""
        if maxdepth is not None:
            super().rm(path, recursive=recursive, maxdepth=maxdepth)
            return
        for one in self.expand_path(path, recursive=False):
            if self.isdir(one) and not recursive:
                self.rmdir(one)
            else:
                self._remove(one)

    def _remove(self, path: str) -> None:
        session = self._session
        (session.delete(path) if self._permanent else session.trash(path)).wait()

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copies a file, on the server; a folder is made."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        session = self._session
        if not session.node(source).wait().is_file:
            session.mkdir(target, True, True).wait()
            return
        folder, _, name = target.rpartition("/")
        session.mkdir(folder or "/", True, True).wait()
        try:
            session.copy_over(source, target).wait()
        except NotFoundError:
            session.copy(source, folder or "/", name).wait()

    def mv(self, path1: str, path2: str, recursive: bool = False, maxdepth: int | None = None, **options: Any) -> None:
        """Moves a file or folder; handles and links stay."""
        if isinstance(path1, list) or isinstance(path2, list):
            super().mv(path1, path2, recursive=recursive, maxdepth=maxdepth, **options)
            return
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if source == target:
            return
        session = self._session
        if self.isdir(target):
            target = f"{target.rstrip('/')}/{source.rpartition('/')[2]}"
        folder, _, name = target.rpartition("/")
        node = session.node(source).wait()
        place = f"H:{node.handle}"
        replaced = session.node(target).wait() if self.isfile(target) else None
        if session.node(folder or "/").wait().handle != node.parent:
            session.move(place, folder or "/").wait()
        if node.name != name:
            session.rename(place, name).wait()
        if replaced is not None:
            session.delete(f"H:{replaced.handle}").wait()

    # Contents.

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        """A file's bytes: all of them, verified, or exactly those of a range."""
        file = self._file(path)
        begin, behind = _range(start, end, file.size)
        if (begin, behind) == (0, file.size):
            return file.reader().read_all(0).wait()
        return file.ranges([(begin, behind)]).wait()[0]

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **options: Any,
    ) -> list[Any]:
        """Bytes of many ranges, those of one file at once."""
        count = len(paths)
        starts = starts if isinstance(starts, (list, tuple)) else [starts] * count
        ends = ends if isinstance(ends, (list, tuple)) else [ends] * count
        results: list[Any] = [None] * count
        by_path: dict[str, list[int]] = {}
        for number, path in enumerate(paths):
            by_path.setdefault(path, []).append(number)
        for path, numbers in by_path.items():
            try:
                file = self._file(path)
                ranges = [_range(starts[number], ends[number], file.size) for number in numbers]
                found: list[Any] = list(file.ranges(ranges).wait())
            except Exception as error:
                if on_error == "raise":
                    raise
                found = [error] * len(numbers)
            for number, data in zip(numbers, found):
                results[number] = data
        return results

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        """Writes a file as a whole."""
        path = self._strip_protocol(path)
        self._make_parent(path)
        data = value if isinstance(value, (bytes, bytearray)) else bytes(value)
        self._session.upload_bytes(data, path, overwrite=mode != "create").wait()

    def get_file(self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, outfile: Any = None, **options: Any) -> None:
        """Downloads a file, which appears once it is complete and verified."""
        if self.isdir(rpath):
            os.makedirs(lpath, exist_ok=True)
            return
        file = self._file(rpath)
        callback.set_size(file.size)
        target = outfile if outfile is not None else lpath
        if hasattr(target, "write"):
            for chunk in file.chunks():
                target.write(chunk)
                callback.relative_update(len(chunk))
            return
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        meter = Meter()
        operation = file.to_path(os.fspath(target), replace=True, meter=meter)
        self._transfer(operation, meter, callback)

    def put_file(
        self, lpath: Any, rpath: str, callback: Any = DEFAULT_CALLBACK, mode: str = "overwrite", **options: Any
    ) -> None:
        """Uploads a file, which appears once it is complete."""
        rpath = self._strip_protocol(rpath)
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
            return
        self._make_parent(rpath)
        callback.set_size(os.stat(lpath).st_size)
        meter = Meter()
        operation = self._session.upload(os.fspath(lpath), rpath, overwrite=mode != "create", meter=meter)
        self._transfer(operation, meter, callback)

    @staticmethod
    def _transfer(operation: Operation[Any], meter: Meter, callback: Any) -> None:
        told = None if callback is DEFAULT_CALLBACK else lambda done, total: callback.absolute_update(done)
        finish(operation, meter, told, None)

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """Makes an empty file, or empties one."""
        if truncate or not self.exists(path):
            self.pipe_file(path, b"")

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        if mode == "rb":
            return MegaFile(self, path, mode, block_size or 2**20, cache_options=cache_options, **options)
        if mode not in ("wb", "xb"):
            raise NotImplementedError(f"{mode!r}: files are read, or written as a whole")
        if mode == "xb" and self.exists(path):
            raise AlreadyExistsError(f"{path} exists already")
        self._make_parent(path)
        writer = MegaWriter(self._session, path, overwrite=mode != "xb")
        if not autocommit:
            writer.hold()
        return writer

    def sign(self, path: str, expiration: int = 100, **options: Any) -> str:
        """The public link of a file or folder, with its key. It does not expire by itself."""
        return self._session.link(self._strip_protocol(path)).wait()

    # What is behind all that.

    @property
    def _session(self) -> Session:
        if self._own is None:
            raise InputError("a public file is all there is: it can be read and nothing else")
        return self._own

    def _file(self, path: str) -> RemoteFile:
        path = self._strip_protocol(path)
        if self._public is not None:
            self._public_info(path)
            if path == "/":
                raise IsADirectoryError(path)
            return self._public
        node = self._session.node(path).wait()
        if not node.is_file:
            raise IsADirectoryError(path)
        return self._session.file(f"H:{node.handle}").wait()

    def _make_parent(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder:
            self._session.mkdir(folder, True, True).wait()


class MegaFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file that is read block by block, through fsspec's caches."""

    def __init__(self, fs: MegaFileSystem, path: str, mode: str, block_size: int, **options: Any) -> None:
        self._remote = fs._file(path)
        options.setdefault("size", self._remote.size)
        super().__init__(fs, path, mode, block_size, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        if (start, end) == (0, self._remote.size):
            return self._remote.reader().read_all(0).wait()
        return self._remote.ranges([(start, end)]).wait()[0]


class MegaWriter(files.RemoteWriter):
    """A file that is written. In a transaction it waits for the commit."""

    def __init__(self, session: Session, path: str, *, overwrite: bool) -> None:
        super().__init__(session, path, overwrite=overwrite)
        self.path = path
        self._held = False

    def hold(self) -> None:
        """Keeps what is written until :meth:`commit`."""
        self._held = True

    def commit(self) -> None:
        """Puts the file in place."""
        self._held = False
        self.close()

    def close(self) -> None:
        """Puts the file in place, unless a transaction has it."""
        if not self._held:
            super().close()


def _again(options: dict[str, Any]) -> MegaFileSystem:
    fs: MegaFileSystem = MegaFileSystem(**options)
    return fs


def _split_link(text: str) -> tuple[str | None, str]:
    """Splits ``mega.nz/folder/HANDLE#KEY/path`` into the link and the path."""
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    if not text.startswith(("mega.nz/", "mega.co.nz/", "mega.io/")):
        return None, text
    before, mark, rest = text.partition("#")
    key, slash, path = rest.partition("/")
    return f"https://{before}{mark}{key}", slash + path


def _range(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    def place(at: int | None, otherwise: int) -> int:
        at = otherwise if at is None else at
        return min(max(at + size if at < 0 else at, 0), size)

    begin = place(start, 0)
    return begin, max(place(end, size), begin)


def _moment(seconds: float | None) -> Any:
    from datetime import datetime, timezone

    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
