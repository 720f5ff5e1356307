"""The protocol's own JSON.  Chunk ranges end exclusively, byte ranges inclusively."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from jishi.hub.cas import Progress, Reconstruction
from jishi.xet import hash_text


class ChunkRange(msgspec.Struct):
    """Chunks of a xorb; ``end`` is the first one that is not meant."""

    start: int
    end: int


class ByteRange(msgspec.Struct):
    """Bytes of a xorb; ``end`` is the last one."""

    start: int
    end: int


class Term(msgspec.Struct):
    """A run of chunks that gives ``unpacked_length`` bytes of the file, untrimmed."""

    hash: str
    unpacked_length: int
    range: ChunkRange


class FetchV1(msgspec.Struct):
    """A range of a xorb and where to load it, first version."""

    range: ChunkRange
    url: str
    url_range: ByteRange


class RangeV2(msgspec.Struct):
    """A range of a xorb by chunks and by bytes."""

    chunks: ChunkRange
    bytes: ByteRange


class FetchV2(msgspec.Struct):
    """Ranges of a xorb and where to load them, second version: ours has one range."""

    url: str
    ranges: list[RangeV2]


class ReconstructionV1(msgspec.Struct):
    """``GET /v1/reconstructions/{file}``."""

    offset_into_first_range: int
    terms: list[Term]
    fetch_info: dict[str, list[FetchV1]]


class ReconstructionV2(msgspec.Struct):
    """``GET /v2/reconstructions/{file}``."""

    offset_into_first_range: int
    terms: list[Term]
    xorbs: dict[str, list[FetchV2]]


class XorbStored(msgspec.Struct):
    """``POST /v1/xorbs/{prefix}/{hash}``."""

    was_inserted: bool


class ShardStored(msgspec.Struct):
    """``POST /v1/shards``."""

    result: Literal[0, 1]


class Validating(msgspec.Struct, tag_field="type", tag="validating"):
    """A line of ``POST /v2/shards``: so many files hold."""

    verified: int
    total: int


class Committing(msgspec.Struct, tag_field="type", tag="committing"):
    """A line of ``POST /v2/shards``: all hold and are being written down."""

    stage: Literal["uploading", "syncing"]


class Result(msgspec.Struct, tag_field="type", tag="result"):
    """The last line of ``POST /v2/shards`` when all went well."""


class Failure(msgspec.Struct, tag_field="type", tag="error"):
    """The last line of ``POST /v2/shards`` otherwise: the one text that people see."""

    message: str
    retryable: bool


Frame = Validating | Committing | Result | Failure

_encoder: Final = msgspec.json.Encoder()


def to_line(frame: Frame) -> bytes:
    """Return a frame as a line."""
    return _encoder.encode(frame) + b"\n"


def to_frame(progress: Progress) -> Validating | Committing:
    """Return how far a shard is, in the protocol's words."""
    if progress.is_settling:
        return Committing("syncing")
    return Validating(progress.verified, progress.total)


Link = Callable[[str], str]


def encode_v1(found: Reconstruction, link: Link) -> bytes:
    """Return a plan as the first version has it; for a thread, since it may be megabytes."""
    return _encoder.encode(to_v1(found, link))


def encode_v2(found: Reconstruction, link: Link) -> bytes:
    """Return a plan as the second version has it; for a thread, since it may be megabytes."""
    return _encoder.encode(to_v2(found, link))


def to_v1(found: Reconstruction, link: Link) -> ReconstructionV1:
    """Return a plan as the first version has it."""
    names = Names()
    fetches: dict[str, list[FetchV1]] = {}
    for fetch, seal in zip(found.plan.fetches, found.seals, strict=True):
        chunks, span = ChunkRange(fetch.first, fetch.end), ByteRange(fetch.start, fetch.stop - 1)
        entry = FetchV1(chunks, link(seal), span)
        fetches.setdefault(names[fetch.xorb.hash], []).append(entry)
    return ReconstructionV1(found.plan.offset, _terms(found, names), fetches)


def to_v2(found: Reconstruction, link: Link) -> ReconstructionV2:
    """Return a plan as the second version has it: each link for one range.

    With several ranges a client may ask for one of them or for all together, and then no
    link could say exactly which bytes it is for.
    """
    names = Names()
    fetches: dict[str, list[FetchV2]] = {}
    for fetch, seal in zip(found.plan.fetches, found.seals, strict=True):
        chunks, span = ChunkRange(fetch.first, fetch.end), ByteRange(fetch.start, fetch.stop - 1)
        entry = FetchV2(link(seal), [RangeV2(chunks, span)])
        fetches.setdefault(names[fetch.xorb.hash], []).append(entry)
    return ReconstructionV2(found.plan.offset, _terms(found, names), fetches)


class Names(dict[bytes, str]):
    """Hashes as text, each written once: a plan names few xorbs many times."""

    def __missing__(self, name: bytes) -> str:
        self[name] = hash_text(name)
        return self[name]


def _terms(found: Reconstruction, names: Names) -> list[Term]:
    return [
        Term(names[part.xorb.hash], part.raw, ChunkRange(part.first, part.end))
        for part in found.plan.parts
    ]
