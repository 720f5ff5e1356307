"""Write a pack and its index: the form in which objects enter the store.

libgit2's pack builder wants every object in an object database first, which means a file
per object or a back end in Python; writing the two formats (gitformat-pack(5), version 2
of both) directly costs one SHA-1 and one deflate per object and nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jishi.storage import Spool, SpoolFile

INLINE_BYTES_MAX: Final = 64 << 10
"""Pack and index together that lie in the SQL row."""
MEMORY_BYTES_MAX: Final = 32 << 20
"""A larger pack is built in a temporary file."""
STORED_BYTES_MAX: Final = 600
"""Smaller objects are not deflated: setting up zlib costs more than it saves."""
MANY_OBJECTS: Final = 256
"""In a pack that has more, ``STORED_BYTES_MAX_OF_MANY`` counts: deflating 10 000 files of a
kilobyte takes longer than all the rest of their commit together."""
STORED_BYTES_MAX_OF_MANY: Final = 4096
LEVEL: Final = 1
"""Deflate effort; merging packs later makes deltas, which save far more."""
COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KINDS: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}

_HEADER_BYTES = 12
_READ_BYTES = 1 << 20
_SIZE_LOW_BITS, _SIZE_BITS = 4, 7
_OFFSET_MAX = 0x7FFF_FFFF
_STORED = b"\x78\x01\x01"
"""A zlib header and the mark of a last, stored block (RFC 1950, RFC 1951)."""


@dataclass(frozen=True, slots=True)
class NewPack:
    """A pack that is written and that no repository has yet.

    Attributes:
        id: Random, 40 hex digits.
        sha: The pack's own trailer, 20 bytes.
        pack: The bytes, or the temporary file that holds them.
        source: Who made it: ``api``, ``push``, ``merge`` or ``import``.
    """

    id: str
    sha: bytes
    pack: bytes | SpoolFile | Path
    pack_bytes: int
    idx: bytes
    objects: int
    source: str = "api"

    @property
    def is_inline(self) -> bool:
        """Whether it lies in its SQL row rather than in the object store."""
        return isinstance(self.pack, bytes) and self.pack_bytes + len(self.idx) <= INLINE_BYTES_MAX


class PackWriter:
    """Collects objects, each once, and makes a pack of them.

    Args:
        spool: Where a pack above ``MEMORY_BYTES_MAX`` goes; without it, memory.
    """

    def __init__(self, spool: Spool | None = None) -> None:
        self._spool = spool
        self._file: SpoolFile | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._end = _HEADER_BYTES
        self._places: dict[bytes, tuple[int, int]] = {}

    def add(self, kind: int, data: bytes, *, known: bytes | None = None) -> bytes:
        """Take an object and return its id, 20 bytes.

        Args:
            known: An object the repository has; if it is this one, it is not written.

        Raises:
            DiskFull: If there is no room for a pack this large.
        """
        oid = object_id(kind, data)
        if oid != known and oid not in self._places:
            self._append(oid, kind, data)
        return oid

    def finish(self, *, source: str = "api") -> NewPack:
        """Return the pack; the writer is used up.

        Raises:
            DiskFull: If there is no room.
        """
        header = b"PACK" + struct.pack(">II", 2, len(self._places))
        if self._file is None:
            body = b"".join([header, *self._pieces])
            sha = _sha1(body)
            pack: bytes | SpoolFile = body + sha
        else:
            pack, sha = self._file, self._seal(self._file, header)
        idx = index_of(self._places, sha)
        pack_id = secrets.token_hex(20)
        return NewPack(pack_id, sha, pack, self._end + len(sha), idx, len(self._places), source)

    def close(self) -> None:
        """Remove the temporary file of a pack that is not wanted."""
        if self._file is not None:
            self._file.close()

    def _append(self, oid: bytes, kind: int, data: bytes) -> None:
        many = len(self._places) >= MANY_OBJECTS
        stored_max = STORED_BYTES_MAX_OF_MANY if many else STORED_BYTES_MAX
        entry = _entry_header(kind, len(data)) + _deflate(data, stored_max)
        self._places[oid] = (self._end, zlib.crc32(entry))
        self._end += len(entry)
        self._pieces.append(entry)
        self._held += len(entry)
        if self._spool is not None and self._held > MEMORY_BYTES_MAX:
            self._flush(self._spool)

    def _flush(self, spool: Spool) -> None:
        if self._file is None:
            self._file = spool.new()
            self._file.write(bytes(_HEADER_BYTES))
        self._file.write(b"".join(self._pieces))
        self._pieces, self._held = [], 0

    def _seal(self, spooled: SpoolFile, header: bytes) -> bytes:
        spooled.write(b"".join(self._pieces))
        file = spooled.file
        file.seek(0)
        file.write(header)
        file.seek(0)
        digest = hashlib.sha1(usedforsecurity=False)
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
        spooled.write(digest.digest())
        return digest.digest()


def object_id(kind: int, data: bytes) -> bytes:
    """Return the id Git gives to an object, 20 bytes."""
    digest = hashlib.sha1(b"%b %d\0" % (KINDS[kind], len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.digest()


def index_of(places: dict[bytes, tuple[int, int]], pack_sha: bytes) -> bytes:
    """Return an index, version 2.

    Args:
        places: Object -> offset in the pack and CRC-32 of its entry.
    """
    oids = sorted(places)
    counts = [0] * 256
    for oid in oids:
        counts[oid[0]] += 1
    fan_out, total = [], 0
    for count in counts:
        total += count
        fan_out.append(total)
    short: list[int] = []
    long: list[int] = []
    for oid in oids:
        offset = places[oid][0]
        if offset > _OFFSET_MAX:
            short.append(1 << 31 | len(long))
            long.append(offset)
        else:
            short.append(offset)
    crcs = [places[oid][1] for oid in oids]
    n = len(oids)
    body = b"".join(
        (
            b"\xfftOc" + struct.pack(">I256I", 2, *fan_out),
            *oids,
            struct.pack(f">{n}I{n}I{len(long)}Q", *crcs, *short, *long),
            pack_sha,
        )
    )
    return body + _sha1(body)


def _entry_header(kind: int, size: int) -> bytes:
    byte = kind << 4 | size & 0xF
    size >>= _SIZE_LOW_BITS
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte = size & 0x7F
        size >>= _SIZE_BITS
    header.append(byte)
    return bytes(header)


def _deflate(data: bytes, stored_max: int) -> bytes:
    size = len(data)
    if size > stored_max:
        return zlib.compress(data, LEVEL)
    lengths = struct.pack("<HH", size, size ^ 0xFFFF)
    return b"".join((_STORED, lengths, data, zlib.adler32(data).to_bytes(4, "big")))


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
