"""What clients are told so that they need not send it, and who is told what."""

from __future__ import annotations

import struct
from dataclasses import replace

import httpx2
import pytest

from jishi.core.db import Mode
from jishi.core.signing import Keys
from jishi.hub import Node
from jishi.hub.content import sharing
from jishi.people import NOBODY
from jishi.xet import Memory, replies
from jishi.xet.formats.hashes import keyed_hash
from tests.conftest import Clock
from tests.hub.content.conftest import LIN, MAYA
from tests.plans import plan_of
from tests.wire.xet.conftest import Hand, House, cas_text
from tests.xet.making import Run, Upload, make_file, make_upload, make_xorb, noise, write_shard

UPLOAD = make_upload(noise("dedup", 1_200_000), per_xorb=4)


def named(reply: bytes) -> dict[bytes, list[bytes]]:
    """Return xorb -> keyed chunk names of a reply, checking its frame."""
    footer = reply[-200:]
    (at,) = struct.unpack("<Q", footer[-8:])
    assert reply[48:80] == reply[at - 48 : at - 16] == b"\xff" * 32
    assert at == len(reply) - 200
    found, place = {}, 96
    while reply[place : place + 32] != b"\xff" * 32:
        name, _, count, _, _ = struct.unpack_from("<32sIIII", reply, place)
        start = place + 48
        found[name] = [reply[start + 48 * i :][:32] for i in range(count)]
        place = start + 48 * count
    return found


@pytest.fixture
def shown(lin: Hand) -> Upload:
    lin.upload(UPLOAD)
    lin.commit(UPLOAD)
    return UPLOAD


def test_a_hit_names_the_rest_of_the_file_in_order(house: House, shown: Upload) -> None:
    other = house.hand(MAYA, house.repo(MAYA, "other"))

    reply = other.chunk(shown)

    assert reply.status_code == 200
    assert list(named(reply.content)) == [xorb.name for xorb in shown.xorbs]


def test_names_in_a_reply_are_known_to_who_has_the_chunks(lin: Hand, shown: Upload) -> None:
    reply = lin.chunk(shown).content
    key = reply[-200:][72:104]

    for xorb in shown.xorbs:
        names = [name.tobytes() for name in xorb.index.hashes]
        assert named(reply)[xorb.name] == [keyed_hash(key, name) for name in names]
        assert not any(name in reply for name in names)


def test_the_key_is_this_installations_and_this_weeks(
    lin: Hand, shown: Upload, clock: Clock
) -> None:
    def key() -> bytes:
        return lin.chunk(shown).content[-200:][72:104]

    first = key()
    clock.forward(60)
    same = key()
    clock.forward(7 * 86_400)
    lin = House(lin.http, lin.node).hand(LIN, lin.place)

    assert first == same != lin.chunk(shown).content[-200:][72:104]
    assert first != Keys(b"o" * 32).derive("xet.reply/0")


def test_private_chunks_are_known_to_their_repository_alone(house: House, maya: Hand) -> None:
    maya.upload(UPLOAD)
    maya.commit(UPLOAD)
    strangers = [
        house.hand(LIN, house.repo(LIN, "books")),
        house.hand(MAYA, house.repo(MAYA, "public")),
        house.hand(NOBODY, house.repo(LIN, "open"), writes=False),
    ]

    assert maya.chunk(UPLOAD).status_code == 200
    grant = f"/v1/xorb-grants/default/{UPLOAD.xorbs[0].text}"
    assert maya.post(grant).status_code == 200
    for stranger in strangers:
        assert stranger.chunk(UPLOAD).status_code == 404
    assert strangers[0].post(grant).status_code == 404


def test_only_the_chunks_of_known_files_are_named(house: House, maya: Hand) -> None:
    """Others' chunks in the same xorb keep their places, but neither name nor length."""
    data = [noise("maya one", 40_000), noise("common", 40_000), noise("maya two", 30_000)]
    xorb = make_xorb(data)
    maya.put_xorb(xorb)
    maya.put_shard(write_shard([make_file([Run(xorb, 0, 3)])], []))
    public = house.hand(MAYA, house.repo(MAYA, "public"))
    public.put_shard(write_shard([make_file([Run(xorb, 1, 2)])], []))
    public.commit(Upload(data[1], [], make_file([Run(xorb, 1, 2)])))
    lin = house.hand(LIN, house.repo(LIN, "hers"))

    def ask(hand: Hand, place: int) -> httpx2.Response:
        name = cas_text(xorb.index.hashes[place].tobytes())
        return hand.get(f"/v1/chunks/default/{name}")

    hers, mayas = ask(lin, 1).content, ask(maya, 0).content

    assert ask(lin, 0).status_code == 404
    key = hers[-200:][72:104]
    keyed = [keyed_hash(key, name.tobytes()) for name in xorb.index.hashes]
    names = named(hers)[xorb.name]
    assert names[1] == keyed[1]
    assert len(names) == 2, "nor does she hear how many follow"
    assert names[0] not in {keyed[0], bytes(32)}
    records = [struct.unpack_from("<II", hers, 96 + 48 * n + 32) for n in (1, 2)]
    assert records == [(0, 0), (0, 40_000)]
    assert struct.unpack_from("<III", hers, 96 + 36) == (2, 40_000, 0)
    packed, _, raw = struct.unpack("<QQQ", hers[-32:-8])
    assert (packed, raw) == (0, 40_000), "nor how large the whole is"
    assert named(mayas)[xorb.name] == keyed
    assert struct.unpack_from("<III", mayas, 96 + 36) == (3, 110_000, len(xorb.body))


def test_what_is_not_committed_is_known_to_its_repository_alone(house: House, lin: Hand) -> None:
    lin.upload(UPLOAD)
    other = house.hand(MAYA, house.repo(MAYA, "other"))

    assert lin.chunk(UPLOAD).status_code == 200
    assert other.chunk(UPLOAD).status_code == 404
    lin.commit(UPLOAD)
    assert other.chunk(UPLOAD).status_code == 200


def test_a_private_holder_does_not_hide_a_public_one(house: House, lin: Hand, maya: Hand) -> None:
    lin.upload(UPLOAD)
    lin.commit(UPLOAD)
    maya.upload(UPLOAD)
    maya.commit(UPLOAD)
    third = house.hand(LIN, house.repo(LIN, "third"))

    assert third.chunk(UPLOAD).status_code == 200


def test_a_chunk_nobody_asks_about_is_not_indexed(lin: Hand, shown: Upload) -> None:
    eligible = [
        number
        for number, name in enumerate(
            name for xorb in shown.xorbs for name in xorb.index.hashes.tolist()
        )
        if int.from_bytes(bytes(name[24:26]), "little") % 1024 == 0
    ]

    answers = [lin.chunk(shown, number).status_code for number in range(8)]

    assert answers == [200 if n == 0 or n in eligible else 404 for n in range(8)]


@pytest.fixture
def small_is_large(monkeypatch) -> Upload:
    """A file just large enough to be told about."""
    upload = make_upload(noise("large", 17 << 20), per_xorb=40)
    monkeypatch.setattr(replies, "REPLY_BYTES_MAX", 1 << 20)
    return upload


def test_a_miss_tells_once_of_the_repositorys_large_files(
    house: House, lin: Hand, small_is_large: Upload
) -> None:
    lin.upload(small_is_large)
    lin.commit(small_is_large)
    unknown = make_upload(noise("a new header", 20_000))
    first = house.hand(LIN, lin.place, session="run-1")
    second = house.hand(LIN, lin.place, session="run-2")
    nameless = house.hand(LIN, lin.place)
    elsewhere = house.hand(LIN, house.repo(LIN, "elsewhere"), session="run-3")

    hint = first.chunk(unknown)

    assert hint.status_code == 200
    assert list(named(hint.content)) == [xorb.name for xorb in small_is_large.xorbs]
    assert first.chunk(unknown).status_code == 404
    assert second.chunk(unknown).status_code == 200
    assert nameless.chunk(unknown).status_code == 404
    assert elsewhere.chunk(unknown).status_code == 404


def test_small_files_are_no_hint(house: House, lin: Hand, shown: Upload) -> None:
    asking = house.hand(LIN, lin.place, session="run-1")

    assert shown.file.hash
    assert asking.chunk(make_upload(noise("new", 20_000))).status_code == 404


def test_a_lost_object_is_a_miss(node: Node, lin: Hand, shown: Upload) -> None:
    for key in list(node.store.keys("xorbs")):
        node.store.delete(key)
    object.__setattr__(node, "xet", replace(node.xet, memory=Memory(node.store)))

    assert lin.chunk(shown).status_code == 404


def test_hints_are_found_by_an_index_and_not_sorted(node: Node) -> None:
    with node.db.begin(Mode.READ) as tx:
        plan = plan_of(tx, sharing.LARGE, repo=1, n=5)

    assert not plan.sorts
    assert "hub_content_large" in plan.text
