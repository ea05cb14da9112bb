"""Our client against npm `mega-mock`, a server of legacy clients without events."""

import re

from suite.clients import Account
from suite.clients.ours import Ours
from suite.exchange import read_all
from suite.process import Background, sh
from suite.samples import ODD_NAME, digest, samples
from suite.table import expect


def against_mega_mock(table, binaries, peers, work):
    print("note  mega-mock answers an upload before the bytes are in the file: see mega_mock.cjs")
    subject = "supermega"
    home = work / "mega-mock"
    (home / "data").mkdir(parents=True)
    account = Account("")
    record = sh(binaries["mock_account"], account.email, account.password)
    env = {"PEERS": str(peers.folder), "ACCOUNT": record}
    with Background("node", peers.drivers / "mega_mock.cjs", home / "data", env=env) as process:
        account = Account(f"http://127.0.0.1:{int(process.line())}/")
        ours = Ours(binaries["supermega"], account, home)
        hashes = samples(home / "samples")

        def step(item, act):
            table.attempt("mega-mock", subject, item, act)

        def put():
            ours.mkdir("/folder")
            ours.putdir(home / "samples", "/folder")

        def listed():
            expect(sorted(ours.list("/folder")) == sorted(hashes), ours.list("/folder"))

        def tree():
            sizes = {path.name: path.stat().st_size for path in (home / "samples").iterdir()}
            wanted = {"folder": None} | {f"folder/{name}": size for name, size in sizes.items()}
            expect(ours.tree("/") == wanted, ours.tree("/"))

        # It has no command for moves, and deletes files only.
        def changes():
            ours.rename("/folder/-dash", ODD_NAME)
            expect(ODD_NAME in ours.list("/folder"), ours.list("/folder"))
            ours.delete(f"/folder/{ODD_NAME}")
            names = sorted(hashes.keys() - {"-dash"})
            expect(sorted(ours.list("/folder")) == names, ours.list("/folder"))

        def link():
            target = home / "by link"
            ours.fetch(ours.link("/folder/size 131073"), target)
            expect(digest(target) == hashes["size 131073"], "other bytes")

        def drift():
            _, told = ours._("-v", "ls", "/folder", with_stderr=True)
            told = re.sub(r"\x1b\[[0-9;]*m", "", told)
            drifts = {line.strip() for line in told.splitlines() if "drifted" in line}
            expect(not drifts, "; ".join(sorted(drifts)))

        step("logs in", ours.login)
        step("makes a folder and uploads all samples", put)
        step("lists", listed)
        step("sees the tree", tree)
        read_all(table, "mega-mock", "supermega -> supermega", ours, "/folder", hashes, home / "copy")
        step("makes a link and opens it", link)
        step("is answered as the schema says", drift)
        step("renames and deletes", changes)
