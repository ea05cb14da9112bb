"""Fetches a public file with the command, and prints how many seconds that took."""

import subprocess
import sys
import time

supermega, link, target = sys.argv[1:]
begin = time.monotonic()
subprocess.run([supermega, "get", "-q", link, target], check=True)
print(time.monotonic() - begin)
