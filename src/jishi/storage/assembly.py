"""Files put together from parts that arrive in any order, over restarts of the process.

A part is written to its place only when all of it has arrived, inside the file's turn: one
writer at a time, in whatever process.  So a part that its owner has noted down is never
touched again, and the digest may be computed while parts arrive: the parts that come in
order are hashed on the way, and the rest is read once at the end.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar

from jishi.core.hop import hop, hop_to_end
from jishi.storage.local import sync_folder
from jishi.storage.spool import SpoolFile
from jishi.storage.store import no_space

P = ParamSpec("P")
R = TypeVar("R")

STEP_BYTES: Final = 1 << 20
HASH_BYTES: Final = 64 << 20
"""What one hop hashes at the end."""
HASHED_MAX: Final = 256
"""Files whose digest so far is remembered; the others are read again at the end."""


class Hash(Protocol):
    """A running SHA-256."""

    def update(self, data: bytes, /) -> None:
        """Take in ``data``."""

    def digest(self) -> bytes:
        """Return the 32 bytes."""

    def copy(self) -> Hash:
        """Return one that goes on from here."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """The digest of a file's first ``end`` bytes."""

    end: int
    hash: Hash


class Assembly:
    """A folder of files on the store's file system, each named by its owner.

    The owner writes down which parts it acknowledged, and tells (``trust``) when it has.
    """

    def __init__(self, folder: Path, pool: Executor) -> None:
        self._folder = folder
        self._pool = pool
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._hashed: OrderedDict[str, Hashed] = OrderedDict()
        folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[None]:
        """Let nobody else work on ``name`` inside the block, in this process or another."""
        lock, count = self._turns.get(name, (asyncio.Lock(), 0))
        self._turns[name] = (lock, count + 1)
        try:
            async with lock:
                handle = await hop_to_end(self._pool, _lock_file, self._lock_path(name))
                try:
                    yield
                finally:
                    if not self.path(name).exists():
                        self._lock_path(name).unlink(missing_ok=True)
                    os.close(handle)
        finally:
            lock, count = self._turns.pop(name)
            if count > 1:
                self._turns[name] = (lock, count - 1)

    def path(self, name: str) -> Path:
        """Return where the file lies, if it does."""
        return self._folder / name

    async def write(self, name: str, offset: int, part: SpoolFile) -> Hashed | None:
        """Write a whole part to its place, on disk on return; only inside the turn.

        Returns:
            What to ``trust`` once the part is noted down, ``None`` if it came out of order.

        Raises:
            DiskFull: If there is no room.
        """
        before = self._hashed.get(name, Hashed(0, hashlib.sha256()))
        running = before.hash.copy() if before.end == offset else None
        await hop_to_end(self._pool, copy_part, part, self.path(name), offset, running)
        return None if running is None else Hashed(offset + part.size, running)

    def trust(self, name: str, hashed: Hashed | None) -> None:
        """Remember the digest of parts that will not be written again."""
        if hashed is not None:
            self._hashed[name] = hashed
            self._hashed.move_to_end(name)
            if len(self._hashed) > HASHED_MAX:
                self._hashed.popitem(last=False)

    async def digest(self, name: str, size: int) -> bytes:
        """Return the SHA-256 of the file's first ``size`` bytes; only inside the turn.

        Cost: reads what was not hashed while it arrived.
        """
        hashed = self._hashed.get(name, Hashed(0, hashlib.sha256()))
        running = hashed.hash.copy()
        for start in range(hashed.end, size, HASH_BYTES):
            end = min(size, start + HASH_BYTES)
            await hop(self._pool, _hash, self.path(name), start, end, running)
        return running.digest()

    def forget(self, name: str) -> None:
        """Remove the file, if it is still here, and what is known of it."""
        self._hashed.pop(name, None)
        self.path(name).unlink(missing_ok=True)
        self._lock_path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield each name and when its file changed last, microseconds since 1970 UTC."""
        for path in self._folder.iterdir():
            try:
                yield path.name.removesuffix(".lock"), path.stat().st_mtime_ns // 1000
            except FileNotFoundError:  # completed meanwhile
                continue

    def _lock_path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


def _lock_file(path: Path) -> int:
    """Return a descriptor that holds the lock; whoever held it may have removed the file."""
    while True:
        with no_space():
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


def copy_part(part: SpoolFile, target: Path, offset: int, running: Hash | None) -> None:
    """Write ``part`` to its place and take it into ``running``; runs in a thread."""
    source = part.file.fileno()
    with no_space():
        is_new = not target.exists()
        handle = os.open(target, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for start in range(0, part.size, STEP_BYTES):
                piece = os.pread(source, STEP_BYTES, start)
                _write_all(handle, piece, offset + start)
                if running is not None:
                    running.update(piece)
            os.fsync(handle)
            if is_new:
                sync_folder(target.parent)
        finally:
            os.close(handle)


def _write_all(handle: int, piece: bytes, offset: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(handle, view, offset)
        view, offset = view[count:], offset + count


def _hash(path: Path, start: int, end: int, running: Hash) -> None:
    with path.open("rb", buffering=0) as file:
        while start < end:
            piece = os.pread(file.fileno(), min(STEP_BYTES, end - start), start)
            if not piece:
                raise EOFError(path.name)
            running.update(piece)
            start += len(piece)
