"""Merkle roots over chunks, in constant memory however many there are.

Nodes are (hash, byte size).  Walking left to right, a group ends at the first node from the
third on whose hash the mean branching divides, at nine nodes at the latest; a group becomes
the hash of its lines ``<hash> : <size>``.  Repeated until one node is left.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from jishi.xet.formats.hashes import HASH_BYTES, NODE_KEY

GROUP_MIN: Final = 3
GROUP_MAX: Final = 9
MEAN_BRANCHING: Final = 4
BATCH_NODES: Final = 16_384
"""Nodes a level gathers before it groups them."""

Hashes = NDArray[np.uint8]
Sizes = NDArray[np.uint64]


class Merkle:
    """A Merkle root on the way; nodes come in any pieces.

    Attributes:
        size: Bytes of all chunks so far.
        count: How many there were.
    """

    def __init__(self) -> None:
        self.size = 0
        self.count = 0
        self._levels = [_Level()]

    def add(self, hashes: Hashes, sizes: NDArray[np.integer]) -> None:
        """Append chunks: hashes of shape (n, 32), and their raw sizes."""
        self.size += int(sizes.sum(dtype=np.uint64))
        self.count += len(hashes)
        self._add(0, hashes, sizes.astype(np.uint64))

    def root(self) -> bytes:
        """Return the root; zeros for no chunks.  Nothing may be added afterwards."""
        if not self.count:
            return bytes(HASH_BYTES)
        depth = 0
        while self._levels[depth].total != 1:
            hashes, sizes = self._levels[depth].take(is_last=True)
            self._add(depth + 1, hashes, sizes)
            depth += 1
        return self._levels[depth].first

    def _add(self, depth: int, hashes: Hashes, sizes: Sizes) -> None:
        if depth == len(self._levels):
            self._levels.append(_Level())
        level = self._levels[depth]
        level.add(hashes, sizes)
        if level.waiting >= BATCH_NODES:
            self._add(depth + 1, *level.take(is_last=False))


def merkle_root(hashes: Hashes, sizes: NDArray[np.integer]) -> bytes:
    """Return the root over chunks that are all at hand."""
    merkle = Merkle()
    merkle.add(hashes, sizes)
    return merkle.root()


class _Level:
    """Nodes of one height that are not in a group yet."""

    def __init__(self) -> None:
        self.total = 0
        self.waiting = 0
        self.first = b""
        self._hashes: list[Hashes] = []
        self._sizes: list[Sizes] = []

    def add(self, hashes: Hashes, sizes: Sizes) -> None:
        if not self.total and len(hashes):
            self.first = hashes[0].tobytes()
        self.total += len(hashes)
        self.waiting += len(hashes)
        self._hashes.append(hashes)
        self._sizes.append(sizes)

    def take(self, *, is_last: bool) -> tuple[Hashes, Sizes]:
        """Return the nodes above; what might still change its group stays here."""
        hashes, sizes = np.concatenate(self._hashes), np.concatenate(self._sizes)
        ends = _group_ends(hashes, is_last=is_last)
        done = ends[-1] if ends else 0
        above = _hash_groups(hashes[:done], sizes[:done], ends)
        sums = np.add.reduceat(sizes[:done], [0, *ends[:-1]]) if ends else sizes[:0]
        self._hashes, self._sizes = [hashes[done:]], [sizes[done:]]
        self.waiting -= done
        return above, sums


def _group_ends(hashes: Hashes, *, is_last: bool) -> list[int]:
    """Return where groups end; before the last node is known only those that are certain."""
    ends_group: list[bool] = (hashes[:, 24] % MEAN_BRANCHING == 0).tolist()
    ends: list[int] = []
    start, count = 0, len(ends_group)
    least = 1 if is_last else GROUP_MAX
    while count - start >= least:
        latest = min(start + GROUP_MAX, count)
        end = latest
        for at in range(start + GROUP_MIN - 1, latest):
            if ends_group[at]:
                end = at + 1
                break
        ends.append(end)
        start = end
    return ends


def _hash_groups(hashes: Hashes, sizes: Sizes, ends: list[int]) -> Hashes:
    text = hashes.reshape(-1, 4, 8)[:, :, ::-1].tobytes().hex()
    words: list[int] = sizes.tolist()
    found = bytearray()
    start = 0
    for end in ends:
        lines = [f"{text[64 * i : 64 * i + 64]} : {words[i]}\n" for i in range(start, end)]
        found += blake3("".join(lines).encode(), key=NODE_KEY).digest()
        start = end
    return np.frombuffer(found, np.uint8).reshape(-1, HASH_BYTES)
