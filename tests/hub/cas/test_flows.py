"""The store's flows on both databases; what they look like on the wire: ``tests/wire/xet``."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from jishi import xet
from jishi.core.db import Mode
from jishi.hub import Node, RepoKind, cas, content
from jishi.hub.cas import Pass
from jishi.people import Actor
from jishi.storage import FileSource
from tests.hub.content.conftest import LIN, MAYA, Place, add_repo
from tests.xet.making import (
    MadeXorb,
    Run,
    Upload,
    make_file,
    make_upload,
    make_xorb,
    noise,
    write_shard,
)

UPLOAD = make_upload(noise("flows", 500_000), per_xorb=3)


async def body(xorb: MadeXorb) -> AsyncIterator[list[bytes]]:
    yield [xorb.body]


async def open_pass(node: Node, actor: Actor, place: Place) -> tuple[str, Pass]:
    token = await cas.issue_token(node, actor, RepoKind.MODEL, place.path, writes=True)
    return token.access_token, await cas.open_pass(node, token.access_token, writes=True)


async def put_all(node: Node, opened: Pass, upload: Upload) -> None:
    async with asyncio.TaskGroup() as together:
        for xorb in upload.xorbs:
            together.create_task(cas.put_xorb(node, opened, xorb.name, body(xorb)))


async def register(node: Node, opened: Pass, shard: bytes, **options) -> list[cas.Progress]:
    async with aclosing(cas.register_shard(node, opened, shard, **options)) as steps:
        return [step async for step in steps]


def commit(node: Node, place: Place, upload: Upload) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        content.mark_committed(tx, place.id, [upload.sha256])


@pytest.fixture
def books(node: Node) -> Place:
    return add_repo(node.db, LIN, "books")


def test_an_upload_is_registered_asked_about_and_read(node: Node, books: Place) -> None:
    async def run() -> None:
        sealed, opened = await open_pass(node, LIN, books)
        name = UPLOAD.xorbs[0].name
        first = UPLOAD.xorbs[0].index.hashes[0].tobytes()

        assert await cas.needs_xorb(node, sealed, name)
        await put_all(node, opened, UPLOAD)
        steps = await register(node, opened, UPLOAD.shard)
        assert steps[-1] == cas.Progress(1, 1, is_settling=True)

        assert not await cas.needs_xorb(node, sealed, name)
        found = await cas.reconstruct(node, sealed, UPLOAD.file.hash, (10, 100))
        (fetch,), (seal,) = found.plan.fetches, found.seals
        source = await cas.open_data(node, seal, fetch.start, fetch.stop)
        assert isinstance(source, FileSource)
        assert (source.offset, source.size) == (fetch.start, fetch.stop - fetch.start)

        stranger, _ = await open_pass(node, MAYA, add_repo(node.db, MAYA, "hers"))
        with pytest.raises(cas.ChunkUnknown):
            await cas.ask_chunk(node, stranger, first, session="")
        commit(node, books, UPLOAD)
        assert await cas.ask_chunk(node, stranger, first, session="")

    asyncio.run(run())


def test_two_shards_at_once_register_one_file(node: Node, books: Place) -> None:
    hers = add_repo(node.db, MAYA, "hers")

    async def run() -> None:
        _, one = await open_pass(node, LIN, books)
        _, two = await open_pass(node, MAYA, hers)
        await asyncio.gather(*(put_all(node, own, UPLOAD) for own in (one, two)))
        await asyncio.gather(*(register(node, own, UPLOAD.shard) for own in (one, two) * 3))

    asyncio.run(run())
    with node.db.begin(Mode.READ) as tx:
        first = content.find(tx, books.id, UPLOAD.sha256)
        second = content.find(tx, hers.id, UPLOAD.sha256)
    assert first is not None
    assert second is not None
    assert first.xet_file_id == second.xet_file_id


def test_a_client_hears_something_while_its_shard_waits(node: Node, books: Place) -> None:
    async def run() -> None:
        _, opened = await open_pass(node, LIN, books)
        await put_all(node, opened, UPLOAD)
        for _ in range(4):
            node.pool.submit(time.sleep, 0.5)
        steps = await register(node, opened, UPLOAD.shard, every_seconds=0.05)
        assert len(steps) > 4
        assert steps[0] == cas.Progress()

    asyncio.run(run())


def test_a_client_that_leaves_registers_nothing_more(node: Node, books: Place) -> None:
    async def run() -> None:
        _, opened = await open_pass(node, LIN, books)
        await put_all(node, opened, UPLOAD)
        async with aclosing(cas.register_shard(node, opened, UPLOAD.shard)) as steps:
            async for _ in steps:
                break

    asyncio.run(run())
    with node.db.begin(Mode.READ) as tx:
        assert content.find(tx, books.id, UPLOAD.sha256) is None


def test_reading_passes_write_nothing(node: Node, books: Place) -> None:
    async def run() -> None:
        token = await cas.issue_token(node, LIN, RepoKind.MODEL, books.path, writes=False)
        opened = await cas.open_pass(node, token.access_token, writes=False)
        with pytest.raises(cas.PassReadsOnly):
            await cas.put_xorb(node, opened, UPLOAD.xorbs[0].name, body(UPLOAD.xorbs[0]))
        with pytest.raises(cas.PassReadsOnly):
            await register(node, opened, UPLOAD.shard)

    asyncio.run(run())


def test_building_on_lost_data_raises_the_persons_epoch(node: Node, books: Place) -> None:
    async def run() -> None:
        _, opened = await open_pass(node, LIN, books)
        with pytest.raises(xet.XorbMissing):
            await register(node, opened, write_shard([UPLOAD.file], []))

    asyncio.run(run())
    with node.db.begin(Mode.READ) as tx:
        assert (xet.epoch_of(tx, LIN.public_id), xet.epoch_of(tx, MAYA.public_id)) == (2, 1)


def test_many_files_are_registered_in_several_transactions(node: Node, books: Place) -> None:
    xorb = make_xorb([noise(f"file {n}", 2_000) for n in range(250)])
    files = [make_file([Run(xorb, n, n + 1)]) for n in range(250)]

    async def run() -> None:
        _, opened = await open_pass(node, LIN, books)
        await cas.put_xorb(node, opened, xorb.name, body(xorb))
        steps = await register(node, opened, write_shard(files, []))
        assert (steps[-1].verified, steps[-1].total) == (250, 250)

    asyncio.run(run())
    with node.db.begin(Mode.READ) as tx:
        found = content.find_many(tx, books.id, [file.sha256 or b"" for file in files])
    assert len(found) == 250
    assert all(known.is_verified for known in found.values())


def test_what_came_whole_is_offered_in_chunks_after_its_job(node: Node, books: Place) -> None:
    data = noise("by lfs", 300_000)
    sha256 = hashlib.sha256(data).digest()
    upload = make_upload(data)
    node.store.put_bytes(f"lfs/{sha256.hex()[:2]}/{sha256.hex()[2:4]}/{sha256.hex()}", data)
    with node.db.begin(Mode.WRITE) as tx:
        content.register_plain(tx, books.id, sha256, size=len(data))
        content.mark_committed(tx, books.id, [sha256])

    asyncio.run(content.HANDLERS["hub.pack_content"](node, {"sha256": [sha256.hex()]}))

    async def run() -> None:
        sealed, opened = await open_pass(node, LIN, books)
        found = await cas.reconstruct(node, sealed, upload.file.hash, None)
        assert sum(part.raw for part in found.plan.parts) == len(data)
        first = upload.xorbs[0].index.hashes[0].tobytes()
        assert await cas.ask_chunk(node, sealed, first, session="")
        assert opened.by == LIN.public_id

    asyncio.run(run())
