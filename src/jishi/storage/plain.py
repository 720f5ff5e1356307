"""Files that are costly to make, kept while there is room: the plain cache.

Bytes are made in groups of ``GROUP_BYTES``.  The first long read of a file streams them and
keeps nothing.  A second one, at the same time or within a week, keeps them: every group that
anybody needs is made once, written to its place in a growing file and read from there by
everybody else, whoever comes, leaves or asks for another range.  There is no task that fills
the file: whoever stands at a group that nobody made makes it, so a reader who leaves takes
nothing away.  A whole file is published under its key and leaves by ``sendfile``.

The folder may be deleted at any time, readers or not.  All state lives in one process and on
its event loop; several processes may share the folder, each counts for itself.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from jishi.storage.sources import FileSource, Piece, StreamSource

GROUP_BYTES: Final = 4 << 20
"""What one hop makes: smaller groups cost hops, larger ones cache misses."""
AHEAD: Final = 2
"""Groups in the making while one is sent: one keeps a single core busy, and a reader waiting."""
LONG_READ_BYTES: Final = 16 << 20
"""Shorter ranges never fill the cache; a whole file counts as long, whatever its size."""
SECOND_READ_SECONDS: Final = 7 * 86_400
PLAIN_BYTES_MAX: Final = 20 << 30
"""Room of the cache, unless a setting says otherwise."""
FREE_BYTES_MIN: Final = 1 << 30
"""What the cache leaves free on the disk."""
SEEN_MAX: Final = 20_000
"""First reads that are remembered."""
IDLE_MAX: Final = 32
"""Growing files kept open although nobody reads them."""

Make = Callable[[int, int], Piece]
"""Returns the bytes from ``start`` to ``end`` (exclusive); runs in a thread."""
Prepare = Callable[[], Awaitable[Make]]


class PlainCache:
    """Whole files by key, at most ``bytes_max`` of them together, least recently used go first."""

    def __init__(
        self,
        folder: Path,
        pool: Executor,
        *,
        bytes_max: int = PLAIN_BYTES_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes_max = bytes_max
        self._folder = folder
        self._pool = pool
        self._clock = clock
        self._whole: OrderedDict[str, int] = OrderedDict(_scan(folder))
        self._growing: OrderedDict[str, _Growing] = OrderedDict()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def source(self, key: str, size: int, prepare: Prepare) -> FileSource | StreamSource:
        """Return where the ``size`` bytes of ``key`` come from, made by ``prepare`` if need be.

        ``prepare`` is awaited once a read, and not at all while the file is here.
        """
        stream = StreamSource(size, partial(self._read, key, size, prepare))
        if self._whole.get(key) != size:
            return stream
        self._whole.move_to_end(key)
        return FileSource(self._path(key), size, otherwise=stream)

    def close(self) -> None:
        """Forget growing files; readers that are still there go on without."""
        for growing in list(self._growing.values()):
            self._abandon(growing)

    async def _read(
        self, key: str, size: int, prepare: Prepare, start: int, end: int
    ) -> AsyncGenerator[Piece]:
        is_long = end - start >= min(LONG_READ_BYTES, size)
        self._note(key, size, is_long=is_long)
        reader = _Reader(await prepare(), self._pool, is_long=is_long)
        try:
            while start < end:
                stop = min(end, start - start % GROUP_BYTES + GROUP_BYTES)
                self._let_follow(reader, key)
                yield await reader.read(start, stop, end=end)
                start = stop
        finally:
            self._let_go(reader)

    def _note(self, key: str, size: int, *, is_long: bool) -> None:
        """Remember a read; let the second long one begin a file."""
        if key in self._whole and not self._path(key).is_file():
            del self._whole[key]  # deleted behind our back
        if not is_long:
            return
        last = self._seen.pop(key, None)
        now = self._clock()
        self._seen[key] = now
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        is_second = last is not None and now - last <= SECOND_READ_SECONDS
        if is_second and key not in self._growing and key not in self._whole:
            self._begin(key, size)

    def _begin(self, key: str, size: int) -> None:
        if not self._make_room(size):
            return
        path = self._path(key)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:  # no room, no right: then without a cache
            return
        groups = -(-size // GROUP_BYTES)
        self._growing[key] = _Growing(
            key, size, part, handle, self._settle, missing=groups, has=bytearray(groups)
        )

    def _let_follow(self, reader: _Reader, key: str) -> None:
        """Give a reader the growing file, as soon as there is one."""
        growing = self._growing.get(key)
        if growing is None or reader.growing is not None:
            return
        self._growing.move_to_end(key)
        growing.users += 1
        reader.growing = growing

    def _let_go(self, reader: _Reader) -> None:
        reader.forget()
        if reader.growing is not None:
            self._leave(reader.growing)

    def _settle(self, growing: _Growing, group: int, future: asyncio.Future[_Made]) -> None:
        """Note on the loop that a group was made, or that it could not be kept."""
        del growing.running[group]
        if future.cancelled() or future.exception() is not None:
            pass  # those who wait are told; the group stays missing
        elif not future.result().is_kept:
            self._abandon(growing)
        elif not growing.has[group]:
            growing.has[group] = True
            growing.missing -= 1
            if not growing.missing and not growing.is_abandoned:
                self._publish(growing)
        self._leave(growing)

    def _publish(self, growing: _Growing) -> None:
        growing.users += 1
        work = partial(_publish, growing, self._path(growing.key))
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(partial(self._note_published, growing))

    def _note_published(self, growing: _Growing, future: asyncio.Future[bool]) -> None:
        if not future.cancelled() and future.result() and not growing.is_abandoned:
            del self._growing[growing.key]
            self._whole[growing.key] = growing.size
        else:
            self._abandon(growing)
        self._leave(growing)

    def _abandon(self, growing: _Growing) -> None:
        """Stop keeping a file; those who read it may go on."""
        if not growing.is_abandoned:
            growing.is_abandoned = True
            growing.part.unlink(missing_ok=True)
            if self._growing.get(growing.key) is growing:
                del self._growing[growing.key]
            growing.users += 1
            self._leave(growing)

    def _leave(self, growing: _Growing) -> None:
        growing.users -= 1
        if growing.users:
            return
        if growing.is_abandoned or self._growing.get(growing.key) is not growing:
            os.close(growing.handle)
            return
        idle = [growing for growing in self._growing.values() if not growing.users]
        for oldest in idle[: max(0, len(idle) - IDLE_MAX)]:
            self._abandon(oldest)

    def _make_room(self, size: int) -> bool:
        """Let old files go until ``size`` bytes fit; ``False`` if they never will."""
        taken = sum(self._whole.values()) + sum(g.size for g in self._growing.values())
        idle = [growing for growing in self._growing.values() if not growing.users]
        lowest = taken - sum(self._whole.values()) - sum(growing.size for growing in idle)
        if lowest + size > self.bytes_max:
            return False
        while taken + size > self.bytes_max:
            if self._whole:
                key, freed = self._whole.popitem(last=False)
                self._pool.submit(self._path(key).unlink, missing_ok=True)
            else:
                growing = idle.pop(0)
                freed = growing.size
                self._abandon(growing)
            taken -= freed
        return shutil.disk_usage(_existing(self._folder)).free - size >= FREE_BYTES_MIN

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


@dataclass(frozen=True, slots=True)
class _Made:
    """A group of bytes, and whether it could be written to its place."""

    data: Piece
    is_kept: bool


@dataclass(eq=False, slots=True)
class _Growing:
    """A file on its way into the cache.  Changed on the event loop only.

    Attributes:
        handle: Descriptor, open while ``users`` (readers, threads) need it.
        has: Which groups are written.
        missing: How many are not.
        running: Groups that are being made now.
        settle: Called on the loop when one of them is done.
    """

    key: str
    size: int
    part: Path
    handle: int
    settle: Callable[[_Growing, int, asyncio.Future[_Made]], None]
    missing: int
    has: bytearray
    running: dict[int, asyncio.Future[_Made]] = field(default_factory=dict)
    users: int = 0
    is_abandoned: bool = False


@dataclass(eq=False, slots=True)
class _Reader:
    """One answer being sent: makes groups itself until there is a growing file to share.

    Attributes:
        is_long: Whether it may fill a growing file; a short one only reads it.
        ahead: The next groups, being made for this reader alone: start, stop, bytes.
    """

    make: Make
    pool: Executor
    is_long: bool
    growing: _Growing | None = None
    ahead: deque[tuple[int, int, asyncio.Future[Piece]]] = field(default_factory=deque)

    async def read(self, start: int, stop: int, *, end: int) -> Piece:
        """Return bytes of one group and see to it that the next ones up to ``end`` come."""
        if self.ahead and self.ahead[0][:2] == (start, stop):
            piece = await self.ahead[0][2]
            self.ahead.popleft()
            self._look_ahead(stop, end)
            return piece
        shared = self._shared(start)
        if shared is None:
            piece = await self._hop(start, stop)
            self._look_ahead(stop, end)
            return piece
        self._look_ahead(stop, end)
        return await self._from_file(shared, start, stop)

    def forget(self) -> None:
        """Let what is being made ahead end unseen."""
        for _, _, future in self.ahead:
            future.add_done_callback(_look_away)
        self.ahead.clear()

    def _shared(self, start: int) -> _Growing | None:
        """Return the growing file if it has this group, or will through us."""
        growing, group = self.growing, start // GROUP_BYTES
        if growing is None:
            return None
        is_there = growing.has[group] or group in growing.running
        may_fill = self.is_long and not growing.is_abandoned
        return growing if is_there or may_fill else None

    def _look_ahead(self, start: int, end: int) -> None:
        """Begin with what comes after a group; ``start`` is where groups meet, or the end."""
        for at in range(start, min(end, start + AHEAD * GROUP_BYTES), GROUP_BYTES):
            if any(own[0] == at for own in self.ahead):
                continue
            shared = self._shared(at)
            if shared is None:
                stop = min(end, at + GROUP_BYTES)
                self.ahead.append((at, stop, self._hop(at, stop)))
            elif not shared.has[at // GROUP_BYTES]:
                self._make_shared(shared, at // GROUP_BYTES)

    async def _from_file(self, growing: _Growing, start: int, stop: int) -> Piece:
        group = start // GROUP_BYTES
        if growing.has[group]:
            loop = asyncio.get_running_loop()
            piece = await loop.run_in_executor(
                self.pool, os.pread, growing.handle, stop - start, start
            )
            if len(piece) == stop - start:
                return piece
            return await self._hop(start, stop)  # somebody cut the file
        self._make_shared(growing, group)
        made = await asyncio.shield(growing.running[group])
        first = group * GROUP_BYTES
        return made.data[start - first : stop - first]

    def _make_shared(self, growing: _Growing, group: int) -> None:
        """Make a group for everybody, unless somebody does already."""
        if group in growing.running:
            return
        start = group * GROUP_BYTES
        stop = min(growing.size, start + GROUP_BYTES)
        work = partial(_make_group, self.make, growing.handle, start, stop)
        future = asyncio.get_running_loop().run_in_executor(self.pool, work)
        growing.running[group] = future
        growing.users += 1
        future.add_done_callback(partial(growing.settle, growing, group))

    def _hop(self, start: int, stop: int) -> asyncio.Future[Piece]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self.pool, self.make, start, stop)


def _make_group(make: Make, handle: int, start: int, stop: int) -> _Made:
    data = make(start, stop)
    try:
        is_kept = os.pwrite(handle, data, start) == len(data)
    except OSError:  # no room left: the readers go on, the file does not
        is_kept = False
    return _Made(data, is_kept)


def _publish(growing: _Growing, path: Path) -> bool:
    """Give a whole file its name, its bytes on disk first; runs in a thread."""
    try:
        os.fsync(growing.handle)
        growing.part.rename(path)
    except OSError:  # deleted meanwhile, or a disk in trouble
        return False
    return True


def _look_away(future: asyncio.Future[Piece]) -> None:
    if not future.cancelled():
        future.exception()


def _scan(folder: Path) -> list[tuple[str, int]]:
    """Return the whole files of an earlier run, oldest first; remove half ones."""
    found = []
    for path in folder.glob("??/*"):
        if path.suffix == ".part":
            path.unlink(missing_ok=True)
        elif path.is_file():
            stat = path.stat()
            found.append((stat.st_mtime_ns, path.name, stat.st_size))
    return [(name, size) for _, name, size in sorted(found)]


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
