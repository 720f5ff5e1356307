"""How a file is made of chunks: runs of them, each inside one xorb, in file order.

A term that a client sends may be as long as a xorb.  It is cut at fixed places of its xorb
when it is registered: clients load each piece by one request and hold it in memory, so
pieces let one file arrive over several connections.  Fixed places mean that ranges of two
terms overlap only inside one piece.
"""

from __future__ import annotations

from collections.abc import Callable
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


Ints = NDArray[np.int64]


class TermsMaker:
    """Makes the terms of a file from its runs, which come in slices: whole arrays at once."""

    def __init__(self, index_of: Callable[[int], XorbIndex]) -> None:
        """Begin a file.

        Args:
            index_of: The index of a xorb, by its row.
        """
        self._index_of = index_of
        self._piece_ends: dict[int, Ints] = {}
        self._done: list[Terms] = []
        self._last = _no_runs(), _no_runs(), _no_runs()

    def add(self, xorbs: Ints, firsts: Ints, ends: Ints) -> None:
        """Append runs: rows of their xorbs, first chunk and end (exclusive) of each."""
        xorbs, firsts, ends = (
            np.concatenate(pair) for pair in zip(self._last, (xorbs, firsts, ends), strict=True)
        )
        if not len(xorbs):
            return
        begins = np.ones(len(xorbs), np.bool_)
        begins[1:] = (xorbs[1:] != xorbs[:-1]) | (firsts[1:] != ends[:-1])
        starts = np.flatnonzero(begins)
        lasts = np.append(starts[1:], len(xorbs)) - 1
        xorbs, firsts, ends = xorbs[starts], firsts[starts], ends[lasts]
        self._last = xorbs[-1:], firsts[-1:], ends[-1:]  # what comes may go on with it
        self._done.append(self._cut(xorbs[:-1], firsts[:-1], ends[:-1]))

    def finish(self) -> Terms:
        """Return the terms of all runs: neighbours joined, cut at the places of each xorb."""
        self._done.append(self._cut(*self._last))
        return np.concatenate(self._done)

    def _cut(self, xorbs: Ints, firsts: Ints, ends: Ints) -> Terms:
        places: list[Ints] = [_no_runs()]
        rows: list[Terms] = [np.zeros(0, TERM)]
        for xorb, here in by_xorb(xorbs):
            index = self._index_of(xorb)
            if xorb not in self._piece_ends:
                self._piece_ends[xorb] = np.array(piece_ends(index), np.int64)
            owners, found = _cut_at(self._piece_ends[xorb], firsts[here], ends[here])
            places.append(here[owners])
            rows.append(_to_terms(xorb, index, *found))
        order = np.argsort(np.concatenate(places), kind="stable")
        return np.concatenate(rows)[order]


def by_xorb(xorbs: Ints) -> list[tuple[int, Ints]]:
    """Return each xorb of some runs, by row, and the places of its runs, in order."""
    if not len(xorbs):
        return []
    order = np.argsort(xorbs, kind="stable")
    bounds = np.flatnonzero(np.diff(xorbs[order])) + 1
    return [(int(xorbs[places[0]]), places) for places in np.split(order, bounds)]


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


def _cut_at(places: Ints, firsts: Ints, ends: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
    """Cut runs at some places; return which run each piece is of, and their bounds."""
    low = np.searchsorted(places, firsts, side="right")
    counts = np.searchsorted(places, ends, side="left") - low + 1
    owners = np.repeat(np.arange(len(firsts)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = low[owners] + number
    inner = np.append(places, 0)  # looked at for pieces that do not end at a place, not used
    piece_firsts = np.where(number == 0, firsts[owners], inner[at - 1])
    is_last = number == counts[owners] - 1
    piece_stops = np.where(is_last, ends[owners], inner[np.minimum(at, len(places))])
    return owners, (piece_firsts, piece_stops)


def _to_terms(xorb: int, index: XorbIndex, firsts: Ints, ends: Ints) -> Terms:
    raw, packed = index.raw_bounds(), index.packed_bounds()
    terms = np.zeros(len(firsts), TERM)
    terms["xorb"], terms["first"], terms["end"] = xorb, firsts, ends
    terms["raw"] = raw[ends] - raw[firsts]
    terms["start"], terms["stop"] = packed[firsts], packed[ends]
    return terms


def _no_runs() -> Ints:
    return np.zeros(0, np.int64)
