"""Drives mega.py 1.0.8, see verbs.py.

It asks `{schema}://g.api.{domain}/cs`, and only `schema` and `domain` can be set. Before an `@` the fixed
part of the host is a user's name, which our server ignores.
"""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import verbs
from mega import Mega


class Verbs:
    """A session for one verb."""

    def __init__(self):
        self.mega = Mega()
        place = urlsplit(verbs.GATEWAY)
        self.mega.schema = place.scheme
        self.mega.domain = f"at@{place.netloc}"

    def session(self):
        self.mega.login(verbs.EMAIL, verbs.PASSWORD)
        self.nodes = self.mega.get_files()
        return self.mega

    def children(self, handle):
        return [node for node in self.nodes.values() if node["p"] == handle]

    def at(self, path):
        """The node of a path. `find` looks for one folder above a name only."""
        node = self.nodes[self.mega.root_id]
        for name in filter(None, path.split("/")):
            found = [child for child in self.children(node["h"]) if child["a"]["n"] == name]
            if len(found) != 1:
                raise LookupError(f"{path}: {len(found)} nodes")
            node = found[0]
        return node

    def pair(self, path):
        """A node as `find` would give it."""
        node = self.at(path)
        return node["h"], node

    def login(self):
        user = self.session().get_user()
        if user["email"] != verbs.EMAIL:
            raise LookupError(f"logged in as {user['email']}")

    def list(self, path):
        self.session()
        return [child["a"]["n"] for child in self.children(self.at(path)["h"])]

    def tree(self, path):
        self.session()
        sizes = {}

        def walk(handle, prefix):
            for child in self.children(handle):
                name = prefix + child["a"]["n"]
                sizes[name] = child["s"] if child["t"] == 0 else None
                walk(child["h"], name + "/")

        walk(self.at(path)["h"], "")
        return sizes

    def mkdir(self, path):
        self.session()
        parent, name = verbs.split(path)
        self.mega.create_folder(name, dest=self.at(parent)["h"])

    def putdir(self, local, remote):
        mega = self.session()
        folder = self.at(remote)["h"]
        return verbs.each(
            verbs.local_files(local), lambda p: p.name, lambda p: mega.upload(str(p), folder)
        )

    def getdir(self, remote, local):
        mega = self.session()
        Path(local).mkdir(parents=True, exist_ok=True)
        files = self.children(self.at(remote)["h"])
        return verbs.each(
            files, lambda f: f["a"]["n"], lambda f: mega.download((f["h"], f), str(local))
        )

    def read(self, path):
        mega = self.session()
        with tempfile.TemporaryDirectory() as folder:
            mega.download(self.pair(path), folder, "read")
            return (Path(folder) / "read").read_text(encoding="utf-8")

    def rename(self, path, name):
        self.session().rename(self.pair(path), name)

    def move(self, path, folder):
        self.session().move(self.at(path)["h"], self.pair(folder))

    def trash(self, path):
        self.session().delete(self.at(path)["h"])

    def delete(self, path):
        self.session().destroy(self.at(path)["h"])

    def link(self, path):
        return self.public(self.session().get_link(self.pair(path)))

    def folderlink(self, path):
        return self.public(self.session().export(node_id=self.at(path)["h"]))

    def public(self, link):
        """A link as it would read with the domain that was not set."""
        return f"https://mega.nz/{link[link.index('#'):]}"

    def old(self, url):
        """A link in its older form: of the newer it knows those whose handle has no hyphen."""
        return url.replace("#", "!").replace("/file/", "/#!") if "/file/" in url else url

    def fetchlink(self, url, local):
        local = Path(local)
        self.mega.download_url(self.old(url), str(local.parent), local.name)

    def importlink(self, url, folder):
        self.session().import_public_url(self.old(url), self.at(folder))

    def quota(self):
        return {"spaceUsed": self.session().get_storage_space()["used"]}


verbs.main(Verbs())
