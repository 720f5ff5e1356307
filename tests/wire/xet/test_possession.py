"""What a shard may build on: what its sender sent whole, and what they may read anyway."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from jishi.core.db import Mode
from jishi.hub.cas import reach
from jishi.people import Role
from jishi.people import tables as people
from jishi.xet.formats import ShardFile, file_hash, hash_text, range_hash
from jishi.xet.formats.shards import TERM
from tests.conftest import Clock
from tests.hub.content.conftest import LIN, MAYA
from tests.wire.xet.conftest import Hand, House
from tests.xet.making import (
    Run,
    Upload,
    chunks_of,
    make_file,
    make_upload,
    make_xorb,
    noise,
    write_shard,
)

SECRET = b"one chunk, and a secret " + noise("secret", 20_000)
ONE = make_upload(SECRET)
MANY = make_upload(noise("many chunks", 900_000))


def message(hand: Hand, file: ShardFile) -> str:
    """Return what the answer to a shard with one file says, by both versions."""
    shard = write_shard([file], [])
    last = hand.put_shard(shard)[-1]
    answer = hand.post("/v1/shards", shard)
    if last == {"type": "result"}:
        assert answer.status_code == 200
        return ""
    assert answer.status_code == 400
    assert answer.json()["error"] == last["message"]
    return last["message"]


@pytest.fixture
def mallory(house: House) -> Hand:
    """A stranger with a repository of his own."""
    return house.hand(LIN, house.repo(LIN, "loot"))


@pytest.fixture
def missing(mallory: Hand) -> str:
    """What is said of a xorb that is not here."""
    said = message(mallory, make_upload(noise("never sent", 50_000)).file)
    assert "does not have" in said
    return said


def forged(xorb: bytes, raw: int, end: int = 1, sha256: bytes = bytes(32)) -> ShardFile:
    """Describe the first chunks of a xorb, by nothing but its name."""
    term = np.zeros(1, TERM)
    term["xorb"][0] = np.frombuffer(xorb, np.uint8)
    term["raw"], term["end"] = raw, end
    proof = np.frombuffer(range_hash(xorb), np.uint8).reshape(1, 32)
    return ShardFile(file_hash(xorb), term, proof, sha256)


def test_the_name_of_a_private_xorb_with_one_chunk_opens_nothing(
    maya: Hand, mallory: Hand, missing: str
) -> None:
    """Such a name is the chunk's own raw name: it would prove possession."""
    maya.upload(ONE)
    maya.commit(ONE)
    name, size = ONE.xorbs[0].name, len(SECRET)

    said = {
        message(mallory, forged(os.urandom(32), size)),
        message(mallory, forged(name, size, end=2)),
        message(mallory, forged(name, 9_000 << 13, end=9_000)),
        message(mallory, forged(name, size - 1)),
        message(mallory, forged(name, size)),
        message(mallory, forged(name, size, sha256=ONE.sha256)),
        message(mallory, replace(forged(name, size), proofs=np.zeros((1, 32), np.uint8))),
    }

    assert said == {missing}
    assert mallory.get(f"/v1/reconstructions/{ONE.name}").status_code == 404


def test_all_names_of_private_chunks_are_no_right_to_them(
    maya: Hand, mallory: Hand, missing: str
) -> None:
    maya.upload(MANY)
    maya.commit(MANY)
    (xorb,) = MANY.xorbs
    part = make_file([Run(xorb, 1, 3)])

    assert message(mallory, MANY.file) == missing
    assert message(mallory, part) == missing
    assert mallory.get(f"/v1/reconstructions/{hash_text(part.hash)}").status_code == 404


def test_whoever_sent_a_xorb_builds_on_it_wherever_they_write(
    house: House, maya: Hand, mallory: Hand
) -> None:
    maya.upload(MANY)
    for xorb in MANY.xorbs:
        assert mallory.put_xorb(xorb).status_code == 200, "stored before, and sent again"

    assert message(mallory, MANY.file) == ""
    other = house.hand(LIN, house.repo(LIN, "elsewhere", private=True))
    assert message(other, MANY.file) == ""
    assert other.download(MANY.name) == MANY.data


def test_what_was_sent_is_not_asked_for_again(maya: Hand, mallory: Hand) -> None:
    maya.upload(MANY)
    grant = f"/v1/xorb-grants/default/{MANY.xorbs[0].text}"

    assert mallory.post(grant).status_code == 404
    mallory.put_xorb(MANY.xorbs[0])
    assert mallory.post(grant).status_code == 200


def test_what_was_sent_long_ago_is_forgotten(house: House, missing: str, clock: Clock) -> None:
    mallory = house.hand(LIN, house.repo(LIN, "old"))
    for xorb in MANY.xorbs:
        mallory.put_xorb(xorb)

    def asked() -> tuple[Hand, int]:
        hand = house.hand(LIN, mallory.place)
        return hand, hand.post(f"/v1/xorb-grants/default/{MANY.xorbs[0].text}").status_code

    clock.forward(29 * 86_400)
    assert asked()[1] == 200
    clock.forward(2 * 86_400)
    hand, status = asked()
    assert status == 404
    assert message(hand, MANY.file) == missing


def test_public_chunks_are_anybodys(house: House, lin: Hand, missing: str) -> None:
    lin.upload(MANY)
    maya = house.hand(MAYA, house.repo(MAYA, "hers"))

    assert message(maya, MANY.file) == missing, "not committed: not shown yet"
    lin.commit(MANY)
    assert message(maya, MANY.file) == ""
    assert message(maya, make_file([Run(MANY.xorbs[0], 1, 3)])) == ""


def test_chunks_of_many_public_files_are_known_together(
    house: House, lin: Hand, monkeypatch
) -> None:
    monkeypatch.setattr(reach, "USERS_MAX", 5)
    pieces = [noise(f"piece {n}", 9_000) for n in range(30)]
    xorb = make_xorb(pieces)
    lin.put_xorb(xorb)
    for n, piece in enumerate(pieces):
        file = Upload(piece, [], make_file([Run(xorb, n, n + 1)]))
        assert message(lin, file.file) == ""
        lin.commit(file)
    maya = house.hand(MAYA, house.repo(MAYA, "hers"))

    assert message(maya, make_file([Run(xorb, 0, 30)])) == ""


def test_the_private_neighbours_of_public_chunks_stay_out_of_reach(
    house: House, maya: Hand, mallory: Hand, missing: str
) -> None:
    (xorb,) = MANY.xorbs
    maya.upload(MANY)
    shown = make_file([Run(xorb, 1, 3)])
    data = b"".join(chunks_of(xorb)[1:3])
    public = house.hand(MAYA, house.repo(MAYA, "public"))
    assert message(public, shown) == ""
    public.commit(Upload(data, [], shown))
    taken = mallory.chunk(MANY, 1)

    for first, end in ((0, 2), (2, 4), (0, xorb.index.count), (3, 4)):
        assert message(mallory, make_file([Run(xorb, first, end)])) == missing
    assert message(mallory, make_file([Run(xorb, 1, 3)])) == ""
    assert message(mallory, make_file([Run(xorb, 2, 3), Run(xorb, 1, 3)])) == ""
    assert taken.status_code == 200


def test_a_colleagues_private_chunks_are_known_in_every_repository(
    house: House, maya: Hand, missing: str
) -> None:
    """A client's run hears of them in one repository and writes to another."""
    maya.upload(MANY)
    maya.commit(MANY)
    lin = house.hand(LIN, house.repo(LIN, "mine"))
    assert message(lin, MANY.file) == missing
    with house.node.db.begin(Mode.WRITE) as tx:
        tx.conn.execute(sa.insert(people.orgs).values(id=MAYA.id, private_by_default=False))
        row = {"org_id": MAYA.id, "person_id": LIN.id, "person_key": "lin", "since": 0}
        tx.conn.execute(sa.insert(people.members).values(row | {"role": Role.READ}))

    assert message(lin, MANY.file) == ""


def test_a_machine_with_two_people_keeps_what_each_sent_apart(
    house: House, lin: Hand, maya: Hand
) -> None:
    """Clients remember by address; one person's memory is of no use to another."""
    again = house.hand(LIN, house.repo(LIN, "again"))

    assert lin.token.path == again.token.path
    assert lin.token.path != maya.token.path


def test_a_wrong_digest_of_ones_own_bytes_is_said(mallory: Hand) -> None:
    mallory.put_xorb(ONE.xorbs[0])

    said = message(mallory, replace(ONE.file, sha256=bytes(32)))

    assert ONE.sha256.hex() in said
