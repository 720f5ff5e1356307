"""The plain cache: who makes a group, who follows, and what deletion costs."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from jishi.storage import FileSource, PlainCache, StreamSource
from jishi.storage.plain import AHEAD, GROUP_BYTES, LONG_READ_BYTES, SECOND_READ_SECONDS

SIZE = 5 * GROUP_BYTES + 12_345
KEY = "ab" * 32


class Made:
    """A file that can be made at any place, and knows how often it was."""

    def __init__(self, size: int = SIZE, *, seed: int = 1) -> None:
        self.data = random.Random(seed).randbytes(size)
        self.size = size
        self.asked: list[tuple[int, int]] = []
        self.prepared = 0
        self.slow = 0.0
        self._lock = threading.Lock()

    async def prepare(self):
        self.prepared += 1
        return self.make

    def make(self, start: int, end: int) -> bytes:
        if self.slow:
            threading.Event().wait(self.slow)
        with self._lock:
            self.asked.append((start, end))
        return self.data[start:end]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, pool, clock: Clock) -> Iterator[PlainCache]:
    cache = PlainCache(tmp_path / "plain", pool, clock=clock)
    yield cache
    cache.close()


def source(cache: PlainCache, made: Made, key: str = KEY):
    return cache.source(key, made.size, made.prepare)


async def read(place, start: int = 0, end: int | None = None) -> bytes:
    """Read as an answer does: the file, or what stands in for it."""
    if isinstance(place, FileSource):
        try:
            return place.path.read_bytes()[start:end]
        except FileNotFoundError:
            place = place.otherwise
    return b"".join(
        [piece async for piece in place.open(start, place.size if end is None else end)]
    )


async def settled(cache: PlainCache, made: Made) -> FileSource:
    for _ in range(200):
        place = source(cache, made)
        if isinstance(place, FileSource):
            return place
        await asyncio.sleep(0.01)
    raise AssertionError("the file was not published")


def test_the_first_read_streams_and_keeps_nothing(cache, tmp_path) -> None:
    made = Made()

    got = asyncio.run(read(source(cache, made)))

    assert got == made.data
    assert not list(tmp_path.rglob("*.part"))
    assert isinstance(source(cache, made), StreamSource)


def test_the_second_read_keeps_the_file(cache) -> None:
    made = Made()

    async def twice():
        first = await read(source(cache, made))
        second = await read(source(cache, made))
        return first, second, await settled(cache, made)

    first, second, place = asyncio.run(twice())

    assert first == second == made.data == place.path.read_bytes()
    assert place.size == SIZE


def test_the_second_read_must_come_within_a_week(cache, clock) -> None:
    made = Made()

    async def twice():
        await read(source(cache, made))
        clock.now = SECOND_READ_SECONDS + 1.0
        await read(source(cache, made))
        await asyncio.sleep(0.1)

    asyncio.run(twice())

    assert isinstance(source(cache, made), StreamSource)


def test_short_ranges_never_fill_the_cache(cache, tmp_path) -> None:
    made = Made()

    async def often():
        for _ in range(5):
            await read(source(cache, made), 100, 100 + LONG_READ_BYTES - 1)

    asyncio.run(often())

    assert not list(tmp_path.rglob("plain/*/*"))


def test_a_whole_file_counts_however_short(cache) -> None:
    made = Made(1000)

    async def twice():
        await read(source(cache, made))
        await read(source(cache, made))
        return await settled(cache, made)

    assert asyncio.run(twice()).path.read_bytes() == made.data


def test_a_short_range_reads_a_growing_file_and_does_not_fill_it(cache, tmp_path) -> None:
    made = Made()

    async def story():
        for _ in range(2):
            await read(source(cache, made), 0, LONG_READ_BYTES)
        (part,) = tmp_path.rglob("*.part")
        before = part.stat().st_blocks
        made.asked.clear()
        there = await read(source(cache, made), 10, 20)
        asked = list(made.asked)
        missing = await read(source(cache, made), SIZE - 20, SIZE)
        return there, asked, missing, part.stat().st_blocks - before

    there, asked, missing, grown = asyncio.run(story())

    assert there == made.data[10:20]
    assert asked == []
    assert missing == made.data[-20:]
    assert grown == 0


def test_a_growing_file_that_somebody_cut_is_made_anew_for_its_readers(cache, tmp_path) -> None:
    made = Made()

    async def story():
        for _ in range(2):
            await read(source(cache, made), 0, LONG_READ_BYTES)
        (part,) = tmp_path.rglob("*.part")
        part.write_bytes(b"")
        return await read(source(cache, made), 0, GROUP_BYTES)

    assert asyncio.run(story()) == made.data[:GROUP_BYTES]


def test_files_that_nobody_reads_any_more_are_given_up(cache, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("jishi.storage.plain.IDLE_MAX", 2)
    files = {f"{n:064x}": Made(seed=n) for n in range(4)}

    async def story():
        for key, made in files.items():
            for _ in range(2):
                await read(source(cache, made, key), 0, LONG_READ_BYTES)

    asyncio.run(story())

    assert len(list(tmp_path.rglob("*.part"))) == 2


def test_what_is_being_filled_is_not_pushed_out(tmp_path, pool) -> None:
    cache = PlainCache(tmp_path / "plain", pool, bytes_max=SIZE + GROUP_BYTES)
    one, two = Made(seed=1), Made(seed=2)
    other = "cd" * 32

    async def story():
        await read(source(cache, one))
        async with aclosing(source(cache, one).open(0, SIZE)) as pieces:
            await anext(pieces)
            for _ in range(2):
                await read(source(cache, two, other))
            rest = [piece async for piece in pieces]
        return len(rest), await settled(cache, one)

    rest, place = asyncio.run(story())

    assert rest == 5
    assert place.path.read_bytes() == one.data
    assert isinstance(source(cache, two, other), StreamSource)


def test_a_range_of_16_mib_counts_as_a_read(cache, tmp_path) -> None:
    made = Made()

    async def twice():
        for _ in range(2):
            await read(source(cache, made), 7, 7 + LONG_READ_BYTES)

    asyncio.run(twice())

    assert list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("seed", range(8))
def test_any_ranges_by_any_readers_are_exact(cache, seed: int) -> None:
    made = Made()
    dice = random.Random(seed)
    ranges = [sorted(dice.sample(range(SIZE + 1), 2)) for _ in range(12)]
    ranges += [[0, SIZE], [GROUP_BYTES, 2 * GROUP_BYTES], [SIZE - 1, SIZE]]
    dice.shuffle(ranges)

    async def some(start: int, end: int) -> bytes:
        await asyncio.sleep(dice.random() * 0.02)
        return await read(source(cache, made), start, end)

    async def together():
        return await asyncio.gather(*(some(a, b) for a, b in ranges))

    got = asyncio.run(together())

    assert got == [made.data[a:b] for a, b in ranges]


def test_concurrent_readers_make_each_group_once(cache) -> None:
    made = Made()
    made.slow = 0.01

    async def together():
        got = await asyncio.gather(*(read(source(cache, made)) for _ in range(8)))
        return got, await settled(cache, made)

    got, place = asyncio.run(together())

    assert got == [made.data] * 8
    assert place.path.read_bytes() == made.data
    groups = [start // GROUP_BYTES for start, _ in made.asked]
    # the first reader was alone for its first group, and had perhaps looked ahead
    assert len(groups) <= len(set(groups)) + 1 + AHEAD


def test_a_reader_who_leaves_midway_takes_nothing_away(cache) -> None:
    made = Made()

    async def leave(after: int):
        async with aclosing(source(cache, made).open(0, SIZE)) as pieces:
            for _ in range(after):
                await anext(pieces)

    async def story():
        await leave(2)
        await leave(3)  # the second read begins the file and goes
        got = await read(source(cache, made))
        return got, await settled(cache, made)

    got, place = asyncio.run(story())

    assert got == made.data == place.path.read_bytes()


def test_the_first_reader_may_leave_while_others_follow(cache) -> None:
    made = Made()
    made.slow = 0.01

    async def leave_early():
        async with aclosing(source(cache, made).open(0, SIZE)) as pieces:
            await anext(pieces)
            await asyncio.sleep(0.02)

    async def be_cancelled():
        task = asyncio.create_task(read(source(cache, made)))
        await asyncio.sleep(0.025)
        task.cancel()
        await asyncio.wait([task])

    async def together():
        followers = [read(source(cache, made)) for _ in range(3)]
        *_, a, b, c = await asyncio.gather(leave_early(), be_cancelled(), *followers)
        return a, b, c

    assert asyncio.run(together()) == (made.data,) * 3


def test_deleting_the_folder_under_readers_loses_nothing(cache, tmp_path) -> None:
    made = Made()
    made.slow = 0.005

    async def story():
        await read(source(cache, made))
        reading = [asyncio.create_task(read(source(cache, made))) for _ in range(3)]
        await asyncio.sleep(0.02)
        shutil.rmtree(tmp_path / "plain")
        got = await asyncio.gather(*reading)
        return [*got, await read(source(cache, made)), await read(source(cache, made))]

    got = asyncio.run(story())

    assert got == [made.data] * 5


def test_a_published_file_may_vanish_between_the_decision_and_the_open(cache, tmp_path) -> None:
    made = Made()

    async def story():
        await read(source(cache, made))
        await read(source(cache, made))
        place = await settled(cache, made)
        shutil.rmtree(tmp_path / "plain")
        got = await read(place)
        return got, await settled(cache, made)

    got, again = asyncio.run(story())

    assert got == made.data
    assert again.path.read_bytes() == made.data


def test_old_files_make_room_for_new_ones(tmp_path, pool) -> None:
    cache = PlainCache(tmp_path / "plain", pool, bytes_max=2 * SIZE + GROUP_BYTES)
    files = {f"{n:064x}": Made(seed=n) for n in range(3)}

    async def fill(key: str):
        made = files[key]
        await read(source(cache, made, key))
        await read(source(cache, made, key))
        for _ in range(200):
            if isinstance(source(cache, made, key), FileSource):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(key)

    async def story():
        one, two, three = files
        await fill(one)
        await fill(two)
        source(cache, files[one], one)  # used again, so two is the oldest
        await fill(three)

    asyncio.run(story())
    pool.shutdown()
    kept = {path.name for path in tmp_path.rglob("plain/*/*")}

    assert kept == {f"{0:064x}", f"{2:064x}"}


def test_a_file_larger_than_the_cache_is_streamed(tmp_path, pool) -> None:
    cache = PlainCache(tmp_path / "plain", pool, bytes_max=SIZE - 1)
    made = Made()

    async def thrice():
        return [await read(source(cache, made)) for _ in range(3)]

    assert asyncio.run(thrice()) == [made.data] * 3
    assert not list(tmp_path.rglob("plain/*/*"))


def test_a_restart_finds_whole_files_and_drops_half_ones(cache, tmp_path, pool) -> None:
    made = Made()
    half = Made(seed=2)
    other = "cd" * 32

    async def story():
        await read(source(cache, made))
        await read(source(cache, made))
        await settled(cache, made)
        for _ in range(2):
            await read(source(cache, half, other), 0, LONG_READ_BYTES)

    asyncio.run(story())
    again = PlainCache(tmp_path / "plain", pool)

    assert isinstance(source(again, made), FileSource)
    assert isinstance(source(again, half, other), StreamSource)
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_of_another_size_is_not_believed(tmp_path, pool) -> None:
    path = tmp_path / "plain" / KEY[:2] / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"cut")
    made = Made()

    place = source(PlainCache(tmp_path / "plain", pool), made)

    assert isinstance(place, StreamSource)


def test_what_breaks_a_group_reaches_every_reader_and_nobody_later(cache) -> None:
    made = Made()

    def broken(_start: int, _end: int) -> bytes:
        raise OSError("disk")

    async def prepare():
        return broken

    async def story():
        await read(source(cache, made))
        place = cache.source(KEY, SIZE, prepare)
        both = await asyncio.gather(read(place), read(place), return_exceptions=True)
        return both, await read(source(cache, made))

    both, after = asyncio.run(story())

    assert [type(error) for error in both] == [OSError, OSError]
    assert after == made.data


def test_a_full_disk_costs_the_cache_and_not_the_readers(cache, monkeypatch, tmp_path) -> None:
    made = Made()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jishi.storage.plain.os.pwrite", full)

    async def thrice():
        return [await read(source(cache, made)) for _ in range(3)]

    assert asyncio.run(thrice()) == [made.data] * 3
    assert isinstance(source(cache, made), StreamSource)
    assert not list(tmp_path.rglob("*.part"))


def test_no_descriptor_is_left_open(cache, tmp_path) -> None:
    made = Made()

    def open_files() -> int:
        return sum(
            str(tmp_path) in str(link.readlink())
            for link in Path("/proc/self/fd").iterdir()
            if link.is_symlink()
        )

    async def story():
        await asyncio.gather(*(read(source(cache, made)) for _ in range(4)))
        await settled(cache, made)

    asyncio.run(story())

    assert open_files() == 0
