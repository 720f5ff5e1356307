"""Schema of the hub."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME, metadata

_HASH20 = sa.LargeBinary(20)
_HASH32 = sa.LargeBinary(32)

repos = sa.Table(
    "hub_repo",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("public_id", NAME, nullable=False, unique=True),
    sa.Column("kind", NAME, nullable=False),
    sa.Column("namespace", NAME, nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("namespace_key", NAME, nullable=False),
    sa.Column("path_key", NAME, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("git_id", sa.BigInteger, nullable=False),
    sa.Column("creator_id", sa.BigInteger, nullable=False),
    sa.Column("head", _HASH20),
    sa.Column("commits", sa.Integer, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("updated_at", MICROS, nullable=False),
    sa.Column("deleted_at", MICROS),
    sa.Column("card", sa.Text),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("config", sa.Text),
    sa.Column("downloads_30d", sa.BigInteger, nullable=False),
    sa.Column("downloads_all", sa.BigInteger, nullable=False),
    sa.Column("likes", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('model', 'dataset', 'space')", name="kind_known"),
)
"""``head`` is the commit of the default branch; ``card``, ``tags`` and ``config`` are read
from its ``README.md`` and ``config.json`` (JSON texts, never queried)."""

_live = repos.c.deleted_at.is_(None)
sa.Index(
    "hub_repo_path",
    repos.c.kind,
    repos.c.path_key,
    unique=True,
    sqlite_where=_live,
    postgresql_where=_live,
)
sa.Index("hub_repo_git", repos.c.git_id)
for _sort in ("updated_at", "created_at", "downloads_30d", "likes"):
    sa.Index(
        f"hub_repo_by_{_sort}",
        repos.c.kind,
        repos.c[_sort],
        repos.c.id,
        sqlite_where=_live,
        postgresql_where=_live,
    )
    sa.Index(
        f"hub_repo_own_by_{_sort}",
        repos.c.namespace_key,
        repos.c.kind,
        repos.c[_sort],
        repos.c.id,
        sqlite_where=_live,
        postgresql_where=_live,
    )
sa.Index(
    "hub_repo_own",
    repos.c.namespace_key,
    repos.c.updated_at,
    repos.c.id,
    sqlite_where=_live,
    postgresql_where=_live,
)

aliases = sa.Table(
    "hub_alias",
    metadata,
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("path_key", NAME, primary_key=True),
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), nullable=False, index=True),
)
"""Former names of repositories that moved."""

tags = sa.Table(
    "hub_tag",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("tag", NAME, primary_key=True),
)
sa.Index("hub_tag_by_tag", tags.c.tag, tags.c.repo_id)

uses = sa.Table(
    "hub_use",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("path_key", NAME, primary_key=True),
)
"""Which models and datasets the card of a Space names, lower-cased; none need exist."""
sa.Index("hub_use_by_path", uses.c.kind, uses.c.path_key, uses.c.repo_id)

files = sa.Table(
    "hub_file",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("place", NAME, primary_key=True),
    sa.Column("parent", NAME, nullable=False),
    sa.Column("oid", _HASH20, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", _HASH32),
    sa.Column("last_commit", _HASH20, nullable=False),
)
"""The head of the default branch, folders too.

``place`` is the path, of a folder with a ``/`` at its end: that sorts as Git sorts trees, so
pages cut from here and from packs agree.  ``parent`` is the folder's place, empty for the
root.  ``size`` and ``sha256`` of a large file are those of its content, not of the pointer
that Git holds."""
sa.Index("hub_file_parent", files.c.repo_id, files.c.parent, files.c.place)

commits = sa.Table(
    "hub_commit",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("oid", _HASH20, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("author", NAME, nullable=False),
    sa.Column("at", MICROS, nullable=False),
)
"""Commits that ``hub_file`` cites."""

pointers = sa.Table(
    "hub_lfs_pointer",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("oid", _HASH20, primary_key=True),
    sa.Column("sha256", _HASH32, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
"""Which Git blobs of any revision are pointers, and to what."""

likes = sa.Table(
    "hub_like",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("at", MICROS, nullable=False),
)
sa.Index("hub_like_repo", likes.c.repo_id, likes.c.at, likes.c.person_id)
sa.Index("hub_like_person", likes.c.person_id, likes.c.at, likes.c.repo_id)

days = sa.Table(
    "hub_repo_day",
    metadata,
    sa.Column("repo_id", sa.ForeignKey("hub_repo.id"), primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True),
    sa.Column("downloads", sa.BigInteger, nullable=False),
)
"""Downloads per UTC day, counted from 1970-01-01."""
sa.Index("hub_repo_day_day", days.c.day)
