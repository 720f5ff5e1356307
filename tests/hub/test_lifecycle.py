"""Repositories come, move and go, and who may make them."""

from __future__ import annotations

import pytest

from jishi.core.db import Tx
from jishi.hub import (
    AlreadyYours,
    BadName,
    Draft,
    RepoElsewhere,
    RepoExists,
    RepoKind,
    RepoMissing,
    Right,
    access_repo,
    delete_repo,
    may_write,
    move_repo,
    set_visibility,
)
from jishi.hub.lifecycle import check_draft
from jishi.hub.repos import reload_repo
from jishi.people import NOBODY, Actor, Denied, ReadOnlyToken, Role, SignInNeeded
from tests.hub.shelves import MODEL, again, put_org, put_person, put_repo


@pytest.fixture
def lin(tx: Tx) -> Actor:
    return put_person(tx, "lin")


@pytest.fixture
def maya(tx: Tx) -> Actor:
    return put_person(tx, "maya")


def move(tx: Tx, actor: Actor, old: str, new: str) -> None:
    namespace, _, name = new.partition("/")
    move_repo(tx, actor, MODEL, old, namespace=namespace, name=name)


def where(tx: Tx, actor: Actor, path: str) -> str:
    """Say where a name leads: to itself, elsewhere, or nowhere."""
    try:
        return access_repo(tx, actor, MODEL, path).path
    except RepoElsewhere as refusal:
        return f"-> {refusal.facts['path']}"
    except RepoMissing:
        return "nowhere"


# Names and moves ---------------------------------------------------------------------------


def test_every_former_name_leads_to_the_present_one(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    for old, new in (("lin/a", "lin/b"), ("lin/b", "lin/c"), ("lin/c", "lin/d")):
        move(tx, lin, old, new)

    assert [where(tx, lin, f"lin/{n}") for n in "abcd"] == ["-> lin/d"] * 3 + ["lin/d"]


def test_moving_in_a_circle_leaves_no_alias_of_the_present_name(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    for old, new in (("lin/a", "lin/b"), ("lin/b", "lin/a"), ("lin/a", "lin/b")):
        move(tx, lin, old, new)

    assert (where(tx, lin, "lin/a"), where(tx, lin, "lin/b")) == ("-> lin/b", "lin/b")


def test_a_new_repository_takes_a_former_name_and_keeps_it(tx: Tx, lin: Actor) -> None:
    first = put_repo(tx, lin, "lin/a")
    move(tx, lin, "lin/a", "lin/b")
    second = put_repo(tx, lin, "lin/a")
    move(tx, lin, "lin/b", "lin/c")

    assert access_repo(tx, lin, MODEL, "lin/a").id == second.id
    assert access_repo(tx, lin, MODEL, "lin/c").id == first.id
    assert where(tx, lin, "lin/b") == "-> lin/c"


def test_a_move_takes_a_former_name_over(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    other = put_repo(tx, lin, "lin/x")
    move(tx, lin, "lin/a", "lin/b")
    move(tx, lin, "lin/x", "lin/a")

    assert access_repo(tx, lin, MODEL, "lin/a").id == other.id
    assert where(tx, lin, "lin/x") == "-> lin/a"
    assert where(tx, lin, "lin/b") == "lin/b"


def test_former_names_go_with_the_repository(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    move(tx, lin, "lin/a", "lin/b")
    delete_repo(tx, lin, MODEL, "lin/b")

    assert [where(tx, lin, path) for path in ("lin/a", "lin/b")] == ["nowhere"] * 2


def test_a_former_name_deletes_nothing(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    move(tx, lin, "lin/a", "lin/b")

    with pytest.raises(RepoElsewhere):
        delete_repo(tx, lin, MODEL, "lin/a")

    assert where(tx, lin, "lin/b") == "lin/b"


def test_aliases_belong_to_a_kind(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    put_repo(tx, lin, "lin/a", kind=RepoKind.DATASET)
    move(tx, lin, "lin/a", "lin/b")

    assert access_repo(tx, lin, RepoKind.DATASET, "lin/a").path == "lin/a"


def test_case_may_change_and_does_not_matter(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    move(tx, lin, "LIN/A", "Lin/A")

    assert where(tx, lin, "lin/a") == "lin/A"
    with pytest.raises(AlreadyYours):
        put_repo(tx, lin, "lin/A")


def test_a_name_that_is_taken_stays_whose_it_is(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    put_repo(tx, lin, "lin/b")

    with pytest.raises(RepoExists):
        move(tx, lin, "lin/a", "lin/B")


def test_a_deleted_name_is_free(tx: Tx, lin: Actor) -> None:
    old = put_repo(tx, lin, "lin/a")
    delete_repo(tx, lin, MODEL, "lin/a")
    new = put_repo(tx, lin, "lin/a")

    assert new.id != old.id
    with pytest.raises(RepoMissing):
        reload_repo(tx, lin, old)


def test_a_bad_name_is_refused_wherever_it_comes(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")

    for name in ("", "a--b", "a.git", "-", "a b", "a" * 97, "名"):
        with pytest.raises(BadName):
            check_draft(tx, lin, Draft(MODEL, "lin", name))
        with pytest.raises(BadName):
            move(tx, lin, "lin/a", f"lin/{name}")


# Rights ------------------------------------------------------------------------------------


def reader(actor: Actor) -> Actor:
    """The same person with a token that may only read."""
    return Actor(actor.id, actor.public_id, actor.name, can_write=False, roles=actor.roles)


RIGHTS = {
    Role.READ: (False, False, False),
    Role.CONTRIBUTOR: (True, True, False),
    Role.WRITE: (True, True, True),
    Role.ADMIN: (True, True, True),
}
"""Role -> may create, may change one's own, may change other people's."""


@pytest.mark.parametrize("role", Role)
def test_what_a_role_may_do_in_an_organisation(tx: Tx, lin: Actor, role: Role) -> None:
    put_org(tx, "looms", lin=Role.ADMIN)
    others = put_repo(tx, again(tx, lin), "looms/of-lin")
    wu = put_person(tx, "wu")
    put_org(tx, "other", wu=Role.READ)
    creates, own, foreign = RIGHTS[role]
    member = Actor(wu.id, wu.public_id, "wu", roles={"wu": Role.ADMIN, "looms": role})

    if creates:
        mine = put_repo(tx, member, "looms/of-wu", private=True)
        assert may_write(member, mine) is own
    else:
        with pytest.raises(Denied):
            put_repo(tx, member, "looms/of-wu")
    assert may_write(member, others) is foreign
    if not foreign:
        for change in (
            lambda: delete_repo(tx, member, MODEL, "looms/of-lin"),
            lambda: move(tx, member, "looms/of-lin", "wu/mine"),
            lambda: set_visibility(tx, member, MODEL, "looms/of-lin", private=True),
            lambda: access_repo(tx, member, MODEL, "looms/of-lin", right=Right.WRITE),
        ):
            with pytest.raises(Denied):
                change()


def test_who_left_an_organisation_no_longer_writes_what_he_made_there(tx: Tx, lin: Actor) -> None:
    put_org(tx, "looms", lin=Role.CONTRIBUTOR)
    repo = put_repo(tx, again(tx, lin), "looms/mine", private=True)

    assert may_write(again(tx, lin), repo)
    assert not may_write(lin, repo)
    assert where(tx, lin, "looms/mine") == "nowhere"


def test_a_move_needs_a_right_at_both_ends(tx: Tx, lin: Actor, maya: Actor) -> None:
    put_repo(tx, lin, "lin/a")
    put_org(tx, "looms", lin=Role.READ)

    for actor, target in ((lin, "maya/a"), (again(tx, lin), "looms/a"), (maya, "maya/a")):
        with pytest.raises(Denied):
            move(tx, actor, "lin/a", target)
    assert where(tx, NOBODY, "lin/a") == "lin/a"


def test_a_reading_token_and_nobody_change_nothing(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")

    for actor, refusal in ((reader(lin), ReadOnlyToken), (NOBODY, SignInNeeded)):
        for change in (
            lambda actor=actor: check_draft(tx, actor, Draft(MODEL, "lin", "b")),
            lambda actor=actor: delete_repo(tx, actor, MODEL, "lin/a"),
            lambda actor=actor: move(tx, actor, "lin/a", "lin/b"),
            lambda actor=actor: set_visibility(tx, actor, MODEL, "lin/a", private=True),
        ):
            with pytest.raises(refusal):
                change()


def test_the_private_is_missing_for_strangers_under_all_its_names(tx: Tx, lin, maya) -> None:
    put_repo(tx, lin, "lin/a", private=True)
    move(tx, lin, "lin/a", "lin/b")

    for actor in (NOBODY, maya):
        assert [where(tx, actor, path) for path in ("lin/a", "lin/b")] == ["nowhere"] * 2
        for right in Right:
            with pytest.raises(RepoMissing):
                access_repo(tx, actor, MODEL, "lin/b", right=right)


def test_visibility_is_set_once(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/a")

    assert set_visibility(tx, lin, MODEL, "lin/a", private=True).private
    assert set_visibility(tx, lin, MODEL, "lin/a", private=True).private
    assert where(tx, NOBODY, "lin/a") == "nowhere"
    assert not set_visibility(tx, lin, MODEL, "lin/a", private=False).private
    assert where(tx, NOBODY, "lin/a") == "lin/a"
