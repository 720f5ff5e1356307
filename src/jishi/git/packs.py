"""Which packs a repository consists of: rows, and the order in which they are written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal, invariant
from jishi.core.i18n import N_
from jishi.core.jobs import enqueue
from jishi.git import tables
from jishi.git.writing import NewPack

UPLOAD_SECONDS: Final = 3600
"""How long a pack may lie in the object store before a transaction names it."""
PACKS_MAX: Final = 50
"""More packs than that are merged."""
INLINE_TOTAL_BYTES_MAX: Final = 8 << 20
"""As are more bytes of one repository's packs in SQL."""
MERGE_JOB: Final = "git.merge_packs"
MERGE_EVERY: Final = 16
"""Within so many changes of a repository one merge is asked for."""
_SECOND: Final = 1_000_000


class PackExpired(Refusal):
    """The pack was prepared so long ago that it was swept."""

    code: ClassVar[str] = "git.pack_expired"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("This took too long and was given up. Try again.")


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack of a repository.

    Attributes:
        id: 40 hex digits; names the files in the object store and in caches.
        inline: Pack and index, if they lie in SQL and were asked for.
    """

    id: str
    sha: bytes
    pack_bytes: int
    inline: tuple[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class Generations:
    """How often a repository's refs and packs have changed."""

    refs: int
    packs: int


@dataclass(frozen=True, slots=True)
class Members:
    """The packs of a repository at one moment.

    Attributes:
        packs: Oldest first.
        dropped: Ids of packs that others replaced.
    """

    found: Generations
    packs: tuple[StoredPack, ...]
    dropped: frozenset[str]


def key_of(pack_id: str, suffix: str) -> str:
    """Return the object store's key of one file of a pack."""
    return f"git/{pack_id}.{suffix}"


def list_objects(tx: Tx, *, after: str = "", limit: int = 1000) -> list[tuple[str, int]]:
    """Return ``(key, bytes)`` of objects the store must have, in key order.

    Args:
        after: The last key that was seen.
        limit: Packs at most; each has two objects.
    """
    values = {"after": bytes.fromhex(after[4:44]), "n": limit}
    return [
        (key_of(row.id.hex(), suffix), size)
        for row in tx.conn.execute(_OBJECTS, values)
        for suffix, size in (("idx", row.idx_bytes), ("pack", row.pack_bytes))
    ]


def begin_upload(tx: Tx, pack_id: str) -> None:
    """Announce a pack that is about to be put into the object store."""
    row = {"pack_id": bytes.fromhex(pack_id), "expires_at": tx.now + UPLOAD_SECONDS * _SECOND}
    tx.conn.execute(sa.insert(tables.uploads), row)


def add_pack(tx: Tx, git_id: int, pack: NewPack) -> None:
    """Make ``pack`` part of a repository; its bytes are stored by ``store_pack`` before.

    Raises:
        PackExpired: If the sweeper took the stored bytes.
    """
    pack_id = bytes.fromhex(pack.id)
    if not pack.is_inline:
        gone = tx.conn.execute(_END_UPLOAD, {"pack": pack_id, "now": tx.now}).rowcount
        if gone != 1:
            raise PackExpired
    row = {
        "id": pack_id,
        "sha": pack.sha,
        "pack_bytes": pack.pack_bytes,
        "idx_bytes": len(pack.idx),
        "objects": pack.objects,
        "source": pack.source,
        "inline_pack": pack.pack if pack.is_inline else None,
        "inline_idx": pack.idx if pack.is_inline else None,
        "made_at": tx.now,
    }
    generation = _next_generation(tx, git_id)
    tx.conn.execute(sa.insert(tables.packs), row)
    member = {"repo_id": git_id, "pack_id": pack_id, "added_gen": generation}
    tx.conn.execute(sa.insert(tables.members), member)
    _ask_for_merge(tx, git_id, generation)


def generations(tx: Tx, git_id: int) -> Generations:
    """Return how often a repository has changed; two small numbers for caches to compare."""
    row = tx.conn.execute(_GENERATIONS, {"repo": git_id}).one_or_none()
    invariant(row is not None, f"git repository {git_id} exists")
    return Generations(row.refs_gen, row.packs_gen) if row is not None else Generations(0, 0)


def packs_of(tx: Tx, git_id: int, *, local: Collection[str] | None = ()) -> Members:
    """Return what a repository consists of.

    Args:
        local: Packs whose bytes the caller has; their inline bytes stay in the database.
            ``None``: no bytes are wanted.
    """
    found = generations(tx, git_id)
    rows = tx.conn.execute(_PACKS, {"repo": git_id}).all()
    kept = [row for row in rows if row.dropped_at is None]
    wanted = []
    if local is not None:
        wanted = [row.id for row in kept if row.is_inline and row.id.hex() not in local]
    inline: dict[bytes, tuple[bytes, bytes]] = {}
    for start in range(0, len(wanted), _SLICE):
        some = wanted[start : start + _SLICE]
        for row in tx.conn.execute(_INLINE, {"ids": some}):
            inline[row.id] = (row.inline_pack, row.inline_idx)
    return Members(
        found,
        tuple(_to_pack(row, inline) for row in kept),
        frozenset(row.id.hex() for row in rows if row.dropped_at is not None),
    )


def take_lease(tx: Tx, git_id: int, *, seconds: int) -> bool:
    """Reserve a repository for whoever merges its packs; ``False`` if somebody else does."""
    values = {"repo": git_id, "now": tx.now, "until": tx.now + seconds * _SECOND}
    return tx.conn.execute(_LEASE, values).rowcount == 1


def end_lease(tx: Tx, git_id: int) -> None:
    """Give a repository back that was reserved."""
    tx.conn.execute(_END_LEASE, {"repo": git_id})


def replace_packs(tx: Tx, git_id: int, old: Collection[str], new: NewPack) -> bool:
    """Let ``new`` stand for ``old``, unless one of those is no member any more.

    Nothing is deleted here: what was dropped stays where it lies.

    Raises:
        PackExpired: As ``add_pack``.
    """
    _next_generation(tx, git_id)  # takes the row, so memberships stand still
    values = {"repo": git_id, "ids": [bytes.fromhex(pack_id) for pack_id in old]}
    if tx.conn.execute(_COUNT_SOME, values).scalar_one() != len(old):
        return False
    tx.conn.execute(_DROP, {**values, "now": tx.now})
    add_pack(tx, git_id, new)
    return True


def _ask_for_merge(tx: Tx, git_id: int, generation: int) -> None:
    """Enqueue a merge if there are too many packs, or too many bytes of them in SQL."""
    row = tx.conn.execute(_TOTALS, {"repo": git_id}).one()
    if row.packs > PACKS_MAX or row.inline_bytes > INLINE_TOTAL_BYTES_MAX:
        key = f"{MERGE_JOB} {git_id} {generation // MERGE_EVERY}"
        enqueue(tx, MERGE_JOB, {"git_id": git_id}, key=key)


def _next_generation(tx: Tx, git_id: int) -> int:
    row = tx.conn.execute(_TOUCH, {"repo": git_id}).one_or_none()
    invariant(row is not None, f"git repository {git_id} exists")
    return int(row.packs_gen) if row is not None else 0


def _to_pack(row: sa.Row[Any], inline: dict[bytes, tuple[bytes, bytes]]) -> StoredPack:
    return StoredPack(row.id.hex(), row.sha, row.pack_bytes, inline.get(row.id))


_SLICE: Final = 500
_packs: Final = tables.packs.c
_members: Final = tables.members.c
_TOUCH: Final = (
    sa.update(tables.repos)
    .where(tables.repos.c.id == sa.bindparam("repo"))
    .values(packs_gen=tables.repos.c.packs_gen + 1)
    .returning(tables.repos.c.packs_gen)
)
_GENERATIONS: Final = sa.select(tables.repos.c.refs_gen, tables.repos.c.packs_gen).where(
    tables.repos.c.id == sa.bindparam("repo")
)
_PACKS: Final = (
    sa.select(
        _packs.id,
        _packs.sha,
        _packs.pack_bytes,
        _packs.inline_idx.is_not(None).label("is_inline"),
        _members.dropped_at,
    )
    .join(tables.members, _members.pack_id == _packs.id)
    .where(_members.repo_id == sa.bindparam("repo"))
    .order_by(_members.added_gen)
)
_INLINE: Final = sa.select(_packs.id, _packs.inline_pack, _packs.inline_idx).where(
    _packs.id.in_(sa.bindparam("ids", expanding=True))
)
_END_UPLOAD: Final = sa.delete(tables.uploads).where(
    tables.uploads.c.pack_id == sa.bindparam("pack"),
    tables.uploads.c.expires_at > sa.bindparam("now"),
)
_OBJECTS: Final = (
    sa.select(tables.packs.c.id, tables.packs.c.idx_bytes, tables.packs.c.pack_bytes)
    .where(
        tables.packs.c.id > sa.bindparam("after"),
        tables.packs.c.inline_pack.is_(None),
        sa.exists().where(
            tables.members.c.pack_id == tables.packs.c.id, tables.members.c.dropped_at.is_(None)
        ),
    )
    .order_by(tables.packs.c.id)
    .limit(sa.bindparam("n"))
)
_TOTALS: Final = (
    sa.select(
        sa.func.count().label("packs"),
        sa.func.coalesce(
            sa.func.sum(
                sa.case(
                    (_packs.inline_idx.is_not(None), _packs.pack_bytes + _packs.idx_bytes), else_=0
                )
            ),
            0,
        ).label("inline_bytes"),
    )
    .join_from(tables.members, tables.packs, _members.pack_id == _packs.id)
    .where(_members.repo_id == sa.bindparam("repo"), _members.dropped_at.is_(None))
)
_LEASE: Final = (
    sa.update(tables.repos)
    .where(
        tables.repos.c.id == sa.bindparam("repo"),
        sa.or_(
            tables.repos.c.lease_until.is_(None), tables.repos.c.lease_until < sa.bindparam("now")
        ),
    )
    .values(lease_until=sa.bindparam("until"))
)
_END_LEASE: Final = (
    sa.update(tables.repos)
    .where(tables.repos.c.id == sa.bindparam("repo"))
    .values(lease_until=None)
)
_SOME: Final = sa.and_(
    _members.repo_id == sa.bindparam("repo"),
    _members.pack_id.in_(sa.bindparam("ids", expanding=True)),
    _members.dropped_at.is_(None),
)
_COUNT_SOME: Final = sa.select(sa.func.count()).select_from(tables.members).where(_SOME)
_DROP: Final = sa.update(tables.members).where(_SOME).values(dropped_at=sa.bindparam("now"))
