"""Many small packs become one; nothing is lost, nothing is deleted, nobody is disturbed."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from jishi import git
from jishi.core import jobs
from jishi.core.db import Mode
from jishi.git import children, merging
from jishi.git.merging import MERGE_JOB, Workshop, choose, merge_packs
from jishi.git.packs import (
    PACKS_MAX,
    StoredPack,
    end_lease,
    packs_of,
    replace_packs,
    take_lease,
)
from jishi.git.tables import packs as pack_table
from tests.git.shelf import SECOND, WHEN, Shelf, texts

NOISE = random.Random(3).randbytes(100_000)


def merge(shelf: Shelf, git_id: int) -> int:
    workshop = Workshop(shelf.db, shelf.cache, shelf.store, shelf.spool, shelf.pool)
    return asyncio.run(merge_packs(workshop, git_id))


def fill(shelf: Shelf, count: int = 12) -> tuple[int, str]:
    git_id = shelf.create()
    shelf.commit(git_id, *texts([f"d/{n}" for n in range(200)]))
    for n in range(count):
        shelf.commit(git_id, git.Put(f"d/{n}", b"%d" % n), when=WHEN + n * SECOND)
    return git_id, shelf.ref(git_id)


def members(shelf: Shelf, git_id: int) -> list[StoredPack]:
    with shelf.db.begin(Mode.READ) as tx:
        return list(packs_of(tx, git_id, local=None).packs)


def everything(shelf: Shelf, git_id: int, oid: str) -> list[tuple[str, bytes]]:
    repository = shelf.open(git_id)
    found = git.list_tree(repository, oid, recursive=True)
    return [(e.path, git.read_blob(repository, e.oid)) for e in found if not e.is_folder]


def test_merged_packs_hold_the_same_objects(shelf: Shelf) -> None:
    git_id, oid = fill(shelf)
    shelf.commit(git_id, git.Put("noise", NOISE * 4), ref="refs/heads/hidden")
    before = everything(shelf, git_id, oid)
    log = shelf.git(git_id, "log", "--format=%H", oid)
    old = shelf.git(git_id, "cat-file", "--batch-all-objects", "--batch-check")

    count = merge(shelf, git_id)

    assert count == 13
    assert len(members(shelf, git_id)) == 2
    assert everything(shelf, git_id, oid) == before
    assert shelf.git(git_id, "log", "--format=%H", oid) == log
    assert shelf.git(git_id, "cat-file", "--batch-all-objects", "--batch-check") == old
    shelf.git(git_id, "fsck", "--full", "--strict")


def test_a_merge_deletes_no_row_and_no_object_and_clears_the_cache(shelf: Shelf) -> None:
    git_id, _ = fill(shelf)
    shelf.open(git_id)
    rows = 13

    merge(shelf, git_id)
    shelf.open(git_id)

    with shelf.db.begin(Mode.READ) as tx:
        assert len(tx.conn.execute(pack_table.select()).all()) == rows + 1
    here = {f.name for f in (shelf.cache.folder(git_id) / "objects" / "pack").iterdir()}
    (left,) = members(shelf, git_id)
    assert here == {f"pack-{left.id}.idx", f"pack-{left.id}.pack"}
    assert list(shelf.cache.folder(git_id).glob("merge.*")) == []
    assert list((shelf.root / "spool").iterdir()) == []


def test_a_second_node_and_an_old_handle_read_on_after_a_merge(shelf: Shelf) -> None:
    git_id, oid = fill(shelf)
    before = everything(shelf, git_id, oid)
    held = shelf.open(git_id)
    held.reopen()
    first, shelf.cache = shelf.cache, git.Cache(shelf.root / "other", shelf.store)

    merge(shelf, git_id)
    assert everything(shelf, git_id, oid) == before
    shelf.cache = first
    assert everything(shelf, git_id, oid) == before

    found = git.list_tree(held, oid, recursive=True)
    assert [e.path for e in found if not e.is_folder] == [path for path, _ in before]


def test_a_large_result_goes_to_the_object_store(shelf: Shelf) -> None:
    git_id, oid = fill(shelf, 2)
    for n in range(3):
        shelf.commit(git_id, git.Put(f"noise{n}", NOISE[n:]))
    oid = shelf.ref(git_id)
    before = everything(shelf, git_id, oid)

    merge(shelf, git_id)
    merge(shelf, git_id)

    assert everything(shelf, git_id, oid) == before
    largest = max(members(shelf, git_id), key=lambda pack: pack.pack_bytes)
    assert f"git/{largest.id}.pack" in set(shelf.store.keys("git/"))
    assert list((shelf.root / "spool").iterdir()) == []


def test_one_pack_is_left_alone(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a"]))

    assert merge(shelf, git_id) == 0


def test_who_holds_the_lease_merges_alone(shelf: Shelf, clock) -> None:
    git_id, _ = fill(shelf)
    with shelf.db.begin(Mode.WRITE) as tx:
        assert take_lease(tx, git_id, seconds=60)
        assert not take_lease(tx, git_id, seconds=60)

    assert merge(shelf, git_id) == 0
    clock.forward(61)
    assert merge(shelf, git_id) > 0
    with shelf.db.begin(Mode.WRITE) as tx:
        assert take_lease(tx, git_id, seconds=60)
        end_lease(tx, git_id)


def test_packs_that_were_merged_meanwhile_are_not_replaced_twice(shelf: Shelf) -> None:
    git_id, oid = fill(shelf)
    old = [pack.id for pack in members(shelf, git_id)]
    late = shelf.build(git_id, oid, git.Put("x", b"")).pack
    merge(shelf, git_id)
    now = members(shelf, git_id)

    with shelf.db.begin(Mode.WRITE) as tx:
        replaced = replace_packs(tx, git_id, old, late)

    assert not replaced
    assert members(shelf, git_id) == now


def test_commits_go_on_during_merges(shelf: Shelf) -> None:
    git_id, _ = fill(shelf)
    done = threading.Event()
    merged: list[int] = []
    faults: list[BaseException] = []

    def go_on() -> None:
        try:
            while not done.is_set():
                merged.append(merge(shelf, git_id))
        except BaseException as error:  # noqa: BLE001  (told to the test)
            faults.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    made = [shelf.commit(git_id, git.Put("n", b"%d" % n)).oid for n in range(30)]
    done.set()
    thread.join()

    assert faults == []
    assert sum(merged) > 0
    log = [c.oid for c in git.history(shelf.open(git_id), shelf.ref(git_id), limit=30)]
    assert log == made[::-1]
    shelf.git(git_id, "fsck", "--full")


def test_too_many_packs_ask_for_a_merge_once(shelf: Shelf) -> None:
    git_id, _ = fill(shelf, PACKS_MAX - 1)
    with shelf.db.begin(Mode.WRITE) as tx:
        assert jobs.claim(tx, "a") == []

    for n in range(3):
        shelf.commit(git_id, git.Put("n", b"%d" % n))

    with shelf.db.begin(Mode.WRITE) as tx:
        (job,) = jobs.claim(tx, "a")
    assert (job.name, job.args) == (MERGE_JOB, {"git_id": git_id})


def test_too_many_bytes_in_sql_ask_for_a_merge(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr("jishi.git.packs.INLINE_TOTAL_BYTES_MAX", 50_000)
    git_id = shelf.create()

    for n in range(3):
        shelf.commit(git_id, git.Put("n", NOISE[n * 20_000 :][:20_000]))

    with shelf.db.begin(Mode.WRITE) as tx:
        assert [job.name for job in jobs.claim(tx, "a")] == [MERGE_JOB]


def test_a_merge_that_fails_changes_nothing(shelf: Shelf, monkeypatch) -> None:
    git_id, oid = fill(shelf)
    before = members(shelf, git_id)

    def no_git() -> str:
        raise children.GitMissing

    with monkeypatch.context() as patch:
        patch.setattr(children, "find_git", no_git)
        with pytest.raises(children.GitMissing):
            merge(shelf, git_id)

    assert members(shelf, git_id) == before
    assert len(everything(shelf, git_id, oid)) == 200
    assert merge(shelf, git_id) == 13


@pytest.mark.parametrize(
    ("sizes", "want"),
    [
        ([], []),
        ([5], [5]),
        ([5, 5], [5, 5]),
        ([1, 1, 1, 3], [1, 1, 1, 3]),
        ([1, 1, 1, 6], [1, 1, 1]),
        ([1000, 10, 10, 30, 200], [10, 10, 30]),
        ([1, 2, 4, 8, 16], [1, 2, 4, 8, 16]),
        ([1, 1, 4, 12, 40], [1, 1]),
    ],
)
def test_large_packs_stay_and_small_ones_go_together(sizes, want) -> None:
    made = [StoredPack(str(n), b"", size, None) for n, size in enumerate(sizes)]

    assert [pack.pack_bytes for pack in choose(made)] == want


def test_a_byte_is_rewritten_a_logarithmic_number_of_times() -> None:
    sizes: list[int] = []
    written = 0
    for n in range(5000):
        sizes.append(1)
        if len(sizes) > PACKS_MAX:
            chosen = choose([StoredPack(str(i), b"", size, None) for i, size in enumerate(sizes)])
            merged = sum(pack.pack_bytes for pack in chosen)
            written += merged
            for pack in chosen:
                sizes.remove(pack.pack_bytes)
            sizes.append(merged)
        assert len(sizes) <= PACKS_MAX + 1, n

    assert written < 5000 * 13
    assert merging.GROWTH == 2
