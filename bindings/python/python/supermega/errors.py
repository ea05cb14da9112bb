"""What can go wrong: one hierarchy, whose classes say what a program can do about it.

All of them are ``SupermegaError``; where Python has a class for the same trouble, they are that, too: a missing
remote file is a ``FileNotFoundError``.
"""

from __future__ import annotations

__all__ = [
    "AlreadyExistsError",
    "AmbiguousError",
    "ApiError",
    "AuthenticationError",
    "Cancelled",
    "ForkError",
    "InputError",
    "IntegrityError",
    "LinkError",
    "LocalFileError",
    "LocalFileExistsError",
    "LocalFileNotFoundError",
    "MfaRequired",
    "NetworkError",
    "NotFoundError",
    "QuotaExceeded",
    "RefusedError",
    "SchemaError",
    "SessionEnded",
    "SupermegaError",
]


class SupermegaError(Exception):
    """Anything that goes wrong in this package."""


class ApiError(SupermegaError):
    """The service refused a command."""

    def __init__(self, message: str, code: int = 0, command: str = "") -> None:
        super().__init__(message, code, command)
        #: The service's error number, which is negative.
        self.code = code
        #: The command.
        self.command = command

    def __str__(self) -> str:
        return str(self.args[0])


class AuthenticationError(SupermegaError):
    """Logging in failed: wrong password, suspended account, keys that do not fit."""


class MfaRequired(AuthenticationError):
    """The account needs the code of its second factor: ``login(…, mfa_code=…)``."""


class SessionEnded(AuthenticationError):
    """The session is over: logged out, or ended from elsewhere."""


class NotFoundError(SupermegaError, FileNotFoundError):
    """A node, path or link does not exist."""


class AlreadyExistsError(SupermegaError, FileExistsError):
    """A name is taken already."""


class AmbiguousError(SupermegaError):
    """A path names more than one node."""

    def __init__(self, message: str, handles: list[str] | None = None) -> None:
        super().__init__(message, handles or [])
        #: The nodes' places, as ``H:HANDLE``, each of which names one.
        self.handles: list[str] = handles or []

    def __str__(self) -> str:
        return str(self.args[0])


class QuotaExceeded(SupermegaError):
    """Storage or transfer quota is used up."""

    def __init__(self, message: str, seconds: int | None = None, kind: str = "transfer") -> None:
        super().__init__(message, seconds, kind)
        #: When there will be some again, if the service says so.
        self.seconds = seconds
        #: ``storage`` or ``transfer``.
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[0])


class IntegrityError(SupermegaError):
    """What was received is not what was stored: damaged or forged data, or the wrong key. Throw it away."""


class SchemaError(SupermegaError):
    """A message of the service cannot be read."""


class NetworkError(SupermegaError, ConnectionError):
    """The network or the server gave an error that did not pass in time."""


class LinkError(SupermegaError, ValueError):
    """A link cannot be read or used: malformed, without its key, or the password is wrong."""


class InputError(SupermegaError, ValueError):
    """What was given cannot be used, as a path without its slash."""


class RefusedError(SupermegaError, PermissionError):
    """Something that is not done, because it could damage the account or is not allowed."""


class LocalFileError(SupermegaError, OSError):
    """A file or folder of this machine gave an error."""


class LocalFileExistsError(LocalFileError, FileExistsError):
    """A local file that is not to be replaced."""


class LocalFileNotFoundError(LocalFileError, FileNotFoundError):
    """A local file that does not exist."""


class Cancelled(SupermegaError):
    """A transfer was given up because its ``cancel`` was set."""


class ForkError(SupermegaError, RuntimeError):
    """The process was forked from one that uses this package, whose threads it does not have."""


def local(number: int | None, reason: str, path: str) -> LocalFileError:
    """Makes the exception of a local file's error."""
    import errno

    if number is None:
        return LocalFileError(f"{path}: {reason}")
    kinds: dict[int, type[LocalFileError]] = {
        errno.ENOENT: LocalFileNotFoundError,
        errno.EEXIST: LocalFileExistsError,
    }
    return kinds.get(number, LocalFileError)(number, reason, path)
