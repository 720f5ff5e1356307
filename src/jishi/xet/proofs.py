"""Check what a shard says against what we know of our own xorbs.

A door of its own: what a shard builds on, who sent that, what files show of it, proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from jishi.xet.cover import Cover, Runs
from jishi.xet.files import ProvenFile, load_terms
from jishi.xet.formats import BadShard, Merkle, ShardFile, XorbIndex, file_hash, range_hash
from jishi.xet.memory import Memory
from jishi.xet.senders import find_sent
from jishi.xet.terms import Run, make_terms
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


def check_sizes(files: Sequence[ShardFile]) -> None:
    """Insist that proving the files is work of a bounded size.

    Raises:
        BadShard: If it is not.
    """
    chunks = 0
    for file in files:
        first, end = file.terms["first"].astype(np.int64), file.terms["end"].astype(np.int64)
        if (end <= first).any():
            raise BadShard(problem="a term without chunks")
        chunks += int((end - first).sum())
        if int(file.terms["raw"].sum(dtype=np.int64)) > FILE_BYTES_MAX:
            raise BadShard(problem="a file is too large")
    if chunks > SHARD_CHUNKS_MAX:
        raise BadShard(problem="too many chunks")


def name_xorbs(files: Iterable[ShardFile]) -> set[bytes]:
    """Return the xorbs that the terms of some files name."""
    return {name for file in files for name in file.xorb_names()}


def find_runs(files: Iterable[ShardFile], xorbs: Mapping[bytes, Xorb]) -> Runs:
    """Return all that some files are said to be made of, by xorb.

    Raises:
        XorbMissing: If a term names a xorb that is not among ``xorbs``.
    """
    terms = np.concatenate([file.terms for file in files])
    names = np.ascontiguousarray(terms["xorb"]).tobytes()
    rows = {name: xorb.id for name, xorb in xorbs.items()}
    found = [rows.get(names[at : at + 32], 0) for at in range(0, len(names), 32)]
    ids = np.array(found, np.int64)
    if not ids.all():
        raise XorbMissing
    order = np.argsort(ids, kind="stable")
    firsts, ends = terms["first"].astype(np.int64), terms["end"].astype(np.int64)
    return Runs(ids[order], firsts[order], ends[order])


def prove_file(memory: Memory, file: ShardFile, xorbs: Mapping[bytes, Xorb]) -> ProvenFile:
    """Check every term, its verification and the file's hash.  Runs in a thread.

    Whoever made the verification has the raw hashes of the chunks, which never leave this
    server: in practice the data.

    Raises:
        XorbMissing: If a term names a xorb that is not among ``xorbs``.
        BadShard: If something does not hold.
    """
    merkle = Merkle()
    runs: list[Run] = []
    names = np.ascontiguousarray(file.terms["xorb"]).tobytes()
    bounds = zip(
        file.terms["first"].tolist(),
        file.terms["end"].tolist(),
        file.terms["raw"].tolist(),
        strict=True,
    )
    for number, (first, end, raw) in enumerate(bounds):
        xorb = xorbs.get(names[32 * number : 32 * number + 32])
        if xorb is None:
            raise XorbMissing
        index = memory.index(xorb)
        _check_term(index, first, end, raw)
        hashes = index.hashes[first:end]
        if range_hash(hashes.tobytes()) != file.proofs[number].tobytes():
            raise BadShard(problem="a term's verification is wrong")
        merkle.add(hashes, np.diff(index.raw_ends[first:end], prepend=index.raw_at(first)))
        runs.append(Run(xorb.id, index, first, end))
    if file_hash(merkle.root()) != file.hash:
        raise BadShard(problem="a file has another hash")
    opening = runs[0]
    first_chunk = opening.index.hashes[opening.first].tobytes(), opening.first
    return ProvenFile(file.hash, merkle.size, make_terms(runs), first_chunk)


def _check_term(index: XorbIndex, first: int, end: int, raw: int) -> None:
    if not first < end <= index.count:
        raise BadShard(problem="a term reaches beyond its xorb")
    if index.raw_at(end) - index.raw_at(first) != raw:
        raise BadShard(problem="a term has another length")
