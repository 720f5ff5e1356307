"""Branches and tags in the domain: names, limits, moves that lose a race."""

from __future__ import annotations

import asyncio

import pytest

from jishi import hub
from jishi.core.db import Mode
from jishi.git.refs import RefConflict
from jishi.hub import Draft, Node, RepoKind, refs
from jishi.hub.commits import CommitDraft, PutFile, RevisionMissing
from jishi.hub.files import find_place
from jishi.hub.refs import BadRefName, MainStays, MessageTooLong, RefExists, TooManyRefs, names
from jishi.people import Actor, Denied

MODEL = RepoKind.MODEL


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.fixture
def books(node: Node, lin: Actor) -> Node:
    run(hub.create(node, lin, Draft(MODEL, "lin", "a")))
    return node


def branch(node: Node, actor: Actor, name: str, **more) -> None:
    more = {"start": None, "is_empty": False, "overwrite": False} | more
    run(refs.create_branch(node, actor, MODEL, "lin/a", name, **more))


def tag(node: Node, actor: Actor, name: str, revision: str = "main", message=None) -> None:
    run(refs.create_tag(node, actor, MODEL, "lin/a", name, revision=revision, message=message))


def commit(node: Node, actor: Actor, data: bytes, rev: str = "main") -> str:
    draft = CommitDraft("Change", changes=(PutFile("x", data),))
    return run(hub.commit(node, actor, MODEL, "lin/a", rev, draft)).oid


def listed(node: Node, actor: Actor) -> refs.Refs:
    with node.db.begin(Mode.READ) as tx:
        return refs.list_refs(tx, actor, MODEL, "lin/a")


def test_main_stands_first_and_the_rest_by_name(books: Node, lin: Actor) -> None:
    for name in ("zeta", "alpha", "feature/x"):
        branch(books, lin, name)
    for name in ("v2", "v1"):
        tag(books, lin, name)

    found = listed(books, lin)

    assert [b.name for b in found.branches] == ["main", "alpha", "feature/x", "zeta"]
    assert [t.name for t in found.tags] == ["v1", "v2"]


def test_an_annotated_tag_names_its_commit(books: Node, lin: Actor) -> None:
    oid = commit(books, lin, b"1")
    tag(books, lin, "v1", message="First")
    commit(books, lin, b"2")

    assert listed(books, lin).tags[0].oid == oid
    assert run(find_place(books, lin, MODEL, "lin/a", "v1")).oid == oid


@pytest.mark.parametrize(
    "name",
    ["", "..", "a..b", "a b", "a\x7f", "a.lock", "x/.y", "refs/heads/x", "f" * 40, "é" * 201],
)
def test_names_git_takes_not_are_refused(books: Node, lin: Actor, name: str) -> None:
    for make in (branch, tag):
        if name == "refs/heads/x" and make is branch:
            continue  # a full name of a branch is one
        with pytest.raises(BadRefName):
            make(books, lin, name)


def test_lone_surrogates_name_nothing() -> None:
    with pytest.raises(BadRefName):
        names.check_ref_name("a\ud800")


def test_what_is_there_stays(books: Node, lin: Actor) -> None:
    old = commit(books, lin, b"1")
    branch(books, lin, "dev")
    tag(books, lin, "v1")
    commit(books, lin, b"2")

    with pytest.raises(RefExists):
        branch(books, lin, "dev")
    with pytest.raises(RefExists):
        tag(books, lin, "v1")
    with pytest.raises(MainStays):
        branch(books, lin, "main", start=old, overwrite=True)
    assert listed(books, lin).branches[1].oid == old


def test_a_branch_and_what_lies_below_it_exclude_each_other(books: Node, lin: Actor) -> None:
    branch(books, lin, "dev")

    with pytest.raises(RefConflict):
        branch(books, lin, "dev/x")


def test_a_repository_has_a_number_of_refs(books: Node, lin: Actor, monkeypatch) -> None:
    monkeypatch.setattr(names, "REFS_MAX", 2)
    branch(books, lin, "one")

    with pytest.raises(TooManyRefs):
        branch(books, lin, "two")
    with pytest.raises(TooManyRefs):
        tag(books, lin, "v1")
    branch(books, lin, "one", overwrite=True)


def test_what_is_not_there_cannot_be_a_start_or_an_end(books: Node, lin: Actor) -> None:
    with pytest.raises(RevisionMissing):
        branch(books, lin, "dev", start="none")
    with pytest.raises(RevisionMissing):
        tag(books, lin, "v1", "none")
    with books.db.begin(Mode.WRITE) as tx:
        for delete in (refs.delete_branch, refs.delete_tag):
            with pytest.raises(RevisionMissing):
                delete(tx, lin, MODEL, "lin/a", "none")
        with pytest.raises(MainStays):
            refs.delete_branch(tx, lin, MODEL, "lin/a", "main")
    with pytest.raises(RevisionMissing):
        run(refs.squash(books, lin, MODEL, "lin/a", "none", message=""))


def test_a_deleted_branchs_commit_stays_readable(books: Node, lin: Actor) -> None:
    branch(books, lin, "dev")
    oid = commit(books, lin, b"only there", "dev")
    with books.db.begin(Mode.WRITE) as tx:
        refs.delete_branch(tx, lin, MODEL, "lin/a", "dev")

    assert run(find_place(books, lin, MODEL, "lin/a", oid)).oid == oid
    with pytest.raises(RevisionMissing):
        run(find_place(books, lin, MODEL, "lin/a", "dev"))


def test_a_squash_keeps_the_files_and_forgets_the_way(books: Node, lin: Actor) -> None:
    for data in (b"1", b"2"):
        commit(books, lin, data)

    with pytest.raises(MessageTooLong):
        run(refs.squash(books, lin, MODEL, "lin/a", "main", message="x" * 501))
    run(refs.squash(books, lin, MODEL, "lin/a", "main", message="x" * 500))

    place = run(find_place(books, lin, MODEL, "lin/a", "main"))
    (only,) = run(hub.files.list_commits(books, place)).items
    assert (only.title, only.parents) == ("x" * 500, ())
    entry = run(hub.files.find_entry(books, place, "x", with_commits=True))
    assert entry.last.oid == place.oid == place.repo.head
    assert place.repo.commits == 1
    assert commit(books, lin, b"3")


def test_strangers_change_no_ref(books: Node, wu: Actor) -> None:
    with pytest.raises(Denied):
        branch(books, wu, "dev")
    with pytest.raises(Denied):
        tag(books, wu, "v1")
    with pytest.raises(Denied):
        run(refs.squash(books, wu, MODEL, "lin/a", "main", message=""))
    with books.db.begin(Mode.WRITE) as tx:
        for delete in (refs.delete_branch, refs.delete_tag):
            with pytest.raises(Denied):
                delete(tx, wu, MODEL, "lin/a", "v1")
