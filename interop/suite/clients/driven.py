"""Libraries: each is driven by a small program of ours, and all these programs know the same verbs."""

import json
import sys

from suite.clients import Client
from suite.process import Background, sh


class Driven(Client):
    """A client whose program prints one JSON value for a verb."""

    def __init__(self, account, *command, env=None):
        self.command = command
        self.env = {**account.driver_env(), **(env or {})}

    def _(self, *arguments):
        return json.loads(sh(*self.command, *arguments, env=self.env).splitlines()[-1])

    def _outcomes(self, *arguments):
        return {name: told for name, told in self._(*arguments).items() if told != "ok"}

    def login(self):
        self._("login")

    def list(self, path):
        return self._("list", path)

    def tree(self, path):
        return self._("tree", path)

    def mkdir(self, path):
        self._("mkdir", path)

    def putdir(self, local, remote):
        return self._outcomes("putdir", local, remote)

    def getdir(self, remote, local):
        local.mkdir()
        return self._outcomes("getdir", remote, local)

    def read(self, path):
        return self._("read", path)

    # An upload under a name that exists makes a second file of that name: there is nothing to replace by.

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

    def used(self):
        return self._("quota")["spaceUsed"]


class Linking(Driven):
    """A driven client that makes links, too."""

    def link(self, path):
        return self._("link", path)

    def fetch(self, url, local):
        self._("fetchlink", url, local)

    def importing(self, url, folder):
        self._("importlink", url, folder)

    def folder_link(self, path):
        """A link to a folder, with the share behind it."""
        return self._("folderlink", path)


def link_list(client, url):
    """The names in the folder of a link."""
    return client._("listlink", url)


def link_tree(client, url):
    """Sizes by path below the folder of a link, None for folders."""
    return client._("linktree", url)


def fetch_folder(client, url, local):
    """The files of a folder link, without their folder."""
    problems = client._outcomes("fetchfolder", url, local)
    if problems:
        raise AssertionError(problems)


class Megajs(Linking):
    """npm `megajs`. With a file for its session, it logs in once; it then knows no RSA key, which shares may need."""

    name = "megajs"

    def __init__(self, peers, account, session=None):
        env = {"PEERS": str(peers.folder)} | ({"SESSION": str(session)} if session else {})
        super().__init__(account, "node", peers.drivers / "megajs.mjs", env=env)

    def range(self, path, start, count):
        return self._("range", path, start, start + count - 1)

    def unlink(self, path):
        self._("unlink", path)

    def give_thumbnail(self, path, local):
        """Gives a file a thumbnail, whatever is in the local one."""
        self._("givethumbnail", path, local)

    fetch_folder, link_list, link_tree = fetch_folder, link_list, link_tree

    def listening(self):
        """A session that prints a line for each change that it hears of."""
        return Background(*self.command, "listen", env=self.env)


class AsyncMega(Linking):
    """PyPI `async-mega.py`, the one that is maintained."""

    name = "async-mega.py"

    def __init__(self, peers, account):
        env = {"PYTHONPATH": str(peers.async_mega)}
        super().__init__(account, sys.executable, "-B", peers.drivers / "async_mega.py", env=env)

    fetch_folder, link_list, link_tree = fetch_folder, link_list, link_tree

    def session_id(self):
        """What a new session is called by in requests."""
        return self._("session")

    def making_folders(self, count):
        """A session that prints a line before it makes each folder, with the time."""
        return Background(*self.command, "make_folders", count, env=self.env)

    def make_key_container(self):
        """Gives the account the attribute without which `mega` lists nothing."""
        self._("make_key_container")


class MegaPy(Linking):
    """PyPI `mega.py`, which is abandoned and everywhere."""

    name = "mega.py"

    def __init__(self, peers, account):
        env = {"PYTHONPATH": str(peers.mega_py)}
        super().__init__(account, sys.executable, "-B", peers.drivers / "mega_py.py", env=env)


class MegaRs(Driven):
    """The crate `mega`. It opens links, but makes none."""

    name = "mega"

    def __init__(self, peers, account):
        super().__init__(account, peers.mega_rs)

    def fetch(self, url, local):
        self._("fetchlink", url, local)

    fetch_folder, link_list, link_tree = fetch_folder, link_list, link_tree

    def give_thumbnail(self, path, local):
        """Gives a file a thumbnail, whatever is in the local one."""
        self._("givethumbnail", path, local)

    def fetch_thumbnail(self, path, local):
        """Saves the thumbnail of a file."""
        self._("fetchthumbnail", path, local)

    def fetch_protected(self, url, password, local):
        """The files of a link that is protected by a password."""
        problems = self._outcomes("fetchprotected", url, password, local)
        if problems:
            raise AssertionError(problems)

    def listening(self):
        """A session that prints a line for each change that it hears of."""
        return Background(*self.command, "listen", env=self.env)
