"""Bytes somebody may ask for: values that say where they come from, wholly or in ranges.

The domain hands them out without knowing HTTP; ``http.answer_bytes`` sends them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from jishi.core.hop import hop
from jishi.storage.store import Store

STEP_BYTES: Final = 1 << 20
"""Bytes of one read of an object that is no file."""

Piece = bytes | memoryview
"""Some of them, as they are sent: nobody writes into it any more."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class BytesSource:
    """Bytes in memory; one value may be sent to many."""

    data: bytes

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Bytes that are made on the way.

    Attributes:
        open: Yields the bytes from ``start`` to ``end`` (exclusive), exactly; closed when
            the caller leaves.
    """

    size: int
    open: Callable[[int, int], AsyncGenerator[Piece]]


@dataclass(frozen=True, slots=True)
class FileSource:
    """``size`` bytes of a local file, from ``offset``.  The file is opened when it is sent.

    Attributes:
        otherwise: The same bytes from elsewhere, if the file is gone by then: files of a
            cache may be deleted at any time.
    """

    path: Path
    size: int
    offset: int = 0
    otherwise: StreamSource | None = None


Source = FileSource | BytesSource | StreamSource


def object_source(store: Store, pool: Executor, key: str, size: int) -> Source:
    """Return where the bytes of an object come from; looks at the disk.

    Raises:
        ObjectMissing: If there is none, where objects are files.
    """
    path = store.path(key)
    if path is not None:
        return FileSource(path, size)
    return StreamSource(size, partial(_read, store, pool, key))


async def _read(
    store: Store, pool: Executor, key: str, start: int, end: int
) -> AsyncGenerator[Piece]:
    while start < end:
        stop = min(end, start + STEP_BYTES)
        yield await hop(pool, store.read, key, start, stop)
        start = stop
