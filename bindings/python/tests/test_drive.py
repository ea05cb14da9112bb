"""An account: what lies in it, its changes, links, events, and who may use it from where."""

import os
import pathlib
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import supermega
from supermega.testing import EMAIL, PASSWORD, Server


def test_the_tree_is_made_listed_and_changed(mega):
    mega.mkdir(pathlib.PurePosixPath("/a/b/c"), parents=True)
    with pytest.raises(FileExistsError):
        mega.mkdir("/a")
    assert mega.mkdir("/a", exist_ok=True) == mega.node("/a")
    with pytest.raises(FileNotFoundError):
        mega.mkdir("/no/where")
    one = mega.write_bytes("/a/one.txt", b"one")
    assert (one.name, one.size, one.is_file, one.kind) == ("one.txt", 3, True, "file")
    assert [node.name for node in mega.ls("/a")] == ["b", "one.txt"]
    steps = {step.path: [node.name for node in step.folders + step.files] for step in mega.walk()}
    assert steps == {"/": ["a"], "/a": ["b", "one.txt"], "/a/b": ["c"], "/a/b/c": []}
    assert mega.find("one.txt") == [one]
    assert mega.path(one) == "/a/one.txt"
    assert mega.usage("/") == (3, 1, 3)
    mega.rename(one, "two.txt")
    mega.move("/a/two.txt", "/a/b")
    mega.copy("/a/b/two.txt", "/", "three.txt")
    assert mega.read_bytes("/three.txt") == b"one"
    assert mega.path(one) == "/a/b/two.txt"
    mega.trash(one)
    assert mega.path(one) == "//trash/two.txt"
    mega.restore(one)
    mega.delete(one)
    assert not mega.exists("/a/b/two.txt")
    mega.trash("/three.txt")
    mega.empty_trash()
    assert mega.ls("//trash") == []
    quota = mega.quota()
    assert quota.total == quota.free + quota.used


def test_sessions_are_saved_resumed_and_ended(mega, mega_server):
    saved = mega.save()
    assert PASSWORD not in saved
    again = supermega.connect(session=saved, api_url=mega_server.url)
    assert again.email == EMAIL and again.user == mega.user
    mega.logout()
    with pytest.raises(supermega.SessionEnded):
        supermega.connect(session=saved, api_url=mega_server.url)


def test_links_are_made_read_imported_and_removed(mega, mega_server):
    mega.mkdir("/photos")
    mega.write_bytes("/photos/a.jpg", b"picture")
    folder, file = mega.link("/photos"), mega.link("/photos/a.jpg")
    protected = mega.link("/photos/a.jpg", password="sesame")
    assert {link.url for link in mega.links()} == {folder, file}
    assert mega.open(file, "rb").read() == b"picture"
    with supermega.connect(link=folder, api_url=mega_server.url) as public:
        assert public.is_folder_link
        assert public.read_bytes("/a.jpg") == b"picture"
        with pytest.raises(supermega.SupermegaError):
            public.mkdir("/more")
    with pytest.raises(ValueError):
        mega.file(protected)
    assert mega.file(protected, link_password="sesame").name == "a.jpg"
    mega_server.add_user("you@example.org", "theirs")
    you = supermega.connect("you@example.org", "theirs", api_url=mega_server.url)
    assert you.read_bytes(you.import_link(file)) == b"picture"
    you.import_link(folder)
    assert you.read_bytes("/photos/a.jpg") == b"picture"
    mega.unlink("/photos/a.jpg")
    with pytest.raises(supermega.NotFoundError):
        you.file(file)
    for wrong in ["https://mega.nz/file/short", "https://mega.nz/file/AAAAAAAA"]:
        with pytest.raises(supermega.LinkError):
            you.file(wrong)


def test_events_tell_what_others_do(mega, mega_server):
    other = supermega.connect(EMAIL, PASSWORD, api_url=mega_server.url)
    events = mega.events()
    other.mkdir("/new")
    event = next(events)
    assert (event.kind, event.node.name) == ("added", "new")
    assert mega.exists("/new")
    other.rename("/new", "newer")
    event = next(events)
    assert (event.kind, event.node.name, event.detail) == ("renamed", "newer", "new")


def test_what_goes_wrong_is_told_apart(mega, mega_server):
    with pytest.raises(supermega.NotFoundError):
        mega.node("/nothing")
    with pytest.raises(supermega.InputError):
        mega.node("no slash")
    with pytest.raises(supermega.AuthenticationError):
        supermega.connect(EMAIL, "wrong", api_url=mega_server.url)
    with pytest.raises(supermega.NetworkError):
        supermega.connect(EMAIL, PASSWORD, api_url="http://127.0.0.1:9/", timeout=0.1)
    mega.write_bytes("/file", b"x" * 100)
    mega_server.add_fault("download:quota=7")
    with pytest.raises(supermega.QuotaExceeded) as quota:
        mega.read_bytes("/file")
    assert (quota.value.kind, quota.value.seconds) == ("transfer", 7)
    mega_server.clear_faults()
    mega_server.add_fault("p:refuse=11")
    with pytest.raises(supermega.ApiError) as refused:
        mega.mkdir("/denied")
    assert (refused.value.code, refused.value.command) == (-11, "p")
    for error in [quota.value, refused.value, supermega.NotFoundError("x"), supermega.AmbiguousError("x", ["H:1"])]:
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)


def test_sixteen_threads_share_a_session(mega, tmp_path):
    def work(number):
        content = os.urandom(100_000)
        mega.write_bytes(f"/{number}", content)
        mega.download(f"/{number}", tmp_path / str(number))
        assert (tmp_path / str(number)).read_bytes() == content == mega.read_bytes(f"/{number}")
        mega.rename(f"/{number}", f"{number}.done")
        return number

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(work, range(64))) == list(range(64))
    assert len(mega.ls("/")) == 64


def test_other_threads_run_meanwhile(mega, mega_server):
    mega_server.add_fault("api:delay=500*1")
    thread = threading.Thread(target=mega.quota)
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
        time.sleep(0.01)
    assert turns > 10


def test_a_fork_is_refused_and_leaves_the_parent_alone(mega, mega_server):
    mega.write_bytes("/file", b"milk")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            mega.ls("/")
        except supermega.ForkError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert "forked" in told.read()
    os.waitpid(child, 0)
    assert mega.read_bytes("/file") == b"milk"


def test_a_child_of_one_that_never_connected_connects():
    program = """
        import multiprocessing, supermega, supermega.testing
        def child(url):
            with supermega.connect("me@example.org", "secret", api_url=url) as mega:
                assert mega.ls("/") == []
        if __name__ == "__main__":
            import subprocess, sys
            serve = "import supermega.testing as t, sys\\nwith t.Server() as s: print(s.url, flush=True); sys.stdin.read()"
            server = subprocess.Popen([sys.executable, "-c", serve], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            process = multiprocessing.get_context("fork").Process(target=child, args=(server.stdout.readline().strip(),))
            process.start(); process.join(); server.stdin.close(); server.wait()
            sys.exit(process.exitcode)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


@pytest.mark.parametrize(
    "act", ["mega.download('/big', 'copy')", "mega.read_bytes('/big')", "[0 for _ in mega.file('/big').chunks()]"]
)
def test_ctrl_c_stops_within_a_fifth_of_a_second(act, tmp_path):
    program = f"""
        import os, signal, threading, time, supermega, supermega.testing
        with supermega.testing.Server() as server:
            mega = supermega.connect("me@example.org", "secret", api_url=server.url)
            mega.write_bytes("/big", bytes(5_000_000))
            server.clear_requests()
            server.add_fault("download:stall@1000")
            sent = []
            def interrupt():
                while not any(one.kind == "download" for one in server.requests):
                    time.sleep(0.01)
                time.sleep(0.1)
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=interrupt).start()
            try:
                {act}
            except KeyboardInterrupt:
                print("stopped after", time.monotonic() - sent[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("stopped after"), done.stderr
    assert float(done.stdout.split()[-1]) < 0.2
    assert list(tmp_path.iterdir()) == []


def test_the_server_misbehaves_and_keeps_mails():
    with Server(users={"a@example.org": "p"}, faults=["api:delay=10"], event_hold=0.1) as server:
        supermega.connect("a@example.org", "p", api_url=server.url).mkdir("/x")
        assert any("p" in request.commands for request in server.requests)
        assert server.connections > 0 and server.outbox == []
    with pytest.raises(supermega.InputError):
        server.url
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
