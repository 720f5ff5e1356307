"""What a client does with a file: chunks, xorbs, a shard.  Everything can be made wrong."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jishi.xet.formats import (
    Chunker,
    Packer,
    ShardFile,
    XorbIndex,
    XorbVerifier,
    chunk_hash,
    file_hash,
    hash_text,
    merkle_root,
    range_hash,
)
from jishi.xet.formats.hashes import turn_digest
from jishi.xet.formats.packing import HEADER_BYTES, Unpacker, read_header
from jishi.xet.formats.shards import BOOKEND, HAS_DIGEST, HAS_PROOFS, TAG, TERM
from tests.xet.inputs import stream


def noise(seed: str, count: int) -> bytes:
    """Return bytes that do not shrink and that nobody else makes."""
    return stream(seed, count)


def words(count: int, seed: int = 1) -> bytes:
    """Return ``count`` bytes of 16-bit weights, which byte grouping suits."""
    values = np.random.default_rng(seed).standard_normal(count // 2).astype(np.float32)
    return (values.view(np.uint32) >> 16).astype("<u2").tobytes()


def split(data: bytes) -> list[bytes]:
    chunker = Chunker()
    pieces, at = [], 0
    for length in chunker.feed(data) + chunker.finish():
        pieces.append(data[at : at + length])
        at += length
    return pieces


@dataclass(frozen=True)
class MadeXorb:
    """A xorb as a client sends it."""

    index: XorbIndex
    body: bytes

    @property
    def name(self) -> bytes:
        return self.index.name

    @property
    def text(self) -> str:
        return hash_text(self.index.name)


def make_xorb(chunks: Sequence[bytes]) -> MadeXorb:
    hashes = np.frombuffer(b"".join(chunk_hash(chunk) for chunk in chunks), np.uint8)
    name = merkle_root(hashes.reshape(-1, 32), np.array([len(chunk) for chunk in chunks]))
    packer = Packer()
    body = b"".join(packer.pack(chunk) for chunk in chunks)
    verifier = XorbVerifier(name, None)
    verifier.feed([body])
    return MadeXorb(verifier.finish().index, body)


def stored(*chunks: bytes) -> bytes:
    """Return a xorb as a client sends it that does not compress."""
    sizes = [struct.pack("<I", len(chunk))[:3] for chunk in chunks]
    return b"".join(
        b"\x00" + size + b"\x00" + size + chunk for size, chunk in zip(sizes, chunks, strict=True)
    )


def chunks_of(xorb: MadeXorb) -> list[bytes]:
    return unpack_chunks(xorb.body, xorb.index.count)


def unpack_chunks(packed: bytes, count: int) -> list[bytes]:
    """Return the first ``count`` chunks that lie behind each other in ``packed``."""
    chunks, at = [], 0
    for _ in range(count):
        length, scheme, raw = read_header(packed, at)
        at += HEADER_BYTES + length
        payload = memoryview(packed)[at - length : at]
        chunks.append(bytes(Unpacker().unpack(payload, scheme, raw)))
    return chunks


@dataclass(frozen=True)
class Run:
    """Chunks ``first`` to ``end`` of a xorb."""

    xorb: MadeXorb
    first: int
    end: int


def make_file(runs: Sequence[Run], sha256: bytes | None = None) -> ShardFile:
    """Describe the file that some runs of chunks give, honestly."""
    terms = np.zeros(len(runs), TERM)
    proofs, hashes, sizes, data = [], [], [], hashlib.sha256()
    for number, run in enumerate(runs):
        index = run.xorb.index
        terms[number]["xorb"] = np.frombuffer(index.name, np.uint8)
        terms[number]["raw"] = index.raw_at(run.end) - index.raw_at(run.first)
        terms[number]["first"], terms[number]["end"] = run.first, run.end
        own = index.hashes[run.first : run.end]
        proofs.append(np.frombuffer(range_hash(own.tobytes()), np.uint8))
        hashes.append(own)
        sizes.append(index.raw_sizes()[run.first : run.end])
        for chunk in chunks_of(run.xorb)[run.first : run.end]:
            data.update(chunk)
    root = merkle_root(np.concatenate(hashes), np.concatenate(sizes))
    return ShardFile(file_hash(root), terms, np.array(proofs), sha256 or data.digest())


@dataclass(frozen=True)
class Upload:
    """One file, packed into xorbs of ``per_xorb`` chunks."""

    data: bytes
    xorbs: list[MadeXorb]
    file: ShardFile

    @property
    def shard(self) -> bytes:
        return write_shard([self.file], [xorb.index for xorb in self.xorbs])

    @property
    def name(self) -> str:
        return hash_text(self.file.hash)

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()

    def claiming(self, sha256: bytes | None) -> bytes:
        """Return the shard with another digest."""
        return write_shard([replace(self.file, sha256=sha256)], [])


def make_upload(data: bytes, per_xorb: int = 8_192) -> Upload:
    chunks = split(data)
    xorbs = [
        make_xorb(chunks[start : start + per_xorb]) for start in range(0, len(chunks), per_xorb)
    ]
    file = make_file([Run(xorb, 0, xorb.index.count) for xorb in xorbs])
    return Upload(data, xorbs, file)


def write_shard(files: Iterable[ShardFile], xorbs: Iterable[XorbIndex]) -> bytes:
    """Return a shard as clients of today upload it."""
    parts = [struct.pack("<32sQQ", TAG, 2, 0)]
    for file in files:
        flags = HAS_PROOFS | (HAS_DIGEST if file.sha256 is not None else 0)
        parts.append(struct.pack("<32sIIQ", file.hash, flags, len(file.terms), 0))
        parts.append(file.terms.tobytes())
        parts += [proof.tobytes() + bytes(16) for proof in file.proofs]
        if file.sha256 is not None:
            parts.append(turn_digest(file.sha256) + bytes(16))
    parts.append(BOOKEND)
    for index in xorbs:
        parts.append(struct.pack("<32sIIII", index.name, 0, index.count, index.raw, 0))
        for place in range(index.count):
            size = int(index.raw_sizes()[place])
            head = index.hashes[place].tobytes()
            parts.append(head + struct.pack("<IIII", index.raw_at(place), size, 0, 0))
    return b"".join((*parts, BOOKEND))
