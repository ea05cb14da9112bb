"""A local server that speaks MEGA, for the tests of programs that use it: no account, no network.

    with supermega.testing.Server(users={"me@example.org": "secret"}) as server:
        with supermega.connect("me@example.org", "secret", api_url=server.url) as mega:
            ...

It runs in this process, at a random port of this machine, and its data go away with it. With pytest there is the
fixture ``mega_server``, and ``mega``, a session of its user.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ._supermega import Server as _Server
from .errors import InputError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["EMAIL", "PASSWORD", "Mail", "Request", "Server"]

#: The user of a server that is given none.
EMAIL = "me@example.org"
#: Its password.
PASSWORD = "secret"


class Request(NamedTuple):
    """What a client asked."""

    #: ``api``, ``download``, ``upload``, ``event``, or one of file attributes.
    kind: str
    #: The commands of a batch, if it is one.
    commands: list[str]
    #: The first byte of a file that was asked for or sent.
    start: int | None
    #: The byte behind the last one; nothing stands for all of them.
    end: int | None


class Mail(NamedTuple):
    """A mail that the service would have sent."""

    #: To which address.
    to: str
    #: What for.
    kind: str
    #: The link in it.
    link: str


class Server:
    """A local server.

    Args:
        users: e-mail addresses and passwords of accounts; one with :data:`EMAIL` and :data:`PASSWORD` unless given.
        faults: what it does wrong from the start, as ``download:flip@1000`` (see ``docs/server-faults.md``).
        data: a folder that keeps everything for a later server; a temporary one unless given.
        quota: how many bytes an account may hold.
        event_hold: for how many seconds a poll for events is held when there are none.
    """

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        faults: Iterable[str] = (),
        data: str | os.PathLike[str] | None = None,
        quota: int | None = None,
        event_hold: float | None = None,
    ) -> None:
        accounts = {EMAIL: PASSWORD} if users is None else users
        self._users = list(accounts.items())
        self._faults = list(faults)
        self._data = data
        self._quota = quota
        self._event_hold = event_hold
        self._server: _Server | None = None

    def start(self) -> Self:
        """Starts it; ``with`` does that, too."""
        self._server = _Server.start(
            self._users,
            faults=self._faults,
            data=self._data,
            quota=self._quota,
            event_hold=self._event_hold,
        ).wait()
        return self

    def stop(self) -> None:
        """Stops it."""
        if self._server is not None:
            self._server.stop().wait()
            self._server = None

    @property
    def url(self) -> str:
        """What clients take for the API address: ``api_url``, or ``SUPERMEGA_API_URL``."""
        return self._running().url

    def add_user(self, email: str, password: str) -> None:
        """Makes an account while the server runs."""
        self._running().add_user(email, password).wait()

    def add_fault(self, fault: str) -> None:
        """Misbehaves from now on: ``p:refuse=11*2``, ``download:flip@1000``, ``upload:delay=50``…"""
        self._running().add_fault(fault)

    def clear_faults(self) -> None:
        """Behaves again."""
        self._running().clear_faults()

    @property
    def requests(self) -> list[Request]:
        """What clients have asked so far, in order."""
        return [Request(*request) for request in self._running().requests()]

    def clear_requests(self) -> None:
        """Forgets what clients have asked."""
        self._running().clear_requests()

    @property
    def connections(self) -> int:
        """How many connections clients have made so far."""
        return self._running().connections()

    @property
    def outbox(self) -> list[Mail]:
        """The mails that would have gone out, the oldest first."""
        return [Mail(*mail) for mail in self._running().outbox().wait()]

    def _running(self) -> _Server:
        if self._server is None:
            raise InputError("the server does not run: use `with`, or call start()")
        return self._server

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server at {self._server.url}>" if self._server else "<Server, stopped>"
