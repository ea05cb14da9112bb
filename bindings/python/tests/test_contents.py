"""Contents up and down: file objects, chunks, ranges, damage."""

import io
import os
import threading

import pytest
import supermega

BIG = os.urandom(9_000_001)


def test_what_is_written_is_read(mega):
    with mega.open("/notes.txt", "w", encoding="utf-8") as file:
        print("rémember the milk", file=file)
    with mega.open("/notes.txt", encoding="utf-8") as file:
        assert file.read() == "rémember the milk\n"
    with mega.open("/big", "wb") as file:
        for start in range(0, len(BIG), 1_000_000):
            file.write(BIG[start : start + 1_000_000])
    assert mega.read_bytes("/big") == BIG
    assert mega.node("/big").size == len(BIG)


def test_a_file_is_read_from_any_place(mega):
    mega.write_bytes("/big", BIG)
    with mega.open("/big", "rb") as file:
        assert isinstance(file, io.BufferedIOBase)
        assert file.seekable() and file.readable() and not file.writable()
        for place in [0, 5_000_000, 17, 131_071, len(BIG) - 5]:
            assert file.seek(place) == place
            assert file.read(11) == BIG[place : place + 11]
        assert file.seek(-10, os.SEEK_END) == len(BIG) - 10
        assert file.read() == BIG[-10:]
        assert file.read() == b""
        buffer = bytearray(100)
        file.seek(1000)
        assert file.readinto(buffer) == 100
        assert buffer == BIG[1000:1100]
        with pytest.raises(ValueError):
            file.seek(-1)
    with pytest.raises(ValueError):
        file.read()
    with mega.open("/big", "rb", buffering=0) as raw:
        assert raw.read(5) == BIG[:5]
        assert raw.readall() == BIG[5:]


def test_a_file_appears_when_it_is_closed_and_not_otherwise(mega):
    with pytest.raises(RuntimeError):
        with mega.open("/half", "wb") as file:
            file.write(b"the first half")
            raise RuntimeError
    assert not mega.exists("/half")
    with pytest.raises(RuntimeError):
        with mega.open("/half", "w") as file:
            file.write("the first half")
            raise RuntimeError
    assert not mega.exists("/half")
    with mega.open("/whole", "xb") as file:
        file.write(b"one")
        assert not mega.exists("/whole")
    assert mega.read_bytes("/whole") == b"one"
    file = mega.open("/whole", "xb")
    with pytest.raises(FileExistsError):
        file.close()
    with mega.open("/whole", "wb") as file:
        file.write(b"two")
    assert mega.read_bytes("/whole") == b"two"
    assert len([node for node in mega.ls("/") if node.name == "whole"]) == 1


def test_content_that_outgrows_memory_is_spooled(mega, monkeypatch):
    monkeypatch.setattr(supermega.files, "SPOOLED", 1_000_000)
    with mega.open("/big", "wb") as file:
        for start in range(0, len(BIG), 100_000):
            file.write(BIG[start : start + 100_000])
    assert mega.read_bytes("/big") == BIG


@pytest.mark.parametrize("size", [100, 9_000_001])
def test_damage_on_the_way_is_never_a_clean_end(mega, mega_server, size, tmp_path):
    mega.write_bytes("/file", BIG[:size])
    mega_server.add_fault("download:flip@50")
    with pytest.raises(supermega.IntegrityError):
        mega.open("/file", "rb").read()
    with pytest.raises(supermega.IntegrityError):
        with mega.open("/file", "rb") as file:
            while file.read(100_000):
                pass
    chunks = mega.file("/file").chunks()
    with pytest.raises(supermega.IntegrityError):
        for _ in chunks:
            pass
    with pytest.raises(supermega.SupermegaError):
        next(chunks)
    with pytest.raises(supermega.IntegrityError):
        mega.download("/file", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    mega_server.clear_faults()
    assert mega.open("/file", "rb").read() == BIG[:size]


def test_only_what_is_needed_is_fetched(mega, mega_server):
    mega.write_bytes("/big", BIG)
    mega_server.clear_requests()
    got = mega.file("/big").ranges([(0, 10), (5_000_000, 5_000_007), (len(BIG) - 3, len(BIG) + 50), (7, 7)]).wait()
    assert got == [BIG[:10], BIG[5_000_000:5_000_007], BIG[-3:], b""]
    asked = sorted((one.start, one.end) for one in mega_server.requests if one.kind == "download")
    assert asked == [(0, 10), (5_000_000, 5_000_007), (len(BIG) - 3, len(BIG))]


def test_progress_is_told_and_can_end_a_transfer(mega, mega_server, tmp_path):
    (tmp_path / "source").write_bytes(BIG)
    told = []
    mega.upload(tmp_path / "source", "/big", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(BIG), len(BIG))
    told.clear()
    mega.download("/big", tmp_path / "copy", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(BIG), len(BIG))
    assert (tmp_path / "copy").read_bytes() == BIG
    mega_server.add_fault("download:stall@100000")

    def stop(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        mega.download("/big", tmp_path / "other", progress=stop)
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(supermega.Cancelled):
        mega.download("/big", tmp_path / "other", cancel=cancel)


def test_a_download_goes_where_it_is_told(mega, tmp_path):
    mega.write_bytes("/notes.txt", b"milk")
    link = mega.link("/notes.txt")
    assert mega.download("/notes.txt", tmp_path) == str(tmp_path / "notes.txt")
    with pytest.raises(FileExistsError):
        mega.download(link, tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"else")
    mega.download(link, tmp_path / "notes.txt", overwrite=True)
    assert (tmp_path / "notes.txt").read_bytes() == b"milk"
    assert mega.open(link, "rb").read() == b"milk"
    with pytest.raises(FileNotFoundError):
        mega.upload(tmp_path / "nothing", "/")
