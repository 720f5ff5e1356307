"""Writing: advice before an upload, and commits that land whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tests.wire.hf.asking import BASE, NDJSON, Hub, file, gone, large, ndjson

BOOKS = "/api/models/lin/books"
COMMIT = f"{BOOKS}/commit/main"
BIG = bytes(range(256)) * 41


def head(hub: Hub) -> str:
    return hub.get(BOOKS, "lin").json["sha"]


def read(hub: Hub, path: str, rev: str = "main") -> bytes | None:
    answer = hub.get(f"/lin/books/resolve/{rev}/{path}", "lin")
    return answer.body if answer.status == 200 else None


# preupload ---------------------------------------------------------------------------------


def advice(hub: Hub, *files: dict, who: str = "lin", **more) -> dict[str, dict]:
    answer = hub.post(f"{BOOKS}/preupload/main", {"files": list(files), **more}, who)
    assert answer.status == 200, answer.body
    return {one["path"]: one for one in answer.json["files"]}


def about(path: str, size: int = 5, sample: bytes = b"plain") -> dict:
    return {"path": path, "size": size, "sample": base64.b64encode(sample).decode()}


def test_large_is_what_git_attributes_size_or_bytes_say(books: Hub) -> None:
    found = advice(
        books,
        about("a.txt"),
        about("model.safetensors"),
        about("a.blob"),
        about("big.txt", 10_000_001),
        about("limit.txt", 10_000_000),
        about("zero.dat", sample=b"a\0b"),
        about("latin.dat", sample=b"\xe4\xf6"),
        about("cut.md", sample="中文".encode()[:5]),
        about("empty.safetensors", 0, b""),
        gitAttributes="*.blob filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs",
    )

    modes = {path: one["uploadMode"] for path, one in found.items()}
    assert modes == {
        "a.txt": "regular",
        "model.safetensors": "lfs",
        "a.blob": "lfs",
        "big.txt": "lfs",
        "limit.txt": "regular",
        "zero.dat": "lfs",
        "latin.dat": "lfs",
        "cut.md": "regular",
        "empty.safetensors": "regular",
    }
    assert all(one["shouldIgnore"] is False for one in found.values())


def test_the_rules_of_the_repository_hold_where_none_are_sent(books: Hub) -> None:
    books.put("lin/books", {".gitattributes": b"*.big filter=lfs\n", ".gitignore": b"*.log\n"})

    found = advice(books, about("a.big"), about("a.log"), about("a.safetensors"))

    assert found["a.big"]["uploadMode"] == "lfs"
    assert found["a.safetensors"]["uploadMode"] == "regular"
    assert (found["a.log"]["shouldIgnore"], found["a.big"]["shouldIgnore"]) == (True, False)


def test_sent_ignore_rules_replace_those_of_the_repository(books: Hub) -> None:
    books.put("lin/books", {".gitignore": b"*.log\n"})

    found = advice(books, about("a.log"), about("tmp/x"), gitIgnore="tmp/\n")

    assert {path for path, one in found.items() if one["shouldIgnore"]} == {"tmp/x"}


def test_advice_names_what_is_there_so_that_nothing_is_sent_twice(books: Hub) -> None:
    books.put_large("lin/books", {"w.bin": BIG})

    found = advice(books, about("README.md"), about("w.bin"), about("new"), about("data"))

    assert found["README.md"]["oid"] == hashlib.sha1(b"blob 8\0# Books\n").hexdigest()
    assert found["w.bin"]["oid"] == hashlib.sha256(BIG).hexdigest()
    assert "oid" not in found["new"]
    assert "oid" not in found["data"]  # a folder


def test_advice_tells_the_commit_it_looked_at(books: Hub) -> None:
    answer = books.post(f"{BOOKS}/preupload/main", {"files": []})

    assert answer.json == {"files": [], "commitOid": head(books)}


def test_a_thousand_files_may_be_asked_about_and_no_more(books: Hub) -> None:
    files = [about(f"f{i}") for i in range(1001)]

    assert books.post(f"{BOOKS}/preupload/main", {"files": files[:1000]}).status == 200
    assert books.post(f"{BOOKS}/preupload/main", {"files": files}).status == 413


SHORT = b'{"files": [{"path": "a", "size": -1}]}'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"files": 1}', b'{"files": [{}]}', SHORT])
def test_advice_needs_a_body_of_its_shape(books: Hub, body: bytes) -> None:
    assert books.post(f"{BOOKS}/preupload/main", body).status == 400


def test_advice_refuses_paths_that_no_commit_takes(books: Hub) -> None:
    answer = books.post(f"{BOOKS}/preupload/main", {"files": [about("../up")]})

    assert answer.status == 422


# Commits -----------------------------------------------------------------------------------


def test_a_commit_lands_and_is_answered_with_absolute_links(books: Hub) -> None:
    answer = books.commit("lin/books", file("中 文/a b.txt", "你好".encode()))

    assert answer.status == 200
    oid = answer.json["commitOid"]
    assert answer.json == {
        "success": True,
        "commitOid": oid,
        "commitUrl": f"{BASE}/lin/books/commit/{oid}",
        "hookOutput": "",
    }
    assert head(books) == oid
    assert read(books, "%E4%B8%AD%20%E6%96%87/a%20b.txt") == "你好".encode()


@pytest.mark.parametrize(("kind", "prefix"), [("dataset", "datasets/"), ("space", "spaces/")])
def test_the_other_kinds_are_written_alike(hub: Hub, kind: str, prefix: str) -> None:
    made = hub.create("lin/other", kind=kind, **({"sdk": "static"} if kind == "space" else {}))
    answer = hub.commit("lin/other", file("x.txt", b"x"), kind=f"{kind}s")

    assert made.json["url"] == f"{BASE}/{prefix}lin/other"
    assert answer.json["commitUrl"].startswith(f"{BASE}/{prefix}lin/other/commit/")
    assert hub.get(f"/{prefix}lin/other/resolve/main/x.txt").body == b"x"


def test_a_large_file_must_have_been_uploaded_here(books: Hub) -> None:
    before = head(books)

    unknown = books.commit("lin/books", large("w.bin", BIG))
    books.send_large("lin/diary", BIG)
    elsewhere = books.commit("lin/books", large("w.bin", BIG))
    books.send_large("lin/books", BIG)
    known = books.commit("lin/books", large("w.bin", BIG))

    assert (unknown.status, elsewhere.status, known.status) == (400, 400, 200)
    assert hashlib.sha256(BIG).hexdigest() in unknown.json["error"]
    assert head(books) != before
    assert read(books, "w.bin") == BIG
    assert b"w.bin filter=lfs" not in read(books, ".gitattributes")  # *.bin covers it


def test_large_files_that_no_rule_covers_get_one(books: Hub) -> None:
    books.put_large("lin/books", {"weights v1.zzz": BIG})

    assert b"filter=lfs" in read(books, ".gitattributes").splitlines()[-1]
    assert b"weights" in read(books, ".gitattributes").splitlines()[-1]


def test_a_large_file_may_come_without_its_size(books: Hub) -> None:
    books.put_large("lin/books", {"a.bin": BIG})
    key, value = large("b.bin", BIG)
    value.pop("size")

    assert books.commit("lin/books", (key, value)).status == 200
    assert read(books, "b.bin") == BIG


def test_changes_apply_in_their_order(books: Hub) -> None:
    books.commit(
        "lin/books",
        gone("data/", "deletedFolder"),
        file("data/new.txt", b"new"),
        file("x", b"1"),
        gone("x", "deletedEntry"),
        file("x", b"2"),
        ("copyFile", {"path": "copy.md", "srcPath": "README.md"}),
        gone("README.md"),
    )

    assert read(books, "data/a.txt") is None
    assert read(books, "data/new.txt") == b"new"
    assert read(books, "x") == b"2"
    assert read(books, "copy.md") == b"# Books\n"
    assert read(books, "README.md") is None


def test_text_needs_no_base64(books: Hub) -> None:
    line = ("file", {"path": "a", "content": "中\n", "encoding": "utf-8"})

    assert books.commit("lin/books", line).status == 200
    assert read(books, "a") == "中\n".encode()


def test_a_repeated_commit_makes_no_new_one(books: Hub) -> None:
    first = books.put("lin/books", {"a": b"1"})

    again = books.commit("lin/books", file("a", b"1"))
    empty = books.commit("lin/books")

    assert again.json["commitOid"] == empty.json["commitOid"] == first == head(books)


def test_without_a_parent_everybody_lands_and_nothing_is_lost(books: Hub) -> None:
    for name in "abc":
        books.put("lin/books", {name: name.encode()})

    assert [read(books, name) for name in "abc"] == [b"a", b"b", b"c"]


def test_a_branch_is_committed_to_and_main_stays(books: Hub) -> None:
    before = head(books)
    books.post(f"{BOOKS}/branch/feature%2Fx", {})

    answer = books.commit("lin/books", file("only", b"x"), rev="feature/x")
    full = books.commit("lin/books", file("two", b"2"), rev="refs/heads/feature/x")

    assert (answer.status, full.status) == (200, 200)
    assert head(books) == before
    assert read(books, "only", "feature%2Fx") == b"x"
    assert read(books, "two", "feature%2Fx") == b"2"
    assert read(books, "only") is None


def test_only_branches_are_committed_to(books: Hub) -> None:
    books.post(f"{BOOKS}/tag/main", {"tag": "v1"})

    for rev in ("none", "v1", "refs/tags/v1", head(books)):
        answer = books.commit("lin/books", file("a", b"1"), rev=rev)
        assert (answer.status, answer.word) == (404, "RevisionNotFound")


def test_the_older_form_is_one_object(books: Hub) -> None:
    books.put_large("lin/books", {"w.bin": BIG})
    body = {
        "summary": "Old",
        "description": "form",
        "files": [{"path": "a", "content": "YQ==", "encoding": "base64"}],
        "lfsFiles": [large("v.bin", BIG)[1]],
        "deletedFiles": [{"path": "README.md"}],
        "deletedEntries": [{"path": "data"}],
        "parentCommit": head(books),
    }

    answer = books.post(COMMIT, body)

    assert answer.status == 200
    assert (read(books, "a"), read(books, "v.bin"), read(books, "README.md")) == (b"a", BIG, None)
    assert read(books, "data/a.txt") is None
    latest = books.get(f"{BOOKS}/commits/main?limit=1").json[0]
    assert (latest["title"], latest["message"]) == ("Old", "form")


@pytest.mark.parametrize(
    "path",
    [
        *("..", "../a", "a/../b", "/a", "a//b", "./a", "a/./b", "", "a\\b", "..\\a"),
        *("a\0b", "a\nb", ".git/config", "a/.git/b", ".GIT/x", ".cache/x", "a/.cache/b"),
        *("C:/a", "D:a", "a/C:b", "x" * 256),
    ],
)
def test_paths_that_clients_cannot_fetch_are_not_stored(books: Hub, path: str) -> None:
    before = head(books)

    for line in (file(path, b"x"), gone(path)):
        answer = books.commit("lin/books", line)
        assert answer.status == 422, path
    assert head(books) == before


def test_names_of_255_bytes_are_stored(books: Hub) -> None:
    name = "中" * 85

    assert books.commit("lin/books", file(f"d/{name}", b"long")).status == 200
    listed = books.get(f"{BOOKS}/tree/main/d").json
    assert [e["path"] for e in listed] == [f"d/{name}"]


def test_a_path_is_not_a_file_and_a_folder(books: Hub) -> None:
    answer = books.commit("lin/books", file("README.md/x", b"x"))

    assert answer.status == 422
    assert read(books, "README.md") == b"# Books\n"


def test_a_regular_file_has_a_limit(books: Hub) -> None:
    at = books.commit("lin/books", file("at.txt", b"a" * 10_000_000))
    over = books.commit("lin/books", file("over.txt", b"a" * 10_000_001))

    assert (at.status, over.status) == (200, 413)
    assert "over.txt" in over.json["error"]


def test_pull_requests_are_refused_in_words(books: Hub) -> None:
    for who in ("lin", "wu"):
        body = ndjson(("header", {"summary": "x"}), file("a", b"1"))
        answer = books.post(f"{COMMIT}?create_pr=1", body, who, kind=NDJSON)
        assert answer.status == 403
        assert "not available yet" in answer.message
    advice_of = books.post(f"{BOOKS}/preupload/main?create_pr=1", {"files": []})
    assert advice_of.status == 403


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("wu", 403), ("lin:read", 403)])
def test_who_may_not_write_writes_nothing(books: Hub, who: str | None, status: int) -> None:
    before = head(books)
    body = ndjson(("header", {"summary": "x"}), file("a", b"1"))

    assert books.post(COMMIT, body, who, kind=NDJSON).status == status
    assert books.post(f"{BOOKS}/preupload/main", {"files": []}, who).status == status
    assert head(books) == before


def test_a_body_is_not_read_for_who_may_not_write(books: Hub) -> None:
    answer = books.post(COMMIT, [b"nonsense"] * 3, "wu", kind=NDJSON)

    assert answer.status == 403


def test_a_failing_commit_leaves_nothing_behind(books: Hub) -> None:
    before = head(books)
    bodies = [
        ndjson(("header", {"summary": "x"}), file("a", b"1")) + b'{"key": "file", "val',
        ndjson(("header", {"summary": "x"}), file("a", b"1"), gone("none")),
        ndjson(("header", {"summary": "x"}), file("a", b"1"), large("b", b"unknown")),
    ]

    statuses = [books.post(COMMIT, body, kind=NDJSON).status for body in bodies]

    assert statuses == [422, 404, 400]
    assert head(books) == before
    assert list((books.node.folder / "spool").iterdir()) == []


def test_a_commit_arrives_in_any_pieces(books: Hub) -> None:
    body = ndjson(("header", {"summary": "x"}), *(file(f"f{i}", b"%d" % i) for i in range(50)))
    pieces = [body[i : i + 97] for i in range(0, len(body), 97)]

    assert books.post(COMMIT, pieces, kind=NDJSON).status == 200
    assert read(books, "f49") == b"49"


def test_hot_reload_is_ignored(books: Hub) -> None:
    body = ndjson(("header", {"summary": "x"}), file("a", b"1"))

    assert books.post(f"{COMMIT}?hot_reload=1", body, kind=NDJSON).status == 200


def test_a_card_is_read_from_the_commit_that_brings_it(books: Hub) -> None:
    books.put("lin/books", {"README.md": b"---\nlicense: apache-2.0\ntags:\n- loom\n---\n"})
    with_card = books.get(BOOKS).json
    books.put("lin/books", {"README.md": b"---\nlicense: [broken\n---\n"})
    broken = books.get(BOOKS).json
    books.commit("lin/books", gone("README.md"))
    without = books.get(BOOKS).json

    assert with_card["cardData"] == {"license": "apache-2.0", "tags": ["loom"]}
    assert {"loom", "license:apache-2.0"} <= set(with_card["tags"])
    assert not broken["cardData"]
    assert without["cardData"] is None
    assert "loom" not in without["tags"]


def test_a_config_is_read_from_the_commit_that_brings_it(books: Hub) -> None:
    books.put("lin/books", {"config.json": json.dumps({"model_type": "llama"}).encode()})
    with_config = books.get(BOOKS).json
    books.put("lin/books", {"config.json": b"not json"})
    broken = books.get(BOOKS).json

    assert with_config["config"] == {"model_type": "llama"}
    assert "llama" in with_config["tags"]
    assert broken["config"] == {}
