"""The same for asyncio: many at once, some of them cancelled."""

import asyncio
import os

import pytest
import supermega
from supermega.testing import EMAIL, PASSWORD


@pytest.fixture
def connect(mega_server):
    return lambda **options: supermega.aio.connect(EMAIL, PASSWORD, api_url=mega_server.url, **options)


def test_an_account_is_used(connect, tmp_path):
    async def program():
        async with connect() as mega:
            await mega.mkdir("/a/b", parents=True)
            (tmp_path / "notes.txt").write_bytes(b"remember the milk")
            told = []
            await mega.upload(tmp_path / "notes.txt", "/a", progress=lambda done, total: told.append((done, total)))
            assert told[-1] == (17, 17)
            assert [node.name for node in await mega.ls("/a")] == ["b", "notes.txt"]
            assert [step.path async for step in mega.walk()] == ["/", "/a", "/a/b"]
            assert await mega.read_bytes("/a/notes.txt") == b"remember the milk"
            assert b"".join([piece async for piece in mega.chunks("/a/notes.txt")]) == b"remember the milk"
            async with await mega.open("/a/more.txt", "wb") as file:
                await file.write(b"bread")
            async with await mega.open("/a/more.txt", "rb") as file:
                await file.seek(2)
                assert await file.read(2) == b"ea"
                assert await file.read() == b"d"
            link = await mega.link("/a/notes.txt")
            assert await mega.download(link, tmp_path / "copy") == str(tmp_path / "copy")
            assert not await mega.exists("/b")
            assert (await mega.quota()).files == 2
            with pytest.raises(supermega.NotFoundError):
                await mega.node("/b")
            return mega.save()

    saved = asyncio.run(program())

    async def again():
        mega = await supermega.aio.connect(session=saved, api_url=os.environ["SUPERMEGA_API_URL"])
        return await mega.find("notes.txt")

    assert len(asyncio.run(again())) == 1


def test_events_come_as_an_iterator(connect):
    async def program():
        mega, other = await connect(), await connect()
        events = mega.events()
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await mega.ls("/")
        for number in range(100):
            # Until it listens, what happens is not told.
            await other.mkdir(f"/{number}")
            done, _ = await asyncio.wait([first], timeout=0.1)
            if done:
                break
        assert first.result().kind == "added"

    asyncio.run(program())


def test_damage_ends_in_an_error(connect, mega_server):
    async def program():
        mega = await connect()
        await mega.write_bytes("/file", bytes(3_000_000))
        mega_server.add_fault("download:flip@50")
        with pytest.raises(supermega.IntegrityError):
            async for _ in mega.chunks("/file"):
                pass
        with pytest.raises(supermega.IntegrityError):
            await (await mega.open("/file")).read()

    asyncio.run(program())


def test_half_of_a_hundred_downloads_are_cancelled_and_leave_nothing(connect, mega_server, tmp_path):
    contents = [os.urandom(50_000 + number) for number in range(100)]

    async def program():
        mega = await connect()
        await asyncio.gather(*(mega.write_bytes(f"/{number}", data) for number, data in enumerate(contents)))
        mega_server.clear_requests()
        # Each takes a second, and is known to the server from its beginning.
        mega_server.add_fault("download:bandwidth=50000")
        before = len(asyncio.all_tasks())
        tasks = [asyncio.ensure_future(mega.download(f"/{number}", tmp_path / str(number))) for number in range(100)]
        while not any(request.kind == "download" for request in mega_server.requests):
            await asyncio.sleep(0.01)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
        assert not any(isinstance(result, BaseException) for result in results[1::2])
        assert len(asyncio.all_tasks()) == before
        # A thread that was writing for a cancelled one may be about to end.
        for _ in range(100):
            if len(list(tmp_path.iterdir())) == 50:
                break
            await asyncio.sleep(0.02)

    asyncio.run(program())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(str(number) for number in range(1, 100, 2))
    for number in range(1, 100, 2):
        assert (tmp_path / str(number)).read_bytes() == contents[number]
