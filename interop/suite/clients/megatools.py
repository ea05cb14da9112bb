"""Debian's `megatools`, which knows one address only and speaks TLS only.

It reaches our server by way of a proxy that connects every name to it (`suite/proxy.py`), and trusts our
server's authority because it sees that in the place of the system's, in a mount namespace of its own. It
neither renames nor moves.
"""

import os
import re
import tempfile

from suite.clients import Client, below
from suite.process import Failed, sh

# Where Debian's libcurl looks.
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ENTER = f'mount --bind "$0" {BUNDLE} && exec megatools "$@"'
LINE = re.compile(r"\S+ +\S* +(\d) +(\S+) \S+ \S+ (.*)")


class Megatools(Client):
    """`megatools`, with a session for each call.

    It would keep one in a temporary folder, but begins to count its requests at the time of day in seconds: two
    calls in the same second would send the same request ids, and be given the same answers.
    """

    name = "megatools"

    def __init__(self, account, server, home):
        self.home = home
        namespace = "-m" if os.geteuid() == 0 else "-rm"
        self.enter = ["unshare", namespace, "sh", "-c", ENTER, server.ca_file]
        self.options = ["--ignore-config-file", "--proxy", server.proxy_url]
        self.login_options = ["-u", account.email, "-p", account.password, "--no-ask-password", "--reload"]

    def _run(self, verb, *arguments):
        with tempfile.TemporaryDirectory(prefix="megatools-", dir=self.home) as cache:
            env = {"MEGATOOLS_PKP_DISABLE": "1", "TMPDIR": cache}
            return sh(*self.enter, verb, *self.options, *arguments, env=env)

    def _(self, verb, *arguments):
        return self._run(verb, *self.login_options, *arguments)

    @staticmethod
    def _at(path):
        return "/Root" + path.rstrip("/")

    def login(self):
        self._("ls", "/Root")

    def list(self, path):
        listed = self._("ls", "-n", "--print0", self._at(path)).rstrip("\n")
        return [name for name in listed.split("\0") if name]

    def tree(self, path):
        top = self._at(path) + "/"
        sizes = {}
        for line in self._("ls", "-lR", self._at(path)).split("\n"):
            found = LINE.fullmatch(line)
            if found and found[3].startswith(top):
                size = found[2].replace("-", "0")  # of an empty file
                sizes[found[3].removeprefix(top)] = int(size) if found[1] == "0" else None
        return sizes

    def mkdir(self, path):
        self._("mkdir", self._at(path))

    def _each(self, names, work):
        problems = {}
        for name in names:
            try:
                work(name)
            except Failed as error:
                problems[name] = str(error)
        return problems

    def putdir(self, local, remote):
        def put(name):
            self._("put", "--no-progress", "--path", self._at(remote), local / name)

        return self._each(sorted(path.name for path in local.iterdir()), put)

    def getdir(self, remote, local):
        local.mkdir()

        def get(name):
            self._("get", "--no-progress", "--path", local / name, self._at(below(remote, name)))

        return self._each(self.list(remote), get)

    def read(self, path):
        return self._("get", "--no-progress", "--path", "-", self._at(path))

    def delete(self, path):
        self._("rm", self._at(path))

    delete_folder = delete

    def link(self, path):
        return self._("export", self._at(path)).strip().splitlines()[-1]

    def fetch(self, url, local):
        self._run("dl", "--no-progress", "--path", local, url)

    def fetch_folder(self, url, local):
        local.mkdir()
        self._run("dl", "--no-progress", "--path", local, url)

    def used(self):
        return int(self._("df", "--used"))
