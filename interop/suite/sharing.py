"""Two users of ours share a folder, a third joins, and clients of other people stand by: after each step every
file is read by exactly those who should.
"""

from suite.clients import Account
from suite.clients.driven import AsyncMega, MegaRs, Megajs
from suite.clients.ours import Ours
from suite.clients.rclone import Rclone
from suite.process import Failed
from suite.samples import SMALL, TEXT, one_file
from suite.server import Server
from suite.table import expect

SETTING = "shares"
OWNER, FRIEND, GUEST = (f"{name}@example.org" for name in ["owner", "friend", "guest"])
PASSWORD = "sword fish"
TREE = {"deep": None, "deep/late": len(SMALL), "deep/mine": len(TEXT), "renamed": len(SMALL)}


def shares(table, binary, peers, work):
    """One server, three users, and what happens between them in its order."""
    home = work / "shares"
    home.mkdir()
    users = [Account("", email) for email in [OWNER, FRIEND, GUEST]]
    with Server(binary, home, users=users) as server:
        story = Story(server.url, binary, peers, home)
        for item, step in story.steps():
            table.attempt(SETTING, Ours.name, item, step)


class Story:
    """Who there is, and what each does."""

    def __init__(self, url, binary, peers, home):
        self.home = home
        accounts = [Account(url, email) for email in [OWNER, FRIEND, GUEST]]
        self.people = []
        for account in accounts:
            place = home / account.email
            place.mkdir()
            self.people.append(Ours(binary, account, place))
        self.owner, self.friend, self.guest = self.people
        self.owner_in_megajs = Megajs(peers, accounts[0])
        self.guest_in_megajs = Megajs(peers, accounts[2])
        self.guest_in_rclone = Rclone(peers, accounts[2], home / GUEST)
        self.openers = [self.owner, self.guest_in_megajs, AsyncMega(peers, accounts[0]), MegaRs(peers, accounts[0])]
        self.opened = 0
        self.url = None

    def steps(self):
        """What happens, and what it is called."""
        yield "logs three users in", self.log_in
        yield "shares a folder to be read", self.share_to_read
        yield "lets a friend write", self.let_write
        yield "lets a friend do everything", self.let_do_everything
        yield "shares a folder within with a guest", self.share_within
        yield "makes a link to the shared folder", self.make_link
        for opener in self.openers:
            yield f"shows the linked folder to {opener.name}", lambda opener=opener: self.see_tree(opener)
        yield "imports the linked folder into another account", self.import_link
        yield "revokes what the friend was given", self.revoke
        yield "ends the link and leaves the rest", self.end_link
        mega = self.openers[-1]
        yield "protects a link to a folder -> mega", lambda: self.protect("/shared/deep", mega)
        yield "protects a link to a file -> mega", lambda: self.protect("/shared/deep/mine", mega)

    def readers(self, path):
        """Everybody who may read a file of the owner's, with the path under which it would be."""
        inside = path.removeprefix("/shared/")
        nested = inside.removeprefix("deep/")
        return {
            "owner": (self.owner, path),
            "owner in megajs": (self.owner_in_megajs, path),
            "friend": (self.friend, f"//in/{OWNER}/shared/{inside}"),
            "guest": (self.guest, f"//in/{OWNER}/deep/{nested}"),
        }

    def reads(self, path, text, *names):
        """The file is read by these, and by nobody else."""
        for name, (client, place) in self.readers(path).items():
            try:
                found = client.read(place)
            except Failed as failed:
                expect(name not in names, f"{name} does not read {path}: {failed}")
                if isinstance(client, Ours):
                    expect(failed.code == 3, f"{name} fails otherwise than for want of {path}: {failed}")
                continue
            expect(name in names, f"{name} reads {path}")
            expect(found == text, f"{name} reads other bytes from {path}")

    def refused(self, act, what):
        try:
            act()
        except Failed as failed:
            expect(failed.code == 1, str(failed))
            return
        raise AssertionError(f"it was not refused: {what}")

    def put(self, client, name, text, folder):
        client.putdir(one_file(self.home / f"put {name}", name, text).parent, folder)

    def log_in(self):
        for person in self.people:
            person.login()
        for other in [self.friend, self.guest]:
            self.owner.invite(other.account.email)
            other.accept(OWNER)

    def share_to_read(self):
        self.owner.mkdir("/private")
        self.put(self.owner, "secret", SMALL, "/private")
        self.owner.mkdir("/shared")
        self.owner.mkdir("/shared/deep")
        self.put(self.owner, "mine", TEXT, "/shared/deep")
        self.owner.share("/shared", FRIEND, "read")
        self.friend.shares()
        self.reads("/shared/deep/mine", TEXT, "owner", "owner in megajs", "friend")
        self.reads("/private/secret", SMALL, "owner", "owner in megajs")
        top = f"//in/{OWNER}/shared"
        self.refused(lambda: self.put(self.friend, "theirs", SMALL, top), "to put")
        self.refused(lambda: self.friend.mkdir(f"{top}/new"), "to make a folder")

    def let_write(self):
        self.owner.share("/shared", FRIEND, "write")
        top = f"//in/{OWNER}/shared"
        self.put(self.friend, "theirs", SMALL, top)
        # megajs knows no share keys but those that the service keeps.
        self.reads("/shared/theirs", SMALL, "owner", "friend")
        self.refused(lambda: self.friend.rename(f"{top}/theirs", "other"), "to rename")
        self.refused(lambda: self.friend.trash(f"{top}/theirs"), "to throw away")

    def let_do_everything(self):
        self.owner.share("/shared", FRIEND, "full")
        self.friend.rename(f"//in/{OWNER}/shared/theirs", "renamed")
        self.reads("/shared/renamed", SMALL, "owner", "friend")

    def share_within(self):
        self.owner.share("/shared/deep", GUEST, "read")
        self.guest.shares()
        self.reads("/shared/deep/mine", TEXT, "owner", "owner in megajs", "friend", "guest")
        self.reads("/shared/renamed", SMALL, "owner", "friend")
        # The friend does not know that his folder is shared further: the owner's client sees to it.
        self.put(self.friend, "late", SMALL, f"//in/{OWNER}/shared/deep")
        self.owner.shares()
        self.reads("/shared/deep/late", SMALL, "owner", "friend", "guest")

    def make_link(self):
        self.url = self.owner.folder_link("/shared")

    def see_tree(self, opener):
        found = opener.link_tree(self.url)
        expect(found == TREE, f"finds {found}")
        self.opened += 1
        local = self.home / f"opened {self.opened}"
        opener.fetch_folder(self.url, local)
        texts = {path.name: path.read_text(encoding="utf-8") for path in local.rglob("*") if path.is_file()}
        expect(texts.get("renamed") == SMALL, f"downloads {sorted(texts)}")

    def import_link(self):
        self.guest.importing(self.url, "/")
        for reader in [self.guest, self.guest_in_megajs, self.guest_in_rclone]:
            expect(reader.tree("/shared") == TREE, f"{reader.name} finds {reader.tree('/shared')}")
            expect(reader.read("/shared/deep/mine") == TEXT, f"{reader.name} reads other bytes")
            expect(reader.read("/shared/renamed") == SMALL, f"{reader.name} reads other bytes")

    def revoke(self):
        self.owner.unshare("/shared", FRIEND)
        # What the friend had put there, megajs reads now too: the owner's client has given it keys of the owner's.
        self.reads("/shared/renamed", SMALL, "owner", "owner in megajs")
        self.reads("/shared/deep/late", SMALL, "owner", "owner in megajs", "guest")
        self.see_tree(self.openers[-1])

    def end_link(self):
        self.owner.unlink("/shared")
        self.owner.unshare("/shared/deep", GUEST)
        self.reads("/shared/deep/mine", TEXT, "owner", "owner in megajs")
        for opener in self.openers:
            try:
                opener.link_tree(self.url)
            except Failed:
                continue
            raise AssertionError(f"{opener.name} still opens the link")
        expect(self.guest.read("/shared/deep/mine") == TEXT, "what was imported is gone")

    def protect(self, path, opener):
        url = self.owner.protected_link(path, PASSWORD)
        local = self.home / f"unlocked {path.count('/')}"
        opener.fetch_protected(url, PASSWORD, local)
        expect((local / "mine").read_text(encoding="utf-8") == TEXT, "other bytes")
        try:
            opener.fetch_protected(url, "another", self.home / "locked")
        except Failed:
            return
        raise AssertionError("another password opens it")
