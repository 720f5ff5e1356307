"""Check what a shard says against what we know of our own xorbs.

A door of its own: what a shard builds on, who sent that, what files show of it, proof.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jishi.xet.cover import Cover, Runs
from jishi.xet.files import ProvenFile, load_terms
from jishi.xet.formats import (
    CHUNK_BYTES_MIN,
    XORB_CHUNKS_MAX,
    BadShard,
    Merkle,
    ShardFile,
    XorbIndex,
    file_hash,
    range_hash,
)
from jishi.xet.memory import Memory
from jishi.xet.senders import find_sent
from jishi.xet.terms import Ints, TermsMaker, by_xorb
from jishi.xet.xorbs import Xorb, XorbMissing

__all__ = [
    "Cover",
    "Runs",
    "check_sizes",
    "find_runs",
    "find_sent",
    "load_terms",
    "name_xorbs",
    "prove_file",
]

FILE_BYTES_MAX: Final = 512 << 30
SHARD_CHUNKS_MAX: Final = 32 << 20
"""Chunks of all files of a shard, repeated ones too: about 2 TB, and a minute of hashing."""
SHARD_TERMS_MAX: Final = 1 << 19
"""Clients break files into runs of eight chunks at the least, on average: 512 KiB."""
SLICE_CHUNKS_MAX: Final = 32 << 10
SLICE_TERMS_MAX: Final = 4 << 10


def check_sizes(files: Sequence[ShardFile]) -> None:
    """Insist that proving the files is work of a bounded size.

    Raises:
        BadShard: If it is not.
    """
    chunks = terms = 0
    for file in files:
        lengths = _lengths(file.terms)
        if bool((lengths <= 0).any()):
            raise BadShard(problem="a term without chunks")
        chunks += int(lengths.sum())
        terms += len(lengths)
        raw = int(file.terms["raw"].sum(dtype=np.int64))
        if raw > FILE_BYTES_MAX:
            raise BadShard(problem="a file is too large")
        if int(lengths.sum()) > raw // CHUNK_BYTES_MIN + 1:  # only the last may be smaller
            raise BadShard(problem="a file of too many chunks for its size")
    if chunks > SHARD_CHUNKS_MAX:
        raise BadShard(problem="too many chunks")
    if terms > SHARD_TERMS_MAX:
        raise BadShard(problem="too many terms")


def name_xorbs(files: Iterable[ShardFile]) -> list[bytes]:
    """Return the xorbs that the terms of some files name, each once."""
    return sorted({name for file in files for name in file.xorb_names()})


def find_runs(files: Sequence[ShardFile], xorbs: Mapping[bytes, Xorb]) -> Runs:
    """Return all that some files are said to be made of, by xorb.

    Raises:
        XorbMissing: If a term names a xorb that is not among ``xorbs``.
    """
    terms = np.concatenate([file.terms for file in files])
    rows = {name: xorb.id for name, xorb in xorbs.items()}
    ids = np.array([rows.get(name, 0) for file in files for name in file.names()], np.int64)
    if not ids.all():
        raise XorbMissing
    order = np.argsort(ids, kind="stable")
    firsts, ends = terms["first"].astype(np.int64), terms["end"].astype(np.int64)
    return Runs(ids[order], firsts[order], ends[order])


def prove_file(
    memory: Memory, file: ShardFile, xorbs: Mapping[bytes, Xorb]
) -> Generator[None, None, ProvenFile]:
    """Check every term, its verification and the file's hash, in slices.  Runs in threads.

    Yields:
        Nothing, after each slice: some tens of milliseconds of work.

    Returns:
        The file, proven.

    Raises:
        XorbMissing: If a term names a xorb that is not among ``xorbs``.
        BadShard: If something does not hold.
    """
    by_row = {xorb.id: xorb for xorb in xorbs.values()}
    making = TermsMaker(lambda row: memory.index(by_row[row]))
    merkle = Merkle()
    opening: tuple[bytes, int] | None = None
    for start, stop in _slices(file):
        rows = _find_rows(file, start, stop, xorbs)
        slice_ = _Slice(memory, file, slice(start, stop), rows, by_row)
        hashes, sizes = slice_.prove()
        merkle.add(hashes, sizes)
        making.add(rows, slice_.firsts, slice_.ends)
        if opening is None:
            opening = hashes[0].tobytes(), int(slice_.firsts[0])
        yield
    if file_hash(merkle.root()) != file.hash:
        raise BadShard(problem="a file has another hash")
    return ProvenFile(file.hash, merkle.size, making.finish(), opening)


def _slices(file: ShardFile) -> Iterator[tuple[int, int]]:
    """Yield bounds of terms that are proven together."""
    counts = np.minimum(_lengths(file.terms), XORB_CHUNKS_MAX)
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, done + SLICE_CHUNKS_MAX, side="right"))
        stop = min(max(stop, start + 1), start + SLICE_TERMS_MAX)
        yield start, stop
        start = stop


def _lengths(terms: NDArray[np.void]) -> Ints:
    lengths: Ints = terms["end"].astype(np.int64) - terms["first"].astype(np.int64)
    return lengths


def _find_rows(file: ShardFile, start: int, stop: int, xorbs: Mapping[bytes, Xorb]) -> Ints:
    found = [xorbs.get(name) for name in file.names(start, stop)]
    rows = [xorb.id for xorb in found if xorb is not None]
    if len(rows) < stop - start:
        raise XorbMissing
    return np.array(rows, np.int64)


class _Slice:
    """Some terms of a file, next to each other."""

    def __init__(
        self, memory: Memory, file: ShardFile, where: slice, rows: Ints, by_row: dict[int, Xorb]
    ) -> None:
        terms = file.terms[where]
        self._memory = memory
        self._by_row = by_row
        self._rows = rows
        self._raws = terms["raw"].astype(np.int64)
        self._proofs = file.proofs[where]
        self.firsts = terms["first"].astype(np.int64)
        self.ends = terms["end"].astype(np.int64)

    def prove(self) -> tuple[NDArray[np.uint8], Ints]:
        """Return the names and sizes of the chunks, in order, if the terms hold."""
        lengths = self.ends - self.firsts
        starts = np.cumsum(lengths) - lengths
        groups = by_xorb(self._rows)
        for row, places in groups:
            self._check_bounds(self._memory.index(self._by_row[row]), places)
        hashes = np.empty((int(lengths.sum()), self._proofs.shape[1]), np.uint8)
        sizes = np.empty(len(hashes), np.int64)
        for row, places in groups:
            index = self._memory.index(self._by_row[row])
            self._check_proofs(index, places)
            chunks = _spread(self.firsts[places], lengths[places])
            into = _spread(starts[places], lengths[places])
            hashes[into] = index.hashes[chunks]
            sizes[into] = index.raw_sizes()[chunks]
        return hashes, sizes

    def _check_bounds(self, index: XorbIndex, places: Ints) -> None:
        firsts, ends = self.firsts[places], self.ends[places]
        if bool((ends > index.count).any()):
            raise BadShard(problem="a term reaches beyond its xorb")
        bounds = index.raw_bounds()
        if bool((bounds[ends] - bounds[firsts] != self._raws[places]).any()):
            raise BadShard(problem="a term has another length")

    def _check_proofs(self, index: XorbIndex, places: Ints) -> None:
        """Compare each verification; a run that comes again is hashed once."""
        keys = self.firsts[places] * (XORB_CHUNKS_MAX + 1) + self.ends[places]
        runs, again = np.unique(keys, return_inverse=True)
        firsts, ends = np.divmod(runs, XORB_CHUNKS_MAX + 1)
        computed = b"".join(
            range_hash(index.hashes[first:end].tobytes())
            for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)
        )
        expected = np.frombuffer(computed, np.uint8).reshape(len(runs), -1)[again]
        if not np.array_equal(expected, self._proofs[places]):
            raise BadShard(problem="a term's verification is wrong")


def _spread(firsts: Ints, lengths: Ints) -> Ints:
    """Return the numbers of some runs one by one."""
    begins = np.cumsum(lengths) - lengths
    count = int(lengths.sum())
    numbers: Ints = np.arange(count) + np.repeat(firsts - begins, lengths)
    return numbers
