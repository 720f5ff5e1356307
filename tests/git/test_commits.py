"""What a commit holds is what Git says it holds."""

from __future__ import annotations

import os
import random

import pytest
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Commit as DulwichCommit
from dulwich.repo import Repo as DulwichRepo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jishi import git
from jishi.git import writing
from jishi.git.reading import walk_tree
from jishi.git.trees import parse_tree
from tests.git.shelf import ANN, WHEN, Shelf, texts

NAMES = ("a", "b", "a.b", "a-b", "A", "é", "数", "c d", "a0")
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
CONTENTS = st.one_of(st.binary(max_size=20), st.just(b"text\n" * 500))
PUTS = st.builds(git.Put, PATHS, CONTENTS, executable=st.sampled_from([None, True, False]))
STEPS = st.lists(st.one_of(PUTS, PUTS, st.builds(git.Delete, PATHS)), max_size=12)


def model_apply(files: dict[str, tuple[bytes, bool]], change: git.Put | git.Delete) -> bool:
    """Apply ``change`` to a dictionary; ``False`` if it would be file and folder."""
    path = change.path
    if isinstance(change, git.Delete):
        for name in [n for n in files if n == path or n.startswith(path + "/")]:
            del files[name]
        return True
    above = ["/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
    if any(name in files for name in above) or any(n.startswith(path + "/") for n in files):
        return False
    was = files.get(path, (b"", False))[1]
    files[path] = (change.data, was if change.executable is None else change.executable)
    return True


def listing(shelf: Shelf, git_id: int, oid: str) -> dict[str, tuple[str, str, str, str]]:
    """Return what ``git ls-tree`` shows: path -> mode, kind, object, size."""
    found = {}
    for line in shelf.git(git_id, "ls-tree", "-r", "-t", "-l", "-z", oid).split(b"\0")[:-1]:
        about, _, path = line.partition(b"\t")
        found[path.decode()] = tuple(about.decode().split())
    return found


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_random_commits_equal_gits_and_dulwichs_picture(shelf: Shelf, commits) -> None:
    git_id = shelf.create()
    files: dict[str, tuple[bytes, bool]] = {}
    rows: dict[str, tuple[bool, str]] = {}
    for steps in commits:
        changes = [step for step in steps if model_apply(files, step)]
        parent = shelf.ref(git_id)
        new = shelf.commit(git_id, *changes)
        for item in new.gone:
            assert rows.pop(item.path)[0] == item.is_folder
        assert len({(i.path, i.is_folder) for i in new.put}) == len(new.put)
        for item in new.put:
            assert rows.get(item.path) != (item.is_folder, item.oid) or not item.is_folder
            rows[item.path] = (item.is_folder, item.oid)
            if not item.is_folder:
                assert item.size == len(files[item.path][0])

        shown = listing(shelf, git_id, new.oid)
        repository = shelf.open(git_id)
        walked = list(walk_tree(repository, new.oid))

        assert {p for p, entry in shown.items() if entry[1] == "blob"} == set(files)
        assert {p: (e[1] == "tree", e[2]) for p, e in shown.items()} == rows
        assert [e.path for e in walked] == list(shown)
        for entry in walked:
            mode, kind, oid, size = shown[entry.path]
            assert (f"{entry.mode:06o}", entry.is_folder, entry.oid) == (mode, kind == "tree", oid)
            if not entry.is_folder:
                data, executable = files[entry.path]
                assert entry.size == int(size) == len(data)
                assert (mode == "100755") == executable
                assert git.read_blob(repository, oid) == data
        if new.oid == parent:
            continue
        disk = DulwichRepo(str(shelf.cache.folder(git_id)))
        commit = disk[new.oid.encode()]
        assert isinstance(commit, DulwichCommit)
        seen = {e.path.decode(): e.sha.decode() for e in iter_tree_contents(disk, commit.tree)}
        assert seen == {p: e[2] for p, e in shown.items() if e[1] == "blob"}
        disk.close()
    if shelf.ref(git_id):
        shelf.git(git_id, "fsck", "--full", "--strict")


def test_deleting_the_last_file_drops_the_folders_above(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a/b/c/d", "x"]))

    new = shelf.commit(git_id, git.Delete("a/b/c/d"))

    assert sorted((i.path, i.is_folder) for i in new.gone) == [
        ("a", True),
        ("a/b", True),
        ("a/b/c", True),
        ("a/b/c/d", False),
    ]
    assert list(listing(shelf, git_id, new.oid)) == ["x"]


def test_deleting_a_folder_names_all_it_held(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a/b/c", "a/d", "x"]))

    new = shelf.commit(git_id, git.Delete("a"))

    assert sorted(i.path for i in new.gone) == ["a", "a/b", "a/b/c", "a/d"]


def test_a_folder_becomes_a_file_and_back(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a/b", "x"]))

    file = shelf.commit(git_id, git.Delete("a"), git.Put("a", b"file"))
    folder = shelf.commit(git_id, git.Delete("a"), git.Put("a/b", b"again"))

    assert [(i.path, i.is_folder) for i in file.put] == [("a", False)]
    assert {(i.path, i.is_folder) for i in file.gone} == {("a", True), ("a/b", False)}
    assert {(i.path, i.is_folder) for i in folder.put} == {("a", True), ("a/b", False)}
    assert [(i.path, i.is_folder) for i in folder.gone] == [("a", False)]


@pytest.mark.parametrize(
    "changes",
    [
        [git.Put("a", b"")],
        [git.Put("a/b/c", b"")],
        [git.Put("n", b""), git.Put("n/m", b"")],
        [git.Put("n/m", b""), git.Put("n", b"")],
        [git.Delete("a"), git.Put("a", b""), git.Put("a/b", b"")],
    ],
)
def test_nothing_is_a_file_and_a_folder(shelf: Shelf, changes) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["a/b"]))

    with pytest.raises(git.TreeConflict):
        shelf.commit(git_id, *changes)


def test_what_is_there_already_makes_no_commit(shelf: Shelf) -> None:
    git_id = shelf.create()
    old = shelf.commit(git_id, *texts(["a/b"]))

    same = shelf.build(git_id, old.oid, *texts(["a/b"]), git.Delete("none/such"))

    assert (same.oid, same.pack, same.put, same.gone) == (old.oid, None, (), ())


def test_a_first_commit_may_be_empty(shelf: Shelf) -> None:
    git_id = shelf.create()

    new = shelf.commit(git_id)

    assert listing(shelf, git_id, new.oid) == {}
    shelf.git(git_id, "fsck", "--full", "--strict")


def test_the_executable_bit_stays_unless_it_is_said(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, git.Put("run", b"1", executable=True))

    kept = shelf.commit(git_id, git.Put("run", b"2"))
    dropped = shelf.commit(git_id, git.Put("run", b"2", executable=False))

    assert listing(shelf, git_id, kept.oid)["run"][0] == "100755"
    assert listing(shelf, git_id, dropped.oid)["run"][0] == "100644"
    assert [i.path for i in dropped.put] == ["run"]


def test_content_comes_from_a_file_or_is_a_known_blob(shelf: Shelf, tmp_path) -> None:
    git_id = shelf.create()
    (tmp_path / "bytes").write_bytes(b"..payload..")
    descriptor = os.open(tmp_path / "bytes", os.O_RDONLY)
    first = shelf.commit(git_id, git.Put("a", (descriptor, 2, 9)))
    os.close(descriptor)

    copied = shelf.commit(git_id, git.Put("b", None, oid=first.put[0].oid))

    repository = shelf.open(git_id)
    assert git.read_blob(repository, first.put[0].oid) == b"payload"
    assert [(i.path, i.oid, i.size) for i in copied.put] == [("b", first.put[0].oid, 7)]
    assert copied.pack.objects == 2


def test_a_large_pack_is_spooled_and_stored(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr(writing, "MEMORY_BYTES_MAX", 1 << 20)
    git_id = shelf.create()
    noise = random.Random(1)
    files = {f"f{n}": noise.randbytes(300_000) for n in range(12)}

    new = shelf.build(git_id, None, *(git.Put(name, data) for name, data in files.items()))
    spooled = list((shelf.root / "spool").iterdir())
    shelf.settle(git_id, None, new)

    assert len(spooled) == 1
    assert list((shelf.root / "spool").iterdir()) == []
    assert len(list(shelf.store.keys("git/"))) == 2
    shelf.git(git_id, "fsck", "--full", "--strict")
    found = git.list_tree(shelf.open(git_id), new.oid)
    assert {e.path: e.size for e in found} == dict.fromkeys(files, 300_000)


def test_a_build_that_fails_leaves_no_spool_file(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr(writing, "MEMORY_BYTES_MAX", 1000)
    changes = [git.Put("a", os.urandom(5000)), git.Put("a/b", b"")]

    with pytest.raises(git.TreeConflict):
        shelf.build(shelf.create(), None, *changes)

    assert list((shelf.root / "spool").iterdir()) == []


def test_a_tag_and_an_orphan_are_good_objects(shelf: Shelf) -> None:
    git_id = shelf.create()
    first = shelf.commit(git_id, *texts(["a/b"]))
    second = shelf.commit(git_id, *texts(["c"]))
    about = {"message": "Words.", "author": ANN, "when_us": WHEN}

    tag = git.make_tag(second.oid, name="v1", **about)
    alone = git.build_orphan(shelf.open(git_id), tree_of=second.oid, **about)
    empty = git.build_orphan(None, tree_of=None, **about)
    for new, name in ((tag, "refs/tags/v1"), (alone, "refs/heads/x"), (empty, "refs/heads/y")):
        shelf.settle(git_id, None, new, ref=name)

    repository = shelf.open(git_id)
    assert git.find_commit(repository, tag.oid) == second.oid
    assert git.list_tree(repository, alone.oid) == git.list_tree(repository, second.oid)
    assert git.list_tree(repository, empty.oid) == []
    assert [c.oid for c in git.history(repository, alone.oid)] == [alone.oid]
    assert first.oid not in {alone.oid, empty.oid}
    shelf.git(git_id, "fsck", "--full", "--strict")


def test_hostile_names_of_authors_break_no_commit(shelf: Shelf) -> None:
    git_id = shelf.create()
    evil = git.Author("a\n<x>\0 tree", "e>\nparent 0 <")
    new = git.build_commit(None, parent=None, changes=(), message="m\0n", author=evil, when_us=WHEN)

    shelf.settle(git_id, None, new)

    shelf.git(git_id, "fsck", "--full", "--strict")
    (commit,) = git.history(shelf.open(git_id), new.oid)
    assert (commit.title, commit.parents) == ("mn", ())


def test_the_index_has_room_for_offsets_beyond_two_gigabytes() -> None:
    places = {bytes([n]) * 20: (n << 31, n) for n in range(3)}

    idx = writing.index_of(places, b"s" * 20)

    fan, crcs = idx[8 : 8 + 1024], idx[1032 + 60 : 1032 + 72]
    short, long = idx[1032 + 72 : 1032 + 84], idx[1032 + 84 : 1032 + 100]
    assert int.from_bytes(fan[-4:], "big") == 3
    assert crcs[8:] == (2).to_bytes(4, "big")
    assert [short[:4], short[4:8]] == [bytes(4), (1 << 31).to_bytes(4, "big")]
    assert [int.from_bytes(long[:8], "big"), int.from_bytes(long[8:], "big")] == [1 << 31, 2 << 31]


def test_a_broken_tree_is_no_endless_loop() -> None:
    with pytest.raises(ValueError, match="not found"):
        parse_tree(b"100644 name without end")
