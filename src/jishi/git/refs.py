"""Branches, tags and other refs: rows that move by compare-and-swap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal, invariant
from jishi.core.i18n import N_
from jishi.core.sql import INSERT
from jishi.git import tables

HEAD_REF: Final = "refs/heads/main"


class RefMoved(Refusal):
    """The ref is not where the caller believes it to be."""

    code: ClassVar[str] = "git.ref_moved"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("{ref} was changed by somebody else in the meantime.")


class RefConflict(Refusal):
    """Git cannot have ``a`` and ``a/b`` at once."""

    code: ClassVar[str] = "git.ref_conflict"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("{ref} cannot exist beside {other}.")


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a ref points.

    Attributes:
        oid: Commit or annotated tag, 40 hex digits.
        peeled: The commit an annotated tag stands for, else ``None``.
    """

    oid: str
    peeled: str | None


def create_store(tx: Tx, *, head_ref: str = HEAD_REF) -> int:
    """Make an empty repository and return its id, a mechanism's own."""
    row = {"refs_gen": 0, "packs_gen": 0, "head_ref": head_ref}
    made = tx.conn.execute(sa.insert(tables.repos).values(row).returning(tables.repos.c.id))
    return int(made.scalar_one())


def get_ref(tx: Tx, git_id: int, name: str) -> str | None:
    """Return the object ``name`` points to, ``None`` if there is no such ref."""
    found = find_ref(tx, git_id, name)
    return None if found is None else found.oid


def find_ref(tx: Tx, git_id: int, name: str) -> Ref | None:
    """Return where ``name`` points, ``None`` if there is no such ref."""
    row = tx.conn.execute(_ONE, {"repo": git_id, "ref": name}).one_or_none()
    return None if row is None else _to_ref(row.oid, row.peeled)


def list_refs(tx: Tx, git_id: int) -> dict[str, Ref]:
    """Return all refs by full name, in the byte order of names."""
    rows = tx.conn.execute(_ALL, {"repo": git_id})
    return {row.name: _to_ref(row.oid, row.peeled) for row in rows}


def find_head_ref(tx: Tx, git_id: int) -> str:
    """Return the ref that ``HEAD`` stands for."""
    return str(tx.conn.execute(_HEAD, {"repo": git_id}).scalar_one())


def move_ref(
    tx: Tx, git_id: int, name: str, *, old: str | None, new: str | None, peeled: str | None = None
) -> None:
    """Point ``name`` from ``old`` to ``new``; ``None`` means that there is no such ref.

    The objects must be in packs that this transaction, or an earlier one, added.

    Args:
        peeled: The commit, if ``new`` is an annotated tag.

    Raises:
        RefMoved: If ``name`` does not point to ``old``.
        RefConflict: If a new ref would be inside of another one, or hold another one.
    """
    found = tx.conn.execute(_TOUCH, {"repo": git_id})
    invariant(found.rowcount == 1, f"git repository {git_id} exists")
    key = {"repo": git_id, "ref": name}
    before = None if old is None else bytes.fromhex(old)
    if new is None:
        moved = tx.conn.execute(_DELETE, {**key, "old": before}).rowcount
    elif before is not None:
        values = {"new": bytes.fromhex(new), "new_peeled": _raw(peeled)}
        moved = tx.conn.execute(_UPDATE, {**key, **values, "old": before}).rowcount
    else:
        _refuse_conflict(tx, git_id, name)
        row = {"repo_id": git_id, "name": name, "oid": bytes.fromhex(new), "peeled": _raw(peeled)}
        insert = INSERT[tx.conn.dialect.name](tables.refs).values(row).on_conflict_do_nothing()
        moved = len(tx.conn.execute(insert.returning(tables.refs.c.name)).all())
    if moved != 1:
        raise RefMoved(ref=name)


def _refuse_conflict(tx: Tx, git_id: int, name: str) -> None:
    steps = name.split("/")
    above = ["/".join(steps[:n]) for n in range(2, len(steps))]
    values = {"repo": git_id, "above": above, "from": name + "/", "to": name + "0"}
    other = tx.conn.execute(_NEAR, values).scalar_one_or_none()
    if other is not None:
        raise RefConflict(ref=name, other=other)


def _raw(oid: str | None) -> bytes | None:
    return None if oid is None else bytes.fromhex(oid)


def _to_ref(oid: bytes, peeled: bytes | None) -> Ref:
    return Ref(oid.hex(), peeled.hex() if peeled else None)


_refs: Final = tables.refs.c
_OWN: Final = _refs.repo_id == sa.bindparam("repo")
_AT: Final = sa.and_(_OWN, _refs.name == sa.bindparam("ref"))
_ONE: Final = sa.select(_refs.oid, _refs.peeled).where(_AT)
_ALL: Final = (
    sa.select(_refs.name, _refs.oid, _refs.peeled).where(_OWN).order_by(_refs.repo_id, _refs.name)
)
_NEAR: Final = (
    sa.select(_refs.name)
    .where(
        _OWN,
        sa.or_(
            _refs.name.in_(sa.bindparam("above", expanding=True)),
            sa.and_(_refs.name > sa.bindparam("from"), _refs.name < sa.bindparam("to")),
        ),
    )
    .limit(1)
)
_HEAD: Final = sa.select(tables.repos.c.head_ref).where(tables.repos.c.id == sa.bindparam("repo"))
_DELETE: Final = sa.delete(tables.refs).where(_AT, _refs.oid == sa.bindparam("old"))
_UPDATE: Final = (
    sa.update(tables.refs)
    .where(_AT, _refs.oid == sa.bindparam("old"))
    .values(oid=sa.bindparam("new"), peeled=sa.bindparam("new_peeled"))
)
_TOUCH: Final = (
    sa.update(tables.repos)
    .where(tables.repos.c.id == sa.bindparam("repo"))
    .values(refs_gen=tables.repos.c.refs_gen + 1)
)
