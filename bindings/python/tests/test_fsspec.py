"""The file system: secrets, links, damage, pickles, and what others change."""

import copy
import pickle
import time

import fsspec
import pytest
import supermega
from supermega.fsspec import MegaFileSystem
from supermega.testing import EMAIL, PASSWORD


@pytest.fixture
def fs(mega_server):
    return MegaFileSystem(email=EMAIL, password=PASSWORD, api_url=mega_server.url)


def test_the_protocol_is_registered(mega_server):
    options = {"email": EMAIL, "password": PASSWORD}
    with fsspec.open("mega:///data/a.txt", "w", **options) as file:
        file.write("milk")
    assert isinstance(fsspec.filesystem("mega", **options), MegaFileSystem)
    with fsspec.open("mega:///data/a.txt", "r", **options) as file:
        assert file.read() == "milk"


def test_the_environment_logs_in(mega_server, monkeypatch):
    monkeypatch.setenv("SUPERMEGA_EMAIL", EMAIL)
    monkeypatch.setenv("SUPERMEGA_PASSWORD", PASSWORD)
    with fsspec.open("mega:///a.txt", "wb") as file:
        file.write(b"milk")
    assert fsspec.filesystem("mega").cat("/a.txt") == b"milk"


def test_public_links_are_read(fs):
    fs.pipe("/public/in/a.txt", b"milk")
    link = fs.sign("/public")
    inside = "mega://" + link.removeprefix("https://") + "/in/a.txt"
    with fsspec.open(inside, "rb", api_url=fs._address) as file:
        assert file.read() == b"milk"
    public = MegaFileSystem(link=link, api_url=fs._address)
    assert public.find("/") == ["/in/a.txt"]
    with pytest.raises(PermissionError):
        public.pipe("/in/b.txt", b"more")
    one = MegaFileSystem(link=fs.sign("/public/in/a.txt"), api_url=fs._address)
    assert one.ls("/", detail=False) == ["/a.txt"]
    assert one.cat("/a.txt") == b"milk"
    assert one.cat_file("/a.txt", 1, 3) == b"il"
    with pytest.raises(FileNotFoundError):
        one.cat("/b.txt")


def test_nothing_shown_hashed_or_stored_holds_a_secret(mega_server):
    mega_server.add_user("you@example.org", "Zq81-kestrel")
    fs = MegaFileSystem(email="you@example.org", password="Zq81-kestrel", api_url=mega_server.url)
    saved = fs._session.save()
    fs.pipe("/public/a.txt", b"milk")
    link = fs.sign("/public")
    key = link.partition("#")[2]
    other = MegaFileSystem(session=saved, api_url=mega_server.url)
    public = MegaFileSystem(link=link, api_url=mega_server.url)
    for one in [fs, other, public]:
        shown = [repr(one), str(one.storage_options), one.to_json(), repr(one._secrets), one.fsid, str(vars(one))]
        for secret in ["Zq81-kestrel", saved, key]:
            assert not any(secret in text for text in shown), secret
    # The same account is the same file system to a cache, whatever it was opened with.
    assert fs.fsid == other.fsid
    assert b"Zq81-kestrel" not in pickle.dumps(fs)


def test_instances_go_to_those_who_know_the_secrets(fs, mega_server):
    again = MegaFileSystem(email=EMAIL, password=PASSWORD, api_url=mega_server.url)
    assert again is fs
    with pytest.raises(supermega.AuthenticationError):
        MegaFileSystem(email=EMAIL, password="wrong", api_url=mega_server.url)


def test_a_pickle_works_without_the_password(fs):
    fs.pipe("/a.txt", b"milk")
    for one in [pickle.loads(pickle.dumps(fs)), copy.deepcopy(fs)]:
        assert one.cat("/a.txt") == b"milk"
    with fs.open("/a.txt", "rb") as file:
        assert pickle.loads(pickle.dumps(file)).read() == b"milk"


def test_what_others_change_is_seen(fs, mega_server):
    assert fs.ls("/") == []
    other = supermega.connect(EMAIL, PASSWORD, api_url=mega_server.url)
    other.write_bytes("/theirs.txt", b"milk")
    deadline = time.monotonic() + 10
    while not fs.exists("/theirs.txt"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert fs.cat("/theirs.txt") == b"milk"


def test_damage_ends_in_an_error(fs, mega_server, tmp_path):
    fs.pipe("/a.bin", bytes(3_000_000))
    mega_server.add_fault("download:flip@50")
    with pytest.raises(supermega.IntegrityError):
        fs.cat_file("/a.bin")
    with pytest.raises(supermega.IntegrityError):
        fs.get_file("/a.bin", str(tmp_path / "a.bin"))
    with pytest.raises(supermega.IntegrityError):
        fs.open("/a.bin", "rb", cache_type="all").read()
    assert list(tmp_path.iterdir()) == []


def test_writes_are_atomic(fs):
    with pytest.raises(RuntimeError):
        with fs.open("/half", "wb") as file:
            file.write(b"half")
            raise RuntimeError
    assert not fs.exists("/half")
    with fs.transaction:
        with fs.open("/later", "wb") as file:
            file.write(b"whole")
        assert not fs.exists("/later")
    assert fs.cat("/later") == b"whole"
    with pytest.raises(RuntimeError):
        with fs.transaction:
            with fs.open("/never", "wb") as file:
                file.write(b"whole")
            raise RuntimeError
    assert not fs.exists("/never")


def test_names_move_and_contents_stay(fs):
    fs.pipe("/a/one.txt", b"one")
    fs.mv("/a/one.txt", "/a/two.txt")
    fs.mkdir("/b")
    fs.mv("/a/two.txt", "/b")
    assert fs.find("/") == ["/b/two.txt"]
    fs.pipe("/c.txt", b"old")
    fs.mv("/b/two.txt", "/c.txt")
    assert fs.cat("/c.txt") == b"one"
    assert fs.glob("/*.txt") == ["/c.txt"]
    with pytest.raises(OSError):
        fs.pipe("/d/x", b"")
        fs.rmdir("/d")
