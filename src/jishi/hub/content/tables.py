"""Schema of large contents: what a repository holds, what we hashed, what is on its way."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME, metadata

_HASH32 = sa.LargeBinary(32)

contents = sa.Table(
    "hub_content",
    metadata,
    sa.Column("repo_id", sa.BigInteger, primary_key=True),
    sa.Column("sha256", _HASH32, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("plain_key", NAME),
    sa.Column("xet_file_id", sa.BigInteger),
    sa.Column("xet_hash", _HASH32),
    sa.Column("state", NAME, nullable=False),
    sa.Column("verified_at", MICROS),
    sa.Column("blocked_at", MICROS),
    sa.Column("uploaded_by", NAME, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
    sa.CheckConstraint("state IN ('pending', 'committed')", name="state_known"),
    sa.CheckConstraint("plain_key IS NOT NULL OR xet_file_id IS NOT NULL", name="bytes_somewhere"),
    sa.CheckConstraint("(xet_file_id IS NULL) = (xet_hash IS NULL)", name="xet_whole"),
    sa.CheckConstraint("plain_key IS NULL OR verified_at IS NOT NULL", name="plain_was_hashed"),
)
"""Whoever has a row here has shown the bytes to this repository.  ``verified_at``: when we
computed the digest ourselves; ``blocked_at``: when it turned out to be another one."""
sa.Index(
    "hub_content_xet",
    contents.c.xet_file_id,
    contents.c.repo_id,
    sqlite_where=contents.c.xet_file_id.isnot(None),
    postgresql_where=contents.c.xet_file_id.isnot(None),
)
sa.Index("hub_content_sha256", contents.c.sha256)
is_large_xet = sa.and_(
    contents.c.xet_file_id.isnot(None), contents.c.size > sa.literal_column(str(16 << 20))
)
"""Files whose chunks are worth telling a client about before it asks; a literal, so that
PostgreSQL sees that the query is within its index."""
sa.Index(
    "hub_content_large",
    contents.c.repo_id,
    contents.c.created_at,
    sqlite_where=is_large_xet,
    postgresql_where=is_large_xet,
)
sa.Index(
    "hub_content_blocked",
    contents.c.blocked_at,
    sqlite_where=contents.c.blocked_at.isnot(None),
    postgresql_where=contents.c.blocked_at.isnot(None),
)

digests = sa.Table(
    "hub_content_digest",
    metadata,
    sa.Column("sha256", _HASH32, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("plain_key", NAME),
    sa.Column("xet_file_id", sa.BigInteger),
    sa.Column("xet_hash", _HASH32),
    sa.Column("computed_at", MICROS, nullable=False),
)
"""Digests we computed, and where their bytes are.  Saves storage between repositories;
proves nobody's possession."""
sa.Index(
    "hub_content_digest_plain",
    digests.c.plain_key,
    sqlite_where=digests.c.plain_key.isnot(None),
    postgresql_where=digests.c.plain_key.isnot(None),
)

uploads = sa.Table(
    "hub_upload",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("public_id", NAME, nullable=False, unique=True),
    sa.Column("repo_id", sa.BigInteger, nullable=False),
    sa.Column("sha256", _HASH32, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("part_bytes", sa.BigInteger, nullable=False),
    sa.Column("uploaded_by", NAME, nullable=False),
    sa.Column("expires_at", MICROS, nullable=False),
    sa.Column("verified_at", MICROS),
    sa.UniqueConstraint("repo_id", "sha256", "uploaded_by"),
)
"""Uploads in parts; their bytes lie in ``uploads/<public_id>`` of the data folder.
``verified_at`` is set between hashing the file and moving it into the store."""
sa.Index("hub_upload_expires", uploads.c.expires_at)

parts = sa.Table(
    "hub_upload_part",
    metadata,
    sa.Column("upload_id", sa.ForeignKey("hub_upload.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", MICROS, nullable=False),
)
"""Parts that are on disk.  Such a part is never written again."""
