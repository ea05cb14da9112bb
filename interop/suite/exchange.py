"""Files of many sizes and names, from each writer to each reader, and what all of them see in the end."""

from suite.samples import content, digest, samples
from suite.table import expect

LARGE = 100 << 20


def read_all(table, kind, subject, reader, remote, hashes, local, told=()):
    """A cell for each file: the reader gets the bytes that were written."""
    problems = {}
    try:
        problems = reader.getdir(remote, local)
    except Exception as error:
        problems = dict.fromkeys(hashes, str(error))
    for name in sorted(hashes):
        problem = dict(told).get(name) or problems.get(name)
        if not problem and not (local / name).exists():
            problem = "not there"
        if not problem and digest(local / name) != hashes[name]:
            problem = "other bytes"
        table.cell(kind, subject, f"'{name}'", problem)


def exchange(table, kind, pairs, work):
    """Every file of each writer, read by its readers."""
    hashes = samples(work / "samples")
    for writer, readers in pairs:
        remote = f"/from {writer.name}"
        told = {}

        def write():
            writer.mkdir(remote)
            told.update(writer.putdir(work / "samples", remote))

        if table.attempt(kind, writer.name, "uploads all samples", write, column=writer.name):
            for reader in readers:
                local = work / f"{writer.name} to {reader.name}"
                subject = f"{writer.name} -> {reader.name}"
                read_all(table, kind, subject, reader, remote, hashes, local, told)


def large(table, kind, ours, clients, work):
    """A large file, written by each client and read by ours, and the other way round."""
    (work / "large").mkdir()
    source = work / "large/100 MiB"
    source.write_bytes(content(LARGE))
    expected = digest(source)
    ours.mkdir("/large")
    ours.putdir(source.parent, "/large")

    def check(reader, remote, local):
        told = reader.getdir(remote, local)
        expect(not told, told)
        expect(digest(local / source.name) == expected, "other bytes")
        (local / source.name).unlink()

    for client in clients:
        remote = f"/large of {client.name}"

        def upload():
            client.mkdir(remote)
            told = client.putdir(source.parent, remote)
            expect(not told, told)
            check(ours, remote, work / f"large by {client.name}")

        def download():
            check(client, "/large", work / f"large for {client.name}")

        table.attempt(kind, client.name, "uploads 100 MiB", upload, column=client.name)
        table.attempt(kind, client.name, "downloads 100 MiB", download, column=client.name)


def views(table, kind, clients):
    """All clients see the same tree and the same numbers."""
    trees, uses = {}, {}

    def tree(client):
        # What a reader would have to show in one tree: sizes by path, None for folders.
        found = trees[client.name] = client.tree("/")
        expect(len(found) > 20, f"{len(found)} entries")
        first_name, first = next(iter(trees.items()))
        for path in sorted(first.keys() | found.keys()):
            one, other = first.get(path, "nothing"), found.get(path, "nothing")
            expect(one == other, f"{path!r}: {one} for {first_name}, {other} for {client.name}")

    def quota(client):
        used = uses[client.name] = client.used()
        first_name, first = next(iter(uses.items()))
        expect(used and used == first, f"{first} for {first_name}, {used} for {client.name}")

    for client in clients:
        see = "sees the tree that the others see"
        table.attempt(kind, client.name, see, lambda c=client: tree(c), column=client.name)
        told = "is told the same use of storage"
        table.attempt(kind, client.name, told, lambda c=client: quota(c), column=client.name)
