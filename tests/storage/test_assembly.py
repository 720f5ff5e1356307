"""Files in parts: any order, restarts, one writer at a time."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jishi.storage import Assembly, Spool
from jishi.storage.assembly import copy_part

PART = 3 << 20
DATA = random.Random(5).randbytes(3 * PART + 77)
PARTS = [(start, DATA[start : start + PART]) for start in range(0, len(DATA), PART)]
DIGEST = hashlib.sha256(DATA).digest()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def spool(tmp_path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def assembly(tmp_path, pool) -> Assembly:
    return Assembly(tmp_path / "uploads", pool)


async def put(assembly: Assembly, spool: Spool, offset: int, data: bytes, *, noted: bool = True):
    with spool.new() as part:
        part.write(data)
        async with assembly.turn("a"):
            hashed = await assembly.write("a", offset, part)
            if noted:
                assembly.trust("a", hashed)


async def finish(assembly: Assembly) -> bytes:
    async with assembly.turn("a"):
        return await assembly.digest("a", len(DATA))


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_parts_does_not_matter(assembly, spool, seed: int) -> None:
    order = random.Random(seed).sample(PARTS, len(PARTS))

    async def story():
        await asyncio.gather(*(put(assembly, spool, offset, data) for offset, data in order))
        return await finish(assembly)

    assert asyncio.run(story()) == DIGEST
    assert assembly.path("a").read_bytes() == DATA


def test_parts_outlive_the_process(assembly, spool, tmp_path, pool) -> None:
    async def before():
        for offset, data in PARTS[:2]:
            await put(assembly, spool, offset, data)

    async def after():
        again = Assembly(tmp_path / "uploads", pool)
        for offset, data in PARTS[2:]:
            await put(again, spool, offset, data)
        return await finish(again)

    asyncio.run(before())

    assert asyncio.run(after()) == DIGEST


def test_the_digest_is_of_the_file_even_if_a_part_was_written_twice(assembly, spool) -> None:
    async def story():
        await put(assembly, spool, *PARTS[0])
        await put(assembly, spool, PART, b"x" * PART, noted=False)  # its owner never noted it
        for offset, data in PARTS[1:]:
            await put(assembly, spool, offset, data)
        return await finish(assembly)

    assert asyncio.run(story()) == DIGEST


def test_parts_in_order_are_not_read_again(assembly, spool, monkeypatch) -> None:
    async def story():
        for offset, data in PARTS:
            await put(assembly, spool, offset, data)
        monkeypatch.setattr("jishi.storage.assembly._hash", None)
        return await finish(assembly)

    assert asyncio.run(story()) == DIGEST


def test_a_cancelled_writer_keeps_its_turn_until_its_thread_ends(
    assembly, spool, monkeypatch
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def slow(*args):
        entered.set()
        go_on.wait(5)
        copy_part(*args)
        order.append("first")

    async def story():
        monkeypatch.setattr("jishi.storage.assembly.copy_part", slow)
        first = asyncio.create_task(put(assembly, spool, 0, PARTS[0][1]))
        await asyncio.to_thread(entered.wait)
        monkeypatch.setattr("jishi.storage.assembly.copy_part", copy_part)
        first.cancel()
        second = asyncio.create_task(put(assembly, spool, *PARTS[1]))
        second.add_done_callback(lambda _: order.append("second"))
        await asyncio.sleep(0.05)
        go_on.set()
        await asyncio.wait([first, second])
        return first.cancelled()

    assert asyncio.run(story())
    assert order == ["first", "second"]


def test_two_processes_take_turns(assembly, tmp_path, pool) -> None:
    other = Assembly(tmp_path / "uploads", pool)
    inside: list[int] = []
    most: list[int] = []

    async def work(which: Assembly):
        for _ in range(20):
            async with which.turn("a"):
                inside.append(1)
                most.append(len(inside))
                await asyncio.sleep(0.001)
                inside.pop()

    async def together():
        await asyncio.gather(work(assembly), work(other), work(assembly))

    asyncio.run(together())

    assert max(most) == 1


def test_what_is_forgotten_leaves_nothing(assembly, spool, tmp_path) -> None:
    asyncio.run(put(assembly, spool, *PARTS[0]))

    assert {name for name, _ in assembly.names()} == {"a"}
    assembly.forget("a")

    assert list((tmp_path / "uploads").iterdir()) == []
