"""The interface of 2013. Its two programs are taken from the guide, and run with the wheel alone."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import supermega
from supermega.testing import EMAIL, PASSWORD, Server

GUIDE = Path(__file__).parents[3] / "docs" / "python.md"


def programs():
    """The guide's two programs, by their names."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {name[1]: block for block in blocks if (name := re.match(r"# 2013: (\w+)\n", block))}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter that has the wheel and nothing else."""
    wheels = os.environ.get("SUPERMEGA_WHEELS")
    if wheels is None:
        pytest.skip("SUPERMEGA_WHEELS names no folder with the wheel")
    home = tmp_path_factory.mktemp("alone")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--find-links", wheels, "supermega"],
        check=True,
    )
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "freeze"], capture_output=True, text=True, check=True)
    assert {line.partition("==")[0] for line in listed.stdout.split()} <= {"pip", "setuptools", "supermega"}
    return python


def run(python, program, server, folder):
    environment = {**os.environ, "SUPERMEGA_API_URL": server.url}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [python, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_both_programs_run_as_they_are(python, tmp_path):
    content = os.urandom(3_000_000)
    with Server(users={"user@example.org": "password"}) as server:
        mega = supermega.connect("user@example.org", "password", api_url=server.url)
        mega.mkdir("/films")
        node = mega.write_bytes("/films/film.avi", content)
        mega.rename(node, "../film.avi")
        key = re.match(r"https://mega.nz/file/(.*)#(.*)", mega.link(node))
        download = programs()["download"].replace("FILE_URL", f"{key[1]}!{key[2]}")
        done = run(python, download, server, tmp_path)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["..%2Ffilm.avi"]
        assert (tmp_path / "..%2Ffilm.avi").read_bytes() == content
        done = run(python, programs()["list"], server, tmp_path)
        assert done.returncode == 0, done.stderr
        assert "films ..%2Ffilm.avi 3000000" in done.stdout
        assert "    ../film.avi" in done.stdout
        server.add_fault("download:flip@1000000")
        done = run(python, download, server, tmp_path)
        assert done.returncode == 1 and "IntegrityError" in done.stderr


def test_the_rest_of_the_interface(mega_server, monkeypatch, tmp_path):
    monkeypatch.setenv("SUPERMEGA_EMAIL", EMAIL)
    monkeypatch.setenv("SUPERMEGA_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    s = supermega.Session.from_env()
    with pytest.raises(supermega.AuthenticationError):
        supermega.Session().init_datastore()
    (tmp_path / "notes.txt").write_bytes(b"milk")
    with open("notes.txt", "rb") as handle:
        file = supermega.File.upload(s.root, handle)
    other = supermega.File.upload(s.root, "notes.txt", "other.txt")
    assert s.datastore.find("notes.txt") == file
    assert s.datastore.get_node(file.handle) == s.datastore[file.handle] == s.root["notes.txt"] == file
    with pytest.raises(KeyError):
        s.datastore["AAAAAAAA"]
    public = supermega.File.from_url(file.get_public_url())
    assert (public.name, public.size) == ("notes.txt", 4)
    got = []
    public.download(lambda file, chunks, *more: got.append((file.name, b"".join(chunks), more)), "more")
    assert got == [("notes.txt", b"milk", ("more",))]
    with pytest.raises(FileExistsError):
        s.download_to_file(file)
    with open("copy.txt", "wb") as handle:
        s.download_to_file(file, handle)
    assert (tmp_path / "copy.txt").read_bytes() == b"milk"
    file.move_to(s.trash)
    assert [one.name for one in s.trash] == ["notes.txt"]
    other.delete()
    assert list(s.root) == [] and list(s.inbox) == []
    assert supermega.Session.ephemeral().root.files == []
    assert EMAIL in repr(s) and PASSWORD not in repr(s)
