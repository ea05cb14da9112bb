"""Each fault of the server reaches clients that we did not write, and they do about it what they do: repeat,
wait, refuse or report. What a client asked is read from the server's own log of requests, and that the fault
happened from its list of faults.
"""

import re
import time
from collections import Counter
from dataclasses import dataclass, field

from suite.clients import Account
from suite.clients.driven import Megajs
from suite.clients.ours import Ours
from suite.clients.rclone import Rclone
from suite.process import Failed
from suite.samples import TEXT, one_file
from suite.server import Server
from suite.table import expect

@dataclass
class Seen:
    """What a client must do: end well, or say that it did not; how often it must ask, and how long it takes."""

    # What it says; nothing where all ends well.
    says: str | None = None
    # How many requests of a kind there are: a command's name, `download`, `upload` or `event`.
    asks: dict = field(default_factory=dict)
    # The same, at least.
    asks_at_least: dict = field(default_factory=dict)
    # In seconds.
    least: float = 0
    # How many files there are in the end, of an upload.
    left: int = 1


@dataclass
class Fault:
    """A fault, what is done under it, and what each client does then."""

    title: str
    specs: list
    verb: str
    seen: dict
    # What the account may hold.
    quota: int | None = None
    # Whether the file that is sent is not the one that is stored.
    spoils: bool = False


def both(seen):
    return {"rclone": seen, "megajs": seen}


def all_of(seen):
    return {"supermega": seen, **both(seen)}


def one(rclone=None, megajs=None, supermega=None):
    clients = {"supermega": supermega, "rclone": rclone, "megajs": megajs}
    return {name: seen for name, seen in clients.items() if seen}


MAC = Seen("MAC", {"download": 3})
# TEXT is sent in three pieces: its chunks.
FAULTS = [
    Fault("the API is slow", ["api:delay=250"], "list", both(Seen(least=0.25))),
    Fault("downloads are slow", ["download:delay=400"], "get", both(Seen(least=0.4, asks={"download": 3}))),
    Fault("uploads are slow", ["upload:delay=400"], "put", both(Seen(least=0.4, asks={"upload": 3}))),
    Fault("connections are slow", ["connection:delay=400"], "list", both(Seen(least=0.4))),
    Fault("downloads have little bandwidth", ["download:bandwidth=200000"], "get", both(Seen(least=1))),
    Fault("uploads have little bandwidth", ["upload:bandwidth=200000"], "put", both(Seen(least=1))),
    Fault("busy (-3)", ["f:again*2"], "list", all_of(Seen(asks={"f": 3}))),
    Fault("busy (-3) when a file is made", ["p:again*1"], "put", both(Seen(asks={"p": 2}))),
    Fault(
        "too many commands (-4)",
        ["f:ratelimit*1"],
        "list",
        one(Seen("Rate limit reached", {"f": 1}), Seen("ERATELIMIT", {"f": 1})),
    ),
    Fault("a proof of work (402)", ["f:hashcash=250*1"], "list", all_of(Seen(asks={"f": 2}))),
    Fault(
        "status 500",
        ["f:status=500*1"],
        "list",
        one(Seen(asks={"f": 2}), Seen("Internal Server Error", {"f": 1})),
    ),
    Fault(
        "status 503 for an address",
        ["g:status=503*1"],
        "get",
        one(Seen(asks={"g": 2}), Seen("Service Unavailable", {"g": 1})),
    ),
    Fault("status 503 for an upload", ["upload:status=503*1"], "put", both(Seen(asks={"u": 1, "p": 1}))),
    Fault(
        "no transfer quota (509)",
        ["download:quota=7"],
        "get",
        one(Seen("509", {"download": 0}), Seen("7 seconds until it resets", {"download": 0})),
    ),
    Fault("a download is cut", ["download:cut@20000*1"], "get", both(Seen(asks={"download": 4}))),
    Fault(
        "an answer to p is lost",
        ["p:lost*1"],
        "put",
        # Two repeat the request, and the server gives the answer again instead of making a second file.
        one(Seen(asks={"p": 2}), Seen("fetch failed", {"p": 1}), Seen(asks={"p": 2})),
    ),
    Fault(
        "a body is short, with 200",
        ["download:truncate@20000*1"],
        "get",
        one(Seen(asks={"download": 4, "g": 2}), MAC),
    ),
    Fault("a bit of a download is flipped", ["download:flip@70000"], "get", all_of(Seen("MAC"))),
    Fault("a download stalls", ["download:stall@20000*1"], "get", one(Seen(asks={"download": 4}, least=1))),
    Fault("the API stalls", ["f:stall*1"], "list", one(Seen(asks={"f": 2}, least=1))),
    Fault(
        "an address for a download ends",
        ["download:expired*1"],
        "get",
        one(Seen(asks={"g": 2, "download": 3}), Seen("MEGA returned a 403 status code", {"g": 1})),
    ),
    Fault("an address for an upload ends", ["upload:expired*1"], "put", one(Seen("404", {"u": 1}, left=0))),
    Fault(
        "the account is full",
        [],
        "put",
        one(Seen("over quota", {"u": 1, "upload": 0}, left=0), Seen("EOVERQUOTA", {"u": 1, "upload": 0}, left=0)),
        quota=1000,
    ),
    Fault(
        "an answer to p is lost, and then forgotten by the server",
        ["p:lost;forget"],
        "put",
        one(Seen(asks={"p": 2}, left=2)),
    ),
    Fault("a result has a member that nobody knows", ["f:drift"], "list", both(Seen(asks={"f": 1}))),
    Fault(
        "a result is of another kind",
        ["f:drift=kind"],
        "list",
        one(Seen("Bad response from server"), Seen("TypeError")),
    ),
    Fault("an answer is cut", ["f:cut@200*1"], "list", one(Seen(asks={"f": 2}), Seen("terminated", {"f": 1}))),
    Fault(
        "an answer is short, with 200",
        ["f:truncate@100*1"],
        "list",
        one(Seen("unexpected end of JSON"), Seen("SyntaxError")),
    ),
    Fault(
        "no transfer quota (-17)",
        ["g:overquota=9"],
        "get",
        one(Seen("over quota", {"download": 0}), Seen("invalid response", {"download": 0})),
    ),
    Fault("a command is refused (-11)", ["p:refuse=11"], "put", both(Seen("Access violation", {"p": 1}, left=0))),
    Fault("a bit of an upload is flipped", ["upload:flip@100*1"], "put", both(Seen()), spoils=True),
    Fault("polls for events get -6", ["event:error=6"], "list", one(Seen(asks_at_least={"event": 100}))),
    Fault("polls for events are lost", ["event:lost*3"], "put", one(Seen(asks={"p": 1}))),
    Fault("polls for events get 500", ["event:status=500*3"], "put", one(Seen(asks={"p": 1}))),
]


def under_faults(table, binary, peers, work):
    """One server for all, and an account for each cell."""
    home = work / "faults"
    home.mkdir()
    with Server(binary, home) as server:
        number = 0
        for fault in FAULTS:
            for name, seen in fault.seen.items():
                number += 1
                cell = Cell(server, binary, peers, home / str(number), name, f"fault{number}@example.org")
                table.attempt("fault", name, fault.title, lambda c=cell, f=fault, s=seen: c.run(f, s))


class Cell:
    """One client under one fault, with an account of its own."""

    def __init__(self, server, binary, peers, home, name, email):
        self.server, self.home = server, home
        home.mkdir()
        self.account = Account(server.url, email)
        make = {
            "supermega": lambda: Ours(binary, self.account, home),
            "rclone": lambda: Rclone(peers, self.account, home),
            "megajs": lambda: Megajs(peers, self.account),
        }
        self.client = make[name]()
        self.ours = Ours(binary, self.account, home / "witness")
        self.file = one_file(home / "local", "file", TEXT)

    def run(self, fault, seen):
        user = {"email": self.account.email, "password": self.account.password, "kdf": "v1"}
        if fault.quota is not None:
            user["quota"] = fault.quota
        self.server.admin("POST", "users", user)
        self.ours.login()
        if fault.verb == "get":
            self.ours.putdir(self.file.parent, "/")
        if "stalls" in fault.title:
            # It would wait for minutes.
            self.client.env["RCLONE_TIMEOUT"] = "1s"
        self.client.login()
        self.server.admin("DELETE", "log")
        for spec in fault.specs:
            self.server.admin("POST", "faults", {"fault": spec})
        begin = time.monotonic()
        try:
            told = getattr(self, fault.verb)()
        finally:
            taken = time.monotonic() - begin
            happened = self.server.admin("GET", "faults")
            self.server.admin("DELETE", "faults")
        expect(all(fault["hits"] for fault in happened), f"not all happened: {happened}")
        asked = self.asked()
        self.check(fault, seen, told, taken, asked)

    def list(self):
        return self._told(lambda: self.client.list("/"))

    def put(self):
        return self._told(lambda: self.client.putdir(self.file.parent, "/"))

    def get(self):
        return self._told(lambda: self.client.getdir("/", self.home / "copy"))

    @staticmethod
    def _told(work):
        """What it says of a failure; nothing if there is none."""
        try:
            problems = work()
        except Failed as failed:
            return str(failed)
        return str(problems) if problems and isinstance(problems, dict) else None

    def asked(self):
        """How many requests of each kind the server got."""
        asked = Counter()
        for entry in self.server.admin("GET", "log"):
            asked.update(entry["commands"] if entry["type"] == "api" else [entry["type"]])
        return asked

    def check(self, fault, seen, told, taken, asked):
        if seen.says is None:
            expect(told is None, f"says {told}")
        else:
            expect(told is not None, f"says nothing, but should: {seen.says}")
            expect(re.search(seen.says, told), f"says {told}")
        for kind, times in seen.asks.items():
            expect(asked[kind] == times, f"asked {dict(asked)}")
        for kind, times in seen.asks_at_least.items():
            expect(asked[kind] >= times, f"asked {dict(asked)}")
        expect(taken >= seen.least, f"took {taken:.2f} s")
        if fault.verb == "put":
            found = self.ours.list("/")
            expect(len(found) == seen.left, f"there are {found}")
        if fault.spoils:
            problems = self.ours.getdir("/", self.home / "spoilt")
            expect("MAC" in problems.get("file", ""), f"our client says {problems}")
        if fault.verb == "get":
            copy = self.home / "copy/file"
            if seen.says is None:
                expect(copy.read_text(encoding="utf-8") == TEXT, "other bytes")
