"""Clients that keep listening hear of what others do."""

import json
import threading

from suite.samples import one_file
from suite.table import expect


def hears(table, kind, listener, writers, work):
    """A cell for each writer: what it does is heard in its order, and nothing else is."""
    for writer in writers:

        def all_of_it():
            folder = f"/heard by {listener.name} of {writer.name}"
            with listener.listening() as session:
                expect(session.line() == '"listening"', "it does not listen")
                local = one_file(work / f"heard {listener.name} {writer.name}", "heard", "x" * 99)
                writer.mkdir(folder)
                told = writer.putdir(local.parent, folder)
                expect(not told, told)
                wanted = [["add", folder[1:]], ["add", "heard"]]
                name = "heard"
                if writer.rename:
                    writer.rename(f"{folder}/heard", "renamed")
                    wanted.append(["update", "renamed"])
                    name = "renamed"
                writer.delete(f"{folder}/{name}")
                wanted.append(["delete", name])
                heard = until(session, wanted[-1])
                expect(heard == wanted, f"heard {heard}")

        item = f"hears of changes by {writer.name}"
        table.attempt(kind, listener.name, item, all_of_it, column=listener.name)


def until(session, last):
    """What a session hears, up to one thing. A lost event shows as silence, which is ended after a while."""
    heard = []
    ending = threading.Timer(15, session.process.terminate)
    ending.start()
    try:
        while heard[-1:] != [last]:
            line = session.process.stdout.readline().strip()
            if not line:
                break
            heard.append(json.loads(line)[:2])
    finally:
        ending.cancel()
    return heard
