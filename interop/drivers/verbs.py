"""What the drivers of the Python libraries have in common with megajs.mjs: the words by which they are called.

`python DRIVER VERB [ARGUMENT…]` prints one JSON value. GATEWAY, EMAIL and PASSWORD are in the environment.
"""

import json
import os
import sys
import traceback
from pathlib import Path

GATEWAY, EMAIL, PASSWORD = (os.environ.get(name, "") for name in ("GATEWAY", "EMAIL", "PASSWORD"))


def split(path):
    """The parent's path and the name."""
    parent, name = path.rsplit("/", 1)
    return parent or "/", name


def each(entries, name_of, work):
    """Of each name what became of it: one file that fails must not hide the others."""
    outcomes = {}
    for entry in entries:
        try:
            work(entry)
            outcomes[name_of(entry)] = "ok"
        except Exception as error:
            outcomes[name_of(entry)] = f"{type(error).__name__}: {error}"
    return outcomes


def local_files(folder):
    """The files of a folder, in an order that stays."""
    return sorted(Path(folder).iterdir())


def main(verbs):
    """Calls the verb that the command line names, of an object whose methods are the verbs."""
    verb, *arguments = sys.argv[1:]
    try:
        answer = getattr(verbs, verb)(*arguments)
    except Exception:
        traceback.print_exc()
        # The last line of a traceback says what it was.
        sys.exit(1)
    print(json.dumps(True if answer is None else answer))
