"""Files to send about."""

import hashlib

# Around the block length, at the ends of the first and the third chunk (the MAC is chained anew there), and
# large enough for several requests.
SIZES = [0, 1, 15, 16, 17, 131071, 131072, 131073, 786431, 786432, 1 << 20, 5 << 20]
NAMES = [
    "sp ace",
    "trailing space ",
    " leading space",
    "qu\"o'te",
    "📦 box",
    "-dash",
    "é ü composed",
    "e\u0301 u\u0308 combining",
    "100% sure",
    "back\\slash",
    "tab\there",
    ".hidden",
    "semi;colon & more #1?",
]
ODD_NAME = "re née 'd' 📎 & #1"
# Longer than a block: some clients fail on files that are not.
SMALL = "a small file, but longer than a block"
TEXT = "".join(f"line {i}\n" for i in range(40000))


def content(size):
    """Bytes that repeat nowhere near a power of two."""
    block = bytes((7 * i + 3 ^ i >> 8 ^ i >> 16) & 255 for i in range(70001))
    return (block * (size // len(block) + 1))[:size]


def samples(folder):
    """Files of odd sizes, and small ones with odd names; gives their hashes."""
    folder.mkdir(parents=True)
    for size in SIZES:
        (folder / f"size {size}").write_bytes(content(size))
    for name in NAMES:
        (folder / name).write_text(f"content of {name}", encoding="utf-8")
    return {path.name: digest(path) for path in folder.iterdir()}


def digest(path):
    """What tells one content from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def one_file(folder, name, text):
    """A file in a folder of its own; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name
