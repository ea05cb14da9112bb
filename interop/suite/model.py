"""Random changes by our client and another one, under random faults: after each round what our command knows
from its cache is what it loads anew, and whoever watched has seen it."""

import json
import os
import random
import signal
import subprocess
import threading

from suite.clients import Account, below, parent_and_name
from suite.clients.driven import Megajs
from suite.clients.ours import Ours
from suite.clients.rclone import Rclone
from suite.process import Background, Failed
from suite.samples import one_file
from suite.server import Server
from suite.table import expect

CHANGES = 8
# What befalls the command when it asks what has changed. Packets that the server passes over are not among
# them: of those nobody can know.
FAULTS = [
    "event:lost*1",
    "event:status=500*1",
    "event:error=6*1",
    "event:cut@10*1",
    "packets:repeat*1",
    "packets:drift*1",
    "packets:delay=40",
    "api:lost*1",
    "api:status=500*1",
]
WATCH = "seen by a watch from its beginning"


def model(table, binary, peers, work, rounds, seed):
    """A server and an account for each other client."""
    home = work / "model"
    home.mkdir()
    users = [Account("", f"model{name}@example.org") for name in ["rclone", "megajs"]]
    with Server(binary, home, users=users) as server:
        accounts = [Account(server.url, user.email) for user in users]
        for account, make in zip(accounts, [Rclone, Megajs]):
            place = home / account.email
            place.mkdir()
            other = make(peers, account, place) if make is Rclone else make(peers, account)

            def act(account=account, other=other, place=place):
                Model(server, binary, account, other, place, random.Random(seed)).run(rounds)

            table.attempt("model", "supermega", f"{rounds} rounds beside {other.name}, seed {seed}", act)


class Model:
    """One account, changed by two clients."""

    def __init__(self, server, binary, account, other, place, chance):
        self.server, self.place, self.chance = server, place, chance
        self.ours = Ours(binary, account, place)
        self.clients = [self.ours, other]
        self.done = self.asked = self.kills = 0
        self.ours.login()

    def run(self, rounds):
        self.known = self.listed("--no-cache")
        with Watch(self.ours) as watch:
            self.begin(watch)
            for number in range(rounds):
                self.round(number, watch)
        expect(self.done * 2 > self.asked, f"only {self.done} of {self.asked} changes went well")
        expect(self.kills or rounds < 4, "the command always ended before it was killed")

    def begin(self, watch):
        """A program is not told when a watch has begun."""
        self.ours.mkdir("/begin")
        number = 0
        while not watch.knows("begin"):
            number += 1
            expect(number < 200, f"{WATCH}: nothing")
            self.ours.rename("/begin", "begun")
            self.ours.rename("/begun", "begin")

    def round(self, number, watch):
        for step in range(CHANGES):
            self.asked += 1
            try:
                self.change(self.chance.choice(self.clients), f"{number} {step}")
                self.done += 1
            except Failed:
                pass  # Another name of the same kind is there already, or what was to be moved is gone.
            self.known = self.listed("--no-cache")
        fault = self.chance.choice(FAULTS)
        told = f"round {number}, {fault}"
        self.server.admin("POST", "faults", {"fault": fault})
        try:
            for _ in range(3):
                self.kill()
            cached = self.listed()
        finally:
            self.server.admin("DELETE", "faults")
        fresh = self.listed("--no-cache")
        differ(cached, fresh, f"{told}: the cache")
        self.known = fresh
        last = f"last {number}"
        self.clients[number % 2].mkdir(f"/{last}")
        watch.until(last, told)
        watch.agrees(self.listed(), told)

    def kill(self):
        """Ends the command at any moment of its work."""
        env = {**os.environ, **self.ours.env}
        command = [str(self.ours.binary), "ls", "-R", "/"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(self.chance.uniform(0.002, 0.05))
        except subprocess.TimeoutExpired:
            process.kill()
        self.kills += process.wait() == -signal.SIGKILL

    def listed(self, *flags):
        """All nodes of the drive and the rubbish bin, by handle; old versions by theirs."""
        found = {}
        for top in ["/", "//trash"]:
            for node in self.ours._objects("ls", "-R", "--versions", top, *flags):
                found[node["handle"]] = node
        return found

    def change(self, client, name):
        """One change somewhere in the drive; clients that lack a verb upload something."""
        here = [node for node in self.known.values() if node["path"].startswith("/") and node["path"][1:2] != "/"]
        files = [node["path"] for node in here if node["type"] == "file"]
        folders = [node["path"] for node in here if node["type"] == "folder"]
        folder = self.chance.choice(["/", *folders])
        verbs = ["mkdir", "put", "put"]
        verbs += ["rename", "move", "trash", "replace"] if files else []
        verbs += ["rename_folder", "delete_folder"] if len(folders) > 3 else []
        verb = self.chance.choice(verbs)
        if verb == "mkdir":
            client.mkdir(below(folder, name))
        elif verb == "replace" and client.replace:
            path = self.chance.choice(files)
            client.replace(self.local(parent_and_name(path)[1]), path)
        elif verb == "rename":
            client.rename(self.chance.choice(files), name)
        elif verb == "move":
            client.move(self.chance.choice(files), folder)
        elif verb == "trash":
            client.trash(self.chance.choice(files))
        elif verb == "rename_folder":
            client.rename_folder(self.chance.choice(folders), name)
        elif verb == "delete_folder":
            client.delete_folder(self.chance.choice(folders))
        else:
            client.putdir(self.local(name).parent, folder)

    def local(self, name):
        folder = self.place / f"local {self.asked}"
        return one_file(folder, name, "x" * self.chance.randrange(1, 400))


class Watch:
    """A process that watches, and what it has told of each node so far."""

    def __init__(self, ours):
        self.process = Background(ours.binary, "--json", "watch", env=ours.env)
        self.names, self.gone = {}, set()
        self.news = threading.Condition()

    def __enter__(self):
        self.process.__enter__()
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.process.__exit__(*problem)

    def listen(self):
        for line in self.process.process.stdout:
            event = json.loads(line)
            with self.news:
                if event["event"] == "reloaded":
                    # What has changed is not told.
                    self.names.clear()
                    self.gone.clear()
                elif event["event"] == "removed":
                    self.names.pop(event["handle"], None)
                    self.gone.add(event["handle"])
                elif event.get("handle"):
                    self.names[event["handle"]] = event["name"]
                self.news.notify_all()

    def knows(self, name):
        with self.news:
            return self.news.wait_for(lambda: name in self.names.values(), 0.05)

    def until(self, name, told):
        with self.news:
            seen = self.news.wait_for(lambda: name in self.names.values(), 20)
        expect(seen, f"{told}: {name!r} is not {WATCH}: {self.process.errors()}")

    def agrees(self, listed, told):
        """What was told of last is how it is."""
        with self.news:
            for handle, name in self.names.items():
                now = listed.get(handle)
                # What lay in a folder that was removed is not told of.
                expect(now is None or now["type"] == "version" or now["name"] == name, f"{told}: {name!r}, and {now}")
            back = self.gone & {handle for handle, node in listed.items() if node["type"] != "version"}
            expect(not back, f"{told}: told of as removed, and there: {back}")


def differ(one, other, told):
    for handle in one.keys() | other.keys():
        expect(one.get(handle) == other.get(handle), f"{told}: {one.get(handle)} instead of {other.get(handle)}")
