"""Measures what programs take: they take turns, and the best of their rounds counts."""

import multiprocessing
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from suite import peers


def machine():
    """The processor, since figures mean nothing without it."""
    with open("/proc/cpuinfo", encoding="utf-8") as about:
        model = next((line.split(":")[1].strip() for line in about if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores, {model}"


def release():
    """The command as it would be released."""
    build = ["cargo", "build", "--release", "--locked", "-q", "-p", "supermega-cli"]
    subprocess.run(build, cwd=peers.ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", peers.ROOT / "target")) / "release"
    return target / "supermega"


@dataclass
class Figures:
    """What a client took, over its rounds."""

    seconds: list = field(default_factory=list)
    memory: int = 0

    @property
    def best(self):
        return min(self.seconds)


def measured(act):
    """Seconds, and the greatest memory of any program that it started, in KiB."""

    def child(pipe):
        begin = time.monotonic()
        try:
            told = act()
            error = str(told) if told else None
        except Exception as failure:
            error = str(failure) or type(failure).__name__
        seconds = time.monotonic() - begin
        pipe.send((error, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    error, seconds, memory = ours.recv()
    process.join()
    return error, seconds, memory


def race(clients, rounds, act, clean=lambda _: None, prepare=lambda: None, budget=float("inf"), patience=float("inf")):
    """Lets clients take turns; the first round warms up. Neither preparing nor cleaning counts. A client that fails once is out. One that has taken
    more seconds than the budget in all is given no further turn, once it has had one that counts. One whose first
    round takes more seconds than the patience has no other, and it counts."""
    figures = {client.name: Figures() for client in clients}
    running, taken = list(clients), dict.fromkeys(figures, 0)
    for number in range(rounds + 1):
        for client in list(running):
            one = figures[client.name]
            if taken[client.name] > budget and one.seconds:
                running.remove(client)
                continue
            prepare()
            error, seconds, memory = measured(lambda: act(client))
            clean(client)
            taken[client.name] += seconds
            if error:
                print(f"{client.name} fails after {seconds:.1f} s: {error[:200]}", file=sys.stderr)
                running.remove(client)
                del figures[client.name]
                continue
            if number or seconds > patience:
                one.seconds.append(seconds)
                one.memory = max(one.memory, memory)
            if seconds > patience and not number:
                running.remove(client)
    return figures
