"""Xorbs and files in store and database: kept once, planned exactly, rebuilt byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from jishi import xet
from jishi.core.db import Database, Mode
from jishi.core.errors import Broken
from jishi.hub import Node
from jishi.storage import ObjectMissing
from jishi.xet import files, intake, plans, proofs, tables, terms, xorbs
from jishi.xet.formats import (
    BadShard,
    BadXorb,
    XorbIndex,
    file_hash,
    hash_bytes,
    merkle_root,
    shards,
)
from tests.plans import plan_of
from tests.xet.inputs import VECTORS, made
from tests.xet.making import (
    MadeXorb,
    Run,
    Upload,
    chunks_of,
    make_file,
    make_upload,
    make_xorb,
    noise,
    stored,
    unpack_chunks,
    words,
)


async def arriving(*pieces: bytes) -> AsyncIterator[list[bytes]]:
    for piece in pieces:
        yield [piece]


def put(node: Node, xorb: MadeXorb, body: bytes | None = None) -> bool:
    return asyncio.run(xet.store_xorb(node.xet, xorb.name, arriving(body or xorb.body)))


def prove(node: Node, file) -> xet.ProvenFile:
    with node.db.begin(Mode.READ) as tx:
        found = xet.find_xorbs(tx, file.xorb_names())
    return finish(proofs.prove_file(node.xet.memory, file, found))


def finish(steps):
    """Run work that pauses to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def keep(node: Node, upload: Upload) -> xet.File:
    for xorb in upload.xorbs:
        put(node, xorb)
    proven = prove(node, upload.file)
    with node.db.begin(Mode.WRITE) as tx:
        return xet.keep_file(tx, proven)


def layout(node: Node, file: xet.File, *window: int) -> xet.Layout:
    with node.db.begin(Mode.READ) as tx:
        return xet.load_layout(tx, file.id, *window)


def read(node: Node, found: xet.Layout, start: int, end: int) -> bytes:
    return xet.read_bytes(node.xet.memory, node.store, found, start, end)


def objects(node: Node) -> list[str]:
    return sorted(node.store.keys("xorbs"))


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    """Cut xorbs every few chunks, so that small files have the shape of large ones."""
    monkeypatch.setattr(terms, "PIECE_BYTES", 256 << 10)
    monkeypatch.setattr(plans, "FETCH_BYTES_MAX", 256 << 10)


def test_a_xorb_is_kept_with_its_footer_under_its_own_name(node: Node) -> None:
    xorb = make_xorb([noise("x", 50_000), b"second"])

    assert put(node, xorb)

    (key,) = objects(node)
    assert key.startswith(f"xorbs/{xorb.text[:2]}/{xorb.text[2:4]}/{xorb.text}-")
    stored = node.store.read(key)
    assert stored.startswith(xorb.body)
    assert len(stored) == len(xorb.body) + 96 + 40 * 2
    with node.db.begin(Mode.READ) as tx:
        row = xet.find_xorbs(tx, [xorb.name])[xorb.name]
        assert [found.key for found in xet.list_objects(tx)] == [key]
    assert (row.key, row.packed, row.raw, row.chunks) == (key, len(xorb.body), 50_006, 2)


def test_the_first_packing_of_a_xorb_stays(node: Node) -> None:
    chunks = [words(60_000)]
    first = make_xorb(chunks)
    other = stored(*chunks)
    assert first.body != other

    assert put(node, first)
    before = objects(node)

    assert not put(node, first, other)
    assert objects(node) == before


def test_two_packings_that_race_leave_one_object(node: Node) -> None:
    first = make_xorb([words(60_000)])
    other = stored(words(60_000))

    async def race() -> list[bool]:
        bodies = (first.body, other)
        puts = [xet.store_xorb(node.xet, first.name, arriving(body)) for body in bodies]
        return await asyncio.gather(*puts)

    assert sorted(asyncio.run(race())) == [False, True]
    with node.db.begin(Mode.READ) as tx:
        row = xet.find_xorbs(tx, [first.name])[first.name]
    assert objects(node) == [row.key]


def test_an_object_left_by_a_crash_before_its_row_is_used(node: Node) -> None:
    xorb = make_xorb([noise("x", 50_000)])
    put(node, xorb)
    before = objects(node)
    with node.db.begin(Mode.WRITE) as tx:
        tx.conn.execute(sa.delete(tables.xorbs))

    assert put(node, xorb)
    assert objects(node) == before


def test_a_bad_xorb_leaves_nothing(node: Node, tmp_path: Path) -> None:
    xorb = make_xorb([noise("x", 50_000)])

    with pytest.raises(BadXorb):
        put(node, xorb, xorb.body[:-1] + b"!")
    with pytest.raises(BadXorb):
        put(node, xorb, xorb.body[:-1])

    assert objects(node) == []
    assert list((tmp_path / "spool").iterdir()) == []


def test_who_says_a_stored_xorb_is_sent_again_has_to_have_it(node: Node) -> None:
    xorb = make_xorb([noise("x", 50_000)])
    put(node, xorb)

    with pytest.raises(BadXorb):
        put(node, xorb, make_xorb([b"other"]).body)


def test_a_xorb_deleted_while_it_is_sent_again_is_not_taken_for_stored(node: Node) -> None:
    xorb = make_xorb([noise("x", 50_000)])
    put(node, xorb)

    async def delete_meanwhile() -> AsyncIterator[list[bytes]]:
        yield [xorb.body[:100]]
        with node.db.begin(Mode.WRITE) as tx:
            tx.conn.execute(sa.delete(tables.xorbs))
        yield [xorb.body[100:]]

    with pytest.raises(xet.XorbMissing):
        asyncio.run(xet.store_xorb(node.xet, xorb.name, delete_meanwhile()))


def test_a_condemned_xorb_lives_again_when_it_is_sent_or_needed(node: Node) -> None:
    upload = make_upload(noise("u", 100_000))
    (xorb,) = upload.xorbs

    def state(change: str | None = None) -> str:
        with node.db.begin(Mode.WRITE) as tx:
            if change:
                tx.conn.execute(sa.update(tables.xorbs).values(state=change))
            return tx.conn.execute(sa.select(tables.xorbs.c.state)).scalar_one()

    put(node, xorb)
    state("condemned")
    put(node, xorb)
    assert state() == "live"
    state("condemned")
    keep(node, upload)
    assert state() == "live"


def test_a_file_is_registered_once_with_all_its_xorbs(node: Node) -> None:
    upload = make_upload(noise("u", 900_000), per_xorb=3)

    first, second = keep(node, upload), keep(node, upload)

    assert first == second
    assert (first.hash, first.size) == (upload.file.hash, 900_000)
    with node.db.begin(Mode.READ) as tx:
        parts = xet.list_parts(tx, [first.id], limit=100)
        assert [part.xorb.hash for part in parts] == [xorb.name for xorb in upload.xorbs]
        assert all(part.is_whole for part in parts)
        third = parts[2].xorb.id
        turned = xet.list_parts(tx, [first.id], first=third, limit=3)
        assert [part.xorb.hash for part in turned] == [x.name for x in upload.xorbs][2:5]
        assert xet.find_users(tx, third, limit=5) == [first.id]
        opening = upload.xorbs[0].index.hashes[0].tobytes()
        assert xet.find_chunk(tx, opening, limit=5) == [(parts[0].xorb.id, 0)]


def test_a_file_whose_xorb_is_gone_is_not_registered(node: Node) -> None:
    upload = make_upload(noise("u", 100_000))
    put(node, upload.xorbs[0])
    proven = prove(node, upload.file)
    with node.db.begin(Mode.WRITE) as tx:
        tx.conn.execute(sa.delete(tables.xorbs))
        with pytest.raises(xet.XorbMissing):
            xet.keep_file(tx, proven)


def change(**values: int) -> Callable[[Upload], None]:
    def apply(upload: Upload) -> None:
        for name, value in values.items():
            upload.file.terms[name][0] += value

    return apply


def forge_proof(upload: Upload) -> None:
    upload.file.proofs[0][5] ^= 1


@pytest.mark.parametrize(
    ("make_wrong", "problem"),
    [
        (change(end=1, raw=1), "beyond its xorb"),
        (change(end=0xFFFF_0000), "beyond its xorb"),
        (change(raw=1), "another length"),
        (change(first=1), "another length"),
        (forge_proof, "verification is wrong"),
    ],
)
def test_a_term_that_does_not_hold_is_refused(node: Node, make_wrong, problem: str) -> None:
    upload = make_upload(noise("u", 300_000))
    put(node, upload.xorbs[0])
    make_wrong(upload)

    with pytest.raises(BadShard, match=problem):
        prove(node, upload.file)


def test_a_file_of_honest_terms_under_another_name_is_refused(node: Node) -> None:
    upload, other = make_upload(noise("u", 100_000)), make_upload(noise("v", 100_000))
    put(node, upload.xorbs[0])
    object.__setattr__(upload.file, "hash", other.file.hash)

    with pytest.raises(BadShard, match="another hash"):
        prove(node, upload.file)


def test_a_xorb_that_is_not_here_is_missed(node: Node) -> None:
    with pytest.raises(xet.XorbMissing):
        prove(node, make_upload(b"never sent").file)


def test_work_of_a_shard_is_bounded_before_it_begins() -> None:
    upload = make_upload(noise("u", 300_000))
    backwards = make_upload(noise("v", 300_000)).file
    backwards.terms["first"][0] = backwards.terms["end"][0]
    wide = make_upload(noise("w", 300_000)).file
    wide.terms["end"][0] = 0xFFFF_FFFF
    long = make_file([Run(upload.xorbs[0], 0, 1)] * 200)
    long.terms["raw"] = 0xFFFF_FFFF

    proofs.check_sizes([upload.file])
    with pytest.raises(BadShard, match="without chunks"):
        proofs.check_sizes([backwards])
    with pytest.raises(BadShard, match="too many chunks"):
        proofs.check_sizes([wide])
    with pytest.raises(BadShard, match="too large"):
        proofs.check_sizes([long])


def test_terms_of_a_shard_are_counted_before_work_begins(monkeypatch) -> None:
    """A file's chunks have 8 KiB, the last one less: more than that are made up."""
    xorb = make_xorb([noise("a", 8_192), noise("b", 8_192), b"the end"])
    honest = make_file([Run(xorb, 0, 1), Run(xorb, 1, 2), Run(xorb, 0, 1), Run(xorb, 2, 3)])
    dust = make_xorb([bytes([n]) for n in range(200)])

    proofs.check_sizes([honest] * 3)
    for made_up in (make_file([Run(xorb, 2, 3)] * 2), make_file([Run(dust, 0, 200)])):
        with pytest.raises(BadShard, match="too many chunks for its size"):
            proofs.check_sizes([made_up])
    monkeypatch.setattr(proofs, "SHARD_TERMS_MAX", 11)
    with pytest.raises(BadShard, match="too many terms"):
        proofs.check_sizes([honest] * 3)


def test_a_hundred_gigabytes_in_small_runs_are_one_shard() -> None:
    runs = np.zeros(190_000, np.dtype(shards.TERM))  # of 8 chunks, as clients make at the least
    runs["end"], runs["raw"] = 8, 8 << 16
    large = replace(make_upload(b"any").file, terms=runs)

    assert int(runs["raw"].sum(dtype=np.int64)) > 99_000_000_000
    proofs.check_sizes([large])


def test_many_terms_are_proven_in_slices(node: Node, monkeypatch) -> None:
    """As long as one is worked on, nobody else has the thread."""
    upload = make_upload(noise("u", 3_000_000), per_xorb=10)
    for xorb in upload.xorbs:
        put(node, xorb)
    runs = [
        Run(xorb, place, place + 1) for xorb in upload.xorbs for place in range(xorb.index.count)
    ]
    mixed = make_file(random.Random(1).sample(runs, len(runs)))
    at_once = prove(node, mixed)
    monkeypatch.setattr(proofs, "SLICE_TERMS_MAX", 7)
    with node.db.begin(Mode.READ) as tx:
        found = xet.find_xorbs(tx, mixed.xorb_names())

    pauses = sum(1 for _ in proofs.prove_file(node.xet.memory, mixed, found))
    sliced = prove(node, mixed)

    assert pauses == -(-len(runs) // 7)
    assert sliced.terms.tolist() == at_once.terms.tolist()
    assert (sliced.size, sliced.first_chunk) == (at_once.size, at_once.first_chunk)
    monkeypatch.setattr(proofs, "SLICE_CHUNKS_MAX", 1)
    assert sum(1 for _ in proofs.prove_file(node.xet.memory, mixed, found)) == len(runs)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_terms_are_joined_and_cut_however_runs_come(data: st.DataObject) -> None:
    """Against the same rule, run by run."""
    piece = data.draw(st.integers(1, 60))
    sizes = [data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=9)) for _ in range(3)]
    made_up = [made_up_index(lengths) for lengths in sizes]
    runs: list[tuple[int, int, int]] = []
    for _ in range(data.draw(st.integers(0, 12))):
        xorb = data.draw(st.integers(0, 2))
        first = data.draw(st.integers(0, len(sizes[xorb]) - 1))
        runs.append((xorb, first, data.draw(st.integers(first + 1, len(sizes[xorb])))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terms, "PIECE_BYTES", piece)
        making = terms.TermsMaker(made_up.__getitem__)
        at = 0
        while at < len(runs):
            step = data.draw(st.integers(1, 5))
            making.add(*np.array(runs[at : at + step], np.int64).T)
            at += step
        found = making.finish().tolist()
        expected = slowly(runs, made_up)

    assert found == expected


def made_up_index(lengths: list[int]) -> XorbIndex:
    ends = np.cumsum(lengths).astype("<u4")
    return XorbIndex(bytes(32), np.zeros((len(lengths), 32), np.uint8), ends * 2, ends)


def slowly(runs: list[tuple[int, int, int]], indexes: list[XorbIndex]) -> list[tuple]:
    joined: list[tuple[int, int, int]] = []
    for xorb, first, end in runs:
        if joined and joined[-1][0] == xorb and joined[-1][2] == first:
            joined[-1] = xorb, joined[-1][1], end
        else:
            joined.append((xorb, first, end))
    rows = []
    for xorb, first, end in joined:
        index = indexes[xorb]
        inside = [place for place in terms.piece_ends(index) if first < place < end]
        for low, high in pairwise([first, *inside, end]):
            raw = index.raw_at(high) - index.raw_at(low)
            rows.append((xorb, low, high, raw, index.packed_at(low), index.packed_at(high)))
    return rows


def test_parts_name_each_chunk_that_some_file_needs_once(node: Node) -> None:
    xorb = make_xorb_of(noise("parts", 1_500_000))
    put(node, xorb)
    kept = []
    for runs in ([(2, 5), (4, 6), (9, 10)], [(6, 7), (3, 4), (12, 14)]):
        proven = prove(node, make_file([Run(xorb, first, end) for first, end in runs]))
        with node.db.begin(Mode.WRITE) as tx:
            kept.append(xet.keep_file(tx, proven).id)
    with node.db.begin(Mode.READ) as tx:
        (part,) = xet.list_parts(tx, kept, limit=5)
        assert xet.list_parts(tx, [], limit=5) == []

    assert part.runs == ((2, 7), (9, 10), (12, 14))


@pytest.mark.usefixtures("small_pieces")
def test_any_bytes_of_a_file_are_rebuilt(node: Node) -> None:
    data = noise("n", 700_000) + words(900_000) + bytes(400_000) + made("text_120000")
    upload = make_upload(data, per_xorb=7)
    found = layout(node, keep(node, upload))
    chosen = random.Random(3)

    assert read(node, found, 0, len(data)) == data
    assert read(node, found, 5, 5) == b""
    for _ in range(60):
        start = chosen.randrange(len(data))
        end = chosen.randrange(start, len(data) + 1)
        assert read(node, found, start, end) == data[start:end]


@pytest.mark.usefixtures("small_pieces")
def test_a_plan_gives_a_client_exactly_the_bytes(node: Node) -> None:
    """Load each fetch, unpack it, put the parts together: as hf_xet does."""
    data = noise("n", 1_500_000) + words(900_000)
    xorb = make_xorb_of(data)
    count = xorb.index.count
    runs = [Run(xorb, 0, count), Run(xorb, 3, 9), Run(xorb, 1, count), Run(xorb, 2, 4)]
    file = make_file(runs)
    chunks = chunks_of(xorb)
    whole = b"".join(b"".join(chunks[run.first : run.end]) for run in runs)
    put(node, xorb)
    proven = prove(node, file)
    with node.db.begin(Mode.WRITE) as tx:
        kept = xet.keep_file(tx, proven)
    chosen = random.Random(5)
    windows = [(0, len(whole))]
    for _ in range(40):
        start = chosen.randrange(len(whole))
        windows.append((start, chosen.randrange(start, len(whole)) + 1))

    for start, end in windows:
        found = layout(node, kept, start, end)
        plan = xet.plan_read(node.xet.memory, found, start, end)
        assert as_a_client(node, plan, end - start) == whole[start:end]
        firsts = [(fetch.xorb.id, fetch.first) for fetch in plan.fetches]
        assert len(set(firsts)) == len(firsts), "clients key ranges by their first chunk"
        assert all(fetch.stop - fetch.start < 600_000 for fetch in plan.fetches)


def test_an_empty_read_needs_no_plan(node: Node) -> None:
    found = layout(node, keep(node, make_upload(b"some bytes")))

    assert xet.plan_read(node.xet.memory, found, 3, 3) == xet.Plan(0, (), ())


@pytest.mark.parametrize(
    "case",
    [c for c in VECTORS["reconstruction"] if c["api"] == "v2"],
    ids=lambda case: str(case["range"]),
)
def test_plans_are_those_of_the_vectors(node: Node, case) -> None:
    """The file with an insertion: two stretches of an old xorb, a new one between them."""
    old = make_upload(made("stream_c_1000000"))
    pieces = chunks_of(make_xorb_of(made("stream_c_ins")))
    new = make_xorb(pieces[9:11])
    (first,) = old.xorbs
    file = make_file([Run(first, 0, 9), Run(new, 0, 2), Run(first, 11, 18)])
    for xorb in (first, new):
        put(node, xorb)
    proven = prove(node, file)
    assert proven.hash == hash_bytes(VECTORS["files"]["stream_c_ins"]["file_hash"])
    with node.db.begin(Mode.WRITE) as tx:
        kept = xet.keep_file(tx, proven)

    start, end = (450_000, 550_000) if case["range"] else (0, kept.size)
    plan = xet.plan_read(node.xet.memory, layout(node, kept, start, end), start, end)

    expected = case["response"]
    assert plan.offset == expected["offset_into_first_range"]
    assert [
        (xet.hash_text(part.xorb.hash), part.raw, part.first, part.end) for part in plan.parts
    ] == [
        (t["hash"], t["unpacked_length"], t["range"]["start"], t["range"]["end"])
        for t in expected["terms"]
    ]
    assert sorted(
        (xet.hash_text(f.xorb.hash), f.first, f.end, f.start, f.stop - 1) for f in plan.fetches
    ) == sorted(
        (name, r["chunks"]["start"], r["chunks"]["end"], r["bytes"]["start"], r["bytes"]["end"])
        for name, entries in expected["xorbs"].items()
        for entry in entries
        for r in entry["ranges"]
    )


def test_a_missing_row_is_a_missing_file(node: Node) -> None:
    with node.db.begin(Mode.READ) as tx:
        assert xet.find_file(tx, bytes(32)) is None
        with pytest.raises(xet.FileMissing):
            xet.load_layout(tx, 77)


def test_damage_on_disk_stops_the_answer(node: Node) -> None:
    upload = make_upload(words(200_000))
    found = layout(node, keep(node, upload))
    (key,) = objects(node)
    path = node.store.path(key)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[0] = 9
    path.write_bytes(bytes(damaged))

    with pytest.raises(Broken):
        read(node, found, 0, 1000)
    path.write_bytes(whole[: len(upload.xorbs[0].body) - 1])
    assert read(node, found, 0, 1000) == upload.data[:1000]
    with pytest.raises(Broken):
        read(node, found, 0, found.file.size)
    path.unlink()
    with pytest.raises(ObjectMissing):
        read(node, found, 0, 1000)


def test_joined_neighbours_are_one_term(node: Node) -> None:
    upload = make_upload(noise("u", 900_000))
    (xorb,) = upload.xorbs
    runs = [Run(xorb, place, place + 1) for place in range(xorb.index.count)]
    put(node, xorb)

    proven = prove(node, make_file(runs))

    assert proven.hash == upload.file.hash
    assert len(proven.terms) == 1


@pytest.mark.parametrize("name", ["one_byte", "stream_d_5000000", "f32_100000", "zeros_300000"])
def test_an_object_is_chunked_into_the_file_clients_would_make(node: Node, name: str) -> None:
    data = made(name)
    node.store.put_bytes("lfs/x", data)

    file = asyncio.run(xet.ingest(node.xet, "lfs/x", len(data)))

    assert file.hash == hash_bytes(VECTORS["files"][name]["file_hash"])
    assert file.size == len(data)
    assert read(node, layout(node, file), 0, len(data)) == data
    assert asyncio.run(xet.ingest(node.xet, "lfs/x", len(data))) == file


def test_an_empty_object_is_an_empty_file(node: Node) -> None:
    node.store.put_bytes("lfs/x", b"")

    file = asyncio.run(xet.ingest(node.xet, "lfs/x", 0))

    assert (file.hash, file.size) == (bytes(32), 0)
    assert read(node, layout(node, file), 0, 0) == b""


def test_an_object_like_a_stored_file_packs_only_what_is_new(node: Node) -> None:
    data = noise("d", 3_000_000)
    keep(node, make_upload(data, per_xorb=10))
    before = sum(node.store.size(key) for key in objects(node))
    changed = data[:1_400_000] + b"a few new bytes" + data[1_400_000:]
    node.store.put_bytes("lfs/x", changed)

    file = asyncio.run(xet.ingest(node.xet, "lfs/x", len(changed)))

    added = sum(node.store.size(key) for key in objects(node)) - before
    assert read(node, layout(node, file), 0, len(changed)) == changed
    assert added < 300_000, "the file is found by its first chunk"


def test_an_object_fills_several_xorbs(node: Node, monkeypatch) -> None:
    monkeypatch.setattr(intake, "XORB_CHUNKS_MAX", 5)
    data = noise("d", 1_500_000)
    node.store.put_bytes("lfs/x", data)

    file = asyncio.run(xet.ingest(node.xet, "lfs/x", len(data)))

    assert len(objects(node)) > 3
    assert read(node, layout(node, file), 0, len(data)) == data


def test_replies_name_as_many_xorbs_as_fit(node: Node, monkeypatch) -> None:
    keys: list[str] = []

    def derive(purpose: str) -> bytes:
        keys.append(purpose)
        return hashlib.sha256(purpose.encode()).digest()

    file = keep(node, make_upload(noise("u", 2_000_000), per_xorb=5))
    with node.db.begin(Mode.READ) as tx:
        parts = xet.list_parts(tx, [file.id], limit=100)
    members = [part.xorb for part in parts]
    make = partial(xet.make_reply, node.xet.memory, derive=derive)
    week = 7 * 86_400_000_000

    whole = make(parts, now=10 * week)
    monkeypatch.setattr("jishi.xet.replies.REPLY_BYTES_MAX", 700)
    cut = make(parts, now=11 * week - 1)
    make(parts, now=11 * week)

    blocks = sum(48 + 48 * member.chunks for member in members)
    assert len(whole) == 48 + 48 + blocks + 48 + 200
    assert len(cut) < 48 + 48 + 700 + 48 + 200
    assert keys[0] == keys[1] != keys[2]
    for member in members:
        for name in node.xet.memory.index(member).hashes:
            assert name.tobytes() not in whole, "raw names prove possession"


def test_indexes_are_kept_in_bounded_memory(node: Node) -> None:
    file = keep(node, make_upload(noise("u", 2_000_000), per_xorb=5))
    with node.db.begin(Mode.READ) as tx:
        members = [part.xorb for part in xet.list_parts(tx, [file.id], limit=100)]
    memory = xet.Memory(node.store, index_bytes_max=700)

    for _ in range(2):
        for member in members:
            assert memory.index(member).name == member.hash

    assert memory.indexes.taken <= 700


def test_something_is_said_once(node: Node) -> None:
    memory = node.xet.memory

    assert memory.is_first("a")
    assert not memory.is_first("a")
    assert memory.is_first("b")


def test_addresses_change_for_one_or_for_all(db: Database) -> None:
    with db.begin(Mode.WRITE) as tx:
        assert xet.epoch_of(tx, "lin") == 1
        xet.raise_epoch(tx, "lin")
        xet.raise_epoch(tx, "lin")
        assert (xet.epoch_of(tx, "lin"), xet.epoch_of(tx, "wu")) == (3, 1)
        xet.raise_epoch(tx)
        assert (xet.epoch_of(tx, "lin"), xet.epoch_of(tx, "wu")) == (4, 2)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (xorbs.HOLDERS, {"chunk": b"c", "n": 5}),
        (xorbs.LIST, {"after": 0, "n": 5}),
        (files.USERS, {"xorb": 1, "n": 5, "before": 9}),
    ],
    ids=["chunk", "objects", "users"],
)
def test_lists_sort_nothing(db: Database, statement, values) -> None:
    with db.begin(Mode.READ) as tx:
        assert not plan_of(tx, statement, **values).sorts


def make_xorb_of(data: bytes) -> MadeXorb:
    (xorb,) = make_upload(data).xorbs
    return xorb


def as_a_client(node: Node, plan: xet.Plan, count: int) -> bytes:
    loaded = {}
    for fetch in plan.fetches:
        packed = node.store.read(fetch.xorb.key, fetch.start, fetch.stop)
        chunks = unpack_chunks(packed, fetch.end - fetch.first)
        loaded[fetch.xorb.id, fetch.first, fetch.end] = chunks
    out = b""
    for part in plan.parts:
        raw = next(
            b"".join(chunks[part.first - first : part.end - first])
            for (xorb, first, end), chunks in loaded.items()
            if xorb == part.xorb.id and first <= part.first and part.end <= end
        )
        assert len(raw) == part.raw
        out += raw
    return out[plan.offset : plan.offset + count]


def test_names_of_files_hold_for_roots_only() -> None:
    xorb = make_xorb([b"one chunk"])

    assert merkle_root(xorb.index.hashes, xorb.index.raw_sizes()) == xorb.name
    assert file_hash(xorb.name) != xorb.name
