"""The command of this repository."""

import json
from pathlib import Path

from suite.clients import Client, below, parent_and_name
from suite.process import Failed, sh


class Ours(Client):
    """`supermega`, as it was built."""

    name = "supermega"

    def __init__(self, binary, account, home):
        self.binary = binary
        self.account = account
        self.env = {
            "SUPERMEGA_API_URL": account.url,
            "SUPERMEGA_CONFIG_DIR": str(home / "supermega"),
            "SUPERMEGA_CACHE_DIR": str(home / "supermega cache"),
            "SUPERMEGA_TIMEOUT": "5",
            "SUPERMEGA_PATIENCE": "30",
        }

    def _(self, *arguments, **options):
        return sh(self.binary, *arguments, env=self.env, **options)

    def _objects(self, *arguments):
        return [json.loads(line) for line in self._("--json", *arguments).splitlines()]

    def login(self):
        self._("login", self.account.email, "--password-stdin", input=self.account.password + "\n")
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

    def folder_link(self, path):
        """A link to a folder, with the share behind it."""
        return self._("link", "make", path).strip()

    def protected_link(self, path, password):
        """A link that opens with a password."""
        return self._("link", "make", "--protect", "--link-password-stdin", path, input=password + "\n").strip()

    def _as_nobody(self, *arguments):
        # Another place for logins, so that it is nobody's.
        env = {**self.env, "SUPERMEGA_CONFIG_DIR": self.env["SUPERMEGA_CONFIG_DIR"] + " anonymous"}
        return sh(self.binary, *arguments, env=env)

    def fetch(self, url, local):
        self._as_nobody("get", url, local)

    def fetch_folder(self, url, local):
        local.mkdir()
        self._as_nobody("get", url, local)

    def link_list(self, url):
        """The names in the folder of a link."""
        return [json.loads(line)["name"] for line in self._as_nobody("--json", "ls", url).splitlines()]

    def link_tree(self, url):
        """Sizes by path below the folder of a link, None for folders."""
        lines = self._as_nobody("--json", "tree", url).splitlines()
        # The folder itself comes first, as the root.
        entries = [json.loads(line) for line in lines]
        return {e["path"].lstrip("/").rstrip("/"): e["size"] for e in entries if e["path"] != "/"}

    def importing(self, url, folder):
        self._("import", url, folder)

    def invite(self, email):
        """Asks somebody to become a contact."""
        self._("contact", "invite", email)

    def accept(self, email):
        self._("contact", "accept", email)

    def share(self, path, email, access):
        """Shares a folder with a contact, or changes what he may do."""
        self._("share", "add", path, email, "--access", access)

    def unshare(self, path, email):
        self._("share", "remove", path, email)

    def shares(self):
        """What is shared both ways; keys that wait are handed over and taken on the way."""
        return self._objects("share", "list")

    def thumbnail(self, path, local):
        """Saves the thumbnail of a file."""
        self._("thumbnail", "get", path, local)

    def used(self):
        return self._objects("df")[0]["used"]
