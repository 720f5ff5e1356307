"""Branches and tags as clients make and remove them."""

from __future__ import annotations

import pytest

from tests.wire.hf.asking import Hub, file

BOOKS = "/api/models/lin/books"


def refs(hub: Hub, what: str = "branches") -> dict[str, str]:
    return {r["name"]: r["targetCommit"] for r in hub.get(f"{BOOKS}/refs").json[what]}


def test_refs_have_the_keys_clients_insist_on(books: Hub) -> None:
    plain = books.get(f"{BOOKS}/refs").json
    with_prs = books.get(f"{BOOKS}/refs?include_prs=1").json

    head = books.get(BOOKS).json["sha"]
    assert plain == {
        "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": head}],
        "tags": [],
        "converts": [],
    }
    assert with_prs["pullRequests"] == []


@pytest.mark.parametrize("name", ["dev", "feature%2Fx", "%E5%88%86%E6%94%AF", "a-b_c.1"])
def test_a_branch_comes_and_goes(books: Hub, name: str) -> None:
    head = books.get(BOOKS).json["sha"]

    assert books.post(f"{BOOKS}/branch/{name}", {}).status == 200
    assert list(refs(books).values()) == [head, head]
    assert books.get(f"{BOOKS}/tree/{name}").status == 200
    assert books.ask("DELETE", f"{BOOKS}/branch/{name}", who="lin").status == 200
    assert list(refs(books)) == ["main"]


def test_a_branch_begins_where_one_says(books: Hub) -> None:
    first = books.get(f"{BOOKS}/commits/main").json[-1]["id"]
    books.post(f"{BOOKS}/tag/main", {"tag": "v1"})
    starts = {"a": first, "b": first[:8], "c": "v1", "d": "refs/tags/v1", "e": "main"}

    for name, start in starts.items():
        body = {"startingPoint": start}
        assert books.post(f"{BOOKS}/branch/{name}", body).status == 200

    head = books.get(BOOKS).json["sha"]
    wanted = {"a": first, "b": first, "c": head, "d": head, "e": head, "main": head}
    assert refs(books) == wanted


def test_a_branch_needs_no_body(books: Hub) -> None:
    assert books.post(f"{BOOKS}/branch/dev").status == 200
    assert books.post(f"{BOOKS}/branch/dev2", b"").status == 200
    assert books.post(f"{BOOKS}/branch/dev3", b"{").status == 400
    assert books.post(f"{BOOKS}/branch/dev3", {"emptyBranch": "x"}).status == 400


def test_an_unknown_start_is_a_missing_revision(books: Hub) -> None:
    for start in ("none", "0" * 40, "refs/heads/none"):
        answer = books.post(f"{BOOKS}/branch/dev", {"startingPoint": start})
        assert (answer.status, answer.word) == (404, "RevisionNotFound")


def test_an_empty_branch_has_no_files(books: Hub) -> None:
    books.post(f"{BOOKS}/branch/bare", {"emptyBranch": True})

    assert books.get(f"{BOOKS}/tree/bare").json == []
    answer = books.head("/lin/books/resolve/bare/README.md")
    assert (answer.status, answer.word) == (404, "EntryNotFound")
    assert books.commit("lin/books", file("a", b"1"), rev="bare").status == 200
    assert [e["path"] for e in books.get(f"{BOOKS}/tree/bare").json] == ["a"]


def test_overwrite_moves_a_branch_only_where_it_says_to(books: Hub) -> None:
    first = books.get(f"{BOOKS}/commits/main").json[-1]["id"]
    head = books.get(BOOKS).json["sha"]
    books.post(f"{BOOKS}/branch/dev", {})

    assert books.post(f"{BOOKS}/branch/dev", {"startingPoint": first}).status == 409
    assert books.post(f"{BOOKS}/branch/dev", {"overwrite": True}).status == 200
    assert refs(books)["dev"] == head
    books.post(f"{BOOKS}/branch/dev", {"overwrite": True, "startingPoint": first})
    assert refs(books)["dev"] == first
    books.post(f"{BOOKS}/branch/dev", {"overwrite": True, "emptyBranch": True})
    assert books.get(f"{BOOKS}/tree/dev").json == []


def test_main_is_not_overwritten(books: Hub) -> None:
    first = books.get(f"{BOOKS}/commits/main").json[-1]["id"]

    answer = books.post(f"{BOOKS}/branch/main", {"overwrite": True, "startingPoint": first})

    assert answer.status == 403
    assert books.get("/lin/books/resolve/main/data/a.txt").body == b"a"


@pytest.mark.parametrize("name", ["main", "refs%2Fheads%2Fmain"])
def test_main_stays(books: Hub, name: str) -> None:
    answer = books.ask("DELETE", f"{BOOKS}/branch/{name}", who="lin")

    assert answer.status == 403
    assert answer.message == "Cannot delete refs/heads/main"


def test_a_tag_is_no_branch_and_a_branch_no_tag(books: Hub) -> None:
    books.post(f"{BOOKS}/tag/main", {"tag": "v1"})
    books.post(f"{BOOKS}/branch/dev", {})

    for target in (f"{BOOKS}/branch/v1", f"{BOOKS}/branch/none", f"{BOOKS}/tag/none"):
        answer = books.ask("DELETE", target, who="lin")
        assert (answer.status, answer.word) == (404, "RevisionNotFound")
    assert books.ask("DELETE", f"{BOOKS}/tag/dev", who="lin").status >= 400


def test_a_tag_comes_and_goes(books: Hub) -> None:
    old = books.get(BOOKS).json["sha"]

    assert books.post(f"{BOOKS}/tag/main", {"tag": "v1"}).status == 200
    books.put("lin/books", {"x": b"later"})
    assert refs(books, "tags") == {"v1": old}
    assert books.get(f"{BOOKS}/revision/v1").json["sha"] == old
    assert books.post(f"{BOOKS}/tag/main", {"tag": "v1"}).status == 409
    assert books.ask("DELETE", f"{BOOKS}/tag/v1", who="lin").status == 200
    assert refs(books, "tags") == {}


def test_a_tag_with_a_message_still_names_the_commit(books: Hub) -> None:
    head = books.get(BOOKS).json["sha"]

    body = {"tag": "v2", "message": "The second 第二版"}
    assert books.post(f"{BOOKS}/tag/{head[:7]}", body).status == 200

    assert refs(books, "tags") == {"v2": head}
    assert books.get(f"{BOOKS}/revision/v2").json["sha"] == head
    assert books.get(f"{BOOKS}/revision/refs%2Ftags%2Fv2").json["sha"] == head


def test_a_branch_and_a_tag_may_share_a_name_and_the_branch_is_meant(books: Hub) -> None:
    books.post(f"{BOOKS}/tag/main", {"tag": "both"})
    books.post(f"{BOOKS}/branch/both", {})
    newer = books.commit("lin/books", file("x", b"1"), rev="both").json["commitOid"]

    assert books.get(f"{BOOKS}/revision/both").json["sha"] == newer
    assert books.get(f"{BOOKS}/revision/refs%2Ftags%2Fboth").json["sha"] != newer


@pytest.mark.parametrize(
    "name",
    ["a..b", "a b", "a~1", "a^", "a:b", "-a", "a.lock", "a/", ".a", "a//b", "@", "a@{b", "0" * 40],
)
def test_names_git_takes_not_are_refused(books: Hub, name: str) -> None:
    assert books.post(f"{BOOKS}/tag/main", {"tag": name}).status == 422
    assert refs(books, "tags") == {}


def test_a_name_below_a_name_is_a_conflict(books: Hub) -> None:
    books.post(f"{BOOKS}/branch/dev", {})

    answer = books.post(f"{BOOKS}/branch/dev%2Fx", {})

    assert answer.status == 409
    assert answer.json["error"]


def test_a_tag_of_nothing_is_a_missing_revision(books: Hub) -> None:
    answer = books.post(f"{BOOKS}/tag/none", {"tag": "v1"})

    assert (answer.status, answer.word) == (404, "RevisionNotFound")


def test_a_squashed_branch_has_one_commit_and_the_same_files(books: Hub) -> None:
    before = books.get(f"{BOOKS}/tree/main?recursive=true").json

    answer = books.post(f"{BOOKS}/super-squash/main", {"message": "All in one"})

    assert answer.status == 200
    history = books.get(f"{BOOKS}/commits/main")
    assert [c["title"] for c in history.json] == ["All in one"]
    assert history.headers["X-Total-Count"] == "1"
    assert books.get(f"{BOOKS}/tree/main?recursive=true").json == before
    last = books.get(f"{BOOKS}/tree/main?expand=true").json
    assert {e["lastCommit"]["title"] for e in last} == {"All in one"}
    assert books.commit("lin/books", file("y", b"1")).status == 200


def test_the_message_of_a_squash_has_a_limit(books: Hub) -> None:
    before = refs(books)
    for message in ("中" * 501, " " * 501, "a\n" * 251):
        answer = books.post(f"{BOOKS}/super-squash/main", {"message": message})
        assert answer.status == 400
        assert "500" in answer.json["error"]
    assert refs(books) == before

    assert books.post(f"{BOOKS}/super-squash/main", {"message": "中" * 500}).status == 200
    assert [c["title"] for c in books.get(f"{BOOKS}/commits/main").json] == ["中" * 500]


def test_the_title_of_a_squash_is_the_first_line(books: Hub) -> None:
    books.post(f"{BOOKS}/super-squash/main", {"message": "One\n\nand why"})

    commit = books.get(f"{BOOKS}/commits/main").json[0]
    assert (commit["title"], commit["message"].strip()) == ("One", "and why")
    last = books.get(f"{BOOKS}/tree/main?expand=true").json
    assert {e["lastCommit"]["title"] for e in last} == {"One"}


def test_other_branches_are_squashed_too(books: Hub) -> None:
    books.post(f"{BOOKS}/branch/feature%2Fx", {})
    books.commit("lin/books", file("y", b"1"), rev="feature/x")

    assert books.post(f"{BOOKS}/super-squash/feature%2Fx", {}).status == 200

    assert len(books.get(f"{BOOKS}/commits/feature%2Fx").json) == 1
    assert len(books.get(f"{BOOKS}/commits/main").json) == 2


def test_only_branches_are_squashed(books: Hub) -> None:
    books.post(f"{BOOKS}/tag/main", {"tag": "v1"})

    for name in ("v1", "none", books.get(BOOKS).json["sha"]):
        answer = books.post(f"{BOOKS}/super-squash/{name}", {"message": "x"})
        assert (answer.status, answer.word) == (404, "RevisionNotFound")


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("wu", 403), ("lin:read", 403)])
def test_only_writers_change_refs(books: Hub, who: str | None, status: int) -> None:
    books.post(f"{BOOKS}/branch/dev", {})
    books.post(f"{BOOKS}/tag/main", {"tag": "v1"})
    before = books.get(f"{BOOKS}/refs").json

    for method, target, body in (
        ("POST", "branch/new", {}),
        ("DELETE", "branch/dev", None),
        ("POST", "tag/main", {"tag": "v2"}),
        ("DELETE", "tag/v1", None),
        ("POST", "super-squash/main", {"message": "x"}),
    ):
        answer = books.ask(method, f"{BOOKS}/{target}", who=who, body=body)
        assert answer.status == status
    assert books.get(f"{BOOKS}/refs").json == before
