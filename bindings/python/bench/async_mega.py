"""Fetches a public file with async-mega.py, and prints how many seconds that took."""

import asyncio
import os
import sys
import time
from pathlib import Path

import yarl
from mega.api import MegaAPI
from mega.client import MegaNzClient

MegaAPI._entrypoint = yarl.URL(os.environ["GATEWAY"]) / "cs"


async def main(link, target):
    async with MegaNzClient() as client:
        handle, key = client.parse_file_url(link)
        begin = time.monotonic()
        await client.download_public_file(handle, key, target.parent)
        print(time.monotonic() - begin)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
