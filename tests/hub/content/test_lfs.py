"""LFS through the hub's own door: plans, bytes, parts, links."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jishi.core.db import Mode
from jishi.hub import Node, content
from jishi.hub.content import lfs
from jishi.hub.content.lfs import Batch, Item, Transfer, Wanted, transfers, uploads
from jishi.people import NOBODY, Actor, SignInNeeded
from jishi.storage import Assembly, FileSource
from tests.conftest import Clock
from tests.hub.content.conftest import LIN, MAYA, Place

PART = 1 << 20
BIG = random.Random(1).randbytes(3 * PART + 11)
SMALL = b"small bytes"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    """Parts of 1 MiB, beginning above 2 MiB: the rules are the same, the tests quicker."""
    monkeypatch.setattr(uploads, "PART_BYTES", PART)
    monkeypatch.setattr(transfers, "MULTIPART_BYTES_MIN", 2 * PART)


def wanted(data: bytes) -> Wanted:
    return Wanted(hashlib.sha256(data).digest(), len(data))


async def plan(
    node: Node,
    where: Place,
    *objects: Wanted,
    actor: Actor = LIN,
    offered: Sequence[str] = ("basic",),
) -> Batch:
    return await lfs.plan_upload(node, actor, where.kind, where.path, objects, offered=offered)


async def put(node: Node, item: Item, data: bytes) -> None:
    """Do what the wire does with a ``PUT`` of a whole object."""
    link = await lfs.open_upload_link(node, item.link or "")
    with node.spool.new() as body:
        body.write(data)
        await lfs.put_object(node, link, body, hashlib.sha256(data).digest())


async def put_part(node: Node, item: Item, number: int, data: bytes) -> str:
    upload, size = await lfs.open_part_link(node, item.link or "", number)
    assert size == len(data) or data in (b"", b"x")
    with node.spool.new() as body:
        body.write(data)
        return await lfs.put_part(node, upload, number, body)


def parts(data: bytes) -> list[tuple[int, bytes]]:
    return [(n // PART + 1, data[n : n + PART]) for n in range(0, len(data), PART)]


async def upload(node: Node, where: Place, data: bytes, *, actor: Actor = LIN) -> None:
    (item,) = (await plan(node, where, wanted(data), actor=actor)).items
    await put(node, item, data)


async def in_parts(node: Node, where: Place, data: bytes) -> Item:
    batch = await plan(node, where, wanted(data), offered=["basic", "multipart"])
    assert batch.transfer is Transfer.MULTIPART
    return batch.items[0]


def known(node: Node, where: Place, data: bytes) -> content.Content | None:
    with node.db.begin(Mode.READ) as tx:
        return content.find(tx, where.id, wanted(data).sha256)


def stored(node: Node) -> list[str]:
    return list(node.store.keys("lfs"))


def commit(node: Node, where: Place, *datas: bytes) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        content.mark_committed(tx, where.id, [wanted(data).sha256 for data in datas])


def test_an_object_comes_once(node, books) -> None:
    async def story():
        await upload(node, books, SMALL)
        return await plan(node, books, wanted(SMALL))

    again = asyncio.run(story())

    assert again.items[0].is_here
    assert again.items[0].link is None
    found = known(node, books, SMALL)
    assert found is not None
    assert found.is_verified
    assert node.store.read(found.plain_key or "") == SMALL


def test_bytes_known_elsewhere_are_asked_for_and_stored_once(node, books, secrets) -> None:
    async def story():
        await upload(node, secrets, SMALL, actor=MAYA)
        asked = await plan(node, books, wanted(SMALL))
        before = stored(node)
        await put(node, asked.items[0], SMALL)
        return asked, before

    asked, before = asyncio.run(story())

    assert not asked.items[0].is_here
    assert stored(node) == before
    assert known(node, books, SMALL) is not None


def test_knowing_a_digest_gives_nobody_the_bytes(node, books, secrets) -> None:
    async def story():
        await upload(node, secrets, SMALL, actor=MAYA)
        commit(node, secrets, SMALL)
        (item,) = (await plan(node, books, wanted(SMALL))).items
        with pytest.raises(lfs.WrongDigest):
            await put(node, item, b"SMALL BYTES")
        return await lfs.plan_download(node, LIN, books.kind, books.path, [wanted(SMALL)])

    got = asyncio.run(story())

    assert isinstance(got.items[0].refusal, lfs.ObjectMissing)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"small bytez", lfs.WrongDigest),
        (b"small byte", lfs.WrongSize),
        (b"small bytes!", lfs.WrongSize),
        (b"", lfs.WrongSize),
    ],
    ids=["wrong", "short", "long", "empty"],
)
def test_other_bytes_are_refused_and_not_kept(node, books, data, refusal) -> None:
    async def story():
        (item,) = (await plan(node, books, wanted(SMALL))).items
        with pytest.raises(refusal):
            await put(node, item, data)

    asyncio.run(story())

    assert known(node, books, SMALL) is None
    assert stored(node) == []
    assert list((node.folder / "spool").iterdir()) == []


def test_the_same_object_from_many_at_once_is_one(node, books, secrets) -> None:
    async def story():
        both = [(books, LIN), (secrets, MAYA)] * 4
        await asyncio.gather(*(upload(node, r, SMALL, actor=a) for r, a in both))

    asyncio.run(story())

    assert len(stored(node)) == 1
    for where in (books, secrets):
        assert known(node, where, SMALL) is not None


@pytest.mark.parametrize("seed", range(3))
def test_parts_may_come_in_any_order_and_more_than_once(node, books, seed) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        order = random.Random(seed).choices(parts(BIG), k=4) + parts(BIG)
        tags = await asyncio.gather(*(put_part(node, item, n, data) for n, data in order))
        await lfs.complete_upload(node, item.link, item.wanted.sha256)
        await lfs.complete_upload(node, item.link, item.wanted.sha256)
        return tags

    tags = asyncio.run(story())

    assert all(tags)
    found = known(node, books, BIG)
    assert found is not None
    assert node.store.read(found.plain_key or "") == BIG
    assert list((node.folder / "uploads").iterdir()) == []


def test_completing_twice_at_once_is_completing_once(node, books) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG):
            await put_part(node, item, number, data)
        await asyncio.gather(
            *(lfs.complete_upload(node, item.link, item.wanted.sha256) for _ in range(3))
        )

    asyncio.run(story())

    assert known(node, books, BIG) is not None


def test_an_upload_goes_on_where_it_was_after_a_restart(node, books, monkeypatch) -> None:
    async def before():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG)[:2]:
            await put_part(node, item, number, data)

    async def after():
        again = Assembly(node.folder / "uploads", node.pool)
        object.__setattr__(node, "assembly", again)
        item = await in_parts(node, books, BIG)
        monkeypatch.setattr(again, "write", None)  # a part that is here is not written again
        for number, data in parts(BIG)[:2]:
            await put_part(node, item, number, data)
        monkeypatch.undo()
        monkeypatch.setattr(uploads, "PART_BYTES", PART)
        for number, data in parts(BIG)[2:]:
            await put_part(node, item, number, data)
        await lfs.complete_upload(node, item.link, item.wanted.sha256)

    asyncio.run(before())
    asyncio.run(after())

    found = known(node, books, BIG)
    assert found is not None
    assert node.store.read(found.plain_key or "") == BIG


def test_an_incomplete_upload_names_what_is_missing(node, books) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG)[1:3]:
            await put_part(node, item, number, data)
        with pytest.raises(lfs.PartsMissing) as refused:
            await lfs.complete_upload(node, item.link, item.wanted.sha256)
        return refused.value

    assert asyncio.run(story()).facts["numbers"] == "1, 4"


def test_wrong_parts_end_the_upload_and_leave_nothing(node, books) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG):
            await put_part(node, item, number, data[::-1])
        with pytest.raises(lfs.WrongDigest):
            await lfs.complete_upload(node, item.link, item.wanted.sha256)
        with pytest.raises(lfs.UploadGone):
            await lfs.complete_upload(node, item.link, item.wanted.sha256)
        with pytest.raises(lfs.UploadGone):
            await put_part(node, item, 1, parts(BIG)[0][1])

    asyncio.run(story())

    assert stored(node) == []
    assert list((node.folder / "uploads").iterdir()) == []
    assert known(node, books, BIG) is None


@pytest.mark.parametrize("data", [b"", b"x"], ids=["empty", "short"])
def test_a_cut_part_is_refused(node, books, data) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        with pytest.raises(lfs.WrongSize):
            await put_part(node, item, 1, data)
        with pytest.raises(lfs.NoSuchPart):
            await put_part(node, item, 5, b"x")

    asyncio.run(story())


def test_parts_that_vanished_from_the_disk_end_the_upload(node, books) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG):
            await put_part(node, item, number, data)
        object.__setattr__(node, "assembly", Assembly(node.folder / "uploads", node.pool))
        for path in (node.folder / "uploads").iterdir():
            path.unlink()
        with pytest.raises(lfs.UploadGone):
            await lfs.complete_upload(node, item.link, item.wanted.sha256)

    asyncio.run(story())


def test_a_crash_between_the_store_and_the_row_is_repaired_by_the_next_call(
    node, books, monkeypatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_args, **_more):
        raise Crash

    async def story():
        item = await in_parts(node, books, BIG)
        for number, data in parts(BIG):
            await put_part(node, item, number, data)
        with monkeypatch.context() as broken:
            broken.setattr(uploads, "settle_upload", crash)
            with pytest.raises(Crash):
                await lfs.complete_upload(node, item.link, item.wanted.sha256)
        assert known(node, books, BIG) is None
        await lfs.complete_upload(node, item.link, item.wanted.sha256)

    asyncio.run(story())

    found = known(node, books, BIG)
    assert found is not None
    assert node.store.read(found.plain_key or "") == BIG


def test_one_large_object_puts_the_whole_batch_into_parts(node, books) -> None:
    batch = asyncio.run(
        plan(node, books, wanted(SMALL), wanted(BIG), offered=["basic", "multipart"])
    )

    assert [item.upload.parts for item in batch.items if item.upload] == [1, 4]


def test_clients_without_parts_send_large_objects_whole(node, books) -> None:
    batch = asyncio.run(plan(node, books, wanted(BIG)))

    assert batch.transfer is Transfer.BASIC
    assert batch.items[0].upload is None


def test_clients_of_xet_are_sent_there(node, books) -> None:
    batch = asyncio.run(plan(node, books, wanted(BIG), offered=["basic", "multipart", "xet"]))

    assert batch.transfer is Transfer.XET
    assert batch.items[0].link is None


def test_an_empty_object_in_parts_has_none(node, books) -> None:
    async def story():
        batch = await plan(node, books, wanted(b""), wanted(BIG), offered=["basic", "multipart"])
        item = batch.items[0]
        await lfs.complete_upload(node, item.link, item.wanted.sha256)
        return item

    item = asyncio.run(story())

    assert item.upload is not None
    assert item.upload.parts == 0
    found = known(node, books, b"")
    assert found is not None
    assert node.store.read(found.plain_key or "") == b""


def test_a_size_that_is_not_the_contents_is_refused(node, books) -> None:
    async def story():
        await upload(node, books, SMALL)
        commit(node, books, SMALL)
        lie = Wanted(wanted(SMALL).sha256, 12)
        up = await plan(node, books, lie)
        down = await lfs.plan_download(node, LIN, books.kind, books.path, [lie])
        return up.items[0], down.items[0]

    for item in asyncio.run(story()):
        assert isinstance(item.refusal, lfs.SizeDiffers)


def test_a_blocked_content_is_asked_for_again(node, books) -> None:
    async def story():
        await upload(node, books, SMALL)
        with node.db.begin(Mode.WRITE) as tx:
            tx.conn.exec_driver_sql("UPDATE hub_content SET blocked_at = 1")
        return (await plan(node, books, wanted(SMALL))).items[0]

    assert asyncio.run(story()).link


def test_an_upload_that_expired_takes_no_parts(node, books, clock: Clock) -> None:
    item = asyncio.run(in_parts(node, books, BIG))
    clock.forward(lfs.UPLOAD_SECONDS)

    with node.db.begin(Mode.READ) as tx, pytest.raises(lfs.UploadGone):
        uploads.get_upload(tx, item.upload.public_id)


def test_another_size_begins_another_upload(node, books) -> None:
    async def story():
        first = await in_parts(node, books, BIG)
        await put_part(node, first, *parts(BIG)[0])
        lie = Wanted(wanted(BIG).sha256, len(BIG) + PART)
        batch = await plan(node, books, lie, offered=["multipart"])
        with pytest.raises(lfs.UploadGone):
            await put_part(node, first, *parts(BIG)[1])
        return first.upload, batch.items[0].upload

    first, second = asyncio.run(story())

    assert first.public_id != second.public_id
    assert second.parts == first.parts + 1
    assert list(node.assembly.names()) == []


def test_a_part_of_an_upload_that_ended_meanwhile_is_not_noted(node, books) -> None:
    item = asyncio.run(in_parts(node, books, BIG))

    with node.db.begin(Mode.WRITE) as tx:
        uploads.drop_upload(tx, item.upload.public_id)
        with pytest.raises(lfs.UploadGone):
            uploads.note_part(tx, item.upload, 1)


def test_a_batch_gets_so_many_parts_and_the_rest_another_time(node, books, monkeypatch) -> None:
    monkeypatch.setattr(transfers, "PARTS_MAX", 10)
    large = [Wanted(bytes([n]) * 32, 4 * PART) for n in range(4)]
    small = Wanted(b"s" * 32, 2 * PART)

    batch = asyncio.run(plan(node, books, *large, small, offered=["multipart"]))
    whole = asyncio.run(plan(node, books, *large, offered=["basic"]))

    refused = [isinstance(item.refusal, transfers.TooManyParts) for item in batch.items]
    assert refused == [False, False, True, True, False]
    assert [item.upload is None for item in batch.items] == refused
    assert all(item.link for item in whole.items)


def test_limits_are_said_for_each_object(node, books) -> None:
    huge = Wanted(b"h" * 32, transfers.OBJECT_BYTES_MAX + 1)

    batch = asyncio.run(plan(node, books, huge, wanted(SMALL)))

    assert isinstance(batch.items[0].refusal, lfs.ObjectTooLarge)
    assert batch.items[1].link
    with pytest.raises(lfs.BatchTooLarge):
        asyncio.run(plan(node, books, *[huge] * (lfs.OBJECTS_MAX + 1)))


def test_strangers_neither_upload_nor_fetch(node, books, secrets) -> None:
    from jishi.hub.repos import RepoMissing  # noqa: PLC0415

    async def story():
        with pytest.raises(SignInNeeded):
            await plan(node, books, wanted(SMALL), actor=NOBODY)
        with pytest.raises(RepoMissing):
            await plan(node, secrets, wanted(SMALL))
        with pytest.raises(RepoMissing):
            await lfs.plan_download(node, LIN, secrets.kind, secrets.path, [])

    asyncio.run(story())


def test_only_committed_contents_can_be_fetched(node, books) -> None:
    async def story():
        await upload(node, books, SMALL)
        before = await lfs.plan_download(node, NOBODY, books.kind, books.path, [wanted(SMALL)])
        commit(node, books, SMALL)
        after = await lfs.plan_download(node, NOBODY, books.kind, books.path, [wanted(SMALL)])
        return before.items[0], await lfs.open_download(node, after.items[0].link or "")

    before, (found, source) = asyncio.run(story())

    assert isinstance(before.refusal, lfs.ObjectMissing)
    assert found.size == len(SMALL)
    assert isinstance(source, FileSource)
    assert source.path.read_bytes() == SMALL


def test_links_end_and_do_one_thing(node, books, clock: Clock) -> None:
    async def story():
        (item,) = (await plan(node, books, wanted(SMALL))).items
        link = item.link or ""
        for wrong in (link[:-2] + "AA", "", "x.y", item.check or ""):
            with pytest.raises(lfs.LinkInvalid):
                await lfs.open_upload_link(node, wrong)
        with pytest.raises(lfs.LinkInvalid):
            await lfs.open_download(node, link)
        with pytest.raises(lfs.LinkInvalid):
            await lfs.open_part_link(node, link, 1)
        with pytest.raises(lfs.LinkInvalid):
            await lfs.complete_upload(node, link, item.wanted.sha256)
        clock.forward(lfs.UPLOAD_SECONDS + 1)
        with pytest.raises(lfs.LinkInvalid):
            await put(node, item, SMALL)

    asyncio.run(story())


def test_a_link_for_one_object_completes_no_other(node, books) -> None:
    async def story():
        item = await in_parts(node, books, BIG)
        with pytest.raises(lfs.LinkInvalid):
            await lfs.complete_upload(node, item.link, wanted(SMALL).sha256)

    asyncio.run(story())


def test_the_check_says_what_arrived(node, books) -> None:
    async def ask(item: Item, want: Wanted):
        await node.db.read(lfs.check_object, node.keys, item.check or "", want)

    async def story():
        (item,) = (await plan(node, books, wanted(SMALL))).items
        with pytest.raises(lfs.ObjectMissing):
            await ask(item, wanted(SMALL))
        await put(node, item, SMALL)
        await ask(item, wanted(SMALL))
        with pytest.raises(lfs.SizeDiffers):
            await ask(item, Wanted(wanted(SMALL).sha256, 1))
        with pytest.raises(lfs.LinkInvalid):
            await ask(item, wanted(BIG))

    asyncio.run(story())


def test_what_was_given_up_is_swept_and_the_rest_stays(node, books, clock: Clock) -> None:
    other = BIG[::-1]

    async def story():
        old = await in_parts(node, books, BIG)
        await put_part(node, old, *parts(BIG)[0])
        (node.folder / "uploads" / "stray").write_bytes(b"x")
        clock.forward(lfs.UPLOAD_SECONDS - 10)
        young = await in_parts(node, books, other)
        await put_part(node, young, *parts(other)[0])
        clock.forward(20)
        await lfs.sweep_uploads(node)
        return old, young

    old, young = asyncio.run(story())

    names = {path.name.removesuffix(".lock") for path in (node.folder / "uploads").iterdir()}
    assert old.upload.public_id not in names
    assert young.upload.public_id in names


def test_asking_again_lengthens_an_upload(node, books, clock: Clock) -> None:
    async def story():
        first = await in_parts(node, books, BIG)
        clock.forward(lfs.UPLOAD_SECONDS - 10)
        await in_parts(node, books, BIG)
        clock.forward(20)
        again = await in_parts(node, books, BIG)
        return first.upload, again.upload

    first, again = asyncio.run(story())

    assert first.public_id == again.public_id


@given(size=some.integers(0, 1 << 40), part_bytes=some.integers(1, 1 << 30))
def test_parts_cover_a_file_without_gap_or_overlap(size: int, part_bytes: int) -> None:
    part_bytes = max(part_bytes, -(-size // 500))
    upload = uploads.Upload(1, "u", 1, b"", size, part_bytes, "", is_verified=False)

    spans = [upload.span(number) for number in range(1, upload.parts + 1)]

    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]
    assert sum(end - start for start, end in spans) == size
    assert all(start < end for start, end in spans)
    assert upload.parts == -(-size // part_bytes)
    for number in (0, upload.parts + 1):
        with pytest.raises(lfs.NoSuchPart):
            upload.span(number)
