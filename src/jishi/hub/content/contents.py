"""Large contents: one digest, one content, known to a repository or not at all.

A repository knows a content because somebody showed it the bytes: through Xet (the shard
proves them, the digest is only claimed) or through LFS (we hash what arrives).  What we
hashed ourselves is also remembered for all repositories, to store it once; it never spares
anybody the upload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core import jobs
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal, invariant
from jishi.core.i18n import N_
from jishi.core.sql import INSERT
from jishi.hub.content import tables

VERIFY_JOB: Final = "hub.verify_content"
PACK_JOB: Final = "hub.pack_content"
JOB_CONTENTS_MAX = 32
"""Contents that one job takes: few enough to end, enough to spare a commit thousands of rows."""
DIGEST_BYTES: Final = 32

_SLICE: Final = 500


class ContentUnknown(Refusal):
    """Nobody showed this repository the bytes of this digest."""

    code: ClassVar[str] = "hub.content_unknown"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "The content {sha256} was not uploaded to this repository. Upload it again."
    )


class ContentMismatch(Refusal):
    """The stored bytes have another digest than their uploader said."""

    code: ClassVar[str] = "hub.content_mismatch"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_(
        "The bytes stored for {sha256} have another SHA-256. The file is blocked until it is "
        "uploaded again."
    )


@dataclass(frozen=True, slots=True)
class Content:
    """A large content as one repository knows it.

    Attributes:
        sha256: 32 bytes, as ``xet_hash``.
        plain_key: Object of the store that holds the very bytes.
        xet_file_id: Row of the Xet file that yields them; ``xet_hash`` is its name.
        is_committed: Whether some revision has it; until then only its uploader cares.
        is_verified: Whether we computed the digest ourselves.
        is_blocked: Whether we did and found another one.
    """

    repo_id: int
    sha256: bytes
    size: int
    plain_key: str | None
    xet_file_id: int | None
    xet_hash: bytes | None
    is_committed: bool
    is_verified: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """Bytes whose digest we computed, whoever holds them."""

    sha256: bytes
    size: int
    plain_key: str | None
    xet_file_id: int | None
    xet_hash: bytes | None


@dataclass(frozen=True, slots=True)
class XetFile:
    """What a Xet registration says.

    Attributes:
        id: Row of the file in ``xet``.
        hash: Its name, 32 raw bytes.
        size: Bytes.
    """

    id: int
    hash: bytes
    size: int


def find(tx: Tx, repo_id: int, sha256: bytes) -> Content | None:
    """Return what the repository knows of ``sha256``."""
    row = tx.conn.execute(_BY_KEY, {"repo": repo_id, "sha256": sha256}).one_or_none()
    return None if row is None else _to_content(row)


def find_many(tx: Tx, repo_id: int, digests: Iterable[bytes]) -> dict[bytes, Content]:
    """Return what the repository knows of ``digests``; the others are left out."""
    wanted = sorted(set(digests))
    found: dict[bytes, Content] = {}
    for some in _slices(wanted):
        rows = tx.conn.execute(_BY_KEYS, {"repo": repo_id, "digests": some})
        found.update((row.sha256, _to_content(row)) for row in rows)
    return found


def find_digest(tx: Tx, sha256: bytes) -> Digest | None:
    """Return where bytes lie whose digest we once computed, for storage only."""
    row = tx.conn.execute(_DIGEST, {"sha256": sha256}).one_or_none()
    return None if row is None else Digest(*row)


def holds_file(tx: Tx, repo_id: int, xet_file_id: int) -> bool:
    """Whether a Xet file may be read with a right to read the repository."""
    key = {"repo": repo_id, "file": xet_file_id}
    return tx.conn.execute(_HOLDS_FILE, key).first() is not None


def register_xet(
    tx: Tx, repo_id: int, sha256: bytes, *, file: XetFile, verified: bool, uploaded_by: str = ""
) -> None:
    """Note that somebody proved to the repository that they hold a Xet file.

    A content that is verified here stays as it is; so does a committed one, unless it is
    blocked and this is another file.

    Args:
        verified: Whether the caller has computed the digest over the file's bytes.
        uploaded_by: Public id of the person.

    Raises:
        ContentMismatch: If these very bytes are blocked under this digest.
    """
    _check(sha256)
    digest = find_digest(tx, sha256)
    verified = verified or (digest is not None and digest.xet_file_id == file.id)
    if verified:
        _note_digest(tx, sha256, file.size, {"xet_file_id": file.id, "xet_hash": file.hash})
    values = {
        "size": file.size,
        "xet_file_id": file.id,
        "xet_hash": file.hash,
        "verified_at": tx.now if verified else None,
    }
    row = _insert_or_lock(tx, repo_id, sha256, values, uploaded_by)
    if row is None or (row.verified_at is not None and row.blocked_at is None):
        return
    if row.blocked_at is not None and row.xet_file_id == file.id and not verified:
        raise ContentMismatch(sha256=sha256.hex())
    if row.state == "committed" and row.blocked_at is None and not verified:
        return
    _change(tx, repo_id, sha256, {**values, "plain_key": None, "blocked_at": None})
    if row.state == "committed" and not verified:
        _enqueue(tx, VERIFY_JOB, [sha256], repo_id=repo_id)


def register_plain(
    tx: Tx, repo_id: int, sha256: bytes, *, size: int, uploaded_by: str = ""
) -> None:
    """Note that bytes arrived for the repository whose digest we computed on the way.

    They lie in the store under ``plain_key(sha256)``, or were known before.
    """
    _check(sha256)
    digest = find_digest(tx, sha256)
    if digest is None or (digest.plain_key is None and digest.xet_file_id is None):
        _note_digest(tx, sha256, size, {"plain_key": plain_key(sha256)})
        digest = Digest(sha256, size, plain_key(sha256), None, None)
    invariant(digest.size == size, f"two sizes for {sha256.hex()}")
    values = {
        "size": size,
        "plain_key": digest.plain_key,
        "xet_file_id": digest.xet_file_id,
        "xet_hash": digest.xet_hash,
        "verified_at": tx.now,
    }
    row = _insert_or_lock(tx, repo_id, sha256, values, uploaded_by)
    if row is None or (row.verified_at is not None and row.blocked_at is None):
        return
    _change(tx, repo_id, sha256, {**values, "blocked_at": None})
    if row.state == "committed" and digest.xet_file_id is None:
        _enqueue(tx, PACK_JOB, [sha256])


def mark_committed(tx: Tx, repo_id: int, digests: Iterable[bytes]) -> None:
    """Note that a revision has these contents; unverified and plain ones get their jobs.

    Raises:
        ContentUnknown: If one was never shown to this repository.
        ContentMismatch: If one is blocked.
    """
    wanted = sorted(set(digests))
    fresh: list[sa.Row[Any]] = []
    for some in _slices(wanted):
        rows = tx.conn.execute(_LOCK, {"repo": repo_id, "digests": some}).all()
        _insist(some, rows)
        fresh += [row for row in rows if row.state == "pending"]
    for some in _slices([row.sha256 for row in fresh]):
        tx.conn.execute(_COMMIT, {"repo": repo_id, "digests": some})
    _enqueue(tx, VERIFY_JOB, [r.sha256 for r in fresh if r.verified_at is None], repo_id=repo_id)
    _enqueue(tx, PACK_JOB, [r.sha256 for r in fresh if r.xet_file_id is None and r.size])


def settle_verified(tx: Tx, content: Content, computed: bytes) -> list[int]:
    """Write down what hashing a content gave and return the repositories it changed.

    Every repository that has the same Xet file under the same digest learns it: verified if
    ``computed`` is that digest, else blocked.
    """
    rows = tx.conn.execute(
        _LOCK_FILE, {"sha256": content.sha256, "file": content.xet_file_id}
    ).all()
    open_rows = [row.repo_id for row in rows if row.verified_at is None and not row.blocked_at]
    matches = computed == content.sha256
    change = {"verified_at": tx.now} if matches else {"blocked_at": tx.now}
    for repo_id in open_rows:
        _change(tx, repo_id, content.sha256, change)
    place = {"xet_file_id": content.xet_file_id, "xet_hash": content.xet_hash}
    _note_digest(tx, computed, content.size, place)
    return open_rows


def settle_packed(tx: Tx, sha256: bytes, file: XetFile) -> None:
    """Write down that a plain content is now a Xet file too, for all who hold it."""
    _note_digest(tx, sha256, file.size, {"xet_file_id": file.id, "xet_hash": file.hash})
    tx.conn.execute(_PACKED, {"of": sha256, "file": file.id, "hash": file.hash})


def list_blocked(tx: Tx, *, limit: int) -> list[Content]:
    """Return blocked contents, oldest first."""
    return [_to_content(row) for row in tx.conn.execute(_BLOCKED, {"n": limit})]


def list_objects(tx: Tx, *, after: str = "", limit: int = 1000) -> list[tuple[str, int]]:
    """Return ``(key, bytes)`` of objects the store must have, in key order."""
    rows = tx.conn.execute(_OBJECTS, {"after": after, "n": limit})
    return [(row.plain_key, row.size) for row in rows]


def used_bytes(tx: Tx, repo_id: int) -> int:
    """Return the bytes of all contents that some revision of the repository has."""
    return int(tx.conn.execute(_USED, {"repo": repo_id}).scalar_one())


def used_bytes_each(tx: Tx, repo_ids: Sequence[int]) -> dict[int, int]:
    """Return ``used_bytes`` of many repositories; of those without contents nothing."""
    rows = tx.conn.execute(_USED_EACH, {"repos": repo_ids})
    return {row.repo_id: int(row.size) for row in rows}


def plain_key(sha256: bytes) -> str:
    """Return the key of the object that holds the very bytes of ``sha256``."""
    name = sha256.hex()
    return f"lfs/{name[:2]}/{name[2:4]}/{name}"


def _check(sha256: bytes) -> None:
    invariant(len(sha256) == DIGEST_BYTES, "a SHA-256 has 32 bytes")


def _insert_or_lock(
    tx: Tx, repo_id: int, sha256: bytes, values: Mapping[str, Any], uploaded_by: str
) -> sa.Row[Any] | None:
    """Insert a pending content; where there is one already, lock and return it."""
    row = {
        **values,
        "repo_id": repo_id,
        "sha256": sha256,
        "state": "pending",
        "uploaded_by": uploaded_by,
        "created_at": tx.now,
    }
    insert = INSERT[tx.conn.dialect.name](tables.contents).values(row).on_conflict_do_nothing()
    if tx.conn.execute(insert.returning(tables.contents.c.repo_id)).first() is not None:
        return None
    return tx.conn.execute(_LOCK, {"repo": repo_id, "digests": [sha256]}).one()


def _change(tx: Tx, repo_id: int, sha256: bytes, values: Mapping[str, Any]) -> None:
    changed = sa.update(_T).where(_T.c.repo_id == repo_id, _T.c.sha256 == sha256).values(**values)
    tx.conn.execute(changed)


def _note_digest(tx: Tx, sha256: bytes, size: int, place: Mapping[str, Any]) -> None:
    """Remember where bytes lie; the first place of each sort stays."""
    row = {"sha256": sha256, "size": size, "computed_at": tx.now, **place}
    statement = INSERT[tx.conn.dialect.name](tables.digests).values(row)
    kept = {name: sa.func.coalesce(tables.digests.c[name], row[name]) for name in place}
    tx.conn.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_=kept))


def _enqueue(tx: Tx, name: str, digests: Sequence[bytes], **more: int) -> None:
    for start in range(0, len(digests), JOB_CONTENTS_MAX):
        some = [sha256.hex() for sha256 in digests[start : start + JOB_CONTENTS_MAX]]
        jobs.enqueue(tx, name, {"sha256": some, **more})


def _insist(wanted: Sequence[bytes], rows: Sequence[sa.Row[Any]]) -> None:
    missing = set(wanted) - {row.sha256 for row in rows}
    if missing:
        raise ContentUnknown(sha256=min(missing).hex())
    for row in rows:
        if row.blocked_at is not None:
            raise ContentMismatch(sha256=row.sha256.hex())


def _slices(digests: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [digests[start : start + _SLICE] for start in range(0, len(digests), _SLICE)]


def _to_content(row: sa.Row[Any]) -> Content:
    return Content(
        repo_id=row.repo_id,
        sha256=row.sha256,
        size=row.size,
        plain_key=row.plain_key,
        xet_file_id=row.xet_file_id,
        xet_hash=row.xet_hash,
        is_committed=row.state == "committed",
        is_verified=row.verified_at is not None,
        is_blocked=row.blocked_at is not None,
    )


_T: Final = tables.contents
_D: Final = tables.digests
_ALL: Final = sa.select(_T)
_IN: Final = _T.c.sha256.in_(sa.bindparam("digests", expanding=True))
_BY_KEY: Final = _ALL.where(
    _T.c.repo_id == sa.bindparam("repo"), _T.c.sha256 == sa.bindparam("sha256")
)
_BY_KEYS: Final = _ALL.where(_T.c.repo_id == sa.bindparam("repo"), _IN)
_LOCK: Final = _BY_KEYS.order_by(_T.c.sha256).with_for_update()
_LOCK_FILE: Final = (
    _ALL.where(_T.c.sha256 == sa.bindparam("sha256"), _T.c.xet_file_id == sa.bindparam("file"))
    .order_by(_T.c.repo_id)
    .with_for_update()
)
_COMMIT: Final = (
    sa.update(_T).where(_T.c.repo_id == sa.bindparam("repo"), _IN).values(state="committed")
)
_PACKED: Final = (
    sa.update(_T)
    .where(
        _T.c.sha256 == sa.bindparam("of"),
        _T.c.xet_file_id.is_(None),
        _T.c.verified_at.isnot(None),
    )
    .values(xet_file_id=sa.bindparam("file"), xet_hash=sa.bindparam("hash"))
)
_DIGEST: Final = sa.select(
    _D.c.sha256, _D.c.size, _D.c.plain_key, _D.c.xet_file_id, _D.c.xet_hash
).where(_D.c.sha256 == sa.bindparam("sha256"))
_HOLDS_FILE: Final = sa.select(_T.c.repo_id).where(
    _T.c.xet_file_id == sa.bindparam("file"),
    _T.c.repo_id == sa.bindparam("repo"),
    _T.c.blocked_at.is_(None),
)
_BLOCKED: Final = (
    _ALL.where(_T.c.blocked_at.isnot(None)).order_by(_T.c.blocked_at).limit(sa.bindparam("n"))
)
_OBJECTS: Final = (
    sa.select(_D.c.plain_key, _D.c.size)
    .where(_D.c.plain_key > sa.bindparam("after"))
    .order_by(_D.c.plain_key)
    .limit(sa.bindparam("n"))
)
_USED_EACH: Final = (
    sa.select(_T.c.repo_id, sa.func.sum(_T.c.size).label("size"))
    .where(_T.c.repo_id.in_(sa.bindparam("repos", expanding=True)), _T.c.state == "committed")
    .group_by(_T.c.repo_id)
)
_USED: Final = sa.select(sa.func.coalesce(sa.func.sum(_T.c.size), 0)).where(
    _T.c.repo_id == sa.bindparam("repo"), _T.c.state == "committed"
)
