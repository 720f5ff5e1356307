"""Chunk a file of ours: names first, then only what no xorb has yet is packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jishi.core.db import Tx
from jishi.storage import Store
from jishi.xet.files import find_users, list_parts
from jishi.xet.formats import (
    XORB_CHUNKS_MAX,
    XORB_RAW_MAX,
    Chunker,
    Merkle,
    chunk_hash,
    file_hash,
    is_eligible,
)
from jishi.xet.memory import Memory
from jishi.xet.xorbs import Xorb, find_chunk, get_xorbs

READ_BYTES: Final = 4 << 20
KNOWN_XORBS_MAX: Final = 4_096
"""Xorbs whose chunks are looked up for one file."""


@dataclass(slots=True)
class Scan:
    """The chunks of a file, by name.

    Attributes:
        hashes: Shape (n, 32).
        sizes: Bytes of each.
    """

    hashes: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    hash: bytes = field(init=False)

    def __post_init__(self) -> None:
        merkle = Merkle()
        merkle.add(self.hashes, self.sizes)
        self.hash = file_hash(merkle.root())

    @property
    def names(self) -> list[bytes]:
        """The chunks' names in file order."""
        data = self.hashes.tobytes()
        return [data[at : at + 32] for at in range(0, len(data), 32)]


class Scanner:
    """Names the chunks of a file that is read piece by piece, each in a thread."""

    def __init__(self) -> None:
        self._chunker = Chunker()
        self._pending = bytearray()
        self._hashes = bytearray()
        self._sizes: list[int] = []

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._pending += data
        self._take(self._chunker.feed(data))

    def finish(self) -> Scan:
        """Say that nothing follows."""
        self._take(self._chunker.finish())
        hashes = np.frombuffer(bytes(self._hashes), np.uint8).reshape(-1, 32)
        return Scan(hashes, np.array(self._sizes, np.int64))

    def _take(self, lengths: list[int]) -> None:
        at = 0
        view = memoryview(bytes(self._pending[: sum(lengths)]))
        for length in lengths:
            self._hashes += chunk_hash(view[at : at + length])
            at += length
        self._sizes += lengths
        del self._pending[:at]


def find_holders(tx: Tx, scan: Scan) -> list[Xorb]:
    """Return stored xorbs that have some of the chunks, and those of the same files."""
    names = scan.names
    asked = [name for place, name in enumerate(names) if not place or is_eligible(name)]
    ids: dict[int, None] = {}
    for name in asked:
        found = [xorb for xorb, _ in find_chunk(tx, name, limit=1)]
        if not found or found[0] in ids:
            continue
        users = find_users(tx, found[0], limit=1)
        more = list_parts(tx, users, first=found[0], limit=KNOWN_XORBS_MAX)
        ids |= dict.fromkeys(found) | dict.fromkeys(part.xorb.id for part in more)
        if len(ids) >= KNOWN_XORBS_MAX:
            break
    return list(get_xorbs(tx, ids).values())


Place = tuple[int, int]
"""A xorb (its row; a new one: minus its number, from 1) and a chunk in it."""


@dataclass(slots=True)
class Packing:
    """Where each chunk of a file is found, and which new xorbs that takes.

    Attributes:
        places: In file order.
        new: For each new xorb the file's chunks that it gets.
    """

    places: list[Place]
    new: list[list[int]]


def plan_packing(memory: Memory, scan: Scan, holders: list[Xorb]) -> Packing:
    """Find a place for each chunk: in a stored xorb, or in a new one."""
    known = _known_places(memory, set(scan.names), holders)
    places: list[Place] = []
    new: list[list[int]] = []
    raw = 0
    for number, (name, size) in enumerate(zip(scan.names, scan.sizes.tolist(), strict=True)):
        place = known.get(name)
        if place is None:
            is_full = bool(new) and (raw + size > XORB_RAW_MAX or len(new[-1]) == XORB_CHUNKS_MAX)
            if not new or is_full:
                new.append([])
                raw = 0
            place = known[name] = -len(new), len(new[-1])
            new[-1].append(number)
            raw += size
        places.append(place)
    return Packing(places, new)


def read_chunks(store: Store, key: str, scan: Scan, numbers: list[int]) -> Iterator[bytes]:
    """Yield some chunks of a stored object, neighbours by one read."""
    ends = np.cumsum(scan.sizes).tolist()
    sizes = scan.sizes.tolist()
    at = 0
    while at < len(numbers):
        last = at
        start = ends[numbers[at]] - sizes[numbers[at]]
        while last + 1 < len(numbers) and numbers[last + 1] == numbers[last] + 1:
            if ends[numbers[last + 1]] - start > READ_BYTES:
                break
            last += 1
        data = store.read(key, start, ends[numbers[last]])
        for number in numbers[at : last + 1]:
            yield data[ends[number] - sizes[number] - start : ends[number] - start]
        at = last + 1


def _known_places(memory: Memory, wanted: set[bytes], holders: list[Xorb]) -> dict[bytes, Place]:
    known: dict[bytes, Place] = {}
    for xorb in holders:
        data = memory.index(xorb).hashes.tobytes()
        for place in range(xorb.chunks):
            name = data[32 * place : 32 * place + 32]
            if name in wanted:
                known.setdefault(name, (xorb.id, place))
    return known


def runs_of(places: list[Place], rows: Mapping[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield (row of the xorb, first chunk, end) of the file, neighbours joined.

    Args:
        rows: Minus a new xorb's number -> its row.
    """
    start = last = None
    for xorb, place in places:
        here = rows.get(xorb, xorb), place
        if last is not None and start is not None and here == (last[0], last[1] + 1):
            last = here
            continue
        if last is not None and start is not None:
            yield start[0], start[1], last[1] + 1
        start = last = here
    if last is not None and start is not None:
        yield start[0], start[1], last[1] + 1
