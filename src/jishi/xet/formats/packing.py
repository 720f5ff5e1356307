"""One chunk in a xorb: eight bytes of header, then the bytes as they are or by LZ4.

Unpacking trusts nothing: LZ4 expands up to 255 times, so its output is bounded by what the
header says, and a payload is one frame to its last byte.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import ClassVar, Final

import lz4.frame  # type: ignore[import-untyped]
import numpy as np

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.xet.formats.chunks import CHUNK_BYTES_MAX
from jishi.xet.formats.hashes import Bytes

HEADER_BYTES: Final = 8
GROUPS: Final = 4
"""Byte grouping puts every fourth byte together: the same byte of 32-bit words."""
SAMPLE_CHUNKS: Final = 32
"""How many chunks follow the scheme that suited the first of them."""

_MAGIC: Final = b"\x04\x22\x4d\x18"
_FLAGS_VERSION: Final = 0b1100_0000
_VERSION: Final = 0b0100_0000
_HAS_DICTIONARY: Final = 0b1


class BadXorb(Refusal):
    """The bytes are not the xorb they are said to be."""

    code: ClassVar[str] = "xet.bad_xorb"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This is not a valid xorb: {problem}.")


@unique
class Scheme(IntEnum):
    """How a chunk is packed."""

    STORED = 0
    LZ4 = 1
    GROUPED_LZ4 = 2


def read_header(data: Bytes, at: int) -> tuple[int, int, int]:
    """Return packed length, scheme and raw length of the chunk whose header is at ``at``.

    Raises:
        BadXorb: If no chunk may have such a header.
    """
    first = int.from_bytes(data[at : at + HEADER_BYTES], "little")
    packed, scheme, raw = first >> 8 & 0xFFFFFF, first >> 32 & 0xFF, first >> 40
    if first & 0xFF or scheme > Scheme.GROUPED_LZ4:
        raise BadXorb(problem="unknown chunk version or compression")
    if not 0 < raw <= CHUNK_BYTES_MAX or not 0 < packed <= raw:
        raise BadXorb(problem="impossible chunk length")
    if scheme == Scheme.STORED and packed != raw:
        raise BadXorb(problem="a stored chunk has two lengths")
    return packed, scheme, raw


class Unpacker:
    """Unpacks chunks.  Used by one thread at a time."""

    def __init__(self) -> None:
        self._context = lz4.frame.create_decompression_context()

    def unpack(self, payload: memoryview, scheme: int, raw: int) -> Bytes:
        """Return the ``raw`` bytes of a chunk.

        Raises:
            BadXorb: If the payload does not give exactly them.
        """
        if scheme == Scheme.STORED:
            return payload
        plain = self._decompress(payload, raw)
        return ungroup(plain) if scheme == Scheme.GROUPED_LZ4 else plain

    def unpack_into(self, out: memoryview, payload: memoryview, scheme: int) -> None:
        """Fill ``out``, which is as long as the chunk, with its bytes.

        Raises:
            BadXorb: If the payload does not give exactly them.
        """
        if scheme == Scheme.STORED:
            out[:] = payload
            return
        plain = self._decompress(payload, len(out))
        if scheme == Scheme.GROUPED_LZ4:
            _ungroup_into(np.frombuffer(out, np.uint8), plain)
        else:
            out[:] = plain

    def _decompress(self, frame: memoryview, raw: int) -> bytes:
        flags = (
            frame[4] if frame[: len(_MAGIC)].tobytes() == _MAGIC and len(frame) > len(_MAGIC) else 0
        )
        if flags & _FLAGS_VERSION != _VERSION or flags & _HAS_DICTIONARY:
            raise BadXorb(problem="not an LZ4 frame that every client reads")
        try:
            plain, read, is_whole = lz4.frame.decompress_chunk(
                self._context, frame, max_length=raw + 1
            )
        except RuntimeError as error:
            lz4.frame.reset_decompression_context(self._context)
            raise BadXorb(problem="broken LZ4 frame") from error
        if not is_whole or read != len(frame) or len(plain) != raw:
            lz4.frame.reset_decompression_context(self._context)
            raise BadXorb(problem="the LZ4 frame has another length")
        data: bytes = plain
        return data


class Packer:
    """Packs chunks, and chooses how by looking at one in ``SAMPLE_CHUNKS``."""

    def __init__(self) -> None:
        self._count = 0
        self._scheme = Scheme.LZ4

    def pack(self, chunk: Bytes) -> bytes:
        """Return header and payload; what does not shrink is stored as it is."""
        if self._count % SAMPLE_CHUNKS == 0:
            plain, grouped = len(_compress(chunk)), len(_compress(group(chunk)))
            self._scheme = Scheme.GROUPED_LZ4 if grouped < plain else Scheme.LZ4
        self._count += 1
        payload = _compress(group(chunk) if self._scheme == Scheme.GROUPED_LZ4 else chunk)
        if len(payload) >= len(chunk):
            return _header(len(chunk), Scheme.STORED, len(chunk)) + bytes(chunk)
        return _header(len(payload), self._scheme, len(chunk)) + payload


def group(data: Bytes) -> bytes:
    """Put all bytes at places 0, 4, 8, … first, then 1, 5, 9, … and so on."""
    array = np.frombuffer(data, np.uint8)
    return b"".join(array[start::GROUPS].tobytes() for start in range(GROUPS))


def ungroup(data: bytes) -> memoryview:
    """Undo ``group``."""
    plain = np.empty(len(data), np.uint8)
    _ungroup_into(plain, data)
    return plain.data


def _ungroup_into(plain: np.ndarray[tuple[int], np.dtype[np.uint8]], data: bytes) -> None:
    grouped = np.frombuffer(data, np.uint8)
    at = 0
    for start in range(GROUPS):
        count = (len(data) - start + GROUPS - 1) // GROUPS
        plain[start::GROUPS] = grouped[at : at + count]
        at += count


def _header(packed: int, scheme: Scheme, raw: int) -> bytes:
    return (packed << 8 | scheme << 32 | raw << 40).to_bytes(HEADER_BYTES, "little")


def _compress(data: Bytes) -> bytes:
    frame: bytes = lz4.frame.compress(
        bytes(data),
        block_size=lz4.frame.BLOCKSIZE_MAX256KB,
        block_linked=False,
        store_size=False,
    )
    return frame
