"""Xorbs: up to 64 MiB of chunks behind each other, named by their Merkle root.

The index of a xorb (names, packed and raw ends of its chunks) is its footer, in the client's
own format.  Clients send none; one that comes is dropped and made again from what was read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from jishi.core.errors import invariant
from jishi.xet.formats.hashes import HASH_BYTES, Bytes, chunk_hash, hash_text
from jishi.xet.formats.merkle import merkle_root
from jishi.xet.formats.packing import HEADER_BYTES, BadXorb, Unpacker, read_header

XORB_RAW_MAX: Final = 64 << 20
XORB_CHUNKS_MAX: Final = 8_192
FOOTER_FIXED: Final = 96
FOOTER_PER_CHUNK: Final = 40
FOOTER_MAX: Final = FOOTER_FIXED + FOOTER_PER_CHUNK * XORB_CHUNKS_MAX
XORB_BYTES_MAX: Final = XORB_RAW_MAX + HEADER_BYTES * XORB_CHUNKS_MAX + FOOTER_MAX
"""The longest body of an upload: packed is never more than raw, headers, a footer."""

_IDENT: Final = b"XETBLOB"
_HASHES: Final = b"XBLBHSH\x00"
_BOUNDS: Final = b"XBLBBND\x01"
_COUNT: Final = struct.Struct("<I")
_END: Final = struct.Struct("<III16xI")

Ends = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class XorbIndex:
    """Where the chunks of a xorb lie and what they are called.

    Attributes:
        hashes: Shape (n, 32).
        packed_ends: Where each chunk ends in the xorb, header included.
        raw_ends: The same after unpacking.
    """

    name: bytes
    hashes: NDArray[np.uint8]
    packed_ends: Ends
    raw_ends: Ends

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return len(self.packed_ends)

    @property
    def packed(self) -> int:
        """Bytes of the xorb without its footer."""
        return int(self.packed_ends[-1])

    @property
    def raw(self) -> int:
        """Bytes of all chunks unpacked."""
        return int(self.raw_ends[-1])

    @property
    def memory_bytes(self) -> int:
        """What keeping it costs."""
        return footer_bytes(self.count)

    def packed_at(self, chunk: int) -> int:
        """Return where chunk ``chunk`` begins in the xorb."""
        return int(self.packed_ends[chunk - 1]) if chunk else 0

    def raw_at(self, chunk: int) -> int:
        """Return where chunk ``chunk`` begins among the unpacked bytes."""
        return int(self.raw_ends[chunk - 1]) if chunk else 0

    def packed_bounds(self) -> NDArray[np.int64]:
        """Return where each chunk begins in the xorb, and where the last one ends."""
        return np.concatenate([np.zeros(1, np.int64), self.packed_ends])

    def raw_bounds(self) -> NDArray[np.int64]:
        """Return where each chunk begins among the unpacked bytes, and where the last ends."""
        return np.concatenate([np.zeros(1, np.int64), self.raw_ends])

    def raw_sizes(self) -> NDArray[np.int64]:
        """Return the raw length of each chunk."""
        return np.diff(self.raw_ends, prepend=np.uint32(0)).astype(np.int64)


def footer_bytes(count: int) -> int:
    """Return the length of the footer of a xorb with ``count`` chunks."""
    return FOOTER_FIXED + FOOTER_PER_CHUNK * count


def write_footer(index: XorbIndex) -> bytes:
    """Return the footer that belongs behind the chunks."""
    count = _COUNT.pack(index.count)
    bounds = _BOUNDS + count + index.packed_ends.tobytes() + index.raw_ends.tobytes()
    hashes = _HASHES + count + index.hashes.tobytes()
    to_bounds = len(bounds) + _END.size - _COUNT.size  # the last field counts nowhere
    to_hashes = len(hashes) + to_bounds
    head = _IDENT + b"\x01" + index.name
    length = len(head) + to_hashes
    return head + hashes + bounds + _END.pack(index.count, to_hashes, to_bounds, length)


def read_footer(data: bytes) -> XorbIndex:
    """Read a footer of ours.  Not for strangers' bytes: those we drop unread."""
    count = (len(data) - FOOTER_FIXED) // FOOTER_PER_CHUNK
    hashes_at = len(_IDENT) + 1 + HASH_BYTES + len(_HASHES) + _COUNT.size
    ends_at = hashes_at + HASH_BYTES * count + len(_BOUNDS) + _COUNT.size
    is_whole = len(data) == footer_bytes(count) and data[:7] == _IDENT
    invariant(is_whole and count > 0, "a stored xorb ends with its footer")
    hashes = np.frombuffer(data, np.uint8, HASH_BYTES * count, hashes_at)
    return XorbIndex(
        name=data[8 : 8 + HASH_BYTES],
        hashes=hashes.reshape(count, HASH_BYTES),
        packed_ends=np.frombuffer(data, "<u4", count, ends_at),
        raw_ends=np.frombuffer(data, "<u4", count, ends_at + 4 * count),
    )


@dataclass(frozen=True, slots=True)
class Verified:
    """A xorb that was read to its end and is what its name says.

    Attributes:
        footer: Belongs behind the chunks.
        tag: First bytes of the BLAKE3 of chunks and footer: the same xorb may be packed in
            several ways, and offsets into one packing are not those into another.
    """

    index: XorbIndex
    footer: bytes
    tag: bytes


TAG_BYTES: Final = 4


class XorbVerifier:
    """Reads a xorb as it arrives, in a few megabytes of memory.  One thread at a time."""

    def __init__(self, name: bytes, write: Callable[[memoryview], None] | None) -> None:
        """Begin.

        Args:
            name: The hash it must have.
            write: Takes the chunks' bytes as they are, without footer.
        """
        self._name = name
        self._write = write
        self._tag = blake3()
        self._unpacker = Unpacker()
        self._rest = b""
        self._hashes = bytearray()
        self._packed_ends: list[int] = []
        self._raw_ends: list[int] = []
        self._footer_bytes = 0

    def feed(self, pieces: list[bytes]) -> None:
        """Take in the next bytes.

        Raises:
            BadXorb: As soon as they cannot be part of a valid xorb.
        """
        for piece in pieces:  # small enough to stay in the processor's cache
            if self._footer_bytes:
                self._drop(len(piece))
            else:
                self._feed(self._rest + piece if self._rest else piece)

    def _feed(self, data: bytes) -> None:
        view = memoryview(data)
        at = 0
        while len(data) - at >= HEADER_BYTES:
            if data[at : at + len(_IDENT)] == _IDENT:
                self._drop(len(data) - at)
                data, view = data[:at], view[:at]
                break
            packed, scheme, raw = read_header(data, at)
            end = at + HEADER_BYTES + packed
            if end > len(data):
                break
            self._take(view[at + HEADER_BYTES : end], scheme, raw)
            at = end
        self._rest = data[at:]
        self._tag.update(view[:at])
        if self._write is not None:
            self._write(view[:at])

    def finish(self) -> Verified:
        """Say that nothing follows.

        Raises:
            BadXorb: If something is missing, or the chunks have another name together.
        """
        if self._rest or not self._packed_ends:
            raise BadXorb(problem="it ends in the middle of a chunk")
        index = XorbIndex(
            name=self._name,
            hashes=np.frombuffer(bytes(self._hashes), np.uint8).reshape(-1, HASH_BYTES),
            packed_ends=np.array(self._packed_ends, "<u4"),
            raw_ends=np.array(self._raw_ends, "<u4"),
        )
        root = merkle_root(index.hashes, index.raw_sizes())
        if root != self._name:
            raise BadXorb(problem=f"its hash is {hash_text(root)}, not {hash_text(self._name)}")
        footer = write_footer(index)
        self._tag.update(footer)
        if self._write is not None:
            self._write(memoryview(footer))
        return Verified(index, footer, self._tag.digest(TAG_BYTES))

    def _take(self, payload: memoryview, scheme: int, raw: int) -> None:
        packed_before = self._packed_ends[-1] if self._packed_ends else 0
        raw_end = raw + (self._raw_ends[-1] if self._raw_ends else 0)
        if len(self._packed_ends) == XORB_CHUNKS_MAX or raw_end > XORB_RAW_MAX:
            raise BadXorb(problem="too many chunks or too many bytes")
        self._hashes += chunk_hash(self._unpacker.unpack(payload, scheme, raw))
        self._packed_ends.append(packed_before + HEADER_BYTES + len(payload))
        self._raw_ends.append(raw_end)

    def _drop(self, count: int) -> None:
        self._footer_bytes += count
        if self._footer_bytes > FOOTER_MAX:
            raise BadXorb(problem="bytes behind the chunks that are no footer")


def unpack_span(data: Bytes, out: memoryview, skip: int) -> None:
    """Fill ``out`` from chunks of a stored xorb, without their first ``skip`` raw bytes.

    Whole chunks go where they belong at once: memory of its own for each, joined afterwards,
    costs more than LZ4 does.

    Raises:
        BadXorb: If the chunks in ``data`` are broken or too few.
    """
    view = memoryview(data)
    unpacker = Unpacker()
    at, filled = 0, -skip
    while filled < len(out):
        packed, scheme, raw = read_header(view, at)
        at += HEADER_BYTES + packed
        if at > len(view):
            raise BadXorb(problem="it ends too early")
        payload = view[at - packed : at]
        stop = filled + raw
        if filled >= 0 and stop <= len(out):
            unpacker.unpack_into(out[filled:stop], payload, scheme)
        else:
            chunk = memoryview(unpacker.unpack(payload, scheme, raw))
            out[max(0, filled) : max(0, stop)] = chunk[max(0, -filled) : len(out) - filled]
        filled = stop
