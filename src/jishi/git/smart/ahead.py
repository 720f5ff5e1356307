"""Read a child's output ahead of whoever takes it, so that slow takers hold no child.

A little waits in memory; what is more goes to a temporary file, within a bound for each
answer and one for all together.  Beyond that the child waits for its taker, who has to keep
up a pace meanwhile.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

from jishi.core.hop import hop_to_end
from jishi.storage import DiskFull, Spool, SpoolFile

MEMORY_BYTES_MAX: Final = 512 << 10
"""What waits in memory, for each answer."""
FILE_BYTES_MAX: Final = 256 << 20
"""What waits in a file, for each answer."""
FILES_BYTES_MAX: Final = 2 << 30
"""What waits in files, for all answers of a node."""
READ_BYTES: Final = 256 << 10
PACE_SECONDS: Final = 30.0
PACE_BYTES: Final = 1 << 20
"""What a taker takes in ``PACE_SECONDS`` at least while a child waits: 35 KB/s."""


P = ParamSpec("P")
R = TypeVar("R")


class TooSlow(Exception):
    """A child waited and its taker did not keep up the pace."""


@dataclass(slots=True)
class Room:
    """Bytes that may still be written to files, on one event loop."""

    left: int = FILES_BYTES_MAX

    def take(self, count: int) -> bool:
        """Take room if there is any."""
        if count > self.left:
            return False
        self.left -= count
        return True


async def ahead(
    pieces: AsyncGenerator[bytes], spool: Spool, room: Room, pool: Executor
) -> AsyncGenerator[bytes]:
    """Yield ``pieces``, reading them in a task of its own as far ahead as there is room.

    What ``pieces`` raises is raised after all that came before it was yielded.

    Raises:
        TooSlow: If nobody kept up the pace; ``pieces`` has ended then.
    """
    buffer = _Buffer(spool, room, pool)
    reading = asyncio.ensure_future(_fill(pieces, buffer))
    try:
        while piece := await buffer.get():
            yield piece
        await reading
    finally:
        reading.cancel()
        try:
            await asyncio.wait([reading])
        finally:
            buffer.close()
        if not reading.cancelled():
            reading.exception()  # whoever left does not want to know


async def _fill(pieces: AsyncGenerator[bytes], buffer: _Buffer) -> None:
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await buffer.put(piece)
    finally:
        buffer.end()


class _Buffer:
    """Bytes between one who puts and one who gets.

    Order: what is in memory comes before what is in the file; nothing is added to memory
    while the file holds anything.
    """

    def __init__(self, spool: Spool, room: Room, pool: Executor) -> None:
        self._spool, self._room, self._pool = spool, room, pool
        self._memory: deque[bytes] = deque()
        self._memory_bytes = 0
        self._file: SpoolFile | None = None
        self._start = self._end = 0  # of what the file holds
        self._taken = self._goal = 0
        self._pace_ends = 0.0
        self._is_over = False
        self._filled, self._moved = asyncio.Event(), asyncio.Event()
        self._turn = asyncio.Lock()

    async def put(self, piece: bytes) -> None:
        """Add a piece, or wait for room.

        Raises:
            TooSlow: If nobody keeps up the pace meanwhile.
        """
        if await self._add(piece):
            self._pace_ends = 0.0
        else:
            await self._wait_for_room(piece)
        self._filled.set()

    async def get(self) -> bytes:
        """Take what is there, empty at the end."""
        while True:
            self._filled.clear()
            piece = await self._take()
            if piece or self._is_over:
                self._taken += len(piece)
                self._moved.set()
                return piece or await self._take()
            await self._filled.wait()

    def end(self) -> None:
        """Say that nothing will be added any more."""
        self._is_over = True
        self._filled.set()

    def close(self) -> None:
        """Give back what is held."""
        self._room.left += self._end
        self._end = 0
        if self._file is not None:
            self._file.close()

    async def _add(self, piece: bytes) -> bool:
        async with self._turn:
            if not self._end and self._memory_bytes < MEMORY_BYTES_MAX:
                self._memory.append(piece)
                self._memory_bytes += len(piece)
                return True
            if self._end + len(piece) > FILE_BYTES_MAX or not self._room.take(len(piece)):
                return False
            self._end += len(piece)  # whatever happens now, close() gives it back
            try:
                await hop_to_end(self._pool, self._write, piece, self._end - len(piece))
            except DiskFull:  # others need it more
                self._room.left += len(piece)
                self._end -= len(piece)
                return False
            return True

    async def _take(self) -> bytes:
        if self._memory:
            piece = self._memory.popleft()
            self._memory_bytes -= len(piece)
            return piece
        async with self._turn:
            if self._file is None or self._start == self._end:
                return b""
            handle, count = self._file.file.fileno(), min(READ_BYTES, self._end - self._start)
            piece = await hop_to_end(self._pool, os.pread, handle, count, self._start)
            self._start += len(piece)
            if self._start == self._end:
                self._room.left += self._end
                self._start = self._end = 0
            return piece

    def _write(self, piece: bytes, offset: int) -> None:
        """Write at ``offset``; runs in a thread."""
        if self._file is None:
            self._file = self._spool.new()
        if offset == 0:
            os.ftruncate(self._file.file.fileno(), 0)
        self._file.file.seek(offset)
        self._file.write(piece)

    async def _wait_for_room(self, piece: bytes) -> None:
        """Add a piece as soon as there is room; the pace is that of all waiting in a row."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._pace_ends or self._taken >= self._goal:
                self._goal = self._taken + PACE_BYTES
                self._pace_ends = loop.time() + PACE_SECONDS
            self._moved.clear()
            if await self._add(piece):
                return
            try:
                async with asyncio.timeout_at(self._pace_ends):
                    await self._moved.wait()
            except TimeoutError as error:
                raise TooSlow from error
