"""Schema of the Git store: refs, and which packs a repository consists of."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME, metadata

_OID = sa.LargeBinary(20)

repos = sa.Table(
    "git_repo",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("refs_gen", sa.BigInteger, nullable=False),
    sa.Column("packs_gen", sa.BigInteger, nullable=False),
    sa.Column("head_ref", NAME, nullable=False),
    sa.Column("lease_until", MICROS),
)
"""``refs_gen`` and ``packs_gen`` count changes: a cache that has the numbers has the rest.
Whoever changes refs or packs changes this row first, so changes of one repository queue."""

refs = sa.Table(
    "git_ref",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("git_repo.id"), primary_key=True),
    sa.Column("name", NAME, primary_key=True),
    sa.Column("oid", _OID, nullable=False),
    sa.Column("peeled", _OID),
)
"""``peeled`` is the commit an annotated tag stands for, else null."""

packs = sa.Table(
    "git_pack",
    metadata,
    sa.Column("id", _OID, primary_key=True),
    sa.Column("sha", _OID, nullable=False),
    sa.Column("pack_bytes", sa.BigInteger, nullable=False),
    sa.Column("idx_bytes", sa.BigInteger, nullable=False),
    sa.Column("objects", sa.Integer, nullable=False),
    sa.Column("source", NAME, nullable=False),
    sa.Column("inline_pack", sa.LargeBinary),
    sa.Column("inline_idx", sa.LargeBinary),
    sa.Column("made_at", MICROS, nullable=False),
    sa.CheckConstraint("source IN ('api', 'push', 'merge', 'import')", name="source_known"),
    sa.CheckConstraint("(inline_pack IS NULL) = (inline_idx IS NULL)", name="inline_both"),
)
"""``id`` is random, not the content's hash: two repositories may make the same pack, and one
of the two may be swept.  Small packs lie inline, others in the object store."""

members = sa.Table(
    "git_repo_pack",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("git_repo.id"), primary_key=True),
    sa.Column("pack_id", sa.ForeignKey("git_pack.id"), primary_key=True),
    sa.Column("added_gen", sa.BigInteger, nullable=False),
    sa.Column("dropped_at", MICROS),
)
"""Membership, not existence, grants reading."""
sa.Index("git_repo_pack_pack", members.c.pack_id)
sa.Index(
    "git_repo_pack_dropped",
    members.c.dropped_at,
    sqlite_where=members.c.dropped_at.is_not(None),
    postgresql_where=members.c.dropped_at.is_not(None),
)

uploads = sa.Table(
    "git_upload",
    metadata,
    sa.Column("pack_id", _OID, primary_key=True),
    sa.Column("expires_at", MICROS, nullable=False, index=True),
)
"""Packs that are being put into the object store and that no transaction named yet."""
