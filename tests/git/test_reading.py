"""Pages, history and differences are Git's own."""

from __future__ import annotations

import random

import pytest

from jishi import git
from jishi.core.errors import Broken
from jishi.git import walking
from jishi.git.reading import compare, read_commit
from jishi.git.trees import FOLDER, format_commit, format_tree
from jishi.git.writing import COMMIT, TREE, PackWriter
from tests.git.shelf import ANN, SECOND, WHEN, Shelf, texts

NAMES = ["a", "a-b", "a.b", "a0", "a/b", "a/b.c", "a/b/c", "a/b/d", "b", "z/y/x", "数/据"]


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("folder", ["", "d", "d/a"])
def test_pages_of_any_size_join_to_the_whole(shelf: Shelf, folder, recursive) -> None:
    git_id = shelf.create()
    names = [f"d/{name}/f" for name in NAMES] + ["d.x", "e"]
    oid = shelf.commit(git_id, *texts(names)).oid
    repository = shelf.open(git_id)
    whole = git.list_tree(repository, oid, folder, recursive=recursive)
    words = ["-r", "-t"] if recursive else []
    shown = shelf.git(git_id, "ls-tree", "-z", "--name-only", *words, f"{oid}:{folder}")
    prefix = folder + "/" if folder else ""

    assert [e.path for e in whole] == [prefix + n for n in shown.decode().split("\0")[:-1]]
    assert [e.place for e in whole] == sorted((e.place for e in whole), key=str.encode)
    for size in (1, 2, 3, 7):
        joined, after = [], None
        while True:
            page = git.list_tree(
                repository, oid, folder, recursive=recursive, after=after, limit=size
            )
            joined += page
            if len(page) < size:
                break
            after = page[-1].place
        assert joined == whole


def test_what_is_no_folder_has_no_list(shelf: Shelf) -> None:
    git_id = shelf.create()
    oid = shelf.commit(git_id, *texts(["a/b"])).oid
    repository = shelf.open(git_id)

    assert git.list_tree(repository, oid, "a/b") is None
    assert git.list_tree(repository, oid, "none") is None
    assert git.find_entry(repository, oid, "a/b/c") is None
    assert git.find_entry(repository, oid, "a").is_folder
    assert git.find_entry(repository, oid, "").is_folder


def test_a_submodule_is_a_folder_without_content(shelf: Shelf) -> None:
    git_id = shelf.create()
    writer = PackWriter()
    entries = [(b"sub", 0o160000, b"x" * 20), (b"link", 0o120000, b"y" * 20)]
    tree = writer.add(TREE, format_tree(entries[:1]))
    commit = format_commit(tree=tree.hex(), parents=(), author=ANN, message="m", at=WHEN)
    oid = writer.add(COMMIT, commit).hex()
    shelf.settle(git_id, None, git.NewCommit(oid, tree.hex(), writer.finish()))
    repository = shelf.open(git_id)

    (entry,) = git.list_tree(repository, oid, recursive=True)

    assert (entry.path, entry.is_folder, entry.size) == ("sub", True, 0)
    assert git.list_tree(repository, oid, "sub") == []
    assert list(compare(repository, b"", tree)) == []
    with pytest.raises(git.TreeConflict):
        shelf.commit(git_id, git.Put("sub/x", b""))


def test_a_commit_is_found_by_a_unique_start(shelf: Shelf) -> None:
    git_id = shelf.create()
    oids = [shelf.commit(git_id, git.Put("a", b"%d" % n)).oid for n in range(5)]
    repository = shelf.open(git_id)
    blob = git.find_entry(repository, oids[0], "a").oid

    for oid in oids:
        assert git.find_commit(repository, oid) == oid
        assert git.find_commit(repository, oid[:10]) == oid
    for wrong in ("", "abc", "zzzz", "0" * 40, "00000000", oids[0] + "0", blob, blob[:12], "-" * 8):
        assert git.find_commit(repository, wrong) is None


def test_an_ambiguous_start_finds_the_one_commit(shelf: Shelf) -> None:
    """A blob whose id begins like a commit's does not hide the commit."""
    git_id = shelf.create()
    blobs = [git.Put(f"f{n}", b"%d" % n) for n in range(3000)]
    oid = shelf.commit(git_id, *blobs).oid
    repository = shelf.open(git_id)
    others = [e.oid for e in git.list_tree(repository, oid, limit=5000)]
    n = 0
    while True:
        n += 1
        new = shelf.build(git_id, oid, git.Put("x", b""), when=WHEN + n * SECOND)
        if any(other.startswith(new.oid[:4]) for other in others):
            break
    shelf.settle(git_id, oid, new)

    assert git.find_commit(shelf.open(git_id), new.oid[:4]) == new.oid


def test_a_missing_object_is_our_fault(shelf: Shelf) -> None:
    git_id = shelf.create()
    oid = shelf.commit(git_id, *texts(["a"])).oid
    repository = shelf.open(git_id)

    with pytest.raises(Broken):
        git.read_blob(repository, "1" * 40)
    with pytest.raises(Broken):
        git.read_blob(repository, oid)
    with pytest.raises(Broken):
        git.find_entry(repository, "1" * 40, "a")


def merge(shelf: Shelf, git_id: int, parents: list[str], tree_of: str, when: int) -> str:
    """Make a merge commit with the content of ``tree_of``."""
    tree = read_commit(shelf.open(git_id), tree_of).tree
    writer = PackWriter()
    data = format_commit(tree=tree, parents=parents, author=ANN, message="merge", at=when)
    oid = writer.add(COMMIT, data).hex()
    shelf.settle(git_id, parents[0], git.NewCommit(oid, tree, writer.finish()))
    return oid


def forked(shelf: Shelf, git_id: int) -> str:
    """Make a history with a merge: two branches touch different files, and one the same."""
    clock = iter(range(WHEN, WHEN + 10_000 * SECOND, SECOND))
    base = shelf.commit(git_id, *texts(["a", "d/b", "d/c", "e/f"]), when=next(clock)).oid
    shelf.settle(git_id, None, git.NewCommit(base, "", None), ref="refs/heads/side")
    shelf.commit(git_id, git.Put("a", b"main 1"), when=next(clock))
    shelf.commit(git_id, git.Put("d/b", b"s"), ref="refs/heads/side", when=next(clock))
    shelf.commit(git_id, git.Put("d/c", b"main 2"), when=next(clock))
    side = shelf.commit(git_id, git.Put("a", b"side"), ref="refs/heads/side", when=next(clock)).oid
    main = shelf.ref(git_id)
    merged = merge(shelf, git_id, [main, side], side, next(clock))
    shelf.commit(git_id, git.Put("new/file", b"x"), git.Delete("e/f"), when=next(clock))
    head = shelf.commit(git_id, git.Put("d/z", b"x"), when=next(clock)).oid
    assert merged != head
    return head


def test_history_of_a_merge_is_gits(shelf: Shelf) -> None:
    git_id = shelf.create()
    head = forked(shelf, git_id)
    repository = shelf.open(git_id)

    whole = [c.oid for c in git.history(repository, head)]
    pages = [c.oid for c in git.history(repository, head, limit=3)]
    while more := git.history(repository, head, after=pages[-1], limit=3):
        pages += [c.oid for c in more]

    assert whole == shelf.git(git_id, "log", "--format=%H", head).decode().split()
    assert pages == whole
    assert [c.oid for c in git.history(repository, head, skip=2, limit=2)] == whole[2:4]
    assert git.count_commits(repository, head) == len(whole)


def test_a_history_longer_than_a_walk_is_not_counted(shelf: Shelf, monkeypatch) -> None:
    git_id = shelf.create()
    head = forked(shelf, git_id)
    repository = shelf.open(git_id)
    length = git.count_commits(repository, head)

    for most in range(1, length):
        monkeypatch.setattr(walking, "WALK_COMMITS_MAX", most)
        assert git.count_commits(repository, head) is None
    monkeypatch.setattr(walking, "WALK_COMMITS_MAX", length)
    assert git.count_commits(repository, head) == length


@pytest.mark.parametrize("path", ["a", "d", "d/b", "d/c", "d/z", "e", "e/f", "new", "none"])
def test_history_of_a_path_is_gits(shelf: Shelf, path) -> None:
    git_id = shelf.create()
    head = forked(shelf, git_id)

    found = [c.oid for c in git.history(shelf.open(git_id), head, path=path)]

    assert found == shelf.git(git_id, "log", "--format=%H", head, "--", path).decode().split()
    assert git.count_commits(shelf.open(git_id), head, path=path) == len(found)


def test_last_commits_are_gits(shelf: Shelf) -> None:
    git_id = shelf.create()
    head = forked(shelf, git_id)
    repository = shelf.open(git_id)
    paths = [e.path for e in git.list_tree(repository, head, recursive=True)]

    found = git.last_commits(repository, head, paths)

    for path in paths:
        shown = shelf.git(git_id, "log", "-1", "--format=%H", head, "--", path)
        assert found[path].oid == shown.decode().strip()


def test_random_histories_have_gits_last_commits(shelf: Shelf) -> None:
    git_id = shelf.create()
    chance = random.Random(7)
    for n in range(60):
        some = chance.sample(NAMES, 2)
        shelf.commit(git_id, *(git.Put(f"{p}/f", b"%d" % n) for p in some), when=WHEN + n * SECOND)
    head = shelf.ref(git_id)
    repository = shelf.open(git_id)
    paths = [e.path for e in git.list_tree(repository, head, recursive=True)]

    found = git.last_commits(repository, head, paths, seconds_max=60)

    for path in paths:
        shown = shelf.git(git_id, "log", "-1", "--format=%H", head, "--", path)
        assert found[path].oid == shown.decode().strip()


def test_a_search_for_last_commits_is_bounded(shelf: Shelf) -> None:
    git_id = shelf.create()
    shelf.commit(git_id, *texts(["old", "young"]))
    for n in range(10):
        shelf.commit(git_id, git.Put("young", b"%d" % n))
    repository, head = shelf.open(git_id), shelf.ref(git_id)

    few = git.last_commits(repository, head, ["old", "young"], commits_max=5)
    none = git.last_commits(repository, head, ["old", "young"], seconds_max=-1)

    assert set(few) == {"young"}
    assert none == {}


def test_a_walk_keeps_a_bounded_number_of_trees(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr(walking, "_TREES_KEPT", 1)
    git_id = shelf.create()
    head = forked(shelf, git_id)

    assert len(git.history(shelf.open(git_id), head, path="d/c")) == 1


def test_a_diff_says_what_was_added_changed_and_deleted(shelf: Shelf) -> None:
    git_id = shelf.create()
    first = shelf.commit(git_id, git.Put("a", b"one\ntwo\n"), git.Put("d/gone", b"x\n"))
    changes = [git.Put("a", b"one\n2\n"), git.Delete("d/gone"), git.Put("e/new", b"n\n")]
    second = shelf.commit(git_id, *changes, git.Put("bin", b"\0"), message="Title\n\nBody.")
    repository = shelf.open(git_id)

    commit, found = git.diff(repository, second.oid)
    _, initial = git.diff(repository, first.oid)
    shown = shelf.git(git_id, "diff", "--no-renames", first.oid, second.oid, "--", "a", "e")

    assert (commit.title, commit.message) == ("Title", "Body.")
    assert [(d.path, d.kind) for d in found] == [
        ("a", "change"),
        ("bin", "add"),
        ("d/gone", "delete"),
        ("e/new", "add"),
    ]
    assert found[1].text is None
    assert found[0].text + found[3].text == shown.decode()
    assert "+++ /dev/null" in found[2].text
    assert [(d.path, d.kind) for d in initial] == [("a", "add"), ("d/gone", "add")]


def test_a_diff_is_bounded(shelf: Shelf) -> None:
    git_id = shelf.create()
    files = [git.Put(f"f{n}", b"x\n" * 100) for n in range(9)]
    oid = shelf.commit(git_id, *files, git.Put("a", b"x\n" * 200)).oid

    _, found = git.diff(shelf.open(git_id), oid, files_max=3, bytes_max=300)

    assert [d.path for d in found] == ["a", "f0", "f1"]
    assert [d.text is None for d in found] == [True, False, False]


def test_folders_sort_as_if_they_ended_in_a_slash() -> None:
    entries = [
        (b"a0", 0o100644, b"1" * 20),
        (b"a", FOLDER, b"2" * 20),
        (b"a.", 0o100644, b"3" * 20),
    ]

    data = format_tree(entries)

    assert [data.index(name) for name in (b"a.\0", b"a\0", b"a0\0")] == sorted(
        data.index(name) for name in (b"a.\0", b"a\0", b"a0\0")
    )
