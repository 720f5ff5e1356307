"""The SQL picture of the default branch: its files and folders, read by lists and pages.

Git stays the truth; these rows move in the transaction that moves the branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.sql import upsert
from jishi.hub import tables
from jishi.hub.repos import RepoKind

DELETE_MAX = 500
"""Paths per DELETE statement; SQLite takes 999 values at most in old builds."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file or folder of the new head that a commit changed.

    Attributes:
        place: Path; of a folder with ``/`` at its end.
        oid: Git object of the blob or tree, 20 bytes.
        size: Bytes of the content; ``0`` for a folder.
        sha256: Of a large file's content, else ``None``.
    """

    place: str
    oid: bytes
    size: int = 0
    sha256: bytes | None = None


def parent_of(place: str) -> str:
    """Return the place of the folder that holds ``place``; empty for the root."""
    head, slash, _ = place.removesuffix("/").rpartition("/")
    return head + slash


def move_index(
    tx: Tx, repo_id: int, commit: bytes, *, put: Sequence[Indexed], gone: Sequence[str]
) -> None:
    """Bring the rows from the parent of ``commit`` to ``commit``.

    Args:
        put: Files that changed and every folder above them that still exists.
        gone: Places that are no more; what lay below a folder is named too.
    """
    for some in _slices(gone, DELETE_MAX):
        tx.conn.execute(
            sa.delete(tables.files).where(
                tables.files.c.repo_id == repo_id, tables.files.c.place.in_(some)
            )
        )
    rows = [
        {
            "repo_id": repo_id,
            "place": item.place,
            "parent": parent_of(item.place),
            "oid": item.oid,
            "size": item.size,
            "sha256": item.sha256,
            "last_commit": commit,
        }
        for item in put
    ]
    upsert(tx.conn, tables.files, rows, update=("oid", "size", "sha256", "last_commit"))


def clear_index(tx: Tx, repo_id: int) -> None:
    """Forget all rows, before an index from scratch."""
    tx.conn.execute(sa.delete(tables.files).where(tables.files.c.repo_id == repo_id))


def attribute_all(tx: Tx, repo_id: int, commit: bytes) -> None:
    """Say of every file that ``commit`` changed it last, after a history was squashed."""
    tx.conn.execute(
        sa.update(tables.files).where(tables.files.c.repo_id == repo_id).values(last_commit=commit)
    )


def note_commit(tx: Tx, repo_id: int, *, oid: bytes, title: str, author: str, at: int) -> None:
    """Keep what lists show of a commit that rows cite."""
    row = {"repo_id": repo_id, "oid": oid, "title": title, "author": author, "at": at}
    upsert(tx.conn, tables.commits, [row], update=("title",))


def note_pointers(tx: Tx, repo_id: int, found: Iterable[tuple[bytes, bytes, int]]) -> None:
    """Keep ``(blob, sha256, size)`` of pointers, so that any revision's listing knows them."""
    rows = [
        {"repo_id": repo_id, "oid": oid, "sha256": sha256, "size": size}
        for oid, sha256, size in found
    ]
    upsert(tx.conn, tables.pointers, rows, update=("size",))


def find_pointers(tx: Tx, repo_id: int, oids: Sequence[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """Return ``blob -> (sha256, size)`` for those of ``oids`` that are pointers."""
    found: dict[bytes, tuple[bytes, int]] = {}
    for some in _slices(oids, DELETE_MAX):
        for row in tx.conn.execute(_POINTERS, {"repo": repo_id, "oids": some}):
            found[row.oid] = (row.sha256, row.size)
    return found


def set_tags(tx: Tx, repo_id: int, tags: Sequence[str]) -> None:
    """Replace the tags lists filter by."""
    tx.conn.execute(sa.delete(tables.tags).where(tables.tags.c.repo_id == repo_id))
    if tags:
        tx.conn.execute(sa.insert(tables.tags), [{"repo_id": repo_id, "tag": tag} for tag in tags])


def set_uses(tx: Tx, repo_id: int, uses: Mapping[RepoKind, Sequence[str]]) -> None:
    """Replace what lists know a Space to use."""
    tx.conn.execute(sa.delete(tables.uses).where(tables.uses.c.repo_id == repo_id))
    pairs = {(kind.value, path.lower()) for kind, paths in uses.items() for path in paths}
    rows = [{"repo_id": repo_id, "kind": kind, "path_key": key} for kind, key in sorted(pairs)]
    if rows:
        tx.conn.execute(sa.insert(tables.uses), rows)


def json_text(value: object) -> str:
    """Return ``value`` as the JSON text a column keeps."""
    return msgspec.json.encode(value).decode()


def _slices(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


_POINTERS: Final = sa.select(
    tables.pointers.c.oid, tables.pointers.c.sha256, tables.pointers.c.size
).where(
    tables.pointers.c.repo_id == sa.bindparam("repo"),
    tables.pointers.c.oid.in_(sa.bindparam("oids", expanding=True)),
)
