"""Git LFS transfers: what a batch gets, and links that authorise themselves.

Clients send no token with the bytes, so a link is the right: sealed, bound to repository,
content, size and purpose, and good for a limited time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar, Final

import msgspec

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.signing import Keys
from jishi.hub.content import contents
from jishi.hub.content.contents import Content, ContentMismatch
from jishi.hub.content.lfs import uploads
from jishi.hub.content.lfs.uploads import UPLOAD_SECONDS, Upload, count_parts
from jishi.hub.repos import Repo, RepoKind, Right, access_repo, still_open
from jishi.people import Actor

MULTIPART_BYTES_MIN: Final = 128 << 20
"""Larger objects come in parts, from clients that can."""
OBJECT_BYTES_MAX: Final = 512 << 30
OBJECTS_MAX: Final = 1000
"""Objects of one batch."""
PARTS_MAX: Final = 32_768
"""Parts of one batch, 2 TiB together: each has a link in the answer."""
DOWNLOAD_SECONDS: Final = 3600

_SECOND: Final = 1_000_000


class BatchTooLarge(Refusal):
    """One call asks about too many objects."""

    code: ClassVar[str] = "hub.batch_too_large"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("Ask about at most {objects_max} objects at once.")


class TooManyParts(Refusal):
    """The objects of one batch are too large together."""

    code: ClassVar[str] = "hub.too_many_parts"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("These files are too large together: upload fewer at once.")


class ObjectTooLarge(Refusal):
    """No file may be as large."""

    code: ClassVar[str] = "hub.object_too_large"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("A file may not exceed {bytes_max} bytes.")


class ObjectMissing(Refusal):
    """No revision of the repository has this content."""

    code: ClassVar[str] = "hub.object_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("This repository has no object {sha256}.")


class SizeDiffers(Refusal):
    """The content is known with another size."""

    code: ClassVar[str] = "hub.size_differs"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The object {sha256} has {size} bytes, not {said}.")


class LinkInvalid(Refusal):
    """The link was not made here, or its time is over."""

    code: ClassVar[str] = "hub.link_invalid"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("This link is not valid any more. Start the transfer again.")


@unique
class Transfer(StrEnum):
    """How bytes travel, in the words of the LFS protocol."""

    BASIC = "basic"
    MULTIPART = "multipart"
    XET = "xet"


@unique
class Purpose(StrEnum):
    """What a link lets somebody do."""

    PUT = "hub.lfs-put"
    PARTS = "hub.lfs-parts"
    VERIFY = "hub.lfs-verify"
    GET = "hub.lfs-get"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object somebody asks about.

    Attributes:
        sha256: 32 bytes.
    """

    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Item:
    """What happens to one object of a batch.

    Attributes:
        refusal: Why nothing can be done; then nothing else is set.
        is_here: Whether the repository has it already: no upload.
        link: Seal for its bytes; ``None`` where they travel by Xet.
        check: Seal for asking afterwards whether they arrived.
        upload: In parts, where the transfer is ``MULTIPART``.
    """

    wanted: Wanted
    refusal: Refusal | None = None
    is_here: bool = False
    link: str | None = None
    check: str | None = None
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The answer to a batch: one transfer for all, an item for each."""

    repo: Repo
    transfer: Transfer
    items: tuple[Item, ...]


class Ticket(msgspec.Struct, frozen=True):
    """What a link says, sealed.

    Attributes:
        repo: Public id, as ``by``, the person's, and ``token``, of what they came with: no
            link outlives the revoking of a token.
        upload: Public id of the upload in parts; else empty.
        until: Microseconds UTC.
    """

    repo: str
    sha256: bytes
    size: int
    until: int
    by: str = ""
    token: str = ""
    upload: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was checked.

    Attributes:
        repo_id: Row of its repository.
    """

    repo_id: int
    ticket: Ticket


def look_up(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, wanted: Sequence[Wanted], right: Right
) -> tuple[Repo, dict[bytes, Content], int]:
    """Return the repository, what it knows of ``wanted``, and the time.

    Raises:
        BatchTooLarge: If there are more than ``OBJECTS_MAX``.
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    if len(wanted) > OBJECTS_MAX:
        raise BatchTooLarge(objects_max=OBJECTS_MAX)
    repo = access_repo(tx, actor, kind, path, right=right)
    found = contents.find_many(tx, repo.id, [item.sha256 for item in wanted])
    return repo, found, tx.now


def judge_upload(wanted: Wanted, known: Content | None) -> Item:
    """Say whether an object has to come, may not come, or is here."""
    if wanted.size > OBJECT_BYTES_MAX:
        return Item(wanted, ObjectTooLarge(bytes_max=OBJECT_BYTES_MAX))
    if known is None or known.is_blocked:
        return Item(wanted)
    if known.size != wanted.size:
        return Item(wanted, _size_differs(wanted, known))
    return Item(wanted, is_here=True)


def judge_download(wanted: Wanted, known: Content | None) -> Item:
    """Say whether an object may be fetched: only what some revision has."""
    if known is None or not known.is_committed:
        return Item(wanted, ObjectMissing(sha256=wanted.sha256.hex()))
    if known.is_blocked:
        return Item(wanted, ContentMismatch(sha256=wanted.sha256.hex()))
    if known.size != wanted.size:
        return Item(wanted, _size_differs(wanted, known))
    return Item(wanted, is_here=True)


def choose_transfer(offered: Collection[str], items: Sequence[Item]) -> Transfer:
    """Choose one transfer for a whole upload batch.

    Clients of one transfer read every object of the batch by its rules, so one large object
    puts all of them into parts.
    """
    if Transfer.XET in offered:
        return Transfer.XET
    sizes = [item.wanted.size for item in items if not item.is_here and item.refusal is None]
    if Transfer.MULTIPART in offered and max(sizes, default=0) > MULTIPART_BYTES_MIN:
        return Transfer.MULTIPART
    return Transfer.BASIC


def bound_parts(items: Sequence[Item]) -> list[Item]:
    """Refuse what would pass ``PARTS_MAX``; the client asks for it in another batch."""
    bounded = []
    left = PARTS_MAX
    for item in items:
        comes = not item.is_here and item.refusal is None
        count = count_parts(item.wanted.size, uploads.PART_BYTES) if comes else 0
        bounded.append(Item(item.wanted, TooManyParts()) if count > left else item)
        left -= count if count <= left else 0
    return bounded


def write_ticket(repo: Repo, actor: Actor, wanted: Wanted, until: int) -> Ticket:
    """Return what a link for an object says."""
    by, token = actor.public_id, actor.token
    return Ticket(repo.public_id, wanted.sha256, wanted.size, until, by, token)


def seal_link(keys: Keys, purpose: Purpose, ticket: Ticket) -> str:
    """Return a link's seal."""
    return keys.seal(purpose, ticket)


def upload_ends(now: int) -> int:
    """Return until when a link for bytes on the way in is good."""
    return now + UPLOAD_SECONDS * _SECOND


def download_ends(now: int) -> int:
    """Return until when a link for bytes on the way out is good."""
    return now + DOWNLOAD_SECONDS * _SECOND


def open_link(tx: Tx, keys: Keys, purpose: Purpose, sealed: str) -> Link:
    """Check a link's seal and time, and that its person may still do what it is for.

    Raises:
        LinkInvalid: If one of them does not hold.
    """
    ticket = keys.unseal(purpose, sealed, Ticket)
    if ticket is None or ticket.until <= tx.now:
        raise LinkInvalid
    right = Right.READ if purpose is Purpose.GET else Right.WRITE
    repo_id = still_open(tx, ticket.repo, ticket.by, ticket.token, right=right)
    if repo_id is None:
        raise LinkInvalid
    return Link(repo_id, ticket)


def check_object(tx: Tx, keys: Keys, sealed: str, wanted: Wanted) -> None:
    """Confirm that an upload arrived.

    Raises:
        LinkInvalid: If the link is not good, or for another object.
        ObjectMissing: If the repository does not know the content.
        ContentMismatch: If it is blocked.
        SizeDiffers: If it has another size.
    """
    link = open_link(tx, keys, Purpose.VERIFY, sealed)
    if link.ticket.sha256 != wanted.sha256:
        raise LinkInvalid
    known = contents.find(tx, link.repo_id, wanted.sha256)
    if known is None:
        raise ObjectMissing(sha256=wanted.sha256.hex())
    if known.is_blocked:
        raise ContentMismatch(sha256=wanted.sha256.hex())
    if known.size != wanted.size:
        raise _size_differs(wanted, known)


def read_object(tx: Tx, keys: Keys, sealed: str) -> Content:
    """Return the content that a download link is for.

    Raises:
        LinkInvalid: If the link is not good.
        ObjectMissing: If the repository lost the content meanwhile.
        ContentMismatch: If it is blocked.
    """
    link = open_link(tx, keys, Purpose.GET, sealed)
    known = contents.find(tx, link.repo_id, link.ticket.sha256)
    if known is None or not known.is_committed:
        raise ObjectMissing(sha256=link.ticket.sha256.hex())
    if known.is_blocked:
        raise ContentMismatch(sha256=link.ticket.sha256.hex())
    return known


def _size_differs(wanted: Wanted, known: Content) -> SizeDiffers:
    return SizeDiffers(sha256=wanted.sha256.hex(), size=known.size, said=wanted.size)
