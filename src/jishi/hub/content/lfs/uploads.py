"""Uploads in parts: what was promised, which parts are on disk, when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.ids import new_id
from jishi.core.sql import INSERT
from jishi.hub.content import contents, tables

PART_BYTES: Final = 64 << 20
UPLOAD_SECONDS: Final = 86_400
"""How long an upload, and any link of it, is good for."""
SWEEP_SECONDS: Final = 3600
"""How often a node sweeps."""
SWEEP_MAX: Final = 500
"""Uploads that one run of the sweeper ends."""

_SECOND: Final = 1_000_000
_NAMED_MAX: Final = 10


class UploadGone(Refusal):
    """The upload has expired, was completed, or its bytes are lost."""

    code: ClassVar[str] = "hub.upload_gone"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("This upload has ended. Start it again.")


class NoSuchPart(Refusal):
    """The upload has fewer parts."""

    code: ClassVar[str] = "hub.upload_no_part"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This upload has the parts 1 to {parts}, not {number}.")


class PartsMissing(Refusal):
    """Somebody completes what has not arrived yet."""

    code: ClassVar[str] = "hub.upload_incomplete"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The upload is not complete. Missing parts: {numbers}.")


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts.

    Attributes:
        public_id: Names its file and its links.
        part_bytes: Of every part but the last.
        is_verified: Whether the whole file was hashed and found right.
    """

    id: int
    public_id: str
    repo_id: int
    sha256: bytes
    size: int
    part_bytes: int
    uploaded_by: str
    is_verified: bool

    @property
    def parts(self) -> int:
        """How many there are; they are numbered from 1."""
        return count_parts(self.size, self.part_bytes)

    def span(self, number: int) -> tuple[int, int]:
        """Return where part ``number`` starts and ends.

        Raises:
            NoSuchPart: If there is none.
        """
        if not 1 <= number <= self.parts:
            raise NoSuchPart(parts=self.parts, number=number)
        start = (number - 1) * self.part_bytes
        return start, min(self.size, start + self.part_bytes)


def count_parts(size: int, part_bytes: int) -> int:
    """Return in how many parts ``size`` bytes come; none at all for an empty file."""
    return -(-size // part_bytes)


def open_uploads(
    tx: Tx, repo_id: int, wanted: Sequence[tuple[bytes, int]], *, uploaded_by: str
) -> tuple[list[Upload], list[str]]:
    """Promise to take these ``(sha256, size)``; whoever asks again goes on where they were.

    Returns:
        The uploads, and names of those that ended because the same content now has another
        size: their files are the caller's to remove.
    """
    opened: dict[tuple[bytes, int], Upload] = {}
    ended: list[str] = []
    for sha256, size in sorted(set(wanted)):
        opened[sha256, size], gone = _open(tx, repo_id, sha256, size, uploaded_by)
        ended += gone
    return [opened[pair] for pair in wanted], ended


def get_upload(tx: Tx, public_id: str) -> Upload:
    """Return an upload that is still open.

    Raises:
        UploadGone: If it is not.
    """
    row = tx.conn.execute(_BY_PUBLIC_ID, {"public_id": public_id}).one_or_none()
    if row is None or row.expires_at <= tx.now:
        raise UploadGone
    return _to_upload(row)


def has_part(tx: Tx, public_id: str, number: int) -> bool:
    """Whether a part of an open upload is on disk.

    Raises:
        UploadGone: If the upload is not open any more.
    """
    upload = get_upload(tx, public_id)
    return upload.is_verified or number in _numbers(tx, upload)


def note_part(tx: Tx, upload: Upload, number: int) -> None:
    """Write down that a part is on disk; from now on it may not be written again.

    Raises:
        UploadGone: If the upload has ended meanwhile.
    """
    get_upload(tx, upload.public_id)
    row = {"upload_id": upload.id, "number": number, "at": tx.now}
    insert = INSERT[tx.conn.dialect.name](tables.parts).values(row)
    tx.conn.execute(insert.on_conflict_do_nothing())


def review_upload(tx: Tx, public_id: str) -> Upload:
    """Return an upload of which every part is on disk.

    Raises:
        UploadGone: If it is not open any more.
        PartsMissing: If parts are.
    """
    upload = get_upload(tx, public_id)
    missing = sorted(set(range(1, upload.parts + 1)) - _numbers(tx, upload))
    if missing and not upload.is_verified:
        more = ", …" if len(missing) > _NAMED_MAX else ""
        raise PartsMissing(numbers=", ".join(map(str, missing[:_NAMED_MAX])) + more)
    return upload


def note_verified(tx: Tx, upload: Upload) -> None:
    """Write down that the whole file has the digest it should have."""
    verified = sa.update(_U).where(_U.c.id == upload.id).values(verified_at=tx.now)
    tx.conn.execute(verified)


def settle_upload(tx: Tx, upload: Upload) -> None:
    """Make a content of an upload whose bytes are in the store."""
    contents.register_plain(
        tx, upload.repo_id, upload.sha256, size=upload.size, uploaded_by=upload.uploaded_by
    )
    drop_upload(tx, upload.public_id)


def drop_upload(tx: Tx, public_id: str) -> None:
    """Forget an upload; its file is the caller's to remove."""
    tx.conn.execute(sa.delete(_U).where(_U.c.public_id == public_id))


def drop_expired(tx: Tx) -> list[str]:
    """Forget uploads that are over, at most ``SWEEP_MAX``, and return their names."""
    ids = list(tx.conn.execute(_EXPIRED, {"now": tx.now, "n": SWEEP_MAX}).scalars())
    tx.conn.execute(sa.delete(_U).where(_U.c.public_id.in_(ids)))
    return ids


def list_unknown(tx: Tx, names: Sequence[tuple[str, int]]) -> list[str]:
    """Return those of ``(name, changed at)`` that are old and that no upload owns."""
    old = {name for name, at in names if at < tx.now - UPLOAD_SECONDS * _SECOND}
    known = tx.conn.execute(sa.select(_U.c.public_id).where(_U.c.public_id.in_(old)))
    return sorted(old - set(known.scalars()))


def _open(
    tx: Tx, repo_id: int, sha256: bytes, size: int, uploaded_by: str
) -> tuple[Upload, list[str]]:
    """Return the upload, and the name of the one that ended for it, if there was one."""
    key = {"repo": repo_id, "sha256": sha256, "by": uploaded_by}
    row = tx.conn.execute(_BY_KEY, key).one_or_none()
    if row is not None and (row.size, row.part_bytes) == (size, PART_BYTES):
        until = tx.now + UPLOAD_SECONDS * _SECOND
        tx.conn.execute(sa.update(_U).where(_U.c.id == row.id).values(expires_at=until))
        return _to_upload(row), []
    if row is not None:  # another size: one of the two is a mistake, the newer one counts
        drop_upload(tx, row.public_id)
    values = {
        "public_id": new_id(tx.now),
        "repo_id": repo_id,
        "sha256": sha256,
        "size": size,
        "part_bytes": PART_BYTES,
        "uploaded_by": uploaded_by,
        "expires_at": tx.now + UPLOAD_SECONDS * _SECOND,
    }
    insert = INSERT[tx.conn.dialect.name](_U).values(values).on_conflict_do_nothing()
    tx.conn.execute(insert)  # two at once get the same one
    ended = [] if row is None else [row.public_id]
    return _to_upload(tx.conn.execute(_BY_KEY, key).one()), ended


def _numbers(tx: Tx, upload: Upload) -> set[int]:
    return set(tx.conn.execute(_NUMBERS, {"upload": upload.id}).scalars())


def _to_upload(row: sa.Row[Any]) -> Upload:
    return Upload(
        id=row.id,
        public_id=row.public_id,
        repo_id=row.repo_id,
        sha256=row.sha256,
        size=row.size,
        part_bytes=row.part_bytes,
        uploaded_by=row.uploaded_by,
        is_verified=row.verified_at is not None,
    )


_U: Final = tables.uploads
_BY_PUBLIC_ID: Final = sa.select(_U).where(_U.c.public_id == sa.bindparam("public_id"))
_BY_KEY: Final = (
    sa.select(_U)
    .where(
        _U.c.repo_id == sa.bindparam("repo"),
        _U.c.sha256 == sa.bindparam("sha256"),
        _U.c.uploaded_by == sa.bindparam("by"),
    )
    .with_for_update()
)
_NUMBERS: Final = sa.select(tables.parts.c.number).where(
    tables.parts.c.upload_id == sa.bindparam("upload")
)
_EXPIRED: Final = (
    sa.select(_U.c.public_id)
    .where(_U.c.expires_at <= sa.bindparam("now"))
    .order_by(_U.c.expires_at)
    .limit(sa.bindparam("n"))
)
