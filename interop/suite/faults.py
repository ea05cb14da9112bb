"""What clients make of a server that misbehaves as the real one does, or worse."""

from suite.clients import Account
from suite.clients.driven import Megajs
from suite.clients.ours import Ours
from suite.clients.rclone import Rclone
from suite.samples import TEXT, one_file
from suite.server import Server
from suite.table import expect

# Each holds for one client at a time, from the moment at which its file is there.
FAULTS = {
    "busy (-3)": ["api:again*2"],
    "puzzle (402)": ["api:hashcash=250*2"],
    "an answer to p is lost": ["p:lost*1"],
    "a bit of a download is flipped": ["download:flip@70000"],
}


def under_faults(table, binary, peers, work):
    """A server and a client for each cell."""
    for title, specs in FAULTS.items():
        for number in range(3):
            home = work / f"{title} {number}"
            home.mkdir()
            options = [part for spec in specs for part in ("--fault", spec)]
            with Server(binary, home, *options, kdf="v1") as server:
                one(table, title, number, server, binary, peers, home)


def one(table, title, number, server, binary, peers, home):
    account = Account(server.url)
    clients = [Ours(binary, account, home), Rclone(peers, account, home), Megajs(peers, account)]
    client = clients[number]
    witness = Ours(binary, account, home / "witness")

    def works():
        client.login()
        folder = one_file(home / "local", "file", TEXT).parent
        told = client.putdir(folder, "/")
        expect(not told, told)
        found = client.list("/")
        expect(found == ["file"], f"sees {found}")
        witness.login()
        found = witness.list("/")
        expect(found == ["file"], f"there are {found}")

    def reads():
        works()
        problems = client.getdir("/", home / "copy")
        expect(not problems, problems)
        expect((home / "copy/file").read_text(encoding="utf-8") == TEXT, "other bytes")

    def refuses():
        works()
        problems = client.getdir("/", home / "copy")
        expect("file" in problems, "it takes the bytes")
        expect("MAC" in problems["file"], problems)

    act = refuses if "flipped" in title else reads
    table.attempt("fault", client.name, title, act)
