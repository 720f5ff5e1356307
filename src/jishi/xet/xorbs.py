"""Stored xorbs: which there are and where they lie."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal, invariant
from jishi.core.i18n import N_
from jishi.core.sql import INSERT, insert_once
from jishi.xet import tables
from jishi.xet.formats import XorbIndex, hash_text, is_eligible
from jishi.xet.senders import note_sender

SLICE: Final = 500
"""Names of one query."""


class XorbMissing(Refusal):
    """A file is said to be made of data that is not here, or not any more."""

    code: ClassVar[str] = "xet.xorb_missing"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "This upload builds on data that this server does not have (any more). Please run the "
        "upload again; everything needed will then be sent."
    )


@dataclass(frozen=True, slots=True)
class Xorb:
    """A stored xorb.

    Attributes:
        id: The row.
        hash: Its name, 32 raw bytes.
        tag: Four bytes that name the packing.
        packed: Bytes of its chunks as stored; the footer follows.
    """

    id: int
    hash: bytes
    tag: bytes
    packed: int
    raw: int
    chunks: int

    @property
    def key(self) -> str:
        """Key of the object."""
        return xorb_key(self.hash, self.tag)


def xorb_key(name: bytes, tag: bytes) -> str:
    """Return the key of the object that holds a xorb in one packing."""
    text = hash_text(name)
    return f"xorbs/{text[:2]}/{text[2:4]}/{text}-{tag.hex()}"


def keep_xorb(tx: Tx, index: XorbIndex, tag: bytes, sender: str = "") -> tuple[Xorb, bool]:
    """Note that a xorb lies in the store; return the stored one and whether it is new.

    The first packing of a xorb stays: offsets into it may be in use.

    Args:
        sender: Who sent all of it, by whatever name; empty: nobody did.
    """
    row = {
        "hash": index.name,
        "tag": tag,
        "packed": index.packed,
        "raw": index.raw,
        "chunks": index.count,
        "state": "live",
        "uploaded_at": tx.now,
    }
    key = insert_once(tx.conn, tables.xorbs, row)
    if key is None:
        keep_xorb_again(tx, index.name, sender)
        return find_xorbs(tx, [index.name])[index.name], False
    xorb = Xorb(key, index.name, tag, index.packed, index.raw, index.count)
    names = [chunk.tobytes() for chunk in index.hashes]
    note_chunks(tx, [(name, key, place) for place, name in enumerate(names) if is_eligible(name)])
    if sender:
        note_sender(tx, key, sender)
    return xorb, True


def keep_xorb_again(tx: Tx, name: bytes, sender: str = "") -> bool:
    """Note that somebody sent a stored xorb again; ``False`` if it is not here any more."""
    key = tx.conn.execute(_AGAIN, {"of": name, "now": tx.now}).scalar_one_or_none()
    if key is not None and sender:
        note_sender(tx, key, sender)
    return key is not None


def note_chunks(tx: Tx, found: Iterable[tuple[bytes, int, int]]) -> None:
    """Let chunks be asked about: (name, row of the xorb, place in it)."""
    rows = [{"hash": name, "xorb_id": xorb, "place": place} for name, xorb, place in found]
    if rows:
        insert = INSERT[tx.conn.dialect.name](tables.chunks)
        tx.conn.execute(insert.on_conflict_do_nothing(), rows)


def find_xorbs(tx: Tx, names: Iterable[bytes]) -> dict[bytes, Xorb]:
    """Return the stored ones of ``names``, condemned ones too."""
    wanted = sorted(set(names))
    found: dict[bytes, Xorb] = {}
    for some in _slices(wanted):
        rows = tx.conn.execute(_BY_HASHES, {"hashes": some})
        found.update((row.hash, _to_xorb(row)) for row in rows)
    return found


def get_xorbs(tx: Tx, ids: Iterable[int]) -> dict[int, Xorb]:
    """Return xorbs by their rows; they exist as long as a file needs them."""
    wanted = sorted(set(ids))
    found: dict[int, Xorb] = {}
    for some in _slices(wanted):
        found.update((row.id, _to_xorb(row)) for row in tx.conn.execute(_BY_IDS, {"ids": some}))
    invariant(len(found) == len(wanted), "a file's xorbs are stored")
    return found


def hold_xorbs(tx: Tx, ids: Collection[int]) -> None:
    """Keep xorbs from being deleted until this transaction ends, and revive condemned ones.

    Raises:
        XorbMissing: If one is gone meanwhile.
    """
    wanted = sorted(ids)
    for some in _slices(wanted):
        rows = tx.conn.execute(_LOCK, {"ids": some}).all()
        if len(rows) < len(some):
            raise XorbMissing
        condemned = [row.id for row in rows if row.state != "live"]
        if condemned:
            tx.conn.execute(_REVIVE, {"ids": condemned})


def find_chunk(tx: Tx, chunk: bytes, *, limit: int) -> list[tuple[int, int]]:
    """Return who holds a chunk clients ask about: row of the xorb and place, newest first."""
    rows = tx.conn.execute(HOLDERS, {"chunk": chunk, "n": limit})
    return [(row.xorb_id, row.place) for row in rows]


def list_objects(tx: Tx, *, after: int = 0, limit: int = 1000) -> list[Xorb]:
    """Return xorbs in the order of their rows, which must lie in the store."""
    rows = tx.conn.execute(LIST, {"after": after, "n": limit})
    return [_to_xorb(row) for row in rows]


def _to_xorb(row: sa.Row[Any]) -> Xorb:
    return Xorb(row.id, row.hash, row.tag, row.packed, row.raw, row.chunks)


def _slices(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + SLICE] for start in range(0, len(values), SLICE)]


_T: Final = tables.xorbs
_C: Final = tables.chunks
_ALL: Final = sa.select(_T)
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_BY_HASHES: Final = _ALL.where(_T.c.hash.in_(sa.bindparam("hashes", expanding=True)))
_BY_IDS: Final = _ALL.where(_T.c.id.in_(_IDS))
_LOCK: Final = (
    sa.select(_T.c.id, _T.c.state)
    .where(_T.c.id.in_(_IDS))
    .order_by(_T.c.id)
    .with_for_update(read=True)
)
_REVIVE: Final = sa.update(_T).where(_T.c.id.in_(_IDS)).values(state="live")
_AGAIN: Final = (
    sa.update(_T)
    .where(_T.c.hash == sa.bindparam("of"))
    .values(state="live", uploaded_at=sa.bindparam("now"))
    .returning(_T.c.id)
)
HOLDERS: Final = (
    sa.select(_C.c.xorb_id, _C.c.place)
    .where(_C.c.hash == sa.bindparam("chunk"))
    .order_by(_C.c.xorb_id.desc())
    .limit(sa.bindparam("n"))
)
LIST: Final = _ALL.where(_T.c.id > sa.bindparam("after")).order_by(_T.c.id).limit(sa.bindparam("n"))
