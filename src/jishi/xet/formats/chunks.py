"""Where chunks end: the gear hash, by numpy alone.

``h = (h << 1) + GEAR[byte]`` forgets a byte after 64 steps, so the hash at a place depends on
the 64 bytes before it and on nothing else: it is computed for all places at once by six
doublings, and only then the rules about lengths are applied, chunk by chunk.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from jishi.xet.formats.gear import GEAR

CHUNK_BYTES_MIN: Final = 8_192
CHUNK_BYTES_MAX: Final = 131_072
LOWEST_UNCUT: Final = np.uint64(1 << 48)
"""A chunk may end where the sixteen highest bits are zero."""
WINDOW_BYTES: Final = 64
BLOCK_BYTES: Final = 1 << 15
"""Hashed at once: its 256 KiB of hashes stay in the processor's cache."""


class Chunker:
    """Finds the chunks of a stream that arrives in any pieces."""

    def __init__(self) -> None:
        self._tail = b""
        self._start = 0
        self._size = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[int]:
        """Take in more bytes; return the lengths of chunks that end in them or before."""
        lengths: list[int] = []
        for offset in range(0, len(data), BLOCK_BYTES):
            self._feed_block(bytes(data[offset : offset + BLOCK_BYTES]), lengths)
        return lengths

    def finish(self) -> list[int]:
        """Return the length of the last chunk, if bytes are left over."""
        rest = self._size - self._start
        self._start = self._size
        return [rest] if rest else []

    def _feed_block(self, block: bytes, lengths: list[int]) -> None:
        known = self._tail + block
        before = self._size
        self._size += len(block)
        self._tail = known[-(WINDOW_BYTES - 1) :]
        for place in _boundaries(known, len(known) - len(block)):
            end = before + place
            self._cut_forced(end, lengths)
            if end - self._start >= CHUNK_BYTES_MIN:
                self._cut(end, lengths)
        self._cut_forced(self._size, lengths)

    def _cut_forced(self, end: int, lengths: list[int]) -> None:
        """Cut where a chunk would be too long up to ``end``."""
        while end - self._start >= CHUNK_BYTES_MAX:
            self._cut(self._start + CHUNK_BYTES_MAX, lengths)

    def _cut(self, end: int, lengths: list[int]) -> None:
        lengths.append(end - self._start)
        self._start = end


def _boundaries(known: bytes, skip: int) -> list[int]:
    """Return after how many bytes behind ``skip`` the hash allows a cut."""
    hashes: NDArray[np.uint64] = GEAR.take(np.frombuffer(known, np.uint8))
    older = np.empty_like(hashes)
    for shift in (1, 2, 4, 8, 16, 32):
        shifted = older[: max(0, len(hashes) - shift)]
        np.left_shift(hashes[: len(shifted)], np.uint64(shift), out=shifted)
        hashes[shift:] += shifted
    found = np.flatnonzero(hashes[skip:] < LOWEST_UNCUT)
    places: list[int] = (found + 1).tolist()
    return places
