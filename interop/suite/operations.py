"""What each client does to an account, and how others see it."""

import re

from suite.samples import ODD_NAME, SMALL, TEXT, one_file
from suite.table import expect

FILE_LINK = r"https://mega\.(nz|co\.nz)/(file/|#!)[\w-]{8}[#!][\w-]{43}"
FOLDER_LINK = r"https://mega\.(nz|co\.nz)/(folder/|#F!)[\w-]{8}[#!][\w-]{22}"


class Tour:
    """One client's way through all operations. What it cannot do is left out, and the rest goes on."""

    def __init__(self, client, witnesses, readers, ours, work):
        self.client = client
        self.witnesses = [witness for witness in witnesses if witness is not client]
        self.readers = readers
        self.ours = ours
        self.work = work
        self.top = f"/ops of {client.name}"
        self.inner = "inner"
        self.folder = self.top
        self.name = "file"
        self.url = self.folder_url = None

    def run(self, table, kind):
        client = self.client

        def step(item, verb, act):
            if verb is not None:
                table.attempt(kind, client.name, item, act, column=client.name)

        step("logs in", client.login, client.login)
        step("lists the root", client.list, lambda: client.list("/"))
        step("makes folders", client.mkdir, self.make_folders)
        step("uploads", client.putdir, self.upload)
        step("reads ranges", client.range, self.read_ranges)
        step("replaces a file", client.replace, self.replace)
        step("renames a file", client.rename, self.rename)
        step("moves a file", client.move, self.move)
        step("renames a folder", client.rename_folder, self.rename_folder)
        step("moves a folder", client.move_folder, self.move_folder)
        step("makes a link", client.link, self.make_link)
        for reader in self.readers:
            both = self.url and reader.fetch
            step(f"makes a link -> {reader.name}", both, lambda reader=reader: self.open_link(reader))
        step("imports a link", self.url and client.importing, lambda: self.import_link(client))
        if client is not self.ours:
            by_ours = f"makes a link -> {self.ours.name} imports"
            step(by_ours, self.url and client.link, lambda: self.import_link(self.ours))
        step("removes a link", client.unlink, self.remove_link)
        step("makes a folder link", client.folder_link, self.make_folder_link)
        for reader in self.readers:
            both = self.folder_url and reader.fetch_folder
            act = lambda reader=reader: self.open_folder_link(reader)  # noqa: E731
            step(f"makes a folder link -> {reader.name}", both, act)
        if client is not self.ours:
            by_ours = f"makes a folder link -> {self.ours.name} imports"
            step(by_ours, self.folder_url and client.folder_link, self.import_folder_link)
        step("moves to the rubbish bin", client.trash, self.trash)
        step("deletes a file", client.delete, self.delete)
        step("deletes a folder with content", client.delete_folder, self.delete_folder)

    @property
    def path(self):
        return f"{self.folder}/{self.name}"

    def seen(self, path, *names):
        for other in self.witnesses:
            found = sorted(other.list(path))
            expect(found == sorted(names), f"{other.name} sees {found} in {path}")

    def reads(self, path, text):
        for reader in [self.client, *self.witnesses]:
            expect(reader.read(path) == text, f"{reader.name} reads other bytes from {path}")

    def local(self, what, name, text=SMALL):
        """A folder of this machine that holds one file."""
        return one_file(self.work / f"{what} of {self.client.name}", name, text).parent

    def put(self, what, name, folder, text=SMALL):
        told = self.client.putdir(self.local(what, name, text), folder)
        expect(not told, told)

    def make_folders(self):
        self.client.mkdir(self.top)
        self.client.mkdir(f"{self.top}/inner")
        self.seen(self.top, "inner")

    def upload(self):
        self.put("puts", "file", self.top, TEXT)
        self.seen(self.top, "file", "inner")
        self.reads(self.path, TEXT)

    def read_ranges(self):
        for start, count in [(0, 2), (15, 3), (131071, 2), (200001, 70000)]:
            expected = TEXT[start : start + count]
            expect(self.client.range(self.path, start, count) == expected, f"other bytes at {start}")

    def replace(self):
        # Of another size, since clients take a file of the same size and time for the same.
        longer = TEXT[::-1] + "and more"
        for text in [longer, TEXT]:
            self.client.replace(self.local("replacement", "file", text) / "file", self.path)
            self.seen(self.top, "file", "inner")
            self.reads(self.path, text)

    def rename(self):
        self.client.rename(self.path, ODD_NAME)
        self.name = ODD_NAME
        self.seen(self.top, ODD_NAME, "inner")

    def move(self):
        self.client.move(self.path, f"{self.top}/inner")
        self.folder = f"{self.top}/inner"
        self.seen(self.top, "inner")
        self.seen(self.folder, self.name)

    def rename_folder(self):
        self.client.rename_folder(f"{self.top}/inner", "päth")
        self.inner, self.folder = "päth", f"{self.top}/päth"
        self.seen(self.top, "päth")

    def move_folder(self):
        self.client.mkdir(f"{self.top}/target")
        self.client.move_folder(f"{self.top}/{self.inner}", f"{self.top}/target")
        self.folder = f"{self.top}/target/{self.inner}"
        self.seen(f"{self.top}/target", self.inner)
        self.reads(self.path, TEXT)

    def make_link(self):
        self.url = self.client.link(self.path)
        expect(re.fullmatch(FILE_LINK, self.url), self.url)
        expect(self.client.link(self.path) == self.url, "another link at the second time")

    def open_link(self, reader):
        target = self.work / f"{self.client.name} linked, {reader.name} opened"
        reader.fetch(self.url, target)
        expect(target.read_text(encoding="utf-8") == TEXT, "other bytes")

    def import_link(self, importer):
        target = f"{self.top}/imported by {importer.name}"
        importer.mkdir(target)
        importer.importing(self.url, target)
        for reader in [importer, *self.witnesses]:
            expect(reader.read(f"{target}/{self.name}") == TEXT, f"{reader.name} reads other bytes")

    def import_folder_link(self):
        target = f"{self.top}/folder imported"
        self.ours.mkdir(target)
        self.ours.importing(self.folder_url, target)
        for name, text in [("file", TEXT), (ODD_NAME, SMALL)]:
            expect(self.ours.read(f"{target}/shared/{name}") == text, f"other bytes in {name}")

    def remove_link(self):
        self.client.unlink(self.path)
        for number, reader in enumerate(self.readers):
            if reader.fetch:
                try:
                    reader.fetch(self.url, self.work / f"gone {self.client.name} {number}")
                except Exception:
                    continue
                raise AssertionError(f"{reader.name} still opens it")

    def make_folder_link(self):
        shared = f"{self.top}/shared"
        self.client.mkdir(shared)
        self.put("shared", "file", shared, TEXT)
        self.put("shared too", ODD_NAME, shared)
        self.folder_url = self.client.folder_link(shared)
        expect(re.fullmatch(FOLDER_LINK, self.folder_url), self.folder_url)

    def open_folder_link(self, reader):
        target = self.work / f"{self.client.name} shared, {reader.name} opened"
        reader.fetch_folder(self.folder_url, target)
        # Some put the files into a folder of its name.
        found = {p.name: p.read_text(encoding="utf-8") for p in target.rglob("*") if p.is_file()}
        expect(found == {"file": TEXT, ODD_NAME: SMALL}, f"finds {sorted(found)}")

    def trash(self):
        name = f"trashed by {self.client.name}"
        self.put("trash", name, self.top)
        self.client.trash(f"{self.top}/{name}")
        expect(name not in self.client.list(self.top), "it is still there")
        expect(name in self.ours.list("//trash"), "it is not in the rubbish bin")

    def delete(self):
        self.client.delete(self.path)
        for other in self.witnesses:
            expect(self.name not in other.list(self.folder), f"{other.name} still sees it")

    def delete_folder(self):
        doomed = f"{self.top}/doomed"
        self.client.mkdir(doomed)
        self.put("doomed", "doomed", doomed)
        self.client.delete_folder(doomed)
        for client in [self.client, *self.witnesses]:
            expect("doomed" not in client.list(self.top), f"{client.name} still sees it")
