"""Files as runs of chunks: registered when proven, planned and rebuilt when read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.sql import insert_once
from jishi.xet import tables
from jishi.xet.terms import TERM, Terms, by_xorb
from jishi.xet.xorbs import Xorb, get_xorbs, hold_xorbs, note_chunks

LOOKED_BYTES_MAX: Final = 16 << 20
"""Terms of files that one list of parts is made of: 600 000."""
_Runs = tuple[tuple[int, int], ...]


class FileMissing(Refusal):
    """No such file, or not for whoever asks."""

    code: ClassVar[str] = "xet.file_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is no such file.")


@dataclass(frozen=True, slots=True)
class File:
    """A stored file, by name.

    Attributes:
        id: The row.
        hash: Its name, 32 raw bytes.
    """

    id: int
    hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """What some files need of a xorb.

    The rest may belong to a file that whoever asks may not know of.

    Attributes:
        runs: Chunks, as first and end (exclusive), in order, with a gap between two.
    """

    xorb: Xorb
    runs: _Runs

    @property
    def is_whole(self) -> bool:
        """Whether no chunk is left out."""
        return self.runs == ((0, self.xorb.chunks),)

    def has_chunk(self, place: int) -> bool:
        """Whether the chunk at ``place`` of the xorb is needed."""
        return any(start <= place < end for start, end in self.runs)


@dataclass(frozen=True)
class Layout:
    """A stored file with all it takes to plan or rebuild it.

    Attributes:
        xorbs: By row, those the terms name.
    """

    file: File
    terms: Terms
    xorbs: Mapping[int, Xorb]

    def count_terms(self, start: int, end: int) -> int:
        """Return how many terms have bytes ``start`` to ``end`` (exclusive)."""
        if start >= end:
            return 0
        first, last = self.span(start, end)
        return last - first + 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last term that have some of these bytes, at least one."""
        first, last = np.searchsorted(self.ends, [start, end - 1], side="right").tolist()
        return first, last

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Where each term ends in the file."""
        return np.cumsum(self.terms["raw"], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ProvenFile:
    """A file whose terms were checked against our own indexes.

    Attributes:
        first_chunk: Name of its first chunk and the chunk's place in the first term's xorb;
            nothing for an empty file.
    """

    hash: bytes
    size: int
    terms: Terms
    first_chunk: tuple[bytes, int] | None

    def xorb_ids(self) -> set[int]:
        """Return the rows of the xorbs that the terms name."""
        ids: set[int] = set(self.terms["xorb"].tolist())
        return ids


def keep_file(tx: Tx, proven: ProvenFile) -> File:
    """Register a file; the first way to make it of chunks stays.

    Raises:
        XorbMissing: If one of its xorbs is gone meanwhile.
    """
    known = find_file(tx, proven.hash)
    if known is not None:
        return known
    ids = proven.xorb_ids()
    hold_xorbs(tx, ids)
    row = {
        "hash": proven.hash,
        "size": proven.size,
        "terms": proven.terms.tobytes(),
        "created_at": tx.now,
    }
    key = insert_once(tx.conn, tables.files, row)
    if key is None:  # somebody else was faster
        return _found(find_file(tx, proven.hash))
    if proven.first_chunk is not None:
        rows = [{"file_id": key, "xorb_id": xorb} for xorb in sorted(ids)]
        tx.conn.execute(sa.insert(tables.members), rows)
        name, place = proven.first_chunk
        note_chunks(tx, [(name, int(proven.terms["xorb"][0]), place)])
    return File(key, proven.hash, proven.size)


def find_file(tx: Tx, name: bytes) -> File | None:
    """Return the file with this hash."""
    row = tx.conn.execute(_BY_HASH, {"hash": name}).one_or_none()
    return None if row is None else File(*row)


def load_layout(tx: Tx, file_id: int, start: int = 0, end: int | None = None) -> Layout:
    """Return how a file, or the terms for some bytes of it, are made of chunks.

    Raises:
        FileMissing: If there is no such row.
    """
    row = tx.conn.execute(_BY_ID, {"id": file_id}).one_or_none()
    if row is None:
        raise FileMissing
    terms = np.frombuffer(row.terms, TERM)
    used = terms
    if start or end is not None:
        ends = np.cumsum(terms["raw"], dtype=np.int64)
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(ends, row.size if end is None else end, side="left"))
        used = terms[first : last + 1]
    xorbs = get_xorbs(tx, set(used["xorb"].tolist()))
    return Layout(File(row.id, row.hash, row.size), terms, xorbs)


def load_terms(tx: Tx, file_id: int) -> Terms:
    """Return how a file is made of chunks; none if there is no such row."""
    row = tx.conn.execute(_BY_ID, {"id": file_id}).one_or_none()
    return np.frombuffer(b"" if row is None else row.terms, TERM)


def find_users(tx: Tx, xorb_id: int, *, limit: int, before: int | None = None) -> list[int]:
    """Return the rows of files that need a xorb, newest first.

    Args:
        before: Row after which to go on.
    """
    wanted = {"xorb": xorb_id, "n": limit, "before": NEWEST if before is None else before}
    return list(tx.conn.execute(USERS, wanted).scalars())


def list_parts(
    tx: Tx, file_ids: Iterable[int], *, first: int | None = None, limit: int
) -> list[Part]:
    """Return what some files need of their xorbs, in file order, each xorb once.

    Args:
        first: Row of the xorb to begin with; those before it come last.
    """
    looked: list[Terms] = []
    ids: dict[int, None] = {}
    left = LOOKED_BYTES_MAX
    for file_id in file_ids:
        terms = load_terms(tx, file_id)
        looked.append(terms)
        rows, places = np.unique(terms["xorb"], return_index=True)
        ids |= dict.fromkeys(rows[np.argsort(places)].tolist())
        left -= terms.nbytes
        if left < 0 or (len(ids) >= limit and first is None):
            break
    order = list(ids)
    start = order.index(first) if first in ids else 0
    chosen = [*order[start:], *order[:start]][:limit]
    xorbs = get_xorbs(tx, chosen)
    runs = _merged(looked, chosen)
    return [Part(xorbs[key], runs[key]) for key in chosen]


def _merged(looked: Sequence[Terms], chosen: Sequence[int]) -> dict[int, _Runs]:
    """Return what terms need of some xorbs: in order, with a gap between two runs."""
    if not chosen:
        return {}
    terms = np.concatenate(looked)
    terms = terms[np.isin(terms["xorb"], np.array(chosen, np.int64))]
    found: dict[int, _Runs] = {}
    for xorb, places in by_xorb(terms["xorb"].astype(np.int64)):
        own = np.sort(terms[places][["first", "end"]], order="first")
        firsts, ends = own["first"], np.maximum.accumulate(own["end"])
        begins = np.flatnonzero(firsts[1:] > ends[:-1]) + 1
        starts, lasts = firsts[[0, *begins]], ends[[*(begins - 1), -1]]
        found[xorb] = tuple(zip(starts.tolist(), lasts.tolist(), strict=True))
    return found


def _found(file: File | None) -> File:
    if file is None:
        raise FileMissing
    return file


NEWEST: Final = (1 << 63) - 1
"""Behind every row."""
_T: Final = tables.files
_M: Final = tables.members
_COLUMNS: Final = (_T.c.id, _T.c.hash, _T.c.size)
_BY_HASH: Final = sa.select(*_COLUMNS).where(_T.c.hash == sa.bindparam("hash"))
_BY_ID: Final = sa.select(*_COLUMNS, _T.c.terms).where(_T.c.id == sa.bindparam("id"))
USERS: Final = (
    sa.select(_M.c.file_id)
    .where(_M.c.xorb_id == sa.bindparam("xorb"), _M.c.file_id < sa.bindparam("before"))
    .order_by(_M.c.file_id.desc())
    .limit(sa.bindparam("n"))
)
