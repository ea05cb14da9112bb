"""Our server, as a process."""

import json
import re
import urllib.request
from contextlib import ExitStack

from suite.clients import Account
from suite.process import Background
from suite.proxy import Proxy

# The only name that megatools knows.
MEGA = "g.api.mega.co.nz"


class Server:
    """Runs as long as the block lasts; `url` is its address, `proxy_url` that of a way to its TLS."""

    def __init__(self, binary, home, *options, kdf="v2", users=(Account(""),)):
        self.data = home / "server"
        self.ca_file = self.data / "ca.pem"
        users = [part for user in users for part in ("--user", f"{user.email}:{user.password}")]
        listen = ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-names", MEGA]
        options = ["--kdf", kdf, "--data", self.data, *users, *listen, *options]
        self.process = Background(binary, "server", "-v", *options)

    def __enter__(self):
        with ExitStack() as stack:
            stack.enter_context(self.process)
            self.url = self._address("http")
            port = int(self._address("https").rsplit(":", 1)[1].rstrip("/"))
            self.proxy_url = stack.enter_context(Proxy(port)).url
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _address(self, scheme):
        line = self.process.line()
        if not re.fullmatch(rf"listening {scheme}://127\.0\.0\.1:\d+/", line):
            raise AssertionError(line)
        return line.split()[1]

    def log(self):
        """The lines of its log, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.process.errors()).splitlines()

    def admin(self, method, what, body=None, timeout=30):
        """What an order gives, as a list of lines."""
        request = urllib.request.Request(f"{self.url}admin/{what}", method=method)
        request.add_header("X-Admin-Token", (self.data / "admin-token").read_text().strip())
        if body is not None:
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return [json.loads(line) for line in answer.read().splitlines() if line]
