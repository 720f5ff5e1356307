"""Bytes and listings of a revision: what ``resolve``, ``raw`` and the trees answer."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import pytest

from tests.wire.hf.asking import BASE, Hub, file, gone
from tests.wire.hf.conftest import FILES, LARGE

SHELF = "/api/models/lin/shelf"
SHA256 = hashlib.sha256(LARGE).hexdigest()


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


# Raw paths ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("safe", ["", "/"], ids=["all quoted", "slash kept"])
def test_every_name_is_found_however_it_is_quoted(shelf: Hub, path: str, safe: str) -> None:
    for prefix in ("resolve/main", "resolve/refs%2Fheads%2Fmain", "raw/v1"):
        answer = shelf.get(f"/lin/shelf/{prefix}/{quote(path, safe=safe)}")

        assert (answer.status, answer.body) == (200, FILES[path])
        assert answer.headers["ETag"] == f'"{blob_id(FILES[path])}"'


@pytest.mark.parametrize(
    "rev", ["feature%2Fx", "refs%2Fheads%2Ffeature%2Fx", "refs%2Fheads%2fmain", "v1"]
)
def test_a_revision_with_a_slash_stays_whole(shelf: Hub, rev: str) -> None:
    assert shelf.get(f"{SHELF}/tree/{rev}").status == 200
    assert shelf.get(f"{SHELF}/revision/{rev}").json["sha"]
    assert shelf.get(f"{SHELF}/commits/{rev}").json
    assert shelf.get(f"/lin/shelf/resolve/{rev}/data%2Frange.bin").body == FILES["data/range.bin"]


def test_a_pull_request_that_is_not_there_is_a_revision_that_is_not_there(shelf: Hub) -> None:
    for target in (f"{SHELF}/tree/refs%2Fpr%2F1", "/lin/shelf/resolve/refs%2Fpr%2F1/README.md"):
        answer = shelf.get(target)
        assert (answer.status, answer.word) == (404, "RevisionNotFound")


def test_a_percent_sign_is_unquoted_once(shelf: Hub) -> None:
    assert shelf.get("/lin/shelf/resolve/main/a%252Fb").body == b"percent"
    assert shelf.get("/lin/shelf/resolve/main/a%2Fb").status == 404


def test_only_utf8_is_an_address(shelf: Hub) -> None:
    assert shelf.get("/lin/shelf/resolve/main/%ff").status == 404


def test_repositories_compare_without_case_and_keep_their_spelling(shelf: Hub) -> None:
    assert shelf.get("/api/models/LIN/Shelf").json["id"] == "lin/shelf"
    assert shelf.get("/Lin/SHELF/resolve/main/README.md").body == FILES["README.md"]


def test_a_commit_is_found_by_its_beginning(shelf: Hub) -> None:
    head = shelf.get(SHELF).json["sha"]

    for rev in (head, head[:7], head[:12].upper()):
        assert shelf.get(f"{SHELF}/revision/{rev}").json["sha"] == head


# resolve -----------------------------------------------------------------------------------


def test_a_large_file_is_answered_with_what_clients_need(shelf: Hub) -> None:
    answer = shelf.get("/lin/shelf/resolve/main/model.safetensors")

    assert answer.body == LARGE
    assert answer.headers["X-Repo-Commit"] == shelf.get(SHELF).json["sha"]
    assert answer.headers["ETag"] == answer.headers["X-Linked-Etag"] == f'"{SHA256}"'
    assert answer.headers["X-Linked-Size"] == answer.headers["Content-Length"] == str(len(LARGE))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "X-Xet-Hash" not in answer.headers  # it came by LFS: no Xet client could rebuild it
    assert "Link" not in answer.headers


def test_raw_gives_the_pointer_of_a_large_file(shelf: Hub) -> None:
    answer = shelf.get("/lin/shelf/raw/main/model.safetensors")

    assert answer.body.startswith(b"version https://git-lfs.github.com/spec/v1\noid sha256:")
    assert answer.headers["ETag"] == f'"{blob_id(answer.body)}"'


@pytest.mark.parametrize("path", [*FILES, "model.safetensors"])
@pytest.mark.parametrize("route", ["resolve/main", "resolve/v1", "raw/main"])
def test_head_has_the_headers_of_get(shelf: Hub, path: str, route: str) -> None:
    target = f"/lin/shelf/{route}/{quote(path)}"

    head, get = (shelf.ask(method, target, x_request_id="1") for method in ("HEAD", "GET"))

    assert head.status == get.status == 200
    assert head.headers.items() == get.headers.items()
    assert head.body == b""


def test_an_entity_tag_is_stable_over_commits(books: Hub) -> None:
    target = "/lin/books/resolve/main/data/a.txt"
    first = books.head(target)

    books.put("lin/books", {"other": b"new"})
    second = books.head(target)

    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.headers["X-Repo-Commit"] != second.headers["X-Repo-Commit"]


def test_what_a_commit_names_may_be_cached_and_what_a_branch_names_may_not(shelf: Hub) -> None:
    head = shelf.get(SHELF).json["sha"]
    secret = shelf.get("/api/models/lin/vault", "lin").json["sha"]

    def policy(target: str) -> str:
        return shelf.head(target, "lin").headers["Cache-Control"]

    assert policy("/lin/shelf/resolve/main/empty") == "no-cache"
    assert policy(f"/lin/shelf/resolve/{head}/empty") == "public, max-age=31536000, immutable"
    assert policy(f"/lin/vault/resolve/{secret}/empty") == "no-cache"


@pytest.mark.parametrize(
    ("asked", "status", "span", "content_range"),
    [
        ("bytes=0-0", 206, (0, 1), "bytes 0-0/100"),
        ("bytes=10-19", 206, (10, 20), "bytes 10-19/100"),
        ("bytes=90-", 206, (90, 100), "bytes 90-99/100"),
        ("bytes=90-1000", 206, (90, 100), "bytes 90-99/100"),
        ("bytes=-5", 206, (95, 100), "bytes 95-99/100"),
        ("bytes=-500", 206, (0, 100), "bytes 0-99/100"),
        ("bytes=100-", 416, (0, 0), "bytes */100"),
        ("bytes=-0", 416, (0, 0), "bytes */100"),
        ("bytes=5-2", 200, (0, 100), None),
        ("chunks=0-5", 200, (0, 100), None),
    ],
)
def test_ranges(shelf: Hub, asked, status, span, content_range) -> None:
    answer = shelf.get("/lin/shelf/resolve/main/data/range.bin", range=asked)

    assert answer.status == status
    assert answer.body == FILES["data/range.bin"][slice(*span)]
    assert answer.headers.get("Content-Range") == content_range
    assert answer.headers["X-Repo-Commit"]


def test_ranges_of_a_large_file(shelf: Hub) -> None:
    target = "/lin/shelf/resolve/main/model.safetensors"

    part = shelf.get(target, range="bytes=1000-1999")
    beyond = shelf.get(target, range=f"bytes={len(LARGE)}-")

    assert (part.status, part.body) == (206, LARGE[1000:2000])
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(LARGE)}")


def test_a_range_holds_only_while_the_file_is_the_same(shelf: Hub) -> None:
    target = "/lin/shelf/resolve/main/data/range.bin"
    tag = shelf.head(target).headers["ETag"]

    same = shelf.get(target, range="bytes=0-9", if_range=tag)
    other = shelf.get(target, range="bytes=0-9", if_range='"other"')

    assert (same.status, same.body) == (206, FILES["data/range.bin"][:10])
    assert (other.status, other.body) == (200, FILES["data/range.bin"])


def test_what_the_caller_has_is_not_sent_again(shelf: Hub) -> None:
    target = "/lin/shelf/resolve/main/README.md"
    tag = shelf.head(target).headers["ETag"]

    for seen in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = shelf.get(target, if_none_match=seen)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["X-Repo-Commit"]
    assert shelf.get(target, if_none_match='"x"').status == 200


def test_a_file_without_bytes(shelf: Hub) -> None:
    whole = shelf.get("/lin/shelf/resolve/main/empty")
    part = shelf.get("/lin/shelf/resolve/main/empty", range="bytes=0-")

    assert (whole.status, whole.body, whole.headers["Content-Length"]) == (200, b"", "0")
    assert (part.status, part.headers["Content-Range"]) == (416, "bytes */0")


def test_a_name_is_given_twice_with_the_semicolon_at_its_end(shelf: Hub) -> None:
    target = "/lin/shelf/resolve/main/data/sub%20dir/%E4%B8%AD%E6%96%87.txt"

    shown, saved = shelf.get(target), shelf.get(target + "?download=true")

    names = "filename*=UTF-8''%E4%B8%AD%E6%96%87.txt; filename=\"__.txt\";"
    assert shown.headers["Content-Disposition"] == f"inline; {names}"
    assert saved.headers["Content-Disposition"] == f"attachment; {names}"


def test_uploaded_bytes_run_nowhere_and_other_sites_may_read_them(shelf: Hub) -> None:
    headers = shelf.get("/lin/shelf/resolve/main/README.md").headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Access-Control-Allow-Origin"] == "*"
    for name in ("ETag", "Link", "Content-Range", "X-Repo-Commit", "X-Linked-Size", "X-Xet-Hash"):
        assert name in headers["Access-Control-Expose-Headers"]


# Trees -------------------------------------------------------------------------------------


def test_a_tree_lists_one_folder_in_gits_order(shelf: Hub) -> None:
    listed = shelf.get(f"{SHELF}/tree/main").json

    assert [e["path"] for e in listed] == [
        *(".gitattributes", "README.md", "a%2Fb", "config.json", "data.txt", "data", "empty"),
        *("h#.txt", "model.safetensors", "p+q r.txt", "q?.txt"),
    ]
    by_path = {e["path"]: e for e in listed}
    assert by_path["data"]["type"] == "directory"
    assert by_path["data"]["size"] == 0
    assert by_path["empty"] == {
        "type": "file",
        "oid": blob_id(b""),
        "size": 0,
        "path": "empty",
    }
    pointer = shelf.get("/lin/shelf/raw/main/model.safetensors").body
    assert by_path["model.safetensors"] == {
        "type": "file",
        "oid": blob_id(pointer),
        "size": len(LARGE),
        "path": "model.safetensors",
        "lfs": {"oid": SHA256, "size": len(LARGE), "pointerSize": len(pointer)},
    }


@pytest.mark.parametrize("rev", ["main", "v1", "feature%2Fx"])
def test_a_tree_is_the_same_from_sql_and_from_packs(shelf: Hub, rev: str) -> None:
    whole = shelf.get(f"{SHELF}/tree/{rev}?recursive=true").json
    inside = shelf.get(f"{SHELF}/tree/{rev}/data%2Fsub%20dir?recursive=True").json

    paths = [e["path"] for e in whole]
    assert [p for p in paths if p.startswith("data")] == [
        *("data.txt", "data", "data/range.bin", "data/sub dir", "data/sub dir/中文.txt")
    ]
    assert [e["path"] for e in inside] == ["data/sub dir/中文.txt"]
    wanted = shelf.get(f"{SHELF}/tree/main?recursive=true").json
    assert [e for e in whole if e["path"] != "only-here.txt"] == wanted


@pytest.mark.parametrize("rev", ["main", "feature%2Fx"])
def test_pages_of_a_tree_meet_without_gap_or_overlap(shelf: Hub, rev: str) -> None:
    whole = shelf.get(f"{SHELF}/tree/{rev}?recursive=true").json
    target: str | None = f"{BASE}{SHELF}/tree/{rev}?recursive=true&limit=2&x=a%20b"
    seen = []

    while target:
        assert (
            target.startswith(f"{BASE}{SHELF}/tree/{rev}?recursive=true&limit=2&x=a+b") or not seen
        )
        page = shelf.get(target.removeprefix(BASE))
        seen += page.json
        target = page.next

    assert seen == whole


def test_links_name_the_callers_own_origin_if_it_is_ours(shelf: Hub) -> None:
    target = f"{SHELF}/tree/main?limit=1"

    ours = shelf.get(target, host="localhost:8000").next
    foreign = shelf.get(target, host="evil.example").next

    assert ours.startswith("http://localhost:8000/api/models/")
    assert foreign.startswith("http://hub.test/api/models/")


@pytest.mark.parametrize("rev", ["main", "v1"])
def test_expand_tells_the_last_commit(shelf: Hub, rev: str) -> None:
    head = shelf.get(SHELF).json["sha"]
    listed = shelf.get(f"{SHELF}/tree/{rev}?expand=true").json

    last = {e["path"]: e["lastCommit"] for e in listed}
    assert last["model.safetensors"]["id"] == head
    assert last["README.md"]["id"] != head
    assert last["README.md"]["title"] == "Change"
    assert last["README.md"]["date"].endswith("Z")


def test_an_empty_branch_has_an_empty_tree(shelf: Hub) -> None:
    assert shelf.get(f"{SHELF}/tree/empty").json == []
    assert shelf.get(f"{SHELF}/revision/empty").json["siblings"] == []


def test_a_size_of_a_folder(shelf: Hub) -> None:
    size = sum(len(data) for path, data in FILES.items() if path.startswith("data/"))

    assert shelf.get(f"{SHELF}/treesize/main/data").json == {"path": "data", "size": size}
    assert shelf.get(f"{SHELF}/treesize/main").json["size"] > size + len(LARGE)


# paths-info --------------------------------------------------------------------------------

ASKED = ["README.md", "data", "data/sub dir/中文.txt", "none", "q?.txt", "model.safetensors"]


@pytest.mark.parametrize("rev", ["main", "v1"])
@pytest.mark.parametrize("expand", ["true", "True", "false"])
def test_paths_info_takes_a_form(shelf: Hub, rev: str, expand: str) -> None:
    pairs = [*(("paths", path) for path in ASKED), ("expand", expand)]

    found = shelf.form(f"{SHELF}/paths-info/{rev}", pairs).json

    assert {e["path"] for e in found} == set(ASKED) - {"none"}
    assert all(("lastCommit" in e) == (expand.lower() == "true") for e in found)


def test_paths_info_takes_json(shelf: Hub) -> None:
    answer = shelf.post(f"{SHELF}/paths-info/main", {"paths": ASKED, "expand": True}, None)

    assert {e["path"] for e in answer.json} == set(ASKED) - {"none"}
    assert all(e["lastCommit"]["id"] for e in answer.json)


def test_paths_info_agrees_with_the_tree(shelf: Hub) -> None:
    whole = shelf.get(f"{SHELF}/tree/main?recursive=true").json

    for rev in ("main", "v1"):
        pairs = [("paths", e["path"]) for e in whole]
        found = shelf.form(f"{SHELF}/paths-info/{rev}", pairs).json
        assert sorted(found, key=lambda e: e["path"]) == sorted(whole, key=lambda e: e["path"])


def test_paths_info_has_a_limit_and_reads_only_what_it_knows(shelf: Hub) -> None:
    target = f"{SHELF}/paths-info/main"

    assert shelf.form(target, [("paths", str(i)) for i in range(2000)]).json == []
    assert shelf.form(target, [("paths", str(i)) for i in range(2001)]).status == 413
    assert shelf.post(target, b"{", None).status == 400
    assert shelf.post(target, {"paths": 1}, None).status == 400
    assert shelf.form(target, []).json == []
    for long in (b"paths=%61&" * 2011, b"a&" * 5_000_000):
        kind = "application/x-www-form-urlencoded"
        assert shelf.post(target, long, None, kind=kind).status == 413
    long = [("paths", f"{i:0100}") for i in range(1000)] + [("paths", "README.md")]
    assert [e["path"] for e in shelf.form(target, long).json] == ["README.md"]


# Info --------------------------------------------------------------------------------------


def test_info_has_every_field_clients_read(shelf: Hub) -> None:
    info = shelf.get(SHELF).json

    assert info.keys() >= {
        *("_id", "id", "modelId", "author", "sha", "lastModified", "createdAt", "private"),
        *("disabled", "gated", "downloads", "downloadsAllTime", "likes", "trendingScore"),
        *("tags", "siblings", "cardData", "usedStorage", "config", "library_name"),
    }
    assert info["author"] == "lin"
    assert info["gated"] is info["disabled"] is False
    assert len(info["_id"]) == 24
    assert info["pipeline_tag"] == "text-generation"
    assert info["config"] == {"model_type": "bert", "architectures": ["BertModel"]}
    assert info["usedStorage"] == len(LARGE)
    assert info["cardData"]["license"] == "mit"
    assert {"license:mit", "base_model:lin/base", "zh", "region:us"} <= set(info["tags"])
    assert {s["rfilename"] for s in info["siblings"]} == {
        *FILES,
        ".gitattributes",
        "model.safetensors",
    }
    assert all(s.keys() == {"rfilename"} for s in info["siblings"])


def test_dates_are_what_clients_parse(shelf: Hub) -> None:
    info = shelf.get(SHELF).json

    for name in ("lastModified", "createdAt"):
        assert len(info[name]) == len("2026-01-01T00:00:00.000Z")
        assert info[name].endswith("Z")


@pytest.mark.parametrize("rev", ["main", "v1"])
def test_blobs_adds_sizes_and_ids(shelf: Hub, rev: str) -> None:
    siblings = shelf.get(f"{SHELF}/revision/{rev}?blobs=true").json["siblings"]

    by_name = {s["rfilename"]: s for s in siblings}
    assert by_name["empty"] == {"rfilename": "empty", "size": 0, "blobId": blob_id(b"")}
    assert by_name["model.safetensors"]["lfs"]["sha256"] == SHA256
    assert by_name["model.safetensors"]["size"] == len(LARGE)


def test_info_of_a_revision_tells_its_commit(shelf: Hub) -> None:
    other = shelf.get(f"{SHELF}/revision/feature%2Fx").json

    assert other["sha"] != shelf.get(SHELF).json["sha"]
    assert "only-here.txt" in {s["rfilename"] for s in other["siblings"]}


TITLES = {
    "main": ["Change", "Change", "initial commit"],
    "v1": ["Change", "Change", "initial commit"],
    "feature%2Fx": ["Change", "Change", "Change", "initial commit"],
    "refs%2Fheads%2Ffeature%2Fx": ["Change", "Change", "Change", "initial commit"],
    "empty": ["initial commit"],
}


@pytest.mark.parametrize("rev", TITLES)
def test_history_is_newest_first_and_counted(shelf: Hub, rev: str) -> None:
    whole = shelf.get(f"{SHELF}/commits/{rev}")

    assert [c["title"] for c in whole.json] == TITLES[rev]
    assert whole.headers["X-Total-Count"] == str(len(TITLES[rev]))
    assert whole.json[0]["authors"] == [{"user": "lin", "avatar": ""}]
    assert whole.json[0]["formatted"]["title"] == TITLES[rev][0]
    assert whole.json[0]["id"] == shelf.get(f"{SHELF}/revision/{rev}").json["sha"]
    for left, one in enumerate(reversed(whole.json), 1):  # a commit is a revision too
        answer = shelf.get(f"{SHELF}/commits/{one['id']}?limit=1")
        assert answer.json == [one]
        assert answer.headers["X-Total-Count"] == str(left)


@pytest.mark.parametrize("rev", TITLES)
def test_pages_of_a_history_meet(shelf: Hub, rev: str) -> None:
    """From whatever page on: each commit comes once, and ``next`` keeps what was asked."""
    whole = shelf.get(f"{SHELF}/commits/{rev}").json

    for limit in range(1, len(whole) + 2):
        for start in range(len(whole) + 1):
            query = f"limit={limit}&p={start}&expand[]=formatted"
            target: str | None = f"{BASE}{SHELF}/commits/{rev}?{query}"
            pages = []
            while target:
                page = shelf.get(target.removeprefix(BASE))
                pages.append(page.json)
                target = page.next
                assert page.headers["X-Total-Count"] == str(len(whole))
                assert target is None or f"limit={limit}&expand%5B%5D=formatted&" in target
            assert [c for page in pages for c in page] == whole[start * limit :]
            assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("start", ["0", "-1", "x", ""])
def test_a_history_begins_at_its_first_page(shelf: Hub, start: str) -> None:
    whole = shelf.get(f"{SHELF}/commits/feature%2Fx").json

    assert shelf.get(f"{SHELF}/commits/feature%2Fx?limit=2&p={start}").json == whole[:2]


def test_a_place_in_another_history_is_400(shelf: Hub) -> None:
    other = shelf.get(f"{SHELF}/commits/empty").json[0]["id"]

    for cursor in (other, "0" * 40, "x"):
        assert shelf.get(f"{SHELF}/commits/main?cursor={cursor}").status == 400


def test_an_old_revision_stays_as_it_was(books: Hub) -> None:
    old = books.get("/api/models/lin/books").json["sha"]
    books.commit("lin/books", gone("data", "deletedFolder"), file("README.md", b"new"))

    assert books.get(f"/lin/books/resolve/{old}/data/a.txt").body == b"a"
    assert books.get("/lin/books/resolve/main/data/a.txt").status == 404
    paths = [e["path"] for e in books.get(f"/api/models/lin/books/tree/{old}?recursive=1").json]
    assert paths == [".gitattributes", "README.md", "data", "data/a.txt"]
