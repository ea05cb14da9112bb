"""Thumbnails that one client makes and another shows."""

import struct
import zlib

from suite.table import expect


def chunk(kind, content):
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height):
    """A black picture."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = bytes((1 + (width + 7) // 8) * height)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def thumbnails(table, kind, ours, writers, reader, work):
    """What ours makes the reader shows, and ours shows what the writers give."""
    home = work / "thumbnails"
    (home / "up").mkdir(parents=True)
    (home / "up/picture.png").write_bytes(png(400, 300))
    # None of ours, and of whole blocks: a peer cuts off what is none.
    given = bytes(range(256))
    (home / "given").write_bytes(given)

    def made():
        ours.mkdir("/pictures")
        ours.putdir(home / "up", "/pictures")
        ours.thumbnail("/pictures/picture.png", home / "ours")
        reader.fetch_thumbnail("/pictures/picture.png", home / "theirs")
        picture = (home / "ours").read_bytes()
        expect(picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9"), "no JPEG")
        expect((home / "theirs").read_bytes().rstrip(b"\0") == picture, "other bytes")

    def shown(writer):
        writer.give_thumbnail("/pictures/picture.png", home / "given")
        target = home / f"of {writer.name}"
        ours.thumbnail("/pictures/picture.png", target)
        expect(target.read_bytes() == given, "other bytes")

    table.attempt(kind, reader.name, f"shows thumbnails of {ours.name}", made)
    for writer in writers:
        table.attempt(kind, writer.name, f"gives thumbnails that {ours.name} shows", lambda w=writer: shown(w))
