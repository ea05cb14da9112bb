"""What the peers send is what the published schema says; our server says so in its log if it is not."""

import urllib.request

from suite.table import expect

DEPARTS, UNSUPPORTED = "departs from the schema", "not supported"
# What peers send that the schema does not have, and why that stays so.
PINNED = {}


def schema(table, kind, server):
    def lines(*words):
        return {line.strip() for line in server.log() if any(word in line for word in words)}

    def keeps():
        told = lines(DEPARTS, UNSUPPORTED)
        unknown = {line for line in told if not any(known in line for known in PINNED)}
        expect(not unknown, "; ".join(sorted(unknown)))
        # The silence means something only if a departure would have been told.
        body = b'[{"a":"us0","user":"x","nobody_knows":1},{"a":"nobody_knows_either"}]'
        request = urllib.request.Request(f"{server.url}cs?id=1", body)
        urllib.request.urlopen(request, timeout=30).read()
        for word, trace in [(DEPARTS, "nobody_knows"), (UNSUPPORTED, "nobody_knows_either")]:
            expect(any(trace in line for line in lines(word)), f"the log has no '{word}'")

    def unbroken():
        broken = lines("ERROR", "panicked")
        expect(not broken, "; ".join(sorted(broken)))

    table.attempt(kind, "all clients", "send what the schema says", keeps)
    table.attempt(kind, "all clients", "meet no error of the server", unbroken)
