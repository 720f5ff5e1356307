"""Whatever happens to the cache, nothing is lost; packs are stored before they are named."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading

import pytest

from jishi import git
from jishi.core.db import Mode
from jishi.core.errors import Broken
from jishi.git import cache as caching
from jishi.git.flows import open_repository
from jishi.git.packs import PackExpired, begin_upload, generations, packs_of
from jishi.git.tables import packs, uploads
from jishi.storage import LocalStore, ObjectMissing
from tests.git.shelf import ANN, MAIN, WHEN, Shelf, settle, texts

BIG = bytes(range(256)) * 1000
NOISE = random.Random(5).randbytes(160_000)


class FarStore(LocalStore):
    """Objects that are not files of this machine."""

    def path(self, key: str) -> None:
        super().path(key)

    def size(self, key: str) -> int:
        return super().path(key).stat().st_size


def fill(shelf: Shelf) -> tuple[int, str]:
    """Make a repository with a small pack and a large one."""
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a", "b/c"]))
    oid = shelf.commit(git_id, git.Put("noise", NOISE)).oid
    with shelf.db.begin(Mode.READ) as tx:
        stored = packs_of(tx, git_id).packs
    assert [pack.inline is not None for pack in stored] == [True, False]
    return git_id, oid


def read_all(repository: git.Repository, oid: str) -> dict[str, bytes]:
    entries = git.list_tree(repository, oid, recursive=True)
    return {e.path: git.read_blob(repository, e.oid) for e in entries if not e.is_folder}


@pytest.mark.parametrize("damage", ["everything", "repository", "objects", "idx", "pack"])
def test_deleting_any_of_it_loses_nothing(shelf: Shelf, damage) -> None:
    git_id, oid = fill(shelf)
    before = read_all(shelf.open(git_id), oid)
    held = shelf.open(git_id)
    folder = shelf.cache.folder(git_id)
    held.reopen()  # nothing of it is in memory

    match damage:
        case "everything":
            shutil.rmtree(shelf.root / "git")
        case "repository":
            shutil.rmtree(folder)
        case "objects":
            shutil.rmtree(folder / "objects")
        case _:
            for file in (folder / "objects" / "pack").glob(f"*.{damage}"):
                file.unlink()

    assert read_all(held, oid) == before
    assert read_all(shelf.open(git_id), oid) == before
    assert set(before) == {"a", "b/c", "noise"}


def test_a_second_node_sees_what_the_first_one_commits(shelf: Shelf) -> None:
    git_id, oid = fill(shelf)
    other = git.Cache(shelf.root / "other", shelf.store)

    async def read() -> dict[str, bytes]:
        return read_all(await open_repository(shelf.db, other, shelf.pool, git_id), oid)

    first = asyncio.run(read())
    oid = shelf.commit(git_id, git.Put("later", b"1")).oid

    assert asyncio.run(read()) == first | {"later": b"1"}


def test_an_open_repository_is_not_read_from_sql_again(shelf: Shelf) -> None:
    git_id, _ = fill(shelf)
    repository = shelf.open(git_id)
    with shelf.db.begin(Mode.READ) as tx:
        now = generations(tx, git_id)

    assert shelf.cache.peek(git_id, now) is repository
    shelf.commit(git_id, git.Put("later", b"1"))
    with shelf.db.begin(Mode.READ) as tx:
        assert shelf.cache.peek(git_id, generations(tx, git_id)) is None


def test_many_threads_open_and_read_while_packs_arrive_and_go(shelf: Shelf) -> None:
    git_id, oid = fill(shelf)
    want = read_all(shelf.open(git_id), oid)
    faults: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                assert read_all(shelf.open(git_id), oid) == want
        except BaseException as error:  # noqa: BLE001  (told to the test)
            faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        shelf.commit(git_id, git.Put("n", b"%d" % n))
        if n % 5 == 0:
            shutil.rmtree(shelf.root / "git", ignore_errors=True)
    done.set()
    for thread in threads:
        thread.join()

    assert faults == []


def test_packs_come_from_a_store_without_files(shelf: Shelf, monkeypatch) -> None:
    git_id, oid = fill(shelf)
    want = read_all(shelf.open(git_id), oid)
    monkeypatch.setattr(caching, "_PIECE_BYTES", 1000)
    shelf.cache = git.Cache(shelf.root / "far", FarStore(shelf.root / "objects"))

    assert read_all(shelf.open(git_id), oid) == want


def test_a_pack_that_was_changed_in_the_store_is_not_taken(shelf: Shelf) -> None:
    git_id, _ = fill(shelf)
    (key,) = (k for k in shelf.store.keys("git/") if k.endswith(".pack"))
    data = bytearray(shelf.store.read(key))
    data[len(data) // 2] ^= 1
    shelf.store.delete(key)
    shelf.store.put_bytes(key, bytes(data))
    shelf.cache = git.Cache(shelf.root / "far", FarStore(shelf.root / "objects"))

    with pytest.raises(Broken):
        shelf.open(git_id)


def test_a_lost_pack_is_told(shelf: Shelf) -> None:
    git_id, _ = fill(shelf)
    shutil.rmtree(shelf.root / "git", ignore_errors=True)
    for key in list(shelf.store.keys("git/")):
        shelf.store.delete(key)

    with pytest.raises(ObjectMissing):
        shelf.open(git_id)


def test_old_handles_are_dropped_and_folders_forgotten(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr(caching, "HANDLES_MAX", 2)
    made = [fill(shelf) for _ in range(4)]

    for git_id, oid in made:
        assert len(read_all(shelf.open(git_id), oid)) == 3
    shelf.cache.forget(made[0][0])

    assert not shelf.cache.folder(made[0][0]).exists()
    assert len(read_all(shelf.open(made[0][0]), made[0][1])) == 3


def test_a_crash_before_the_transaction_leaves_only_what_is_announced(shelf: Shelf) -> None:
    git_id = shelf.create()
    new = shelf.build(git_id, None, git.Put("noise", NOISE))

    shelf.put_away(new)

    with shelf.db.begin(Mode.READ) as tx:
        assert tx.conn.execute(uploads.select()).one().pack_id.hex() == new.pack.id
        assert packs_of(tx, git_id).packs == ()
    assert {k.partition(".")[0] for k in shelf.store.keys("git/")} == {f"git/{new.pack.id}"}
    assert shelf.ref(git_id) is None


def test_a_transaction_that_fails_leaves_neither_pack_nor_ref(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a"]))
    late = shelf.build(git_id, None, git.Put("noise", NOISE))
    shelf.put_away(late)

    with pytest.raises(git.RefMoved), shelf.db.begin(Mode.WRITE) as tx:
        settle(tx, git_id, None, late)

    with shelf.db.begin(Mode.READ) as tx:
        assert len(tx.conn.execute(packs.select()).all()) == 1
        assert tx.conn.execute(uploads.select()).one().pack_id.hex() == late.pack.id


def test_a_pack_that_came_too_late_is_refused(shelf: Shelf, clock) -> None:
    git_id = shelf.create()
    new = shelf.build(git_id, None, git.Put("noise", NOISE))
    shelf.put_away(new)
    clock.forward(3601)

    with pytest.raises(PackExpired), shelf.db.begin(Mode.WRITE) as tx:
        settle(tx, git_id, None, new)


def test_a_large_pack_that_was_not_announced_is_refused(shelf: Shelf) -> None:
    git_id = shelf.create()
    new = shelf.build(git_id, None, git.Put("noise", NOISE))

    with pytest.raises(PackExpired), shelf.db.begin(Mode.WRITE) as tx:
        git.add_pack(tx, git_id, new.pack)


def test_a_repository_that_does_not_exist_is_our_fault(shelf: Shelf) -> None:
    with pytest.raises(Broken):
        shelf.open(77)
    with pytest.raises(Broken), shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, 77, MAIN, old=None, new="1" * 40)
    pack = shelf.build(shelf.create(), None).pack
    with pytest.raises(Broken), shelf.db.begin(Mode.WRITE) as tx:
        git.add_pack(tx, 77, pack)


def test_writers_in_many_threads_lose_no_commit(shelf: Shelf) -> None:
    """Everybody who was told "committed" is in the history, and no one else."""
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["base"]))
    acknowledged: list[str] = []
    faults: list[BaseException] = []

    def work(worker: int) -> None:
        for n in range(5):
            while True:
                old = shelf.ref(git_id)
                new = git.build_commit(
                    shelf.open(git_id),
                    parent=old,
                    changes=[git.Put(f"w{worker}/{n}", b"%d" % n), git.Put("all", BIG[n:])],
                    message=f"{worker} {n}",
                    author=ANN,
                    when_us=WHEN,
                )
                try:
                    shelf.settle(git_id, old, new)
                except git.RefMoved:
                    continue
                acknowledged.append(new.oid)
                break

    def run(worker: int) -> None:
        try:
            work(worker)
        except BaseException as error:  # noqa: BLE001  (told to the test)
            faults.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    log = [c.oid for c in git.history(shelf.open(git_id), shelf.ref(git_id), limit=100)]
    assert len(acknowledged) == 40
    assert set(log[:-1]) == set(acknowledged)
    assert len(git.list_tree(shelf.open(git_id), log[0], recursive=True, limit=100)) == 50
    shelf.git(git_id, "fsck", "--full")


def test_packs_up_to_the_limit_lie_inline(shelf: Shelf) -> None:
    git_id = shelf.create()
    small = shelf.build(git_id, None, git.Put("a", NOISE[:63_000]))
    large = shelf.build(git_id, None, git.Put("a", NOISE))

    assert small.pack.is_inline
    assert not large.pack.is_inline
    shelf.settle(git_id, None, small)
    assert list(shelf.store.keys("git/")) == []


def test_an_upload_is_announced_once(shelf: Shelf) -> None:
    with shelf.db.begin(Mode.WRITE) as tx:
        begin_upload(tx, "ab" * 20)
        rows = tx.conn.execute(uploads.select()).all()

    assert [row.pack_id.hex() for row in rows] == ["ab" * 20]
