"""Fetches a public file with the package, and prints how many seconds that took."""

import sys
import time

import supermega

way, link, target = sys.argv[1:]
begin = time.monotonic()
if way == "download":
    supermega.File.from_url(link)._source().to_path(target).wait()
else:
    content = supermega.files.open_reader(supermega.File.from_url(link)._source(), "rb", -1, None, None, None).read()
seconds = time.monotonic() - begin
if way == "read":
    with open(target, "wb") as file:
        file.write(content)
print(seconds)
