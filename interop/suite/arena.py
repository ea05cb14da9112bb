"""Where what is measured lies: in memory, so that no disk is measured, and in memory that has been used before, so that the
machine's way of handing out memory is not measured either."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

SHARED = Path("/dev/shm")
MIB = 1 << 20


@contextmanager
def arena():
    """A folder in memory: a tmpfs of large pages where this user may mount one, and else the system's own."""
    folder = Path(tempfile.mkdtemp(prefix="supermega-speed-", dir=SHARED))
    mount = ["mount", "-t", "tmpfs", "-o", "huge=always,mode=700,size=95%", "supermega-speed", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        print(f"in memory, with {'large pages' if mounted else 'pages of 4 KiB'}")
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def touch(folder, size):
    """Uses as much memory as a transfer of so many bytes is about to use, and gives it back. A virtual machine whose host has
    taken free memory away waits for it here, and not in the transfer that happens to come first."""
    used = folder / "touched"
    block = bytes(MIB)
    with open(used, "wb") as out:
        for _ in range(0, size, MIB):
            out.write(block)
    os.unlink(used)
