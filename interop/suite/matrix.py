"""The matrix: every client against our server, with an account of one kind."""

from suite.clients import Account
from suite.clients.driven import AsyncMega, MegaPy, MegaRs, Megajs
from suite.clients.megatools import Megatools
from suite.clients.ours import Ours
from suite.clients.rclone import Rclone
from suite.events import hears
from suite.exchange import exchange, large, views
from suite.operations import Tour
from suite.schema import schema
from suite.server import Server
from suite.thumbnails import thumbnails

# `mega` lists nothing unless the account has a key container, and our client then writes no share keys: so it has
# an account of its own.
CONTAINED = "contained@example.org"


def against_our_server(table, kind, binary, peers, work):
    home = work / kind
    home.mkdir()
    users = [Account(""), Account("", CONTAINED)]
    with Server(binary, home, kdf=kind, users=users) as server:
        main_account(table, kind, server, binary, peers, home / "main")
        contained_account(table, kind, server, binary, peers, home / "contained")
        schema(table, kind, server)


def main_account(table, kind, server, binary, peers, home):
    """All clients but one share an account."""
    account = Account(server.url)
    home.mkdir()
    ours, megajs = Ours(binary, account, home), Megajs(peers, account, home / "megajs.json")
    rclone, megatools = Rclone(peers, account, home), Megatools(account, server, home)
    async_mega, mega_py = AsyncMega(peers, account), MegaPy(peers, account)
    # It needs no account to open links.
    readers = [ours, rclone, megajs, megatools, async_mega, mega_py, MegaRs(peers, account)]
    clients = readers[:-1]
    # Every client must find itself logged in, since the others witness what one does.
    ours.login()
    for client in clients:
        witnesses = [ours, rclone, megajs] if client in [ours, rclone, megajs] else [ours, megajs]
        Tour(client, witnesses, readers, ours, home).run(table, kind)
    three = [ours, rclone, megajs]
    pairs = [(writer, three) for writer in [rclone, megajs]]
    pairs += [(writer, [writer, ours]) for writer in [megatools, async_mega, mega_py]]
    exchange(table, kind, [(ours, clients), *pairs], home)
    views(table, kind, clients)
    hears(table, kind, megajs, [client for client in clients if client is not megajs], home)
    if kind == "v2":
        large(table, kind, ours, clients[1:], home)


def contained_account(table, kind, server, binary, peers, home):
    """The crate `mega`, with our client and megajs as its witnesses."""
    account = Account(server.url, CONTAINED)
    home.mkdir()
    AsyncMega(peers, account).make_key_container()
    ours, megajs, mega = Ours(binary, account, home), Megajs(peers, account, home / "megajs.json"), MegaRs(peers, account)
    ours.login()
    megajs.login()
    Tour(mega, [ours, megajs], [], ours, home).run(table, kind)
    exchange(table, kind, [(ours, [mega]), (mega, [mega, ours])], home)
    views(table, kind, [ours, mega])
    thumbnails(table, kind, ours, [megajs, mega], mega, home)
    hears(table, kind, megajs, [mega], home)
    hears(table, kind, mega, [ours, megajs], home)
    if kind == "v2":
        large(table, kind, ours, [mega], home)
