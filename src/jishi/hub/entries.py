"""Files and folders as lists and pages see them, from the SQL picture of the head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub import tables
from jishi.hub.card import app_file_of
from jishi.hub.repos import Repo, RepoKind

FILES_MAX: Final = 100_000
"""Files and folders that one answer about a repository names."""
POINTER_BYTES_MAX = 1024
"""No Git LFS pointer is longer; so only such blobs can be one."""


class EntryMissing(Refusal):
    """The revision has no such file or folder."""

    code: ClassVar[str] = "hub.entry_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is no {path} at this revision.")


@dataclass(frozen=True, slots=True)
class LastCommit:
    """The commit that last changed an entry.

    Attributes:
        at: Microseconds UTC.
    """

    oid: str
    title: str
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a revision.

    Attributes:
        oid: Git object, 40 hex digits.
        size: Bytes of the content, not of a pointer; ``0`` for a folder.
        sha256: Of a large file's content, 64 hex digits; ``None`` for what Git itself holds.
        xet_hash: Under which a Xet client finds the content; ``None`` where it cannot.
        last: ``None`` unless asked for, or unknown.
    """

    path: str
    is_folder: bool
    oid: str
    size: int
    sha256: str | None = None
    xet_hash: str | None = None
    last: LastCommit | None = None

    @property
    def place(self) -> str:
        """Where the entry sorts: its path, with ``/`` at the end of a folder."""
        return self.path + "/" if self.is_folder else self.path

    @property
    def pointer(self) -> bytes:
        """The bytes Git holds for a large file."""
        return pointer_text(self.sha256 or "", self.size)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a listing somebody wants.

    Attributes:
        recursive: Whether what lies in folders is named too.
        after: Place of the last entry of the previous page.
    """

    recursive: bool = False
    after: str | None = None
    limit: int = 1000


def pointer_text(sha256: str, size: int) -> bytes:
    """Return the Git LFS pointer of a content (git-lfs specification, version 1)."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


def read_pointer(data: bytes) -> tuple[bytes, int] | None:
    """Return ``(sha256, size)`` if ``data`` is a Git LFS pointer, else ``None``."""
    if len(data) > POINTER_BYTES_MAX or not data.startswith(b"version https://"):
        return None
    fields = dict(line.partition(b" ")[::2] for line in data.splitlines())
    oid, size = fields.get(b"oid", b""), fields.get(b"size", b"")
    try:
        sha256 = bytes.fromhex(oid.removeprefix(b"sha256:").decode("ascii"))
        number = int(size)
    except ValueError:
        return None
    if not oid.startswith(b"sha256:") or len(sha256) != 32 or not 0 <= number < 1 << 62:  # noqa: PLR2004
        return None
    return sha256, number


def list_entries(tx: Tx, repo: Repo, folder: str, window: Window) -> list[Entry]:
    """Return entries of the head in Git's order.

    Args:
        folder: Path, empty for the root.

    Raises:
        EntryMissing: If the folder does not exist.
    """
    place = folder + "/" if folder else ""
    start = window.after or place
    values: dict[str, Any] = {"repo": repo.id, "after": start, "limit": window.limit}
    if window.recursive:
        values["end"] = folder + "0" if folder else _END  # "0" follows "/"
        rows = tx.conn.execute(_BELOW, values).all()
    else:
        rows = tx.conn.execute(_IN_FOLDER, {**values, "parent": place}).all()
    if not rows and folder and not find_entries(tx, repo, [folder]):
        raise EntryMissing(path=folder)
    return [_to_entry(row) for row in rows]


def find_entries(tx: Tx, repo: Repo, paths: Iterable[str]) -> list[Entry]:
    """Return those of ``paths`` that the head has, files and folders."""
    places = [place for path in dict.fromkeys(paths) for place in (path, path + "/")]
    found: list[Entry] = []
    for start in range(0, len(places), _SLICE):
        some = places[start : start + _SLICE]
        rows = tx.conn.execute(_AT, {"repo": repo.id, "places": some}).all()
        found += [_to_entry(row) for row in rows]
    return found


def add_last_commits(tx: Tx, repo: Repo, entries: Sequence[Entry]) -> list[Entry]:
    """Say of each entry of the head which commit changed it last."""
    lasts: dict[str, LastCommit] = {}
    places = [entry.place for entry in entries]
    for start in range(0, len(places), _SLICE):
        some = places[start : start + _SLICE]
        for row in tx.conn.execute(_LASTS, {"repo": repo.id, "places": some}):
            lasts[row.place] = LastCommit(row.oid.hex(), row.title, row.author, row.at)
    return [replace(entry, last=lasts.get(entry.place)) for entry in entries]


def list_paths(tx: Tx, repo: Repo, *, limit: int) -> tuple[str, ...]:
    """Return the paths of the first files of the head in Git's order, no folders."""
    return tuple(tx.conn.execute(_PATHS, {"repo": repo.id, "limit": limit}).scalars())


def find_apps(tx: Tx, repos: Iterable[Repo]) -> set[int]:
    """Return the rows of those Spaces whose head has the file that they run."""
    files = {repo.id: app_file_of(repo.card) for repo in repos if repo.kind is RepoKind.SPACE}
    pairs = [(repo_id, path) for repo_id, path in files.items() if path is not None]
    found: set[int] = set()
    for start in range(0, len(pairs), _SLICE):
        some = pairs[start : start + _SLICE]
        found.update(tx.conn.execute(_APPS, {"pairs": some}).scalars())
    return found


def count_files(tx: Tx, repo: Repo) -> tuple[int, int]:
    """Return how many files the head has and their bytes together."""
    row = tx.conn.execute(_TOTALS, {"repo": repo.id}).one()
    return row.n, row.size


def _to_entry(row: Sequence[Any]) -> Entry:
    place, oid, size, sha256 = row  # by position: by name costs more than the query
    is_folder = place[-1] == "/"
    path = place[:-1] if is_folder else place
    return Entry(path, is_folder, oid.hex(), size, sha256.hex() if sha256 else None)


_SLICE: Final = 400
_END: Final = "\U0010ffff"
_FILES: Final = tables.files.c
_COLUMNS: Final = sa.select(_FILES.place, _FILES.oid, _FILES.size, _FILES.sha256).where(
    _FILES.repo_id == sa.bindparam("repo")
)
_IN_FOLDER: Final = (
    _COLUMNS.where(_FILES.parent == sa.bindparam("parent"), _FILES.place > sa.bindparam("after"))
    .order_by(_FILES.place)
    .limit(sa.bindparam("limit"))
)
_BELOW: Final = (
    _COLUMNS.where(_FILES.place > sa.bindparam("after"), _FILES.place < sa.bindparam("end"))
    .order_by(_FILES.place)
    .limit(sa.bindparam("limit"))
)
_AT: Final = _COLUMNS.where(_FILES.place.in_(sa.bindparam("places", expanding=True)))
_LASTS: Final = (
    sa.select(
        _FILES.place,
        tables.commits.c.oid,
        tables.commits.c.title,
        tables.commits.c.author,
        tables.commits.c.at,
    )
    .join(
        tables.commits,
        sa.and_(
            tables.commits.c.repo_id == _FILES.repo_id,
            tables.commits.c.oid == _FILES.last_commit,
        ),
    )
    .where(
        _FILES.repo_id == sa.bindparam("repo"),
        _FILES.place.in_(sa.bindparam("places", expanding=True)),
    )
)
_PATHS: Final = (
    sa.select(_FILES.place)
    .where(_FILES.repo_id == sa.bindparam("repo"), ~_FILES.place.endswith("/"))
    .order_by(_FILES.place)
    .limit(sa.bindparam("limit"))
)
_APPS: Final = sa.select(_FILES.repo_id).where(
    sa.tuple_(_FILES.repo_id, _FILES.place).in_(sa.bindparam("pairs", expanding=True))
)
_TOTALS: Final = sa.select(
    sa.func.count().label("n"), sa.func.coalesce(sa.func.sum(_FILES.size), 0).label("size")
).where(_FILES.repo_id == sa.bindparam("repo"), ~_FILES.place.endswith("/"))
