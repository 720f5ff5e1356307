"""How a file is made of chunks: runs of them, each inside one xorb, in file order.

A term that a client sends may be as long as a xorb.  It is cut at fixed places of its xorb
when it is registered: clients load each piece by one request and hold it in memory, so
pieces let one file arrive over several connections.  Fixed places mean that ranges of two
terms overlap only inside one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jishi.xet.formats import XorbIndex

PIECE_BYTES: Final = 16 << 20
"""Raw bytes after which a piece of a xorb ends."""

TERM: Final = np.dtype(
    [
        ("xorb", "<i8"),
        ("first", "<u4"),
        ("end", "<u4"),
        ("raw", "<u4"),
        ("start", "<u4"),
        ("stop", "<u4"),
    ]
)
"""Row of the xorb; chunks ``first`` to ``end``; their raw bytes; from ``start`` to ``stop``
in the xorb.  28 bytes."""

Terms = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Run:
    """Chunks ``first`` to ``end`` (exclusive) of a xorb."""

    xorb_id: int
    index: XorbIndex
    first: int
    end: int


def make_terms(runs: Iterable[Run]) -> Terms:
    """Return the terms of a file: neighbours joined, then cut at the places of each xorb."""
    rows = [row for run in _joined(runs) for row in _cut(run)]
    return np.array(rows, TERM)


def piece_ends(index: XorbIndex) -> list[int]:
    """Return after which chunks the pieces of a xorb end."""
    ends: list[int] = []
    start = 0
    while start < index.count:
        wanted = index.raw_at(start) + PIECE_BYTES
        end = int(np.searchsorted(index.raw_ends, wanted, side="left")) + 1
        ends.append(min(end, index.count))
        start = ends[-1]
    return ends


def _joined(runs: Iterable[Run]) -> Iterator[Run]:
    last: Run | None = None
    for run in runs:
        if last is not None and last.xorb_id == run.xorb_id and last.end == run.first:
            last = Run(last.xorb_id, last.index, last.first, run.end)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


def _cut(run: Run) -> Iterator[tuple[int, int, int, int, int, int]]:
    index = run.index
    first = run.first
    for end in (*(e for e in piece_ends(index) if run.first < e < run.end), run.end):
        raw = index.raw_at(end) - index.raw_at(first)
        yield run.xorb_id, first, end, raw, index.packed_at(first), index.packed_at(end)
        first = end
