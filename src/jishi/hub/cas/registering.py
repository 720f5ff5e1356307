"""Shards: what a client says it uploaded, proven and then known to its repository."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from jishi import xet
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub import content
from jishi.hub.cas.passes import Pass
from jishi.hub.node import Node
from jishi.xet import proofs
from jishi.xet.formats import ShardFile, read_shard

T = TypeVar("T")

HASHED_BYTES_MAX: Final = 64 << 20
"""Files up to this are hashed before the answer; larger ones by a job after the commit."""
SHARD_HASHED_MAX: Final = 8 << 30
"""What is hashed for one shard; the rest is left to the job."""
GROUP_BYTES: Final = 4 << 20


class DigestDiffers(Refusal):
    """The chunks give other bytes than the SHA-256 that came with them says."""

    code: ClassVar[str] = "hub.cas_digest_differs"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "The SHA-256 of an uploaded file is {computed}, not {sha256}. Nothing was registered."
    )


class DigestUnsaid(Refusal):
    """A file came without its SHA-256, by which commits name it."""

    code: ClassVar[str] = "hub.cas_digest_unsaid"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("An uploaded file came without its SHA-256.")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file whose chunks are proven and whose digest is only said so far."""

    proven: xet.ProvenFile
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A file about to be registered.

    Attributes:
        is_verified: Whether we computed the digest ourselves.
    """

    claimed: Claimed
    is_verified: bool


Steps = Generator[None, None, T]
"""Work for threads that pauses every few tens of milliseconds, so that others get theirs."""


def read_files(shard: bytes | memoryview) -> list[ShardFile]:
    """Read what a shard says of files, and see that proving it is bounded work.

    Raises:
        BadShard: If it breaks the format, or a limit.
        DigestUnsaid: If a file has no digest.
    """
    files = read_shard(shard)
    proofs.check_sizes(files)
    if any(file.sha256 is None for file in files):
        raise DigestUnsaid
    return files


def prove_all(
    node: Node, files: Sequence[ShardFile], xorbs: Mapping[bytes, xet.Xorb]
) -> Steps[list[Claimed]]:
    """Prove the chunks of some files.

    Raises:
        XorbMissing: If a xorb is not stored.
        BadShard: If something does not hold.
    """
    claimed = []
    for file in files:
        proven = yield from proofs.prove_file(node.xet.memory, file, xorbs)
        claimed.append(Claimed(proven, file.sha256 or b""))
    return claimed


def find_hashed(tx: Tx, repo_id: int, files: Iterable[Claimed]) -> set[bytes]:
    """Return the digests that we computed earlier over these very files."""
    found = set()
    for file in files:
        known = content.find(tx, repo_id, file.sha256)
        if known is not None and known.is_verified and known.xet_hash == file.proven.hash:
            found.add(file.sha256)
            continue
        digest = content.find_digest(tx, file.sha256)
        if digest is not None and digest.xet_hash == file.proven.hash:
            found.add(file.sha256)
    return found


def choose_hashed(files: Iterable[Claimed], hashed: set[bytes]) -> list[Claimed]:
    """Return the files that are to be hashed before the answer."""
    chosen = []
    left = SHARD_HASHED_MAX
    for file in files:
        size = file.proven.size
        if file.sha256 not in hashed and size <= min(HASHED_BYTES_MAX, left):
            chosen.append(file)
            left -= size
    return chosen


def hash_file(node: Node, file: Claimed, xorbs: Mapping[int, xet.Xorb]) -> Steps[None]:
    """Rebuild a file and compare its digest.

    Raises:
        DigestDiffers: If it has another one.
    """
    proven = file.proven
    layout = xet.Layout(xet.File(0, proven.hash, proven.size), proven.terms, xorbs)
    running = hashlib.sha256()
    for start in range(0, proven.size, GROUP_BYTES):
        end = min(proven.size, start + GROUP_BYTES)
        running.update(xet.read_bytes(node.xet.memory, node.store, layout, start, end))
        yield
    if running.digest() != file.sha256:
        raise DigestDiffers(computed=running.hexdigest(), sha256=file.sha256.hex())


def register(tx: Tx, opened: Pass, files: Sequence[Checked]) -> None:
    """Make files known to the pass's repository; doing it again changes nothing.

    Raises:
        XorbMissing: If a xorb is gone meanwhile.
        ContentMismatch: If these very bytes are blocked under their digest.
    """
    for file in sorted(files, key=lambda file: file.claimed.sha256):
        kept = xet.keep_file(tx, file.claimed.proven)
        content.register_xet(
            tx,
            opened.repo_id,
            file.claimed.sha256,
            file=content.XetFile(kept.id, kept.hash, kept.size),
            verified=file.is_verified,
            uploaded_by=opened.by,
        )
