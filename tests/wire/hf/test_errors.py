"""How this dialect says no: status, word and the texts that clients compare."""

from __future__ import annotations

import pytest

from tests.wire.hf.asking import Hub, file, gone

BASE64 = {"path": "a", "content": "YQ==", "encoding": "base64"}
SHELF = "/api/models/lin/shelf"

NOS = {
    # §2.1, a row each; what this hub has no part of yet (gates, disabled repositories, jobs,
    # buckets) is a call it does not know.
    "a missing repository, to nobody": ("/api/models/lin/gone", None, 401, "RepoNotFound"),
    "a missing repository, to somebody": ("/api/models/lin/gone", "wu", 404, "RepoNotFound"),
    "a private repository, to nobody": ("/api/models/lin/vault", None, 401, "RepoNotFound"),
    "a private repository, to a stranger": ("/api/models/lin/vault", "wu", 404, "RepoNotFound"),
    "a missing dataset": ("/api/datasets/lin/shelf", "lin", 404, "RepoNotFound"),
    "a missing Space": ("/api/spaces/lin/shelf", "lin", 404, "RepoNotFound"),
    "a name without namespace": ("/api/models/gpt2", "lin", 404, None),
    "a missing file's repository": ("/lin/gone/resolve/main/a", None, 401, "RepoNotFound"),
    "a private file": ("/lin/vault/resolve/main/README.md", "wu", 404, "RepoNotFound"),
    "a missing revision": (f"{SHELF}/revision/nope", None, 404, "RevisionNotFound"),
    "a missing revision of a file": (
        "/lin/shelf/resolve/nope/README.md",
        "lin",
        404,
        "RevisionNotFound",
    ),
    "a missing commit": (f"{SHELF}/tree/{'0' * 40}", None, 404, "RevisionNotFound"),
    "a revision of the wrong case": (f"{SHELF}/revision/Main", None, 404, "RevisionNotFound"),
    "a missing path": ("/lin/shelf/resolve/main/none.txt", None, 404, "EntryNotFound"),
    "a missing path, raw": ("/lin/shelf/raw/main/none.txt", None, 404, "EntryNotFound"),
    "a folder as a file": ("/lin/shelf/resolve/main/data", None, 404, "EntryNotFound"),
    "a missing folder": (f"{SHELF}/tree/main/none", None, 404, "EntryNotFound"),
    "a file as a folder": (f"{SHELF}/tree/main/none%2Fx", None, 404, "EntryNotFound"),
    "a missing folder elsewhere": (f"{SHELF}/tree/v1/none", None, 404, "EntryNotFound"),
    "no file of an empty branch": (
        "/lin/shelf/resolve/empty/README.md",
        None,
        404,
        "EntryNotFound",
    ),
    "an unknown job": ("/api/jobs/lin/1", "lin", 404, None),
    "a bucket": ("/api/buckets/lin/none", "lin", 404, None),
    "an unknown call": ("/api/nothing/here", None, 404, None),
    "an unknown field": (f"{SHELF}?expand=colour", None, 400, None),
    "an unknown person": ("/api/users/nobody-here/overview", None, 404, None),
    "a bad cursor": ("/api/models?cursor=%FF", None, 400, None),
    "an unnamed caller": ("/api/whoami-v2", None, 401, None),
    "a bad token, on something public": (SHELF, "hf_unknown", 401, None),
    "a bad token, on nothing": ("/api/models/lin/gone", "hf_unknown", 401, None),
    "a stranger's write": (f"{SHELF}/auth-check/write", "wu", 403, None),
    "a read token's write": (f"{SHELF}/auth-check/write", "lin:read", 403, None),
    "nobody's write": (f"{SHELF}/auth-check/write", None, 401, None),
    "a write token that asks for a pull request": (
        f"{SHELF}/xet-write-token/main?create_pr=1",
        "lin",
        403,
        None,
    ),
}


@pytest.mark.parametrize(("target", "who", "status", "word"), NOS.values(), ids=NOS)
def test_a_no_has_its_status_and_its_word(shelf: Hub, target, who, status, word) -> None:
    answer = shelf.get(target, who)

    assert (answer.status, answer.word) == (status, word)
    assert answer.json["error"]
    assert answer.message
    assert answer.message.isascii()


@pytest.mark.parametrize(("target", "who", "status", "word"), NOS.values(), ids=NOS)
def test_a_head_is_answered_like_its_get(shelf: Hub, target, who, status, word) -> None:
    head, get = (shelf.ask(m, target, who=who, x_request_id="1") for m in ("HEAD", "GET"))

    assert (head.status, head.word) == (status, word)
    told = dict(head.headers.items())
    told.pop("x-hf-warning", None)  # says of a bad token what the body would
    assert told == dict(get.headers.items())


TEXTS = {
    "bad token": ("GET", SHELF, "hf_unknown", None, "Invalid credentials in Authorization header"),
    "revision": ("GET", f"{SHELF}/revision/nope", None, None, "Invalid rev id: nope"),
    "branch there": (
        "POST",
        f"{SHELF}/branch/feature%2Fx",
        "lin",
        {},
        "Reference refs/heads/feature/x already exists",
    ),
    "tag there": (
        "POST",
        f"{SHELF}/tag/main",
        "lin",
        {"tag": "v1"},
        "Reference refs/tags/v1 already exists",
    ),
    "main stays": ("DELETE", f"{SHELF}/branch/main", "lin", None, "Cannot delete refs/heads/main"),
    "move onto another": (
        "POST",
        "/api/repos/move",
        "lin",
        {"fromRepo": "lin/shelf", "toRepo": "lin/vault", "type": "model"},
        "A model repository called lin/vault already exists",
    ),
    "unknown field": ("GET", f"{SHELF}?expand=x", None, None, 'expected one of "author"|"base'),
}


@pytest.mark.parametrize(("method", "target", "who", "body", "text"), TEXTS.values(), ids=TEXTS)
def test_texts_that_clients_compare(shelf: Hub, method, target, who, body, text) -> None:
    answer = shelf.ask(method, target, who=who, body=body)

    assert answer.status >= 400
    assert text in answer.message
    if text not in answer.json["error"]:  # a bad token: the body says what to do about it
        assert answer.status == 401


def test_a_stale_parent_is_412_with_the_text(books: Hub) -> None:
    old = books.put("lin/books", {"a": b"1"})
    books.put("lin/books", {"a": b"2"})

    answer = books.commit("lin/books", file("a", b"3"), parentCommit=old)

    assert (answer.status, answer.word) == (412, None)
    assert answer.message.startswith("The branch was updated since you opened this page.")
    assert books.get("/lin/books/resolve/main/a").body == b"2"


@pytest.mark.parametrize("digits", [5, 7, 40])
def test_the_beginning_of_the_head_is_a_parent(books: Hub, digits: int) -> None:
    head = books.put("lin/books", {"a": b"1"})

    answer = books.commit("lin/books", file("a", b"2"), parentCommit=head[:digits].upper())

    assert answer.status == 200


@pytest.mark.parametrize("key", ["deletedFile", "deletedFolder", "deletedEntry"])
def test_deleting_what_is_not_there_is_404_with_the_text(books: Hub, key: str) -> None:
    answer = books.commit("lin/books", gone("none", key))

    assert (answer.status, answer.word) == (404, "EntryNotFound")
    assert answer.message.startswith("A file with this name doesn't exist")


def test_a_missing_path_tells_the_commit_so_that_the_absence_is_cached(shelf: Hub) -> None:
    head = shelf.get(SHELF).json["sha"]

    for answer in (
        shelf.head("/lin/shelf/resolve/main/none.txt"),
        shelf.get("/lin/shelf/resolve/v1/none.txt"),
        shelf.get("/lin/shelf/raw/main/none.txt"),
    ):
        assert answer.headers["X-Repo-Commit"] == head


def test_no_cause_of_a_bad_token_carries_a_word(shelf: Hub) -> None:
    answer = shelf.get("/lin/shelf/resolve/main/README.md", "hf_unknown")

    assert (answer.status, answer.word) == (401, None)
    assert answer.message == "Invalid credentials in Authorization header"
    assert "hf auth login" in answer.json["error"]


def test_a_bad_token_is_explained_where_there_is_no_body(shelf: Hub) -> None:
    """Clients from 1.28 on print this header; with the body it would be said twice."""
    head = shelf.head("/lin/shelf/resolve/main/README.md", "hf_unknown")
    get = shelf.get("/lin/shelf/resolve/main/README.md", "hf_unknown")

    topic, _, text = head.headers["X-HF-Warning"].partition("; ")
    assert (head.status, topic) == (401, "people.token_unknown")
    assert "unset HF_TOKEN" in text
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN=1" in text
    assert text == get.json["error"]
    assert "X-HF-Warning" not in get.headers


def test_another_persons_name_is_said_to_be_one(shelf: Hub) -> None:
    body = {"name": "mine", "organization": "lin", "type": "model"}

    answer = shelf.post("/api/repos/create", body, "wu", accept_language="zh-CN")
    commit = shelf.post("/api/models/lin/shelf/branch/mine", {}, "wu")

    assert (answer.status, commit.status) == (403, 403)
    assert answer.message.startswith("lin is another person.")
    assert answer.message.endswith("belong to")  # clients put a full stop after it
    assert answer.json["error"].startswith("lin 是其他用户")
    assert commit.message == answer.message


def test_the_body_speaks_the_callers_language_and_the_header_english(shelf: Hub) -> None:
    answer = shelf.get("/api/models/lin/gone", "wu", accept_language="zh-CN,zh;q=0.9")

    assert answer.message == "There is no model lin/gone, or you may not see it."
    assert "lin/gone" in answer.json["error"]
    assert not answer.json["error"].isascii()


def test_a_chinese_name_is_escaped_in_the_header_and_whole_in_the_body(shelf: Hub) -> None:
    answer = shelf.get(f"{SHELF}/revision/%E5%88%86%E6%94%AF%0A")

    assert answer.status == 404
    assert answer.message.isascii()
    assert answer.json["error"] == "Invalid rev id: 分支\n"


def test_a_request_keeps_its_id(shelf: Hub) -> None:
    own = shelf.get(SHELF, x_request_id="abc-1", x_amzn_trace_id="uuid-2")
    traced = shelf.get(SHELF, x_amzn_trace_id="uuid-2")

    assert own.headers["X-Request-Id"] == "abc-1"
    assert "uuid-2" in traced.headers["X-Request-Id"]


def test_a_call_by_another_method_is_no_call(shelf: Hub) -> None:
    answer = shelf.ask("DELETE", f"{SHELF}/refs")

    assert (answer.status, answer.word) == (404, None)
    assert answer.json["error"]


def test_the_trailing_slash_of_an_endpoint_does_no_harm(shelf: Hub) -> None:
    assert shelf.get("//api/models/lin/shelf").status == 200
    assert shelf.get("//lin/shelf/resolve/main/empty").status == 200
