"""Shards: what a client says of files and xorbs, and what we say of chunks to ask less.

Records of 48 bytes, read as numpy views: a shard of 64 MiB holds 1.4 million of them.  Every
count is compared with the bytes that are left before anything is made of it.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.xet.formats.hashes import HASH_BYTES, keyed_hash, turn_digest
from jishi.xet.formats.xorbs import XorbIndex

SHARD_BYTES_MAX: Final = 128 << 20
FILES_MAX: Final = 20_000
"""Files of one shard; clients send a few hundred."""

RECORD_BYTES: Final = 48
TAG: Final = b"HFRepoMetaData\x00" + bytes.fromhex("55696745 6a7b8157 83a5bdd9 5ccdd14a a9")
VERSION: Final = 2
FOOTER_BYTES: Final = 200
BOOKEND: Final = b"\xff" * HASH_BYTES + bytes(16)

HAS_PROOFS: Final = 1 << 31
HAS_DIGEST: Final = 1 << 30

TERM: Final = np.dtype(
    [
        ("xorb", "u1", (HASH_BYTES,)),
        ("flags", "<u4"),
        ("raw", "<u4"),
        ("first", "<u4"),
        ("end", "<u4"),
    ]
)
_PROOF: Final = np.dtype([("hash", "u1", (HASH_BYTES,)), ("zero", "u1", (16,))])
_CHUNK: Final = np.dtype(
    [
        ("hash", "u1", (HASH_BYTES,)),
        ("raw_at", "<u4"),
        ("raw", "<u4"),
        ("flags", "<u4"),
        ("zero", "<u4"),
    ]
)
_HEADER: Final = struct.Struct("<32sQQ")
_FILE: Final = struct.Struct("<32sIIQ")
_XORB: Final = struct.Struct("<32sIIII")


class BadShard(Refusal):
    """The bytes are no shard, or what it says does not hold."""

    code: ClassVar[str] = "xet.bad_shard"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This is not a valid shard: {problem}.")


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A file as a client says it is made of chunks.

    Attributes:
        terms: Of dtype ``TERM``.
        proofs: Range hash of each term, shape (n, 32).
        sha256: 32 bytes, if the client says.
    """

    hash: bytes
    terms: NDArray[np.void]
    proofs: NDArray[np.uint8]
    sha256: bytes | None

    def names(self, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Return the xorb that each term names, or each of some terms."""
        names = np.ascontiguousarray(self.terms["xorb"][start:stop]).tobytes()
        return [names[at : at + HASH_BYTES] for at in range(0, len(names), HASH_BYTES)]

    def xorb_names(self) -> set[bytes]:
        """Return the xorbs that the terms name."""
        return set(self.names())


@dataclass(slots=True)
class _Reader:
    data: memoryview
    at: int = 0

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        start = self._advance(layout.size)
        return layout.unpack_from(self.data, start)

    def view(self, dtype: np.dtype[np.void], count: int) -> NDArray[np.void]:
        start = self._advance(count * RECORD_BYTES)
        return np.frombuffer(self.data, dtype, count, start)

    def is_bookend(self) -> bool:
        """Whether a bookend is next; passes it if so."""
        end = self.at + RECORD_BYTES
        found = self.data[self.at : end] == BOOKEND
        if found:
            self.at = end
        return found

    def _advance(self, count: int) -> int:
        start = self.at
        if count > len(self.data) - start:
            raise BadShard(problem="it is cut short")
        self.at = start + count
        return start


def read_shard(data: bytes | memoryview) -> list[ShardFile]:
    """Read the files of an uploaded shard.

    Its list of new xorbs is only walked: we know better what is in our xorbs.  Bytes behind
    the second bookend (tables and footers of old clients) are ignored.

    Raises:
        BadShard: If it breaks the format.
    """
    reader = _Reader(memoryview(data))
    tag, version, _ = reader.unpack(_HEADER)
    if tag != TAG or version != VERSION:
        raise BadShard(problem="unknown header")
    files: list[ShardFile] = []
    while not reader.is_bookend():
        if len(files) == FILES_MAX:
            raise BadShard(problem="too many files")
        files.append(_read_file(reader))
    while not reader.is_bookend():
        _, _, count, _, _ = reader.unpack(_XORB)
        reader.view(_CHUNK, count)
    return files


def _read_file(reader: _Reader) -> ShardFile:
    name, flags, count, _ = reader.unpack(_FILE)
    if not flags & HAS_PROOFS:
        raise BadShard(problem="a file without verification")
    if not count:
        raise BadShard(problem="a file without chunks")
    terms = reader.view(TERM, count)
    proofs = reader.view(_PROOF, count)["hash"]
    sha256 = None
    if flags & HAS_DIGEST:
        sha256 = turn_digest(reader.view(_PROOF, 1)["hash"].tobytes())
    return ShardFile(name, terms, proofs, sha256)


def keyed_block(index: XorbIndex, key: bytes) -> bytes:
    """Return what a reply says of one xorb: its chunks, their names hidden by ``key``."""
    hashes = b"".join(keyed_hash(key, chunk.tobytes()) for chunk in index.hashes)
    keyed = np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)
    head = _XORB.pack(index.name, 0, index.count, index.raw, index.packed)
    return head + _chunk_records(index, keyed).tobytes()


def hide_chunks(block: bytes, shown: Iterable[tuple[int, int]]) -> bytes:
    """Return the block of a xorb with nothing said of chunks outside of runs.

    Those before and between keep their places, because clients count them; no chunk has the
    name they get, and their bytes count nowhere.  Those behind are left out.

    Args:
        shown: First and end (exclusive) of each run, in order.
    """
    shown = list(shown)
    count = shown[-1][1]
    records = np.frombuffer(block, _CHUNK, count, _XORB.size).copy()
    hidden = np.ones(len(records), np.bool_)
    for start, end in shown:
        hidden[start:end] = False
    records[hidden] = np.zeros((), _CHUNK)
    names = np.frombuffer(secrets.token_bytes(int(hidden.sum()) * HASH_BYTES), np.uint8)
    records["hash"][hidden] = names.reshape(-1, HASH_BYTES)
    ends = np.cumsum(records["raw"], dtype=np.uint32)
    records["raw_at"] = ends - records["raw"]
    return _XORB.pack(block[:HASH_BYTES], 0, count, int(ends[-1]), 0) + records.tobytes()


@dataclass(frozen=True, slots=True)
class ReplyTimes:
    """Seconds since 1970 UTC.

    Attributes:
        expires: Later runs of a client do not use the reply; 0: only the run that asked.
    """

    created: int
    expires: int


def write_reply(blocks: Sequence[bytes], *, key: bytes, times: ReplyTimes) -> bytes:
    """Return the reply to a chunk query: blocks of xorbs and a footer with the key."""
    sizes = [_XORB.unpack_from(block)[-2:] for block in blocks]
    raw, packed = (sum(size[kind] for size in sizes) for kind in (0, 1))
    body = b"".join((_HEADER.pack(TAG, VERSION, FOOTER_BYTES), BOOKEND, *blocks, BOOKEND))
    at = len(body)
    footer = struct.pack(
        "<9Q32sQQ48xQQQQ",
        1,
        RECORD_BYTES,
        2 * RECORD_BYTES,
        *(at, 0) * 3,
        key,
        times.created,
        times.expires,
        packed,
        0,
        raw,
        at,
    )
    return body + footer


def _chunk_records(index: XorbIndex, hashes: NDArray[np.uint8]) -> NDArray[np.void]:
    records = np.zeros(index.count, _CHUNK)
    records["hash"] = hashes
    records["raw_at"][1:] = index.raw_ends[:-1]
    records["raw"] = index.raw_sizes()
    return records
