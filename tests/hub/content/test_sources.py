"""Where bytes come from: objects, chunks, the plain cache; and what is checked after a commit."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
from contextlib import aclosing

import pytest
import sqlalchemy as sa

from jishi.core.db import Mode
from jishi.core.errors import Broken
from jishi.core.tables import events, inbox, jobs
from jishi.hub import Node, content
from jishi.hub.content import Content, ContentMismatch, XetFile
from jishi.hub.content.rebuilding import ingest_object
from jishi.storage import FileSource, Source, StreamSource
from tests.hub.content.conftest import Place

SIZE = 9_500_000
DATA = random.Random(7).randbytes(SIZE)
SHA = hashlib.sha256(DATA).digest()


async def by_xet(node: Node, where: Place, data: bytes, *, sha256: bytes | None = None) -> Content:
    """Let a repository know ``data`` as chunks under a claimed digest, and commit it."""
    claimed = sha256 or hashlib.sha256(data).digest()
    node.store.put_bytes("in", data)
    made = await ingest_object(node, "in", len(data))
    node.store.delete("in")

    def register(tx):
        content.register_xet(tx, where.id, claimed, file=made, verified=False)
        content.mark_committed(tx, where.id, [claimed])

    await node.db.write(register)
    return await known(node, where, claimed)


def by_lfs(node: Node, where: Place, data: bytes) -> bytes:
    sha256 = hashlib.sha256(data).digest()
    node.store.put_bytes(content.plain_key(sha256), data)
    with node.db.begin(Mode.WRITE) as tx:
        content.register_plain(tx, where.id, sha256, size=len(data))
        content.mark_committed(tx, where.id, [sha256])
    return sha256


async def known(node: Node, where: Place, sha256: bytes) -> Content:
    found = await node.db.read(content.find, where.id, sha256)
    assert found is not None
    return found


async def read(source: Source, start: int = 0, end: int | None = None) -> bytes:
    if isinstance(source, FileSource):
        try:
            return source.path.read_bytes()[start:end]
        except FileNotFoundError:
            source = source.otherwise
    assert isinstance(source, StreamSource)
    stop = source.size if end is None else end
    return b"".join([piece async for piece in source.open(start, stop)])


async def run_jobs(node: Node) -> list[str]:
    """Run what waits, as the runner does, and return what it was."""

    def take(tx):
        rows = tx.conn.execute(sa.select(jobs.c.name, jobs.c.args).order_by(jobs.c.id)).all()
        tx.conn.execute(sa.delete(jobs))
        return rows

    import msgspec  # noqa: PLC0415

    ran = []
    for name, args in await node.db.write(take):
        await content.HANDLERS[name](node, msgspec.json.decode(args))
        ran.append(name)
    return ran


def told(node: Node) -> list[str]:
    table = events if node.db.is_sqlite else inbox
    with node.db.begin(Mode.READ) as tx:
        return list(tx.conn.execute(sa.select(table.c.name)).scalars())


def test_what_came_whole_leaves_as_a_file(node, books) -> None:
    async def story():
        sha256 = by_lfs(node, books, DATA)
        return await content.source_of(node, await known(node, books, sha256))

    source = asyncio.run(story())

    assert isinstance(source, FileSource)
    assert source.size == SIZE
    assert source.path.read_bytes() == DATA


@pytest.mark.parametrize("seed", range(4))
def test_chunks_give_exactly_the_range_that_was_asked_for(node, books, seed) -> None:
    dice = random.Random(seed)
    edges = [0, 1, 65_536, 4 << 20, (4 << 20) + 1, SIZE - 1, SIZE]
    points = edges + [dice.randrange(SIZE) for _ in range(8)]
    ranges = [sorted(dice.sample(points, 2)) for _ in range(12)]

    async def story():
        source = await content.source_of(node, await by_xet(node, books, DATA))
        assert isinstance(source, StreamSource)
        return [await read(source, start, end) for start, end in ranges]

    assert asyncio.run(story()) == [DATA[start:end] for start, end in ranges]


def test_the_second_reader_makes_a_plain_file(node, books, tmp_path) -> None:
    async def story():
        known = await by_xet(node, books, DATA)
        for _ in range(2):
            assert await read(await content.source_of(node, known)) == DATA
        for _ in range(200):
            source = await content.source_of(node, known)
            if isinstance(source, FileSource):
                return known, source
            await asyncio.sleep(0.01)
        raise AssertionError("no plain file")

    found, source = asyncio.run(story())

    assert source.path == tmp_path / "plain" / found.xet_hash.hex()[:2] / found.xet_hash.hex()
    assert source.path.read_bytes() == DATA
    assert source.otherwise is not None


def test_readers_share_one_rebuild_whoever_leaves(node, books, tmp_path) -> None:
    async def leave(known: Content):
        source = await content.source_of(node, known)
        async with aclosing(source.open(0, SIZE)) as pieces:
            await anext(pieces)

    async def stay(known: Content):
        return await read(await content.source_of(node, known))

    async def story():
        known = await by_xet(node, books, DATA)
        *_, a, b, c = await asyncio.gather(leave(known), stay(known), stay(known), stay(known))
        shutil.rmtree(tmp_path / "plain", ignore_errors=True)
        return a, b, c, await stay(known)

    assert asyncio.run(story()) == (DATA,) * 4


def test_a_right_digest_is_verified_after_the_commit(node, books) -> None:
    async def story():
        before = await by_xet(node, books, DATA)
        ran = await run_jobs(node)
        return before, ran, await known(node, books, SHA)

    before, ran, after = asyncio.run(story())

    assert ran == ["hub.verify_content"]
    assert (before.is_verified, after.is_verified) == (False, True)
    assert told(node) == ["hub.ContentVerified"]


def test_a_wrong_digest_blocks_the_file_after_the_commit(node, books) -> None:
    async def story():
        lie = hashlib.sha256(b"something else").digest()
        before = await by_xet(node, books, DATA, sha256=lie)
        served = await read(await content.source_of(node, before))
        await run_jobs(node)
        after = await known(node, books, lie)
        with pytest.raises(ContentMismatch):
            await content.source_of(node, after)
        return served

    assert asyncio.run(story()) == DATA
    assert told(node) == ["hub.ContentBlocked"]
    with node.db.begin(Mode.READ) as tx:
        assert len(content.list_blocked(tx, limit=9)) == 1


def test_verifying_twice_changes_nothing(node, books) -> None:
    async def story():
        await by_xet(node, books, DATA)
        args = {"repo_id": books.id, "sha256": [SHA.hex(), "00" * 32]}
        for _ in range(2):
            await content.HANDLERS["hub.verify_content"](node, args)

    asyncio.run(story())

    assert told(node) == ["hub.ContentVerified"]


def test_what_came_whole_becomes_chunks_and_stays_whole(node, books, secrets) -> None:
    async def story():
        sha256 = by_lfs(node, books, DATA)
        ran = await run_jobs(node)
        packed = await known(node, books, sha256)
        chunks = Content(
            **{name: getattr(packed, name) for name in Content.__slots__} | {"plain_key": None}
        )
        rebuilt = await read(await content.source_of(node, chunks))
        again = await by_xet(node, secrets, DATA)
        return ran, packed, rebuilt, again, await content.source_of(node, packed)

    ran, packed, rebuilt, again, source = asyncio.run(story())

    assert ran == ["hub.pack_content"]
    assert rebuilt == DATA
    assert packed.xet_file_id == again.xet_file_id  # the same chunks, as any client cuts them
    assert again.is_verified
    assert isinstance(source, FileSource)


def test_packing_twice_changes_nothing(node, books) -> None:
    async def story():
        sha256 = by_lfs(node, books, DATA)
        args = {"sha256": [sha256.hex(), "00" * 32]}
        for _ in range(2):
            await content.HANDLERS["hub.pack_content"](node, args)
        return await known(node, books, sha256), list(node.store.keys("xorbs"))

    packed, xorbs = asyncio.run(story())

    assert packed.xet_hash is not None
    assert len(xorbs) == 1


def test_an_empty_object_is_not_packed(node, books) -> None:
    async def story():
        by_lfs(node, books, b"")
        return await run_jobs(node)

    assert asyncio.run(story()) == []


def test_damaged_chunks_break_the_answer_instead_of_changing_it(node, books) -> None:
    async def story():
        found = await by_xet(node, books, DATA)
        (key,) = node.store.keys("xorbs")
        path = node.store.path(key)
        raw = bytearray(path.read_bytes())
        raw[:8] = b"\xff" * 8
        path.write_bytes(raw)
        return await read(await content.source_of(node, found))

    with pytest.raises(Broken):
        asyncio.run(story())


def test_a_file_is_named_by_what_a_client_would_call_it(node, books) -> None:
    found = asyncio.run(by_xet(node, books, DATA))

    assert isinstance(found.xet_hash, bytes)
    assert XetFile(found.xet_file_id, found.xet_hash, SIZE).size == found.size
