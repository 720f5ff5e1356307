"""What a pass may see: files of its repository, xorbs it may know of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from jishi import xet
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.signing import Keys
from jishi.hub import content
from jishi.hub.cas.passes import Pass, open_pass
from jishi.xet import proofs

HOLDERS_MAX: Final = 16
"""Xorbs with one chunk that are looked at."""
USERS_MAX: Final = 500
"""Files that need one xorb that are looked at, newest first."""
COVERING_FILES_MAX: Final = 64
"""Files that together may show a xorb whole; many small ones share one."""
REPLY_XORBS_MAX: Final = 512
HINT_FILES_MAX: Final = 32
PLAN_TERMS_MAX: Final = 1 << 15
"""Terms of one plan.  Clients ask for 8 GiB at most, in runs of 512 KiB on average."""


class RangeInvalid(Refusal):
    """The bytes asked for begin behind the end of the file; clients wait for this answer."""

    code: ClassVar[str] = "hub.cas_bad_range"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The file has only {size} bytes.")


class RangeTooWide(Refusal):
    """The bytes asked for lie in very many places; clients ask for a few gigabytes at most."""

    code: ClassVar[str] = "hub.cas_range_too_wide"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("These bytes lie in too many places. Ask for fewer at once.")


class ChunkUnknown(Refusal):
    """Nobody the caller may know of has the chunk; the client sends it."""

    code: ClassVar[str] = "hub.cas_chunk_unknown"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("This chunk is not known here.")


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes ``start`` to ``end`` of a file, about to be planned."""

    opened: Pass
    layout: xet.Layout
    start: int
    end: int
    now: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a reply may name of xorbs, most useful first."""

    opened: Pass
    parts: list[xet.Part]
    now: int


def open_reading(
    tx: Tx, keys: Keys, sealed: str, name: bytes, wanted: tuple[int, int | None] | None
) -> Reading:
    """Fetch a file of the pass's repository.

    The hash of a file is no right to it.

    Args:
        wanted: First byte and end (exclusive, cut to the file); nothing: all of it.

    Raises:
        PassInvalid: If the pass is not good.
        FileMissing: If the repository has no such file.
        RangeInvalid: If the range begins behind the end.
        RangeTooWide: If the answer would be too long.
    """
    opened = open_pass(tx, keys, sealed)
    file = xet.find_file(tx, name)
    if file is None or not content.holds_file(tx, opened.repo_id, file.id):
        raise xet.FileMissing
    start, end = 0, file.size
    if wanted is not None:
        start, end = wanted[0], min(file.size, file.size if wanted[1] is None else wanted[1])
        if start >= file.size or end <= start:
            raise RangeInvalid(size=file.size)
    layout = xet.load_layout(tx, file.id, start, end)
    if layout.count_terms(start, end) > PLAN_TERMS_MAX:
        raise RangeTooWide
    return Reading(opened, layout, start, end, tx.now)


def find_known(tx: Tx, keys: Keys, sealed: str, chunk: bytes) -> Known:
    """Find the newest file that has a chunk and that the pass may know of.

    Returns the xorb with the chunk, what follows it in the file, then the rest of the file;
    of each only the chunks that such files show.

    Raises:
        PassInvalid: If the pass is not good.
    """
    opened = open_pass(tx, keys, sealed)
    for xorb_id, place in xet.find_chunk(tx, chunk, limit=HOLDERS_MAX):
        users = xet.find_users(tx, xorb_id, limit=USERS_MAX)
        files = content.known_files(tx, opened.repo_id, users)
        parts = xet.list_parts(tx, files[:COVERING_FILES_MAX], first=xorb_id, limit=REPLY_XORBS_MAX)
        if any(part.xorb.id == xorb_id and part.has_chunk(place) for part in parts):
            return Known(opened, parts, tx.now)
    return Known(opened, [], tx.now)


def find_hint(tx: Tx, repo_id: int) -> list[xet.Part]:
    """Return what is in the xorbs of a repository's large files, newest first.

    A client asks rarely, and a changed header changes a file's first chunk: telling it
    about the repository's files spares it most of a new version.
    """
    files = content.list_large_files(tx, repo_id, limit=HINT_FILES_MAX)
    return xet.list_parts(tx, files, limit=REPLY_XORBS_MAX)


def has_xorb(tx: Tx, keys: Keys, sealed: str, name: bytes) -> bool:
    """Whether a xorb need not be sent: it is here, and sent before or known to the pass.

    Raises:
        PassInvalid: If the pass is not good.
        PassReadsOnly: If it is not good for writing.
    """
    opened = open_pass(tx, keys, sealed, writes=True)
    xorb = xet.find_xorbs(tx, [name]).get(name)
    if xorb is None:
        return False
    if proofs.find_sent(tx, opened.by, [xorb.id]):
        return True
    users = xet.find_users(tx, xorb.id, limit=USERS_MAX)
    files = content.known_files(tx, opened.repo_id, users)[:COVERING_FILES_MAX]
    parts = xet.list_parts(tx, files, first=xorb.id, limit=REPLY_XORBS_MAX)
    return any(part.xorb.id == xorb.id and part.is_whole for part in parts)
