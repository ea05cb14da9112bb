"""Fetches a public file with mega.py, and prints how many seconds that took. See interop/drivers/mega_py.py for its address."""

import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from mega import Mega

link, target = sys.argv[1], Path(sys.argv[2])
mega = Mega()
place = urlsplit(os.environ["GATEWAY"])
mega.schema, mega.domain = place.scheme, f"at@{place.netloc}"
# Of the newer form it knows those whose handle has no hyphen.
link = link.replace("#", "!").replace("/file/", "/#!")
begin = time.monotonic()
mega.download_url(link, str(target.parent), target.name)
print(time.monotonic() - begin)
