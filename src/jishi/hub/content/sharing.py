"""Which Xet files may be spoken of to whom: those of the asking repository, and public ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.hub import tables as hub_tables
from jishi.hub.content import tables


def known_files(tx: Tx, repo_id: int, file_ids: Collection[int]) -> list[int]:
    """Return those of some Xet files that a repository has, or a public one shows; newest first."""
    wanted = {"repo": repo_id, "files": sorted(file_ids)}
    return list(dict.fromkeys(tx.conn.execute(_KNOWN, wanted).scalars()))


def readable_files(
    tx: Tx, repo_id: int, namespaces: Sequence[str], file_ids: Collection[int]
) -> list[int]:
    """Return those of some Xet files that somebody may read anywhere, newest first.

    Args:
        repo_id: A repository they may read, besides public ones.
        namespaces: Lower-cased, whose private repositories they see too.
    """
    wanted = {"repo": repo_id, "files": sorted(file_ids), "namespaces": list(namespaces)}
    return list(dict.fromkeys(tx.conn.execute(_READABLE, wanted).scalars()))


def list_large_files(tx: Tx, repo_id: int, *, limit: int) -> list[int]:
    """Return rows of the Xet files of a repository's large contents, newest first."""
    return list(tx.conn.execute(LARGE, {"repo": repo_id, "n": limit}).scalars())


_T: Final = tables.contents
_R: Final = hub_tables.repos
_SHOWN: Final = sa.and_(_R.c.private.is_(False), _T.c.state == "committed")
_OWN: Final = _T.c.repo_id == sa.bindparam("repo")
_SEEN: Final = _R.c.namespace_key.in_(sa.bindparam("namespaces", expanding=True))
_HELD: Final = (
    sa.select(_T.c.xet_file_id)
    .join(_R, _R.c.id == _T.c.repo_id)
    .where(
        _T.c.xet_file_id.in_(sa.bindparam("files", expanding=True)),
        _T.c.blocked_at.is_(None),
        _R.c.deleted_at.is_(None),
    )
    .order_by(_T.c.created_at.desc())
)
_KNOWN: Final = _HELD.where(sa.or_(_OWN, _SHOWN))
_READABLE: Final = _HELD.where(sa.or_(_OWN, _SHOWN, _SEEN))
"""At most a few hundred files are asked about, so sorting what is found is no list's work."""
LARGE: Final = (
    sa.select(_T.c.xet_file_id)
    .where(_T.c.repo_id == sa.bindparam("repo"), tables.is_large_xet, _T.c.blocked_at.is_(None))
    .order_by(_T.c.created_at.desc())
    .limit(sa.bindparam("n"))
)
