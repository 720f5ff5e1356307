"""Lists: what is in them, in which order, and that an index gives them in it."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest
import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.ids import new_id
from jishi.hub import (
    RepoKind,
    access_repo,
    delete_repo,
    index,
    lists,
    set_visibility,
    stats,
    tables,
)
from jishi.hub.cursors import read_cursor, write_cursor
from jishi.hub.index import Indexed
from jishi.hub.lists import BadCursor, Detail, Listed, Query, Sort, list_repos
from jishi.people import NOBODY, Actor, Denied, Role, SignInNeeded
from tests.hub.shelves import MODEL, again, put_org, put_person, put_repo
from tests.plans import plans_of


@pytest.fixture
def lin(tx: Tx) -> Actor:
    return put_person(tx, "lin")


@pytest.fixture
def maya(tx: Tx) -> Actor:
    return put_person(tx, "maya")


@pytest.fixture
def shelf(tx: Tx, lin: Actor, clock) -> None:
    """Three public models, a private one, and a dataset, a second apart each."""
    for path, more in {
        "lin/one": {"tags": ("zh", "license:mit")},
        "lin/two": {"tags": ("license:mit",)},
        "lin/three": {},
        "lin/hidden": {"private": True, "tags": ("license:mit",)},
        "lin/threads": {"kind": RepoKind.DATASET, "tags": ("language:zh",)},
    }.items():
        clock.forward(1)
        tx.now = clock.now
        put_repo(tx, lin, path, **more)


def names(tx: Tx, actor: Actor, **query) -> list[str]:
    query.setdefault("kind", MODEL)
    return [repo.name for repo in list_repos(tx, actor, Query(**query)).items]


@pytest.fixture
def town(tx: Tx, shelf) -> None:  # noqa: ARG001  (first the few, then the many)
    """Three thousand models of a thousand others; PostgreSQL looks at them by itself."""
    row = tx.conn.execute(sa.select(tables.repos).limit(1)).one()._asdict()
    del row["id"]
    others = [
        row
        | {
            "public_id": f"{i:024x}",
            "namespace_key": f"n{i % 1000}",
            "path_key": f"n{i % 1000}/{i}",
            "created_at": i,
            "updated_at": i,
            "likes": i,
            "downloads_30d": i,
        }
        for i in range(3000)
    ]
    tx.conn.execute(sa.insert(tables.repos), others)
    if tx.conn.dialect.name == "postgresql":
        tx.conn.exec_driver_sql("ANALYZE")


QUERIES = [
    *(Query(MODEL, sort=sort) for sort in Sort),
    *(Query(MODEL, author="lin", sort=sort) for sort in Sort),
    Query(author="lin"),
    Query(MODEL, search=("o", "lin")),
    Query(MODEL, tags=("license:mit", "language:zh")),
    Query(MODEL, author="lin", tags=("zh",), search=("o",), sort=Sort.LIKES),
    Query(MODEL, uses=((MODEL, "lin/one"), (RepoKind.DATASET, "lin/threads"))),
    Query(MODEL, is_linked=True),
    Query(MODEL, author="lin", uses=((MODEL, "lin/one"),), is_linked=True, sort=Sort.LIKES),
]


@pytest.mark.parametrize("query", QUERIES, ids=repr)
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.usefixtures("town")
def test_every_list_of_repositories_has_its_index(tx: Tx, lin, query: Query, signed_in) -> None:
    actor = lin if signed_in else NOBODY
    first = list_repos(tx, actor, dataclasses.replace(query, limit=1))
    in_order = {f"hub_repo_by_{query.sort.value}", f"hub_repo_own_by_{query.sort.value}"}
    if query.sort is Sort.UPDATED:
        in_order.add("hub_repo_own")

    (begin,) = plans_of(tx, list_repos, actor, query)
    *at, after = plans_of(tx, list_repos, actor, dataclasses.replace(query, after=first.end))

    for plan in (begin, after):
        assert in_order & set(re.findall(r"\w+", plan.text))
        assert not plan.sorts
    assert all(re.search(r"hub_repo_public_id_key|sqlite_autoindex_hub_repo", p.text) for p in at)
    assert ("hub_repo_own" in begin.text) == (query.author is not None)


@pytest.mark.usefixtures("shelf")
def test_lists_of_likes_have_their_index(tx: Tx, lin: Actor) -> None:
    repo = put_repo(tx, lin, "lin/liked")
    stats.like(tx, lin, repo)

    (liked,) = plans_of(tx, lists.list_liked, NOBODY, lin.id)
    (counted,) = plans_of(tx, lists.count_liked, NOBODY, lin.id)
    (likers,) = plans_of(tx, stats.list_likers, repo)

    assert "hub_like_person" in liked.text
    assert re.search(r"hub_like_person|hub_like_pkey|sqlite_autoindex_hub_like", counted.text)
    assert "hub_like_repo" in likers.text
    assert not liked.sorts
    assert not likers.sorts


@pytest.mark.usefixtures("shelf")
def test_details_of_a_page_have_their_index(tx: Tx, lin: Actor) -> None:
    space = put_repo(tx, lin, "lin/show", kind=RepoKind.SPACE)
    card = {"sdk": "docker"}
    tx.conn.execute(sa.update(tables.repos).values(card=index.json_text(card)))
    put = [Indexed(place, b"\1" * 20) for place in ("Dockerfile", "a/", "a/b")]
    index.move_index(tx, space.id, b"\2" * 20, put=put, gone=[])
    query = Query(RepoKind.SPACE)

    def list_with(tx: Tx, *details: Detail):
        return lists.list_detailed(tx, lin, query, details)

    (_, files) = plans_of(tx, list_with, Detail.FILES)
    (_, storage) = plans_of(tx, list_with, Detail.STORAGE)
    (_, apps) = plans_of(tx, list_with, Detail.APP)

    for plan, table in ((files, "hub_file"), (storage, "hub_content"), (apps, "hub_file")):
        assert table in plan.text
        assert re.search("(?i)index", plan.text)
        assert not plan.sorts
    found = access_repo(tx, lin, RepoKind.SPACE, "lin/show")
    whole = Listed(found, files=("Dockerfile", "a/b"), used_bytes=0, has_app=True)
    assert list_with(tx, *Detail).items == (whole,)


@pytest.mark.usefixtures("town")
def test_counts_of_a_namespace_have_its_index(tx: Tx, lin: Actor) -> None:
    (plan,) = plans_of(tx, lists.count_repos, lin, "lin")

    assert "hub_repo_own" in plan.text
    assert not plan.sorts
    assert lists.count_repos(tx, lin, "LIN") == {
        RepoKind.MODEL: 4,
        RepoKind.DATASET: 1,
        RepoKind.SPACE: 0,
    }
    assert lists.count_repos(tx, NOBODY, "lin")[MODEL] == 3


@pytest.mark.usefixtures("shelf")
def test_the_latest_stands_first(tx: Tx) -> None:
    assert names(tx, NOBODY) == ["three", "two", "one"]
    assert names(tx, NOBODY, sort=Sort.CREATED) == ["three", "two", "one"]


@pytest.mark.usefixtures("shelf")
def test_equal_keys_are_told_apart_by_age(tx: Tx) -> None:
    assert names(tx, NOBODY, sort=Sort.LIKES) == ["three", "two", "one"]


@pytest.mark.usefixtures("shelf")
def test_private_ones_are_for_members(tx: Tx, lin: Actor, maya: Actor) -> None:
    put_org(tx, "mill", maya=Role.READ)
    put_repo(tx, dataclasses.replace(lin, roles={"mill": Role.WRITE}), "mill/x", private=True)

    assert "hidden" in names(tx, lin)
    assert "hidden" not in names(tx, maya)
    assert "x" in names(tx, again(tx, maya))
    assert "x" not in names(tx, lin)


@pytest.mark.usefixtures("shelf")
def test_what_was_hidden_or_deleted_leaves_the_lists_at_once(tx: Tx, lin: Actor) -> None:
    set_visibility(tx, lin, MODEL, "lin/one", private=True)
    delete_repo(tx, lin, MODEL, "lin/two")

    assert names(tx, NOBODY) == ["three"]
    assert lists.count_repos(tx, NOBODY, "lin")[MODEL] == 1


@pytest.mark.usefixtures("shelf")
def test_filters_are_all_needed(tx: Tx) -> None:
    assert names(tx, NOBODY, tags=("license:mit",)) == ["two", "one"]
    assert names(tx, NOBODY, tags=("license:mit", "zh")) == ["one"]
    assert names(tx, NOBODY, tags=("license:mit", "none")) == []
    assert names(tx, NOBODY, kind=RepoKind.DATASET, tags=("language:zh",)) == ["threads"]


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("words", "found"),
    [(("o",), 2), (("ONE",), 1), (("lin/", "t"), 2), (("%",), 0), (("_",), 0), (("lin/one",), 1)],
)
def test_words_are_looked_for_as_they_are(tx: Tx, words: tuple[str, ...], found: int) -> None:
    assert len(names(tx, NOBODY, search=words)) == found


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.usefixtures("shelf")
def test_pages_meet(tx: Tx, lin: Actor, sort: Sort, size: int) -> None:
    tx.conn.execute(sa.update(tables.repos).values(likes=tables.repos.c.id % 2, downloads_30d=7))
    whole = names(tx, lin, sort=sort)
    seen, after = [], None

    for _ in itertools.count():
        page = list_repos(tx, lin, Query(MODEL, sort=sort, limit=size, after=after))
        seen += [repo.name for repo in page.items]
        after = page.end
        if after is None:
            break

    assert seen == whole


def test_a_cursor_counts_no_rows(tx: Tx, lin: Actor, maya: Actor) -> None:
    repos = [put_repo(tx, lin, f"lin/r{i}", private=i % 2 == 1) for i in range(6)]
    for repo in repos:
        stats.like(tx, lin, repo)
    stats.like(tx, maya, repos[0])

    ends = [
        list_repos(tx, NOBODY, Query(MODEL, limit=1)).end,
        lists.list_liked(tx, NOBODY, lin.id, limit=1).end,
        stats.list_likers(tx, repos[0], limit=1).end,
    ]

    said = [read_cursor(end)[1] for end in ends]
    assert set(said[:2]) <= {repo.public_id for repo in repos[::2]}
    assert said[2] in {lin.public_id, maya.public_id}
    assert [len(end) for end in ends] == [28] * 3


def test_a_cursor_of_what_is_gone_begins_again(tx: Tx, lin: Actor) -> None:
    gone = write_cursor(5, new_id(tx.now))

    with pytest.raises(BadCursor):
        list_repos(tx, lin, Query(MODEL, after=gone))
    assert stats.list_likers(tx, put_repo(tx, lin, "lin/x"), after=gone).items == ()


@pytest.mark.parametrize(
    "cursor", ["", "!", "WzFd", "W251bGwsMV0", "WzEsMTAwMDAwMDAwMDAwMDAwMDAwMDBd"]
)
def test_a_cursor_of_nobodys_making_is_refused(tx: Tx, lin: Actor, cursor: str) -> None:
    repo = put_repo(tx, lin, "lin/x")

    for ask in (
        lambda: list_repos(tx, lin, Query(MODEL, after=cursor)),
        lambda: lists.list_liked(tx, lin, lin.id, after=cursor),
        lambda: stats.list_likers(tx, repo, after=cursor),
    ):
        with pytest.raises(BadCursor):
            ask()


@pytest.mark.usefixtures("shelf")
def test_tags_are_counted_as_far_as_one_sees(tx: Tx, lin: Actor) -> None:
    put_repo(tx, lin, "lin/secret", private=True, tags=("own",))

    assert lists.count_tags(tx, NOBODY, MODEL) == ["license:mit", "zh"]
    assert lists.count_tags(tx, lin, MODEL) == ["license:mit", "own", "zh"]


@pytest.mark.usefixtures("shelf")
def test_storage_is_for_members(tx: Tx, lin: Actor, maya: Actor) -> None:
    assert {repo.name for repo, _ in lists.list_storage(tx, lin, "lin")} == {
        *("one", "two", "three", "hidden", "threads")
    }
    with pytest.raises(SignInNeeded):
        lists.list_storage(tx, NOBODY, "lin")
    with pytest.raises(Denied):
        lists.list_storage(tx, maya, "lin")


def test_likes_come_in_pages_the_latest_first(tx: Tx, lin: Actor, maya: Actor, clock) -> None:
    repos = [put_repo(tx, lin, f"lin/r{i}", private=i == 2) for i in range(4)]
    for repo in repos:
        clock.forward(1)
        tx.now = clock.now
        stats.like(tx, lin, repo)
    stats.like(tx, maya, repos[0])

    first = lists.list_liked(tx, lin, lin.id, limit=2)
    rest = lists.list_liked(tx, lin, lin.id, limit=2, after=first.end)
    seen = lists.list_liked(tx, maya, lin.id)
    likers = stats.list_likers(tx, repos[0], limit=1)
    more = stats.list_likers(tx, repos[0], limit=1, after=likers.end)

    assert [repo.name for repo, _ in first.items + rest.items] == ["r3", "r2", "r1", "r0"]
    assert rest.end is None
    assert [repo.name for repo, _ in seen.items] == ["r3", "r1", "r0"]
    assert [lists.count_liked(tx, actor, lin.id) for actor in (lin, maya)] == [4, 3]
    assert (likers.items, more.items, more.end) == ((maya.id,), (lin.id,), None)
