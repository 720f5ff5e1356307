"""What a pass, a link and a hash are good for, and what not."""

from __future__ import annotations

import hashlib
import json
import time

import httpx2
import pytest
import sqlalchemy as sa

from jishi.core.db import Mode
from jishi.hub import Node, RepoMissing, cas, content, tables
from jishi.hub.cas import registering
from jishi.people import NOBODY, Denied, SignInNeeded
from jishi.xet import tables as xet_tables
from tests.conftest import Clock
from tests.http.serving import Wire
from tests.hub.content.conftest import LIN, MAYA
from tests.wire.xet.conftest import Hand, House, cas_text, fetches
from tests.xet.making import Run, Upload, make_file, make_upload, make_xorb, noise, write_shard

UPLOAD = make_upload(noise("rights", 300_000))
HALVES = ("0-149999", "150000-299999")


@pytest.fixture
def kept(lin: Hand) -> Upload:
    lin.upload(UPLOAD)
    lin.commit(UPLOAD)
    return UPLOAD


def calls(hand: Hand) -> list[int]:
    """Return what every call that needs a pass answers."""
    (xorb,) = UPLOAD.xorbs
    return [
        hand.get(f"/v2/reconstructions/{UPLOAD.name}").status_code,
        hand.get(f"/v1/reconstructions/{UPLOAD.name}").status_code,
        hand.chunk(UPLOAD).status_code,
        hand.post(f"/v1/xorb-grants/default/{xorb.text}").status_code,
        hand.put_xorb(xorb).status_code,
        hand.post("/v2/shards", UPLOAD.shard).status_code,
        hand.post("/v1/shards", UPLOAD.shard).status_code,
    ]


def change_repo(node: Node, hand: Hand, **values) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        changed = sa.update(tables.repos).where(tables.repos.c.id == hand.place.id)
        tx.conn.execute(changed.values(**values))


@pytest.mark.usefixtures("kept")
def test_a_pass_lasts_a_little_longer_than_it_says(lin: Hand, clock: Clock) -> None:
    exp = lin.token.exp
    assert exp * 1_000_000 - clock.now == 15 * 60 * 1_000_000

    clock.forward(15 * 60 + 4 * 60)
    assert set(calls(lin)) == {200}
    clock.forward(61)
    assert set(calls(lin)) == {401}


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("text", ["", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer hf_abc"])
def test_what_is_no_pass_opens_nothing(lin: Hand, text: str) -> None:
    answer = lin.http.get(
        f"{lin.token.path}/v2/reconstructions/{UPLOAD.name}", headers={"Authorization": text}
    )

    assert answer.status_code == 401
    assert "not valid" in answer.json()["error"]


@pytest.mark.usefixtures("kept")
def test_a_changed_pass_opens_nothing(lin: Hand) -> None:
    sealed = lin.token.access_token
    for at in (0, len(sealed) // 2, len(sealed) - 2):
        other = "A" if sealed[at] != "A" else "B"
        changed = sealed[:at] + other + sealed[at + 1 :]
        lin.token = cas.Token(changed, lin.token.exp, lin.token.path)
        assert set(calls(lin)) == {401}


@pytest.mark.usefixtures("kept")
def test_a_reading_pass_reads_and_asks_only(reader: Hand) -> None:
    assert calls(reader) == [200, 200, 200, 403, 403, 403, 403]


def test_a_link_is_no_pass_and_a_pass_no_link(lin: Hand, kept: Upload) -> None:
    ((_, url, _, _),) = fetches(lin.get(f"/v2/reconstructions/{kept.name}").json())
    seal = url.rpartition("/")[2]
    swapped = lin.get(f"/data/{lin.token.access_token}", Range="bytes=0-9")
    lin.token = cas.Token(seal, lin.token.exp, lin.token.path)

    assert swapped.status_code == 403
    assert set(calls(lin)) == {401}


@pytest.mark.usefixtures("kept")
def test_passes_end_with_their_repository(node: Node, lin: Hand) -> None:
    change_repo(node, lin, deleted_at=1)

    assert set(calls(lin)) == {401}


def test_nobodys_pass_ends_when_the_repository_becomes_private(
    node: Node, lin: Hand, reader: Hand, kept: Upload
) -> None:
    plan = reader.get(f"/v2/reconstructions/{kept.name}").json()
    ((_, url, _, (start, stop)),) = fetches(plan)
    change_repo(node, lin, private=True)

    assert set(calls(reader)) == {401}
    assert reader.http.get(url, headers={"Range": f"bytes={start}-{stop}"}).status_code == 403
    assert set(calls(lin)) == {200}


def test_passes_are_given_to_who_may(house: House, lin: Hand, maya: Hand) -> None:
    with pytest.raises(SignInNeeded):
        house.hand(NOBODY, lin.place)
    with pytest.raises(Denied):
        house.hand(MAYA, lin.place)
    for actor, writes in ((LIN, False), (NOBODY, False), (LIN, True)):
        with pytest.raises(RepoMissing):
            house.hand(actor, maya.place, writes=writes)


def test_the_hash_of_a_file_is_no_right_to_it(house: House, maya: Hand, lin: Hand) -> None:
    maya.upload(UPLOAD)

    assert lin.get(f"/v2/reconstructions/{UPLOAD.name}").status_code == 404
    other = house.hand(MAYA, house.repo(MAYA, "other"))
    assert other.get(f"/v2/reconstructions/{UPLOAD.name}").status_code == 404
    assert maya.get(f"/v2/reconstructions/{UPLOAD.name}").status_code == 200
    assert maya.get(f"/v2/reconstructions/{'0' * 64}").status_code == 404
    assert maya.get("/v2/reconstructions/nonsense").status_code == 400


def test_a_link_is_for_exactly_its_bytes(lin: Hand, kept: Upload, clock: Clock) -> None:
    whole = lin.get(f"/v2/reconstructions/{kept.name}", Range="bytes=100000-150000").json()
    ((_, url, _, (start, stop)),) = fetches(whole)
    assert 0 < start < stop

    def ask(text: str, method: str = "GET", **head: str) -> httpx2.Response:
        return lin.http.request(method, url, headers={"Range": text, **head})

    right = ask(f"bytes={start}-{stop}")
    assert right.status_code == 206
    assert right.headers["content-range"] == f"bytes {start}-{stop}/*"
    assert len(right.content) == stop + 1 - start
    assert ask(f"bytes={start + 5}-{stop - 5}").content == right.content[5:-5]
    for text in (
        f"bytes={start - 1}-{stop}",
        f"bytes={start}-{stop + 1}",
        "bytes=0-5",
        f"bytes={start}-",
        f"bytes={stop}-{start}",
        f"bytes={start}-{stop},0-5",
        "bytes=-5",
        "chunks=0-1",
    ):
        answer = ask(text)
        assert (answer.status_code, len(answer.content) < 200) == (403, True), text
    assert lin.http.get(url).status_code == 403
    odd = ask(f"bytes={start}-{stop}", **{"If-Range": '"other"', "If-None-Match": "*"})
    assert odd.content == right.content
    assert ask(f"bytes={start}-{stop}", "HEAD").headers["content-length"] == str(len(right.content))
    clock.forward(3601)
    assert ask(f"bytes={start}-{stop}").status_code == 403


def test_a_plan_of_too_many_terms_is_asked_for_in_parts(
    lin: Hand, kept: Upload, monkeypatch
) -> None:
    count = kept.xorbs[0].index.count
    runs = [Run(kept.xorbs[0], place, place + 1) for place in reversed(range(count))]
    file = make_file(runs)
    assert lin.put_shard(write_shard([file], []))[-1] == {"type": "result"}
    monkeypatch.setattr("jishi.hub.cas.reading.PLAN_TERMS_MAX", count - 1)
    name = cas_text(file.hash)

    for version in ("v1", "v2"):
        answer = lin.get(f"/{version}/reconstructions/{name}")
        assert (answer.status_code, "Ask for fewer" in answer.text) == (400, True)
        parts = [lin.download(name, version=version, Range=f"bytes={at}") for at in HALVES]
        assert len(b"".join(parts)) >= 300_000


def test_a_changed_link_gives_nothing(lin: Hand, kept: Upload) -> None:
    ((_, url, _, (start, stop)),) = fetches(lin.get(f"/v2/reconstructions/{kept.name}").json())
    base, _, seal = url.rpartition("/")
    for at in range(0, len(seal) - 1, 7):
        changed = seal[:at] + ("A" if seal[at] != "A" else "B") + seal[at + 1 :]
        answer = lin.http.get(f"{base}/{changed}", headers={"Range": f"bytes={start}-{stop}"})
        assert answer.status_code in {403, 404}, changed


def test_a_link_to_a_xorb_that_was_deleted_is_over(node: Node, lin: Hand, kept: Upload) -> None:
    ((_, url, _, (start, stop)),) = fetches(lin.get(f"/v2/reconstructions/{kept.name}").json())
    for key in list(node.store.keys("xorbs")):
        node.store.delete(key)

    assert lin.http.get(url, headers={"Range": f"bytes={start}-{stop}"}).status_code == 403


def error(lines: list[dict]) -> str:
    last = lines[-1]
    assert last["type"] == "error"
    assert last["retryable"] is False
    return last["message"]


def known(hand: Hand, sha256: bytes) -> content.Content | None:
    with hand.node.db.begin(Mode.READ) as tx:
        return content.find(tx, hand.place.id, sha256)


def test_bytes_under_a_wrong_digest_are_not_registered(lin: Hand) -> None:
    good = make_upload(noise("good", 90_000))
    for xorb in (*UPLOAD.xorbs, *good.xorbs):
        lin.put_xorb(xorb)
    forged = hashlib.sha256(b"what Lin did not upload").digest()
    from_shard = make_file([Run(UPLOAD.xorbs[0], 0, UPLOAD.xorbs[0].index.count)], forged)
    shard = write_shard([good.file, from_shard], [])

    message = error(lin.put_shard(shard))
    answer = lin.post("/v1/shards", shard)

    assert forged.hex() in message
    assert UPLOAD.sha256.hex() in message
    assert answer.status_code == 400
    assert known(lin, forged) is None
    assert known(lin, good.sha256) is None, "all files of a shard hold, or none is known"
    assert lin.get(f"/v2/reconstructions/{UPLOAD.name}").status_code == 404


def test_files_up_to_64_mib_are_hashed_before_the_shard_is_answered() -> None:
    assert registering.HASHED_BYTES_MAX == 64 * 1024 * 1024


def test_a_large_file_is_registered_unverified_and_hashed_after_the_commit(
    lin: Hand, monkeypatch
) -> None:
    monkeypatch.setattr("jishi.hub.cas.registering.HASHED_BYTES_MAX", 100_000)
    lin.upload(UPLOAD)

    found = known(lin, UPLOAD.sha256)
    assert found is not None
    assert not found.is_verified
    lin.commit(UPLOAD)
    with lin.node.db.begin(Mode.READ) as tx:
        jobs = tx.conn.execute(sa.text("SELECT name, args FROM core_job")).all()
    assert [(name, json.loads(args)["sha256"]) for name, args in jobs] == [
        ("hub.verify_content", [UPLOAD.sha256.hex()])
    ]


def test_what_was_hashed_once_is_not_hashed_again(house: House, lin: Hand, monkeypatch) -> None:
    lin.upload(UPLOAD)
    monkeypatch.setattr("jishi.hub.cas.registering.HASHED_BYTES_MAX", 0)

    lin.upload(UPLOAD)
    elsewhere = house.hand(LIN, house.repo(LIN, "elsewhere"))
    elsewhere.upload(UPLOAD)

    for hand in (lin, elsewhere):
        found = known(hand, UPLOAD.sha256)
        assert found is not None
        assert found.is_verified


def test_a_file_needs_a_digest(lin: Hand) -> None:
    for xorb in UPLOAD.xorbs:
        lin.put_xorb(xorb)

    assert "without its SHA-256" in error(lin.put_shard(UPLOAD.claiming(None)))


def test_a_shard_that_does_not_hold_says_why(lin: Hand, kept: Upload) -> None:
    wide = make_upload(noise("rights", 300_000)).file
    wide.terms["end"][0] += 1
    forged = make_upload(noise("rights", 300_000)).file
    forged.proofs[0][0] ^= 1

    assert "beyond its xorb" in error(lin.put_shard(write_shard([wide], [])))
    assert "verification is wrong" in error(lin.put_shard(write_shard([forged], [])))
    assert "cut short" in error(lin.put_shard(kept.shard[:-1]))
    assert "cut short" in error(lin.put_shard(b""))
    assert lin.post("/v1/shards", kept.shard[:-1]).status_code == 400


def test_whoever_builds_on_lost_data_is_sent_to_a_fresh_address(house: House, lin: Hand) -> None:
    message = error(lin.put_shard(write_shard([UPLOAD.file], [])))

    assert "run the upload again" in message
    again = house.hand(LIN, lin.place)
    assert again.token.path != lin.token.path
    maya = house.hand(MAYA, house.repo(MAYA, "hers"))
    assert maya.token.path.startswith("/cas/e1-")
    again.upload(UPLOAD)
    assert again.download(UPLOAD.name) == UPLOAD.data


def test_knowing_the_names_of_chunks_from_replies_proves_nothing(
    house: House, kept: Upload
) -> None:
    """A thief has the reply about Lin's file: xorb, keyed names, lengths.  No raw names."""
    thief = house.hand(MAYA, house.repo(MAYA, "loot"))
    reply = thief.chunk(kept)
    assert reply.status_code == 200
    count = kept.xorbs[0].index.count
    keyed = [reply.content[144 + 48 * i :][:32] for i in range(count)]
    file = make_file([Run(kept.xorbs[0], 0, count)])
    guess = file.proofs.copy()
    guess[0] = list(hashlib.sha256(b"".join(keyed)).digest())
    forged = make_file([Run(kept.xorbs[0], 0, count)])
    forged.proofs[:] = guess

    assert "verification is wrong" in error(thief.put_shard(write_shard([forged], [])))
    assert thief.get(f"/v2/reconstructions/{kept.name}").status_code == 404


def test_a_stranger_gets_no_bytes_that_lie_beside_his_own(house: House, maya: Hand) -> None:
    """Maya shows one chunk of her xorb; he builds on it, and reads exactly that chunk."""
    private = [noise("maya one", 40_000), noise("common", 40_000), noise("maya two", 40_000)]
    xorb = make_xorb(private)
    maya.put_xorb(xorb)
    whole = make_file([Run(xorb, 0, 3)])
    assert maya.put_shard(write_shard([whole], []))[-1] == {"type": "result"}
    own = make_file([Run(xorb, 1, 2)])
    public = house.hand(MAYA, house.repo(MAYA, "public"))
    assert public.put_shard(write_shard([own], []))[-1] == {"type": "result"}
    public.commit(Upload(private[1], [], own))
    stranger = house.hand(LIN, house.repo(LIN, "hers"))
    assert stranger.put_shard(write_shard([own], []))[-1] == {"type": "result"}

    name = b"".join(own.hash[i : i + 8][::-1] for i in range(0, 32, 8)).hex()
    assert stranger.download(name) == private[1]
    ((_, url, chunks, (start, stop)),) = fetches(stranger.get(f"/v2/reconstructions/{name}").json())
    assert chunks == (1, 2)
    for text in (f"bytes=0-{stop}", f"bytes={start}-{stop + 1}", f"bytes={start}-{10**6}"):
        answer = stranger.http.get(url, headers={"Range": text})
        assert answer.status_code == 403
        assert private[0][:100] not in answer.content
        assert private[2][:100] not in answer.content


def test_a_body_that_stops_half_way_leaves_nothing(node: Node, lin: Hand, tmp_path) -> None:
    (xorb,) = UPLOAD.xorbs
    path = f"{lin.token.path}/v1/xorbs/default/{xorb.text}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {lin.head['Authorization']}\r\n"
        f"Content-Length: {len(xorb.body)}\r\n\r\n"
    )
    with Wire(lin.http.base_url.port) as wire:
        wire.send(head.encode() + xorb.body[:200_000])

    assert lin.put_xorb(xorb, xorb.body[:200_000]).status_code == 400
    assert list(node.store.keys("xorbs")) == []
    with node.db.begin(Mode.READ) as tx:
        assert tx.conn.execute(sa.select(xet_tables.xorbs)).all() == []
    for _ in range(100):
        if not list((tmp_path / "spool").iterdir()):
            break
        time.sleep(0.02)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_bad_xorb_is_refused_for_good(lin: Hand) -> None:
    (xorb,) = UPLOAD.xorbs
    flipped = bytearray(xorb.body)
    flipped[1000] ^= 1

    answer = lin.put_xorb(xorb, bytes(flipped))

    assert answer.status_code == 400, "clients must not try a broken body again"
    assert answer.headers["x-error-message"].startswith("This is not a valid xorb")
