"""A ref moves from where its mover saw it, or not at all."""

from __future__ import annotations

import threading

import pytest

from jishi import git
from jishi.core.db import Mode
from jishi.git import refs
from jishi.git.packs import generations
from jishi.git.refs import RefConflict
from tests.git.shelf import MAIN, Shelf
from tests.plans import plan_of

A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_a_ref_is_created_moved_listed_and_deleted(shelf: Shelf) -> None:
    git_id = shelf.create()
    with shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, MAIN, old=None, new=A)
        git.move_ref(tx, git_id, MAIN, old=A, new=B)
        git.move_ref(tx, git_id, "refs/tags/v1", old=None, new=C, peeled=B)
        listed = git.list_refs(tx, git_id)
        git.move_ref(tx, git_id, "refs/tags/v1", old=C, new=None)
        left = git.list_refs(tx, git_id)
        moves = generations(tx, git_id).refs

    assert listed == {MAIN: git.Ref(B, None), "refs/tags/v1": git.Ref(C, B)}
    assert left == {MAIN: git.Ref(B, None)}
    assert moves == 4


@pytest.mark.parametrize(("old", "new"), [(None, B), (C, B), (C, None)])
def test_a_ref_that_is_elsewhere_stays_there(shelf: Shelf, old, new) -> None:
    git_id = shelf.create()
    with shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, MAIN, old=None, new=A)

    with pytest.raises(git.RefMoved), shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, MAIN, old=old, new=new)

    assert shelf.ref(git_id) == A


@pytest.mark.parametrize("new", [B, None])
def test_a_ref_that_is_not_there_cannot_be_moved(shelf: Shelf, new) -> None:
    git_id = shelf.create()

    with pytest.raises(git.RefMoved), shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, MAIN, old=A, new=new)

    assert shelf.ref(git_id) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("refs/heads/a", "refs/heads/a/b/c"), ("refs/heads/a/b/c", "refs/heads/a")],
)
def test_a_ref_inside_of_a_ref_is_refused(shelf: Shelf, first, second) -> None:
    git_id = shelf.create()
    with shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, first, old=None, new=A)
        git.move_ref(tx, git_id, "refs/heads/a-b", old=None, new=A)

    with pytest.raises(RefConflict), shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, git_id, second, old=None, new=A)


def test_refs_of_repositories_are_apart(shelf: Shelf) -> None:
    one, two = shelf.create(), shelf.create()
    with shelf.db.begin(Mode.WRITE) as tx:
        git.move_ref(tx, one, MAIN, old=None, new=A)

        assert git.list_refs(tx, two) == {}


def test_of_many_who_move_a_ref_one_wins(shelf: Shelf) -> None:
    git_id = shelf.create()
    winners: list[str] = []
    start = threading.Barrier(8)

    def move(new: str) -> None:
        start.wait()
        try:
            with shelf.db.begin(Mode.WRITE) as tx:
                git.move_ref(tx, git_id, MAIN, old=None, new=new)
        except git.RefMoved:
            return
        winners.append(new)

    threads = [threading.Thread(target=move, args=(f"{n:040x}",)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert winners == [shelf.ref(git_id)]


def test_listing_uses_the_key_and_sorts_nothing(shelf: Shelf) -> None:
    with shelf.db.begin(Mode.READ) as tx:
        plan = plan_of(tx, refs._ALL, repo=1)  # noqa: SLF001

    assert not plan.sorts
    assert "git_ref" in plan.text
