"""Names of chunks, xorbs and files: keyed BLAKE3, and how names are written as text.

Stored and hashed as 32 raw bytes.  As text each group of 8 bytes is reversed, then hex.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from blake3 import blake3

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

HASH_BYTES: Final = 32

CHUNK_KEY: Final = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY: Final = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
RANGE_KEY: Final = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
FILE_KEY: Final = bytes(32)

ELIGIBLE_MODULUS: Final = 1024
"""Clients ask about chunks whose last eight bytes, little-endian, it divides."""

_TEXT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

Bytes = bytes | bytearray | memoryview


class BadHash(Refusal):
    """A name is not 64 hex digits."""

    code: ClassVar[str] = "xet.bad_hash"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{name} is not a hash: 64 lower-case hex digits.")


def hash_text(raw: bytes) -> str:
    """Return a hash as addresses and JSON have it."""
    return _turned(raw).hex()


def hash_bytes(text: str) -> bytes:
    """Return the 32 bytes of a hash that was written as text.

    Raises:
        BadHash: If it is none.
    """
    if _TEXT.fullmatch(text) is None:
        raise BadHash(name=text[:80])
    return _turned(bytes.fromhex(text))


def turn_digest(stored: bytes) -> bytes:
    """Return a SHA-256 as shards store it, or the other way round."""
    return _turned(stored)


def chunk_hash(data: Bytes) -> bytes:
    """Return the name of a chunk."""
    return blake3(data, key=CHUNK_KEY).digest()


def range_hash(chunk_hashes: Bytes) -> bytes:
    """Return what proves that somebody has these chunks: a hash over their raw hashes."""
    return blake3(chunk_hashes, key=RANGE_KEY).digest()


def file_hash(root: bytes) -> bytes:
    """Return the name of the file whose chunks have this Merkle root; zeros stay zeros."""
    return blake3(root, key=FILE_KEY).digest() if any(root) else root


def keyed_hash(key: bytes, chunk: Bytes) -> bytes:
    """Return a chunk's name as only those can compare it who have the chunk."""
    return blake3(chunk, key=key).digest()


def is_eligible(chunk: bytes) -> bool:
    """Whether clients ask for this chunk wherever it stands in a file."""
    return int.from_bytes(chunk[24:26], "little") % ELIGIBLE_MODULUS == 0


def _turned(raw: bytes) -> bytes:
    return b"".join(raw[start : start + 8][::-1] for start in range(0, HASH_BYTES, 8))
