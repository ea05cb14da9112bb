"""Drives async-mega.py, see verbs.py.

The address of the API is a class variable. Its own limit of 100 requests a minute is lifted: it would be
most of the run.
"""

import asyncio
import base64
import json
import os
import tempfile
import time
from pathlib import Path

import verbs
import yarl
from aiolimiter import AsyncLimiter
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from mega.api import MegaAPI
from mega.client import MegaNzClient
from mega.crypto import a32_to_bytes, b64_url_encode

MegaAPI._entrypoint = yarl.URL(verbs.GATEWAY) / "cs"


def verb(logged_in=True):
    """Makes a verb of a coroutine that takes the client."""

    def wrap(work):
        def run(_, *arguments):
            async def session():
                async with MegaNzClient() as client:
                    client._api._rate_limiter = AsyncLimiter(1_000_000, 60)
                    if logged_in:
                        await client.login(verbs.EMAIL, verbs.PASSWORD)
                    return await work(client, *arguments)

            return asyncio.run(session())

        return run

    return wrap


async def each(entries, name_of, work):
    """As `verbs.each`."""
    outcomes = {}
    for entry in entries:
        try:
            await work(entry)
            outcomes[name_of(entry)] = "ok"
        except Exception as error:
            outcomes[name_of(entry)] = f"{type(error).__name__}: {error}"
    return outcomes


async def children(client, path):
    filesystem = await client.get_filesystem()
    return filesystem.listdir(filesystem.find(path).id)


def below(filesystem, top):
    """Sizes by path, None for folders."""
    start = filesystem.absolute_path(top)
    paths = filesystem.dirmap(top, recursive=True)
    return {str(path.relative_to(start)): filesystem[handle].size for handle, path in paths.items()}


class Verbs:
    """A session for each verb."""

    @verb()
    async def login(client):
        user = await client.get_user()
        if user["email"] != verbs.EMAIL:
            raise LookupError(f"logged in as {user['email']}")

    @verb()
    async def list(client, path):
        return [node.attributes.name for node in await children(client, path)]

    @verb()
    async def tree(client, path):
        filesystem = await client.get_filesystem()
        return below(filesystem, filesystem.find(path).id)

    @verb()
    async def mkdir(client, path):
        parent, name = verbs.split(path)
        # `create_folder` makes folders in the root only.
        await client._core.mkdir(name, (await client.find(parent)).id)

    @verb()
    async def putdir(client, local, remote):
        folder = (await client.find(remote)).id
        return await each(
            verbs.local_files(local), lambda path: path.name, lambda path: client.upload(path, folder)
        )

    @verb()
    async def getdir(client, remote, local):
        files = await children(client, remote)
        return await each(
            files, lambda node: node.attributes.name, lambda node: client.download(node, local)
        )

    @verb()
    async def read(client, path):
        with tempfile.TemporaryDirectory() as folder:
            got = await client.download(await client.find(path), folder)
            return got.read_text(encoding="utf-8")

    @verb()
    async def rename(client, path, name):
        await client.rename(await client.find(path), name)

    @verb()
    async def move(client, path, folder):
        await client.move((await client.find(path)).id, (await client.find(folder)).id)

    @verb()
    async def trash(client, path):
        await client.delete((await client.find(path)).id)

    @verb()
    async def delete(client, path):
        await client.destroy((await client.find(path)).id)

    @verb()
    async def link(client, path):
        return await client.export(await client.find(path))

    folderlink = link

    @verb(logged_in=False)
    async def fetchlink(client, url, local):
        with tempfile.TemporaryDirectory() as folder:
            handle, key = client.parse_file_url(url)
            got = await client.download_public_file(handle, key, folder)
            got.rename(local)

    @verb(logged_in=False)
    async def fetchfolder(client, url, local):
        with tempfile.TemporaryDirectory() as folder:
            results = await client.download_url(url, folder)
            Path(local).mkdir(parents=True, exist_ok=True)
            for got in results.success.values():
                got.rename(Path(local) / got.name)
            return {str(handle): str(error) for handle, error in results.fails.items()}

    @verb(logged_in=False)
    async def listlink(client, url):
        info = client.parse_url(url)
        filesystem = await client.get_public_filesystem(info.public_handle, info.public_key)
        top = next(node for node in filesystem if node.parent_id not in filesystem)
        return [node.attributes.name for node in filesystem.listdir(top.id)]

    @verb(logged_in=False)
    async def linktree(client, url):
        info = client.parse_url(url)
        filesystem = await client.get_public_filesystem(info.public_handle, info.public_key)
        top = next(node for node in filesystem if node.parent_id not in filesystem)
        return below(filesystem, top.id)

    @verb()
    async def importlink(client, url, folder):
        handle, key = client.parse_file_url(url)
        await client.import_public_file(handle, key, (await client.find(folder)).id)

    @verb()
    async def session(client):
        """The session id, for requests by other means."""
        return client._api.session_id

    @verb()
    async def make_folders(client, count):
        """Makes folders in the root, one by one, and tells before each when that is, in milliseconds."""
        root = (await client.get_filesystem()).root.id
        for number in range(int(count)):
            print(json.dumps([f"new {number}", time.time() * 1000]), flush=True)
            await client._core.mkdir(f"new {number}", root)
            # So that each is heard of by itself.
            await asyncio.sleep(0.25)

    @verb()
    async def make_key_container(client):
        """Sets an empty key container, sealed as `protocol-auth.md` 4.8 says."""
        user = base64.urlsafe_b64decode((await client.get_user())["u"] + "=")
        version, made, generation = b"\x01", bytes(4), (2).to_bytes(4, "big")
        records = [(1, version), (2, made), (3, user), (4, generation)]
        plain = b"".join(bytes([tag]) + len(v).to_bytes(3, "big") + v for tag, v in records)
        master = a32_to_bytes(client._core.vault.master_key)
        key, nonce = HKDF(master, 16, b"", SHA256, context=b"\x01"), os.urandom(12)
        sealed, tag = AES.new(key, AES.MODE_GCM, nonce=nonce).encrypt_and_digest(plain)
        container = b64_url_encode(b"\x14\x00" + nonce + sealed + tag)
        await client._api.post({"a": "upv", "^!keys": [container]})

    @verb()
    async def quota(client):
        return {"spaceUsed": (await client.get_account_stats()).storage.used}


verbs.main(Verbs())
