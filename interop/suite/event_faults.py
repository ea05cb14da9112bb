"""Faults of the event channel, and what clients that listen hear in spite of them."""

import re
import time
from dataclasses import dataclass

from suite.clients import Account
from suite.clients.driven import AsyncMega, MegaRs, Megajs
from suite.clients.ours import Ours
from suite.events import until
from suite.server import Server
from suite.table import expect

FIRST, SECOND = ["add", "first"], ["add", "second"]


@dataclass
class Heard:
    """What a listener tells of two new folders, or what it says when it gives up."""

    changes: list
    gives_up: str | None = None
    # In seconds.
    least: float = 0


ALL = Heard([FIRST, SECOND])
FAULTS = [
    ("packets are lost", "packets:lost*1", Heard([SECOND]), Heard([SECOND])),
    # megajs knows the node, and says nothing of it a second time.
    ("packets come again", "packets:repeat*1", ALL, Heard([FIRST, FIRST, SECOND])),
    ("packets have members that nobody knows", "packets:drift", ALL, ALL),
    ("packets are late", "packets:delay=600*1", Heard([FIRST, SECOND], least=0.6), Heard([FIRST, SECOND], least=0.6)),
    ("polls are busy (-3)", "event:again*2", ALL, ALL),
    ("the tree has to be loaded anew (-6)", "event:error=6*1", Heard([], "ETOOMANY"), Heard([], "too many")),
    ("a poll is lost", "event:lost*1", Heard([], "fetch failed"), Heard([], "error sending request")),
    ("a poll gets 500", "event:status=500*1", Heard([], "Internal Server Error"), Heard([], "500 Internal")),
]


def under_event_faults(table, binary, peers, work):
    """One server for all, and an account for each cell."""
    home = work / "event faults"
    home.mkdir()
    users = [Account("", f"event{number}@example.org") for number in range(2 * len(FAULTS))]
    with Server(binary, home, users=users) as server:
        for title, spec, by_megajs, by_mega in FAULTS:
            for make, wanted in [(Megajs, by_megajs), (MegaRs, by_mega)]:
                account = Account(server.url, users.pop().email)
                place = home / account.email
                place.mkdir()
                ours = Ours(binary, account, place)

                def act(make=make, wanted=wanted, account=account, ours=ours, spec=spec):
                    AsyncMega(peers, account).make_key_container()
                    ours.login()
                    listen(server, make(peers, account), ours, spec, wanted)

                table.attempt("fault", make.name, title, act)


def wait_for(happens, what):
    """Looks again and again, since nobody tells."""
    deadline = time.monotonic() + 10
    while not happens():
        expect(time.monotonic() < deadline, what)
        time.sleep(0.02)


def listen(server, listener, ours, spec, wanted):
    server.admin("DELETE", "log")
    with listener.listening() as session:
        expect(session.line() == '"listening"', "it does not listen")
        # Its first poll gives it an address, and at that it waits.
        polls = lambda: sum(entry["type"] == "event" for entry in server.admin("GET", "log"))  # noqa: E731
        wait_for(lambda: polls() >= 2, "it does not wait")
        server.admin("POST", "faults", {"fault": spec})
        try:
            begin = time.monotonic()
            ours.mkdir("/first")
            # Changes that are made together would come together.
            wait_for(lambda: server.admin("GET", "faults")[0]["hits"], "it does not ask")
            time.sleep(0.3)
            ours.mkdir("/second")
            heard = until(session, SECOND)
            taken = time.monotonic() - begin
        finally:
            server.admin("DELETE", "faults")
        expect(heard == wanted.changes, f"heard {heard}")
        expect(taken >= wanted.least, f"took {taken:.2f} s")
        if wanted.gives_up:
            expect(re.search(wanted.gives_up, session.errors()), session.errors())
