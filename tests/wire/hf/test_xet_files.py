"""Files that a Xet client can rebuild: which answers say so, and to whom."""

from __future__ import annotations

import hashlib

import pytest

from jishi.core.db import Mode
from jishi.people.access import load_actor
from jishi.people.persons import find_person
from jishi.people.tokens import list_tokens, revoke_token
from tests.wire.hf.asking import BASE, Answer, Hub
from tests.xet.making import Upload, make_upload, noise

SHELF = "/api/models/lin/books"
TARGET = "/lin/books/resolve/main/w.bin"
LFS = "application/vnd.git-lfs+json"
FILE_INFO = "application/vnd.xet-fileinfo+json"


@pytest.fixture
def upload() -> Upload:
    return make_upload(noise("weights", 300_000))


@pytest.fixture
def woven(books: Hub, upload: Upload) -> Hub:
    """``lin/books`` has ``w.bin``, uploaded as the newest client does."""
    token = books.get(f"{SHELF}/xet-write-token/main", "lin").json
    place = token["casUrl"].removeprefix(BASE)
    for xorb in upload.xorbs:
        path = f"{place}/v1/xorbs/default/{xorb.text}"
        assert books.post(path, xorb.body, token["accessToken"]).status == 200
    shard = books.post(f"{place}/v2/shards", upload.shard, token["accessToken"])
    assert b'"result"' in shard.body
    line = {"path": "w.bin", "algo": "sha256", "oid": upload.sha256.hex(), "size": len(upload.data)}
    assert books.commit("lin/books", ("lfsFile", line)).status == 200
    return books


def links(answer: Answer) -> dict[str, str]:
    found = {}
    for link in answer.headers["Link"].split(", "):
        address, _, relation = link.partition("; ")
        found[relation.removeprefix('rel="').rstrip('"')] = address.strip("<>")
    return found


def test_its_answer_names_the_file_and_where_to_get_a_token(woven: Hub, upload: Upload) -> None:
    head, get = woven.head(TARGET), woven.get(TARGET)

    sha = woven.get(SHELF).json["sha"]
    for answer in (head, get):
        assert answer.headers["X-Xet-Hash"] == upload.name
        assert answer.headers["X-Linked-Size"] == str(len(upload.data))
        assert answer.headers["X-Linked-Etag"] == f'"{upload.sha256.hex()}"'
        assert links(answer)["xet-auth"] == f"{BASE}{SHELF}/xet-read-token/{sha}"
    assert get.body == upload.data


def test_both_links_answer(woven: Hub, upload: Upload) -> None:
    there = links(woven.head(TARGET))

    token = woven.get(there["xet-auth"].removeprefix(BASE)).json
    plan = woven.get(there["xet-reconstruction-info"].removeprefix(BASE), token["accessToken"])

    assert there["xet-reconstruction-info"].endswith(f"/reconstructions/{upload.name}")
    assert sum(term["unpacked_length"] for term in plan.json["terms"]) == len(upload.data)


def test_the_javascript_client_gets_its_facts_instead_of_bytes(woven: Hub, upload: Upload) -> None:
    answer = woven.get(TARGET, accept=f"{FILE_INFO}, */*", range="bytes=0-0")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == FILE_INFO
    assert links(answer).keys() == {"xet-auth", "xet-reconstruction-info"}
    assert answer.json == {
        "hash": upload.name,
        "size": len(upload.data),
        "etag": upload.sha256.hex(),
        "refreshUrl": links(answer)["xet-auth"],
        "reconstructionUrl": links(answer)["xet-reconstruction-info"],
    }


def test_the_javascript_client_gets_bytes_of_other_files(woven: Hub) -> None:
    target = "/lin/books/resolve/main/README.md"
    answer = woven.get(target, accept=f"{FILE_INFO}, */*", range="bytes=0-0")

    assert (answer.status, answer.headers["Content-Range"]) == (206, "bytes 0-0/8")


@pytest.mark.parametrize("rev", ["main", "v1"])
def test_listings_name_it_too(woven: Hub, upload: Upload, rev: str) -> None:
    woven.post(f"{SHELF}/tag/main", {"tag": "v1"})
    woven.put("lin/books", {"later": b"1"})

    listed = {e["path"]: e for e in woven.get(f"{SHELF}/tree/{rev}").json}
    (asked,) = woven.form(f"{SHELF}/paths-info/{rev}", [("paths", "w.bin")]).json

    assert listed["w.bin"] == asked
    assert asked["xetHash"] == upload.name
    assert "xetHash" not in listed["README.md"]


def test_a_range_of_a_rebuilt_file(woven: Hub, upload: Upload) -> None:
    answer = woven.get(TARGET, range="bytes=100000-200000")

    assert (answer.status, answer.body) == (206, upload.data[100_000:200_001])


def test_another_repository_cannot_name_it(woven: Hub, upload: Upload) -> None:
    line = {"path": "w.bin", "algo": "sha256", "oid": upload.sha256.hex()}

    assert woven.commit("lin/diary", ("lfsFile", line)).status == 400


def test_nothing_that_a_token_opened_outlives_its_revocation(woven: Hub, upload: Upload) -> None:
    oid = {"oid": upload.sha256.hex(), "size": len(upload.data)}
    new = {"oid": hashlib.sha256(b"late").hexdigest(), "size": 4}

    def lfs(operation: str, one: dict[str, object]) -> dict[str, str]:
        body = {"operation": operation, "objects": [one]}
        answer = woven.post("/lin/books.git/info/lfs/objects/batch", body, "lin", kind=LFS)
        actions = answer.json["objects"][0]["actions"]
        return {name: action["href"].removeprefix(BASE) for name, action in actions.items()}

    up, down = lfs("upload", new), lfs("download", oid)["download"]
    token = woven.get(f"{SHELF}/xet-write-token/main", "lin").json
    plan_at = f"{token['casUrl'].removeprefix(BASE)}/v2/reconstructions/{upload.name}"
    plan = woven.get(plan_at, token["accessToken"])
    (fetch,) = next(iter(plan.json["xorbs"].values()))
    data_at = fetch["url"].removeprefix(BASE)
    first, last = (fetch["ranges"][0]["bytes"][end] for end in ("start", "end"))

    def calls() -> list[int]:
        return [
            woven.ask("PUT", up["upload"], body=b"late", kind="application/octet-stream").status,
            woven.post(up["verify"], new, None, kind=LFS).status,
            woven.get(down).status,
            woven.get(plan_at, token["accessToken"]).status,
            woven.get(data_at, range=f"bytes={first}-{last}").status,
        ]

    before = calls()
    with woven.node.db.begin(Mode.WRITE) as tx:
        lin = load_actor(tx, find_person(tx, "lin").id)
        (mine,) = (known for known in list_tokens(tx, lin) if known.name == "lin")
        revoke_token(tx, lin, mine.public_id)

    assert before == [200, 200, 200, 200, 206]
    assert calls() == [403, 403, 403, 401, 403]
