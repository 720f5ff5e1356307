"""Up and down, as every generation of clients does it."""

from __future__ import annotations

import hashlib

import pytest

from jishi.core.db import Mode
from jishi.hub import content
from jishi.xet import plans, terms
from tests.http.serving import Wire
from tests.wire.xet.conftest import Hand, House, cas_text, fetches
from tests.xet.making import Run as Stretch
from tests.xet.making import make_file, make_upload, noise, words, write_shard

DATA = noise("d", 700_000) + words(600_000)


@pytest.fixture
def upload(monkeypatch):
    monkeypatch.setattr(terms, "PIECE_BYTES", 256 << 10)
    monkeypatch.setattr(plans, "FETCH_BYTES_MAX", 256 << 10)
    return make_upload(DATA, per_xorb=9)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_was_uploaded_comes_back(lin: Hand, reader: Hand, upload, version: str) -> None:
    lin.upload(upload)

    assert reader.download(upload.name, version=version) == DATA


def test_the_answer_to_a_shard_tells_how_far_it_is(lin: Hand, upload) -> None:
    for xorb in upload.xorbs:
        assert lin.put_xorb(xorb).json() == {"was_inserted": True}

    lines = lin.put_shard(upload.shard)

    kinds = [line["type"] for line in lines]
    assert kinds[0] == "validating"
    assert kinds[-1] == "result"
    assert set(kinds) <= {"validating", "committing", "result"}
    assert lin.put_xorb(upload.xorbs[0]).json() == {"was_inserted": True}


def test_a_small_file_is_hashed_before_the_answer(lin: Hand, upload) -> None:
    lin.upload(upload)

    with lin.node.db.begin(Mode.READ) as tx:
        known = content.find(tx, lin.place.id, upload.sha256)
    assert known is not None
    assert known.is_verified
    assert known.size == len(DATA)
    assert not known.is_committed


@pytest.mark.parametrize("prefix", ["default", "default-merkledb"])
@pytest.mark.parametrize("plural", ["", "s"])
@pytest.mark.parametrize("version", ["", "/v1"])
def test_every_generation_of_addresses_works(
    lin: Hand, version: str, plural: str, prefix: str
) -> None:
    upload = make_upload(noise("generations", 50_000))
    (xorb,) = upload.xorbs

    sent = lin.post(f"{version}/xorb{plural}/{prefix}/{xorb.text}", xorb.body)
    told = lin.post(f"{version}/shard{plural}", upload.shard)
    named = lin.post(f"{version}/shard{plural}/{prefix}/{xorb.text}", upload.shard)
    asked = lin.get(f"{version}/chunk{plural}/{prefix}/{'0' * 64}")
    plan = lin.get(f"{version}/reconstruction{plural}/{upload.name}")

    assert sent.json() == {"was_inserted": True}
    assert told.json() == named.json() == {"result": 1}
    assert asked.status_code == 404
    assert "fetch_info" in plan.json()


def test_what_clients_fall_back_from_is_a_plain_404(lin: Hand) -> None:
    for path in ("/v2/file-chunk-hashes/" + "0" * 64, "/v3/shards", "/v1/nothing"):
        assert lin.get(path).status_code == 404


@pytest.mark.parametrize(("start", "end"), [(0, 0), (10, 99_999), (650_000, 900_000)])
def test_any_range_is_planned_in_whole_chunks(lin: Hand, upload, start: int, end: int) -> None:
    lin.upload(upload)

    found = lin.download(upload.name, Range=f"bytes={start}-{end}")

    assert found[: end + 1 - start] == DATA[start : end + 1]
    assert len(found) < end + 1 - start + 131_072


def test_a_range_may_reach_beyond_the_end_and_not_begin_there(lin: Hand, upload) -> None:
    lin.upload(upload)
    size = len(DATA)
    plan = f"/v2/reconstructions/{upload.name}"

    last = lin.download(upload.name, Range=f"bytes={size - 1}-{size + 10**9}")
    open_end = lin.download(upload.name, Range=f"bytes={size - 7}-")
    behind = lin.get(plan, Range=f"bytes={size}-{size + 5}")
    backwards = lin.get(plan, Range="bytes=7-3")

    assert last[-1:] == DATA[-1:]
    assert open_end[-7:] == DATA[-7:]
    assert behind.status_code == backwards.status_code == 416
    assert behind.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("text", ["bytes=x-1", "lines=0-1", "bytes=0-1,5-6", "bytes=-5"])
def test_a_range_that_is_none_means_everything(lin: Hand, text: str) -> None:
    upload = make_upload(b"a few bytes")
    lin.upload(upload)

    assert lin.download(upload.name, Range=text) == b"a few bytes"


def test_ranges_of_a_plan_are_pieces_with_a_link_each(lin: Hand, upload) -> None:
    lin.upload(upload)

    plan = lin.get(f"/v2/reconstructions/{upload.name}").json()

    links = [url for _, url, _, _ in fetches(plan)]
    assert len(set(links)) == len(links) > len(upload.xorbs)
    assert plan["offset_into_first_range"] == 0
    assert sum(term["unpacked_length"] for term in plan["terms"]) == len(DATA)


def test_files_may_share_xorbs_and_repeat_chunks(lin: Hand) -> None:
    base = make_upload(noise("base", 600_000))
    (xorb,) = base.xorbs
    lin.upload(base)
    count = xorb.index.count
    file = make_file([Stretch(xorb, 2, count), Stretch(xorb, 0, count), Stretch(xorb, 1, 3)])

    assert lin.put_shard(write_shard([file], []))[-1] == {"type": "result"}

    found = lin.download(cas_text(file.hash))
    assert hashlib.sha256(found).digest() == file.sha256


def test_an_upload_sent_again_is_only_a_shard(lin: Hand, upload) -> None:
    lin.upload(upload)

    assert lin.put_shard(write_shard([upload.file], []))[-1] == {"type": "result"}


def test_a_xorb_in_sight_need_not_be_sent(lin: Hand, house: House, upload) -> None:
    path = f"/v1/xorb-grants/default/{upload.xorbs[0].text}"
    question = b'{"length":1,"checksum":{"algo":"crc64nvme","value":"1"}}'

    before = lin.post(path, question).status_code
    lin.put_xorb(upload.xorbs[0])
    sent = lin.post(path, question).status_code
    lin.upload(upload)
    known = lin.post(path, question).status_code

    assert (before, sent, known) == (404, 200, 200)
    assert house.http.post(lin.token.path + path).status_code == 401


def test_telemetry_is_taken_and_forgotten(lin: Hand) -> None:
    assert lin.http.post(lin.token.path + "/v1/telemetry", json={"event": "x"}).status_code == 200
    of_the_store = {"Authorization": lin.head["Authorization"]}
    at_the_root = lin.http.post("/v1/telemetry", json={"event": "x"}, headers=of_the_store)
    assert at_the_root.status_code == 200, "hf_xet 1.8.0 keeps the host of its store alone"


def test_bodies_have_limits(lin: Hand) -> None:
    fields = (f"Authorization: {lin.head['Authorization']}", f"Content-Length: {10**9}")
    for path in (f"/v1/xorbs/default/{'0' * 64}", "/v2/shards", "/v1/shards", "/v1/telemetry"):
        with Wire(lin.http.base_url.port) as wire:
            assert wire.get(lin.token.path + path, *fields, method="POST").status == 413
