"""Byte for byte what hf_xet 1.8.0 does; how the vectors were made: ``vectors/README.md``."""

from __future__ import annotations

import hashlib
import random
import struct

import numpy as np
import pytest

from jishi.xet.formats import (
    BadXorb,
    Chunker,
    ReplyTimes,
    XorbVerifier,
    chunk_hash,
    file_hash,
    hash_bytes,
    hash_text,
    keyed_block,
    merkle_root,
    range_hash,
    read_footer,
    read_shard,
    write_reply,
)
from jishi.xet.formats.gear import GEAR
from jishi.xet.formats.hashes import keyed_hash
from tests.xet.inputs import VECTORS, made, vector
from tests.xet.making import split, stored, write_shard

FILES = VECTORS["files"]
XORBS = [xorb for upload in VECTORS["uploads"] for xorb in upload["xorbs"]]
STRINGS = {
    "a": b"a",
    "hello world": b"hello world",
    "zeros8192": bytes(8192),
    "bytes 0..255 x4": bytes(range(256)) * 4,
}


def verified(xorb):
    verifier = XorbVerifier(hash_bytes(xorb["hash"]), None)
    verifier.feed([vector(xorb["file"])])
    return verifier.finish()


def test_hashes_are_written_and_read_as_clients_write_them() -> None:
    (pair,) = VECTORS["hash_hex"]

    assert hash_text(bytes.fromhex(pair["raw"])) == pair["api"]
    assert hash_bytes(pair["api"]).hex() == pair["raw"]


@pytest.mark.parametrize("case", VECTORS["chunk_hash"], ids=lambda case: case["name"])
def test_chunks_have_the_names_clients_give_them(case) -> None:
    assert hash_text(chunk_hash(STRINGS[case["name"]])) == case["api"]


def test_keyed_names_are_those_clients_compute() -> None:
    case = VECTORS["hmac"]

    keyed = keyed_hash(bytes.fromhex(case["key_raw"]), hash_bytes(case["hash_api"]))

    assert hash_text(keyed) == case["keyed_api"]


def test_the_gear_table_is_the_protocols() -> None:
    digest = hashlib.sha256(GEAR.astype("<u8").tobytes()).hexdigest()

    assert digest == VECTORS["gear_table_sha256_of_2048_le_bytes"]


@pytest.mark.parametrize("name", FILES)
def test_files_are_cut_and_named_as_clients_do(name: str) -> None:
    case = FILES[name]
    chunks = split(made(name))
    ends = np.cumsum([len(chunk) for chunk in chunks])
    hashes = np.frombuffer(b"".join(map(chunk_hash, chunks)), np.uint8).reshape(-1, 32)
    root = merkle_root(hashes, np.array([len(chunk) for chunk in chunks]))

    if "boundaries" in case:
        assert ends.tolist() == case["boundaries"]
        assert [hash_text(chunk.tobytes()) for chunk in hashes] == case["chunk_hashes"]
    else:
        digest = hashlib.sha256(ends.astype("<u4").tobytes()).hexdigest()
        assert digest == case["boundaries_sha256_of_u32le"]
        assert ends[:8].tolist() == case["first_boundaries"]
    assert hash_text(root) == case["xorb_hash_of_all_chunks"]
    assert hash_text(file_hash(root)) == case["file_hash"]
    assert hash_text(range_hash(hashes.tobytes())) == case["range_hash_of_all_chunks"]


@pytest.mark.parametrize("piece", [1, 8127, 8191, 65537])
def test_cuts_do_not_depend_on_how_bytes_arrive(piece: int) -> None:
    data = made("stream_a_20000" if piece == 1 else "stream_c_1000000")
    chunker = Chunker()

    lengths = [
        length
        for start in range(0, len(data), piece)
        for length in chunker.feed(data[start : start + piece])
    ]

    assert lengths + chunker.finish() == [len(chunk) for chunk in split(data)]


@pytest.mark.parametrize("case", VECTORS["merkle"], ids=lambda case: str(case["n"]))
def test_merkle_roots_of_any_number_of_chunks(case) -> None:
    count = case["n"]
    names = [hashlib.sha256(b"node" + struct.pack("<I", i)).digest() for i in range(count)]
    hashes = np.frombuffer(b"".join(names), np.uint8).reshape(-1, 32)

    root = merkle_root(hashes, np.arange(count) + 1000)

    assert hash_text(root) == case["xorb_hash"]
    assert hash_text(file_hash(root)) == case["file_hash"]
    assert hash_text(range_hash(b"".join(names))) == case["range_hash"]


@pytest.mark.parametrize("xorb", XORBS, ids=lambda xorb: xorb["file"])
def test_xorbs_of_the_client_are_read_and_get_its_footer(xorb) -> None:
    found = verified(xorb)

    index = found.index
    assert found.footer == vector(xorb["footer_file"])
    assert [hash_text(chunk.tobytes()) for chunk in index.hashes] == [
        chunk["hash"] for chunk in xorb["chunks"]
    ]
    assert index.packed_ends.tolist() == [chunk["packed_end"] for chunk in xorb["chunks"]]
    assert index.raw_sizes().tolist() == [chunk["unpacked_len"] for chunk in xorb["chunks"]]
    again = read_footer(found.footer)
    assert (again.name, again.packed, again.raw) == (index.name, index.packed, index.raw)


@pytest.mark.parametrize("xorb", XORBS, ids=lambda xorb: xorb["file"])
def test_a_flipped_bit_is_refused_or_changes_nothing(xorb) -> None:
    """Inside LZ4 a flip may rarely give the very same bytes; then the name still holds."""
    body = vector(xorb["file"])
    chosen = random.Random(7)
    accepted = 0
    for _ in range(300):
        at = chosen.randrange(len(body) * 8)
        flipped = bytearray(body)
        flipped[at // 8] ^= 1 << at % 8
        verifier = XorbVerifier(hash_bytes(xorb["hash"]), None)
        try:
            verifier.feed([bytes(flipped)])
            index = verifier.finish().index
        except BadXorb:
            continue
        accepted += 1
        assert index.hashes.tobytes() == verified(xorb).index.hashes.tobytes()

    assert accepted <= 3


@pytest.mark.parametrize("upload", VECTORS["uploads"], ids=lambda upload: upload["shard"])
def test_shards_of_the_client_are_read_and_written_again(upload) -> None:
    data = vector(upload["shard"])
    files = read_shard(data)
    parsed = upload["shard_parsed"]["files"]

    assert [hash_text(file.hash) for file in files] == [file["hash"] for file in parsed]
    assert [file.sha256.hex() for file in files] == [file["sha256"] for file in parsed]
    for file, case in zip(files, parsed, strict=True):
        terms = [
            {"xorb": hash_text(xorb.tobytes()), "len": raw, "start": first, "end": end}
            for xorb, _, raw, first, end in file.terms.tolist()
            for xorb in [np.array(xorb, np.uint8)]
        ]
        assert terms == case["segments"]
        assert [hash_text(proof.tobytes()) for proof in file.proofs] == case["verification"]
    indexes = {xorb["hash"]: verified(xorb).index for xorb in upload["xorbs"]}
    order = [indexes[xorb["hash"]] for xorb in upload["shard_parsed"]["xorbs"]]
    assert write_shard(files, order) == data


@pytest.mark.parametrize("upload", VECTORS["uploads"], ids=lambda upload: upload["shard"])
def test_verification_hashes_are_those_of_our_own_index(upload) -> None:
    indexes = {hash_bytes(xorb["hash"]): verified(xorb).index for xorb in upload["xorbs"]}

    for file in read_shard(vector(upload["shard"])):
        for term, proof in zip(file.terms, file.proofs, strict=True):
            index = indexes[term["xorb"].tobytes()]
            own = index.hashes[term["first"] : term["end"]]
            assert range_hash(own.tobytes()) == proof.tobytes()


def test_a_shard_that_builds_on_an_earlier_upload_names_both_xorbs() -> None:
    (file,) = read_shard(vector(VECTORS["insertion_dedup"]["shard"]))

    assert [
        (hash_text(term["xorb"].tobytes()), term["raw"], term["first"], term["end"])
        for term in file.terms
    ] == [
        (term["xorb"], term["len"], term["start"], term["end"])
        for term in VECTORS["insertion_dedup"]["segments"]
    ]


def test_a_keyed_reply_is_what_the_client_accepted() -> None:
    case = VECTORS["dedup_response"]
    name = hash_bytes(case["xorb"])
    chunks = split(made("stream_c_1000000"))
    body = stored(*chunks)  # noise does not shrink
    verifier = XorbVerifier(name, None)
    verifier.feed([body])
    index = verifier.finish().index
    key = bytes.fromhex(case["key_raw"])

    times = ReplyTimes(case["created"], case["expiry"])
    reply = write_reply([keyed_block(index, key)], key=key, times=times)

    assert reply == vector(case["file"])
