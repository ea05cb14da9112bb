"""The peers: installs what is pinned, and says where it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from suite.process import sh

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent
REQUIREMENTS = ["rclone", "async_mega", "mega_py"]
PINS = ["package.json", "package-lock.json", *(f"requirements/{name}.txt" for name in REQUIREMENTS)]


class Peers:
    """Where everything is."""

    folder = HERE / ".peers"
    drivers = HERE / "drivers"
    rclone = folder / "rclone/bin/rclone"
    async_mega = folder / "async_mega"
    mega_py = folder / "mega_py"
    mega_rs = folder / "target/release/supermega-interop-mega"


def install():
    """Installs the pinned peers, unless these very versions are there."""
    peers = Peers()
    pins = "".join((HERE / name).read_text(encoding="utf-8") for name in PINS)
    mark = peers.folder / "installed"
    if not mark.exists() or mark.read_text(encoding="utf-8") != pins:
        print("installing the peers into interop/.peers", flush=True)
        for old in ["node_modules", "venv", *REQUIREMENTS]:
            shutil.rmtree(peers.folder / old, ignore_errors=True)
        peers.folder.mkdir(exist_ok=True)
        for name in ["package.json", "package-lock.json"]:
            shutil.copy(HERE / name, peers.folder)
        sh("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=peers.folder)
        sh(sys.executable, "-m", "venv", peers.folder / "venv")
        pip = [peers.folder / "venv/bin/pip", "--disable-pip-version-check", "install", "-q", "--no-deps"]
        # Two of them are called `mega`, so each has a folder of its own.
        for name in REQUIREMENTS:
            sh(*pip, "--target", peers.folder / name, "-r", HERE / f"requirements/{name}.txt")
        mark.write_text(pins, encoding="utf-8")
    env = {**os.environ, "CARGO_TARGET_DIR": str(peers.folder / "target")}
    manifest = HERE / "mega_rs/Cargo.toml"
    command = ["cargo", "build", "--locked", "-q", "--release", "--manifest-path", manifest]
    subprocess.run(command, env=env, check=True)
    return peers


def build(supermega):
    """Builds the command, unless it is given, and the maker of accounts for mega-mock, unless the build of the one that is
    given has left it beside."""

    def cargo(*arguments):
        subprocess.run(["cargo", "build", "--locked", "-q", *arguments], cwd=ROOT, check=True)

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    if supermega:
        supermega = Path(supermega).resolve()
        beside = supermega.parent / "examples/mock_account"
        if beside.exists():
            return {"supermega": supermega, "mock_account": beside}
    else:
        cargo("-p", "supermega-cli")
        supermega = target / "supermega"
    cargo("-p", "supermega-crypto", "--example", "mock_account")
    return {"supermega": supermega, "mock_account": target / "examples/mock_account"}
