"""Which bytes of which xorbs give which bytes of a file; and putting them together here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from jishi.core.errors import Broken
from jishi.storage import Store
from jishi.xet.files import Layout
from jishi.xet.formats import BadXorb, XorbIndex, unpack_span
from jishi.xet.memory import Memory
from jishi.xet.terms import PIECE_BYTES
from jishi.xet.xorbs import Xorb

FETCH_BYTES_MAX: Final = PIECE_BYTES
"""Ranges that only touch are joined up to this, unpacked, to be loaded by one request."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of chunks that gives a part of the file, untrimmed: ``raw`` bytes."""

    xorb: Xorb
    first: int
    end: int
    raw: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """A run of chunks to be loaded by one request: bytes ``start`` to ``stop`` of the xorb."""

    xorb: Xorb
    first: int
    end: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read bytes of a file.

    Attributes:
        offset: Where they begin in the first part.
        fetches: Each part lies inside one of them; no two of a xorb have one start.
    """

    offset: int
    parts: tuple[Part, ...]
    fetches: tuple[Fetch, ...]


def plan_read(memory: Memory, layout: Layout, start: int, end: int) -> Plan:
    """Plan reading bytes ``start`` to ``end`` (exclusive), in whole chunks.

    Runs in a thread: it may read the indexes of the first and the last xorb.
    """
    if start >= end:
        return Plan(0, (), ())
    first_term, last_term = layout.span(start, end)
    runs = [
        Fetch(layout.xorbs[xorb], first, stop_chunk, at, stop)
        for xorb, first, stop_chunk, _, at, stop in layout.terms[
            first_term : last_term + 1
        ].tolist()
    ]
    raws = layout.terms["raw"][first_term : last_term + 1].tolist()
    left = start - (int(layout.ends[first_term]) - raws[0])
    right = int(layout.ends[last_term]) - end
    offset = 0
    if left or right:
        runs[-1], raws[-1] = _without_tail(memory, runs[-1], raws[-1], right)
        runs[0], raws[0], offset = _without_head(memory, runs[0], raws[0], left)
    parts = [Part(run.xorb, run.first, run.end, raw) for run, raw in zip(runs, raws, strict=True)]
    return Plan(offset, tuple(parts), tuple(_joined(runs, raws)))


def read_bytes(memory: Memory, store: Store, layout: Layout, start: int, end: int) -> memoryview:
    """Return bytes ``start`` to ``end`` (exclusive) of a file.  Runs in a thread.

    Raises:
        ObjectMissing: If the store lost a xorb.
    """
    out = np.empty(max(0, end - start), np.uint8).data
    if not out:
        return out
    first_term, last_term = layout.span(start, end)
    for number in range(first_term, last_term + 1):
        term = layout.terms[number]
        stop = int(layout.ends[number])
        base = stop - int(term["raw"])
        xorb = layout.xorbs[int(term["xorb"])]
        index = memory.index(xorb)
        begin = max(start, base)
        piece = out[begin - start : min(end, stop) - start]
        _read_raw(store, xorb, index, index.raw_at(int(term["first"])) + begin - base, piece)
    return out


def _read_raw(store: Store, xorb: Xorb, index: XorbIndex, start: int, out: memoryview) -> None:
    """Fill ``out`` with unpacked bytes of a xorb, from ``start``."""
    first = _chunk_at(index, start)
    last = _chunk_at(index, start + len(out) - 1)
    packed = store.read(xorb.key, index.packed_at(first), index.packed_at(last + 1))
    try:
        unpack_span(packed, out, start - index.raw_at(first))
    except BadXorb as error:
        raise Broken(f"{xorb.key} is damaged") from error


def _chunk_at(index: XorbIndex, at: int) -> int:
    """Return the chunk that has the unpacked byte ``at``."""
    return int(np.searchsorted(index.raw_ends, at, side="right"))


def _without_tail(memory: Memory, run: Fetch, raw: int, unneeded: int) -> tuple[Fetch, int]:
    """Leave out whole chunks at the end whose bytes nobody wants."""
    if not unneeded:
        return run, raw
    index = memory.index(run.xorb)
    end = _chunk_at(index, index.raw_at(run.end) - unneeded - 1) + 1
    shorter = Fetch(run.xorb, run.first, end, run.start, index.packed_at(end))
    return shorter, index.raw_at(end) - index.raw_at(run.first)


def _without_head(memory: Memory, run: Fetch, raw: int, unneeded: int) -> tuple[Fetch, int, int]:
    """Leave out whole chunks at the beginning; return also what is unneeded of the rest."""
    if not unneeded:
        return run, raw, 0
    index = memory.index(run.xorb)
    wanted = index.raw_at(run.first) + unneeded
    first = _chunk_at(index, wanted)
    shorter = Fetch(run.xorb, first, run.end, index.packed_at(first), run.stop)
    offset = wanted - index.raw_at(first)
    return shorter, index.raw_at(run.end) - index.raw_at(first), offset


def _joined(runs: list[Fetch], raws: list[int]) -> Iterator[Fetch]:
    """Join runs of one xorb that overlap, and those that touch while they stay small."""
    by_xorb: dict[int, list[tuple[Fetch, int]]] = {}
    for run, raw in zip(runs, raws, strict=True):
        by_xorb.setdefault(run.xorb.id, []).append((run, raw))
    for own in by_xorb.values():
        own.sort(key=lambda pair: (pair[0].first, pair[0].end))
        last, size = own[0]
        for run, raw in own[1:]:
            is_small = size + raw <= FETCH_BYTES_MAX
            if run.first < last.end or (run.first == last.end and is_small):
                end, stop = max(last.end, run.end), max(last.stop, run.stop)
                last = Fetch(last.xorb, last.first, end, last.start, stop)
                size += raw
            else:
                yield last
                last, size = run, raw
        yield last
