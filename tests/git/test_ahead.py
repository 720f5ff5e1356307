"""Reading ahead of whoever takes an answer: every byte in order, within its room."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from jishi.git.smart import ahead as module
from jishi.git.smart.ahead import Room, TooSlow, ahead
from jishi.storage import Spool

PIECES = [random.Random(n).randbytes(n * 37 % 1000 + 1) for n in range(300)]


@pytest.fixture(autouse=True)
def small_limits(monkeypatch) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES_MAX", 2000)
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 20_000)
    monkeypatch.setattr(module, "READ_BYTES", 700)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def spool(tmp_path) -> Spool:
    return Spool(tmp_path / "spool")


async def source(
    ended: asyncio.Event, *, fails: Exception | None = None, pieces: list[bytes] = PIECES
) -> AsyncGenerator[bytes]:
    try:
        for piece in pieces:
            yield piece
            await asyncio.sleep(0)
        if fails is not None:
            raise fails
    finally:
        ended.set()


@pytest.mark.parametrize("room", [0, 5000, 1 << 20])
@pytest.mark.parametrize("pauses", [0, 3, 40])
def test_every_byte_comes_in_order(spool, pool, tmp_path, room: int, pauses: int) -> None:
    left = Room(room)

    async def scene() -> bytes:
        taken = []
        async for piece in ahead(source(asyncio.Event()), spool, left, pool):
            taken.append(piece)
            if pauses and len(taken) % pauses == 0:
                await asyncio.sleep(0.003)
        return b"".join(taken)

    assert asyncio.run(scene()) == b"".join(PIECES)
    assert left.left == room
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_source_ends_before_its_bytes_are_taken(spool, pool) -> None:
    ended = asyncio.Event()
    pieces = PIECES[:30]

    async def scene() -> bytes:
        answer = ahead(source(ended, pieces=pieces), spool, Room(1 << 20), pool)
        first = await anext(answer)
        await ended.wait()
        return first + b"".join([piece async for piece in answer])

    assert asyncio.run(asyncio.wait_for(scene(), 10)) == b"".join(pieces)


@pytest.mark.parametrize("room", [0, 1 << 20])
def test_what_the_source_raises_comes_after_its_bytes(spool, pool, room: int) -> None:
    taken = []

    async def scene() -> None:
        answer = ahead(source(asyncio.Event(), fails=KeyError("x")), spool, Room(room), pool)
        async for piece in answer:
            taken.append(piece)  # noqa: PERF401  (what came before it raised)

    with pytest.raises(KeyError):
        asyncio.run(scene())
    assert b"".join(taken) == b"".join(PIECES)


def test_who_takes_nothing_ends_a_source_that_waits(spool, pool, monkeypatch) -> None:
    monkeypatch.setattr(module, "PACE_SECONDS", 0.05)
    ended = asyncio.Event()

    async def scene() -> None:
        async with aclosing(ahead(source(ended), spool, Room(0), pool)) as answer:
            await anext(answer)
            await ended.wait()
            async for _ in answer:
                pass

    with pytest.raises(TooSlow):
        asyncio.run(asyncio.wait_for(scene(), 10))


def test_who_keeps_the_pace_is_waited_for(spool, pool, monkeypatch) -> None:
    monkeypatch.setattr(module, "PACE_SECONDS", 0.2)
    monkeypatch.setattr(module, "PACE_BYTES", 5000)

    async def scene() -> int:
        size = 0
        async for piece in ahead(source(asyncio.Event()), spool, Room(0), pool):
            size += len(piece)
            await asyncio.sleep(0.005)
        return size

    assert asyncio.run(scene()) == sum(map(len, PIECES))


@pytest.mark.parametrize("room", [0, 1 << 20])
def test_who_leaves_leaves_nothing_behind(spool, pool, tmp_path, room: int) -> None:
    ended = asyncio.Event()
    left = Room(room)

    async def scene() -> None:
        async with aclosing(ahead(source(ended), spool, left, pool)) as answer:
            for _ in range(5):
                await anext(answer)
                await asyncio.sleep(0.002)

    asyncio.run(scene())

    assert ended.is_set()
    assert left.left == room
    assert list((tmp_path / "spool").iterdir()) == []
