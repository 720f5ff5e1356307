"""Bytes of strangers: refused early, in bounded memory, and never with another error."""

from __future__ import annotations

import struct
import tracemalloc
from dataclasses import replace

import lz4.frame
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jishi.xet.formats import (
    XORB_RAW_MAX,
    BadHash,
    BadShard,
    BadXorb,
    XorbVerifier,
    hash_bytes,
    hash_text,
    read_shard,
)
from jishi.xet.formats.gear import GEAR
from jishi.xet.formats.merkle import Merkle, merkle_root
from jishi.xet.formats.packing import group, ungroup
from jishi.xet.formats.shards import FILES_MAX
from jishi.xet.formats.xorbs import FOOTER_MAX, XORB_CHUNKS_MAX, write_footer
from tests.xet.inputs import made, vector
from tests.xet.making import make_upload, make_xorb, noise, split, words, write_shard

XORB = make_xorb(split(words(400_000)))
SMALL = make_xorb([b"one", b"two" * 500, noise("small", 300)])
UPLOAD = make_upload(noise("u", 200_000), per_xorb=1)


def read(body: bytes, name: bytes = XORB.name, piece: int = 1 << 20):
    verifier = XorbVerifier(name, None)
    for start in range(0, len(body), piece):
        verifier.feed([body[start : start + piece]])
    return verifier.finish()


def chunk(payload: bytes, scheme: int, raw: int, version: int = 0) -> bytes:
    head = struct.pack("<I", len(payload))[:3], struct.pack("<I", raw)[:3]
    return bytes([version]) + head[0] + bytes([scheme]) + head[1] + payload


def frame(data: bytes, **options) -> bytes:
    return lz4.frame.compress(data, block_linked=False, store_size=False, **options)


@settings(deadline=None)
@given(st.lists(st.integers(1, 200_000), max_size=12))
def test_a_xorb_is_the_same_however_it_arrives(sizes: list[int]) -> None:
    verifier = XorbVerifier(XORB.name, None)
    at = 0
    for size in sizes:
        verifier.feed([XORB.body[at : at + size]])
        at += size
    verifier.feed([XORB.body[at:]])

    assert verifier.finish().index.hashes.tobytes() == XORB.index.hashes.tobytes()


def test_a_xorb_cut_anywhere_is_refused() -> None:
    for end in range(len(SMALL.body)):
        with pytest.raises(BadXorb):
            read(SMALL.body[:end], SMALL.name)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_xorb_or_refused(data: bytes) -> None:
    with pytest.raises(BadXorb):
        read(data, bytes(32))


@settings(deadline=None)
@given(st.data())
def test_any_changed_byte_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(XORB.body) - 1))
    changed = bytearray(XORB.body)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        found = read(bytes(changed))
    except BadXorb:
        return

    assert found.index.hashes.tobytes() == XORB.index.hashes.tobytes()


@pytest.mark.parametrize(
    "body",
    [
        chunk(b"abc", 0, 3, version=1),
        chunk(b"abc", 3, 3),
        chunk(b"abc", 0, 4),
        chunk(b"", 0, 0),
        chunk(b"", 1, 3),
        chunk(b"abcd", 1, 3),
        chunk(bytes(131_073), 0, 131_073),
        chunk(b"no lz4 at all", 1, 100),
        chunk(frame(bytes(1000)), 1, 999),
        chunk(frame(bytes(1000)), 1, 1001),
        chunk(frame(bytes(1000)) + b"behind", 1, 1000),
        chunk(frame(bytes(1000))[:-4], 1, 1000),
        chunk(b"\x50\x2a\x4d\x18\x00\x00\x00\x00" + frame(bytes(1000)), 1, 1000),
    ],
    ids=[
        "version",
        "scheme",
        "stored with two lengths",
        "empty",
        "packed empty",
        "packed longer than raw",
        "too long",
        "no frame",
        "frame longer",
        "frame shorter",
        "bytes behind the frame",
        "frame without end",
        "frame that some clients skip",
    ],
)
def test_impossible_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(BadXorb):
        read(body)


def test_a_frame_with_a_dictionary_is_refused() -> None:
    body = bytearray(frame(bytes(1000)))
    body[4] |= 1

    with pytest.raises(BadXorb, match="every client reads"):
        read(chunk(bytes(body), 1, 1000))


def test_a_bomb_is_stopped_at_the_length_its_header_says() -> None:
    bomb = chunk(frame(bytes(30_000_000)), 1, 131_072)
    tracemalloc.start()

    with pytest.raises(BadXorb):
        read(bomb)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(bomb) > 100_000
    assert peak < 3 * len(bomb) + 1_000_000


def test_a_xorb_holds_no_more_than_the_protocol_lets_it() -> None:
    one = chunk(b"x", 0, 1)
    with pytest.raises(BadXorb, match="too many chunks"):
        read(one * (XORB_CHUNKS_MAX + 1))

    zeros = chunk(frame(bytes(131_072)), 1, 131_072)
    with pytest.raises(BadXorb, match="too many bytes"):
        read(zeros * (XORB_RAW_MAX // 131_072 + 1))


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_footer_that_comes_along_is_dropped_unread(piece: int) -> None:
    lying = replace(SMALL.index, hashes=np.zeros_like(SMALL.index.hashes))

    found = read(SMALL.body + write_footer(lying), SMALL.name, piece)

    assert found.index.hashes.tobytes() == SMALL.index.hashes.tobytes()
    assert found.footer == write_footer(SMALL.index)


def test_a_footer_cannot_go_on_for_ever() -> None:
    with pytest.raises(BadXorb, match="no footer"):
        read(SMALL.body + b"XETBLOB" + bytes(FOOTER_MAX), SMALL.name)


def test_another_name_is_refused() -> None:
    with pytest.raises(BadXorb, match="its hash is"):
        read(XORB.body, SMALL.name)


def test_a_shard_cut_anywhere_is_refused() -> None:
    for end in range(len(UPLOAD.shard)):
        with pytest.raises(BadShard):
            read_shard(UPLOAD.shard[:end])


@settings(deadline=None)
@given(st.data())
def test_a_changed_shard_is_read_or_refused(data: st.DataObject) -> None:
    changed = bytearray(UPLOAD.shard)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    try:
        files = read_shard(bytes(changed))
    except BadShard:
        return

    assert all(len(file.terms) == len(file.proofs) for file in files)


def test_counts_are_believed_only_as_far_as_bytes_go() -> None:
    """A file that says it has four thousand million terms costs nothing."""
    header = UPLOAD.shard[:48]
    file = struct.pack("<32sIIQ", b"f" * 32, 3 << 30, 0xFFFF_FFFF, 0)
    tracemalloc.start()

    with pytest.raises(BadShard, match="cut short"):
        read_shard(header + file + bytes(4_800))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_what_old_clients_add_behind_a_shard_is_ignored() -> None:
    files = read_shard(UPLOAD.shard + noise("tables and a footer", 1_000))

    assert [file.hash for file in files] == [UPLOAD.file.hash]


def test_a_shard_has_a_known_header_verification_and_chunks() -> None:
    bare = bytearray(UPLOAD.shard)
    bare[48 + 35] &= 0x7F  # no verification
    empty = replace(UPLOAD.file, terms=UPLOAD.file.terms[:0], proofs=UPLOAD.file.proofs[:0])

    with pytest.raises(BadShard, match="unknown header"):
        read_shard(b"x" + UPLOAD.shard[1:])
    with pytest.raises(BadShard, match="without verification"):
        read_shard(bytes(bare))
    with pytest.raises(BadShard, match="without chunks"):
        read_shard(write_shard([empty], []))
    with pytest.raises(BadShard, match="too many files"):
        read_shard(write_shard([UPLOAD.file] * (FILES_MAX + 1), []))


def test_a_shard_of_old_clients_says_a_footer_that_is_not_there() -> None:
    shard = bytearray(vector("up0.shard.bin"))
    shard[40:48] = struct.pack("<Q", 200)

    (file,) = read_shard(bytes(shard))

    assert file.sha256 is not None


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 63 + "٣"])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(BadHash):
        hash_bytes(text)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_hashes_survive_being_written(raw: bytes) -> None:
    assert hash_bytes(hash_text(raw)) == raw


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_byte_grouping_is_undone(data: bytes) -> None:
    assert bytes(ungroup(group(data))) == data


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=4), st.integers(0, 2**32))
def test_a_root_does_not_depend_on_how_chunks_are_added(pieces: list[int], seed: int) -> None:
    chosen = np.random.default_rng(seed)
    hashes = chosen.integers(0, 256, (sum(pieces), 32), np.uint8)
    sizes = chosen.integers(1, 131_073, sum(pieces))
    merkle, at = Merkle(), 0
    for count in pieces:
        merkle.add(hashes[at : at + count], sizes[at : at + count])
        at += count

    assert merkle.root() == merkle_root(hashes, sizes)
    assert merkle.size == int(sizes.sum())


def cut_slowly(data: bytes) -> list[int]:
    """The algorithm as the specification tells it, byte by byte."""
    gear = [int(word) for word in GEAR]
    lengths, start = [], 0
    while start < len(data):
        end, value = min(start + 131_072, len(data)), 0
        for at in range(start + 8_127, end):
            value = (value << 1) + gear[data[at]] & 0xFFFF_FFFF_FFFF_FFFF
            if at + 1 - start >= 8_192 and not value & 0xFFFF_0000_0000_0000:
                end = at + 1
                break
        lengths.append(end - start)
        start = end
    return lengths


@pytest.mark.parametrize("seed", range(6))
def test_cuts_are_those_of_the_specification(seed: int) -> None:
    chosen = np.random.default_rng(seed)
    parts = [
        chosen.integers(0, 256, int(chosen.integers(1, 150_000)), np.uint8).tobytes(),
        bytes(int(chosen.integers(0, 300_000))),
        made("text_120000")[: int(chosen.integers(1, 120_000))],
    ]
    data = b"".join(parts)

    assert [len(piece) for piece in split(data)] == cut_slowly(data)
