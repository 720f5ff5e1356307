"""Git LFS on the wire: what clients send, what they must get."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from jishi.core.db import Mode
from jishi.hub import Node, content
from jishi.hub.content.lfs import transfers, uploads
from jishi.people import NOBODY
from jishi.wire.git.lfs import MEDIA_TYPE, ROUTES
from tests.http.serving import Given, served
from tests.hub.content.conftest import LIN, MAYA, Place, add_repo

PART = 1 << 20
BIG = random.Random(1).randbytes(3 * PART + 11)
SMALL = b"small bytes"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)
    monkeypatch.setattr(transfers, "MULTIPART_BYTES_MIN", 2 * PART)


@pytest.fixture
def url(sqlite_template, tmp_path) -> str:
    """One kind of database is enough: what it does is tried in ``tests/hub``."""
    shutil.copy(sqlite_template, tmp_path / "jishi.db")
    return f"sqlite:///{tmp_path}/jishi.db"


@pytest.fixture
def books(node: Node) -> Place:
    return add_repo(node.db, LIN, "books")


@pytest.fixture
def app(node: Node) -> Given:
    return Given(ROUTES, node, actor=LIN)


@pytest.fixture
def client(app: Given, books: Place) -> Iterator[httpx2.Client]:  # noqa: ARG001  (it exists)
    with served(app) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        app.context = replace(app.context, base=f"http://127.0.0.1:{port}")
        yield client


def about(data: bytes) -> dict[str, Any]:
    return {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}


def batch(
    client: httpx2.Client, operation: str, *datas: bytes, path: str = "lin/books", **more: Any
) -> httpx2.Response:
    body = {"operation": operation, "objects": [about(data) for data in datas], **more}
    return client.post(
        f"/{path}.git/info/lfs/objects/batch", json=body, headers={"Accept": MEDIA_TYPE}
    )


def upload(client: httpx2.Client, data: bytes, **more: Any) -> dict[str, Any]:
    answer = batch(client, "upload", data, **more)
    assert answer.status_code == 200
    return answer.json()["objects"][0]


def commit(node: Node, books: Place, *datas: bytes) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        content.mark_committed(tx, books.id, [hashlib.sha256(data).digest() for data in datas])


def test_an_object_travels_up_and_down(client, node, books) -> None:
    item = upload(client, SMALL)
    actions = item["actions"]

    put = client.put(actions["upload"]["href"], content=SMALL)
    check = client.post(actions["verify"]["href"], json=about(SMALL))
    commit(node, books, SMALL)
    down = batch(client, "download", SMALL).json()["objects"][0]
    got = client.get(down["actions"]["download"]["href"])

    assert item["authenticated"] is True
    assert actions["upload"]["header"] == {}
    assert (put.status_code, check.status_code) == (200, 200)
    assert got.content == SMALL
    assert got.headers["etag"] == f'"{about(SMALL)["oid"]}"'
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]


def test_an_object_that_is_here_has_no_actions(client) -> None:
    client.put(upload(client, SMALL)["actions"]["upload"]["href"], content=SMALL)

    assert upload(client, SMALL) == about(SMALL)


def test_every_answer_is_of_the_dialects_type(client) -> None:
    for answer in (
        batch(client, "upload", SMALL),
        batch(client, "dance", SMALL),
        batch(client, "upload", SMALL, path="lin/none"),
        client.post("/lin/books.git/info/lfs/locks/verify", json={}),
    ):
        assert answer.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize("algorithm", ["sha256", "sha_256"])
def test_both_names_of_the_hash_are_known(client, algorithm) -> None:
    assert batch(client, "upload", SMALL, hash_algo=algorithm).status_code == 200


def test_another_hash_is_refused(client) -> None:
    assert batch(client, "upload", SMALL, hash_algo="blake3").status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "upload", "objects": [{"oid": "abc", "size": 1}]},
        {"operation": "upload", "objects": [{"oid": "A" * 64, "size": 1}]},
        {"operation": "upload", "objects": [{"oid": "a" * 64, "size": -1}]},
        {"operation": "dance", "objects": []},
        {"objects": []},
    ],
)
def test_what_is_no_batch_is_refused(client, body) -> None:
    answer = client.post("/lin/books.git/info/lfs/objects/batch", json=body)

    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Unreadable request body")


def test_too_many_objects_are_refused(client) -> None:
    assert batch(client, "upload", *[SMALL] * 1001).status_code == 413


def test_nobody_is_asked_who_they_are(client, app) -> None:
    app.context = replace(app.context, actor=NOBODY)

    up = batch(client, "upload", SMALL)
    hidden = batch(client, "download", SMALL, path="lin/none")

    for answer in (up, hidden):
        assert answer.status_code == 401
        assert answer.headers["lfs-authenticate"] == 'Basic realm="Jishi"'
        assert answer.json()["message"]


def test_strangers_are_told_apart_from_the_anonymous(client, app, node) -> None:
    add_repo(node.db, LIN, "private", private=True)
    app.context = replace(app.context, actor=MAYA)

    assert batch(client, "upload", SMALL).status_code == 403
    private = batch(client, "download", SMALL, path="lin/private")
    missing = batch(client, "download", SMALL, path="lin/missing")

    assert private.status_code == missing.status_code == 404
    assert private.headers["x-error-code"] == "RepoNotFound"


def test_the_kind_of_the_address_is_the_kind_of_the_repository(client) -> None:
    assert batch(client, "upload", SMALL, path="datasets/lin/books").status_code == 404


def test_what_is_not_here_is_said_for_each_object(client, node, books) -> None:
    client.put(upload(client, SMALL)["actions"]["upload"]["href"], content=SMALL)
    commit(node, books, SMALL)

    here, missing = batch(client, "download", SMALL, BIG).json()["objects"]

    assert "actions" in here
    assert missing["error"]["code"] == 404
    assert missing["oid"] == about(BIG)["oid"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"small bytez", 422), (b"small byte", 422), (b"small bytes!", 413), (b"", 422)],
)
def test_other_bytes_are_refused_and_not_kept(client, node, body, status) -> None:
    href = upload(client, SMALL)["actions"]["upload"]["href"]

    assert client.put(href, content=body).status_code == status
    assert client.put(href, content=iter([body])).status_code == status  # no length announced
    assert "actions" in upload(client, SMALL)
    assert list(node.store.keys("lfs")) == []
    assert list((node.folder / "spool").iterdir()) == []


def test_links_of_strangers_are_refused(client) -> None:
    href = upload(client, SMALL)["actions"]["upload"]["href"]

    for wrong in (href[:-3], href[: href.rindex("/")] + "/x.y"):
        assert client.put(wrong, content=SMALL).status_code == 403
        assert client.get(wrong).status_code == 403
    assert client.put(href.replace("/objects/", "/uploads/") + "/1").status_code == 403
    assert client.put(href.replace("/objects/", "/uploads/") + "/x").status_code == 403


def test_parts_travel_as_the_transfer_programs_send_them(client, node, books) -> None:
    item = upload(client, BIG, transfers=["basic", "multipart"])
    action = item["actions"]["upload"]
    header = dict(action["header"])
    size = int(header.pop("chunk_size"))

    assert list(header) == sorted(header) == ["00001", "00002", "00003", "00004"]
    tags = []
    for index, href in enumerate(header[number] for number in sorted(header)):
        answer = client.put(href, content=BIG[index * size : (index + 1) * size])
        assert answer.status_code == 200
        tags.append(answer.headers["etag"])
    body = {
        "oid": item["oid"],
        "parts": [{"partNumber": n, "etag": tag} for n, tag in enumerate(tags, 1)],
    }
    first = client.post(action["href"], json=body, headers={"Content-Type": MEDIA_TYPE})
    again = client.post(action["href"], json=body)
    check = client.post(item["actions"]["verify"]["href"], json=about(BIG))

    assert all(tags)
    assert (first.status_code, again.status_code, check.status_code) == (200, 200, 200)
    commit(node, books, BIG)
    href = batch(client, "download", BIG).json()["objects"][0]["actions"]["download"]["href"]
    assert client.get(href).content == BIG


def test_a_part_of_another_length_is_refused(client) -> None:
    header = upload(client, BIG, transfers=["multipart"])["actions"]["upload"]["header"]

    assert client.put(header["00001"], content=BIG[: PART - 1]).status_code == 422
    assert client.put(header["00001"], content=BIG[: PART + 1]).status_code == 413
    assert client.put(header["00001"].removesuffix("1") + "9", content=b"").status_code == 422


def test_completing_too_early_names_the_missing_parts(client) -> None:
    item = upload(client, BIG, transfers=["multipart"])
    action = item["actions"]["upload"]
    client.put(action["header"]["00002"], content=BIG[PART : 2 * PART])

    answer = client.post(action["href"], json={"oid": item["oid"], "parts": []})

    assert answer.status_code == 422
    assert "1, 3, 4" in answer.json()["message"]


def test_a_small_question_does_not_get_an_endless_answer(client, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", 64 << 20)
    objects = [{"oid": f"{n:064x}", "size": 512 << 30} for n in range(300)]
    body = {"operation": "upload", "transfers": ["multipart"], "objects": objects}

    answer = client.post("/lin/books.git/info/lfs/objects/batch", json=body)

    said = answer.json()["objects"]
    errors = [one["error"]["code"] for one in said if "error" in one]
    assert len(answer.content) < 16 << 20
    assert errors == [413] * 296
    assert len(said[0]["actions"]["upload"]["header"]) == 1 + (512 << 30) // (64 << 20)


def test_a_transfer_is_one_for_all_objects_of_a_batch(client) -> None:
    small, big = batch(client, "upload", SMALL, BIG, transfers=["basic", "multipart"]).json()[
        "objects"
    ]

    assert set(small["actions"]["upload"]["header"]) == {"chunk_size", "00001"}
    assert len(big["actions"]["upload"]["header"]) == 5


def test_clients_that_know_xet_are_sent_to_its_tokens(client) -> None:
    answer = batch(
        client,
        "upload",
        SMALL,
        transfers=["basic", "multipart", "xet"],
        ref={"name": "refs/heads/a/b"},
    ).json()

    upload = answer["objects"][0]["actions"]["upload"]
    assert answer["transfer"] == "xet"
    assert upload["href"].endswith("/api/models/lin/books/xet-write-token/a%2Fb")
    assert upload["href"].startswith("http://127.0.0.1:")
    assert upload["header"]["X-Xet-Cas-Url"].startswith("http://127.0.0.1:")
    assert upload["header"]["X-Xet-Access-Token"]
    assert int(upload["header"]["X-Xet-Token-Expiration"]) > 0


@pytest.mark.parametrize(
    ("field", "status", "span"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=6-", 206, slice(6, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=0-999", 206, slice(0, None)),
        ("bytes=11-", 416, None),
    ],
)
def test_downloads_have_ranges(client, node, books, field, status, span) -> None:
    client.put(upload(client, SMALL)["actions"]["upload"]["href"], content=SMALL)
    commit(node, books, SMALL)
    href = batch(client, "download", SMALL).json()["objects"][0]["actions"]["download"]["href"]

    answer = client.get(href, headers={"Range": field})

    assert answer.status_code == status
    if span:
        assert answer.content == SMALL[span]


def test_a_download_outlives_the_plain_cache(client, node, books, tmp_path) -> None:
    href = upload(client, BIG)["actions"]["upload"]["href"]
    client.put(href, content=BIG)
    commit(node, books, BIG)
    sha256 = hashlib.sha256(BIG).digest()
    key = content.plain_key(sha256)
    asyncio.run(content.HANDLERS["hub.pack_content"](node, {"sha256": [sha256.hex()]}))
    with node.db.begin(Mode.WRITE) as tx:  # as if it had come by Xet
        tx.conn.exec_driver_sql("UPDATE hub_content SET plain_key = NULL")
    node.store.delete(key)
    href = batch(client, "download", BIG).json()["objects"][0]["actions"]["download"]["href"]
    got = []
    for _ in range(3):
        got.append(client.get(href).content)
        time.sleep(0.1)  # the whole file is given its name behind the answer
    assert [path.is_file() for path in tmp_path.glob("plain/??/*")] == [True]

    shutil.rmtree(tmp_path / "plain")
    got.append(client.get(href).content)
    part = client.get(href, headers={"Range": "bytes=1048570-1048585"})

    assert got == [BIG] * 4
    assert part.content == BIG[1048570:1048586]


def test_locks_are_not_offered(client) -> None:
    for rest in ("", "/verify", "/7/unlock"):
        answer = client.post(f"/lin/books.git/info/lfs/locks{rest}", json={})
        assert answer.status_code == 404
        assert answer.json()["message"]


def test_a_repository_that_moved_is_found_under_its_old_name(client, node, app) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        tx.conn.exec_driver_sql("UPDATE hub_repo SET name = 'volumes', path_key = 'lin/volumes'")
        tx.conn.exec_driver_sql(
            "INSERT INTO hub_alias (kind, path_key, repo_id) VALUES ('model', 'lin/books', 1)"
        )

    target = "/lin/books.git/info/lfs/objects/batch"
    app.context = replace(app.context, target=target)

    answer = batch(client, "upload", SMALL)

    assert answer.status_code == 307
    assert answer.headers["location"] == "/lin/volumes.git/info/lfs/objects/batch"


@pytest.fixture
def git(tmp_path: Path, client: httpx2.Client) -> Callable[..., subprocess.CompletedProcess]:
    """Run git in a clone-to-be whose remote is the server."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "HOME": str(home),
        "PATH": os.defpath,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }

    def run(*args: str, data: bytes | None = None) -> subprocess.CompletedProcess:
        done = subprocess.run(
            ["git", *args],
            check=False,
            cwd=home,
            env=environment,
            input=data,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done

    run("init", "-q", ".")
    run("lfs", "install", "--local")
    run("remote", "add", "origin", f"{client.base_url.copy_with(path='')}/lin/books.git")
    run("config", "lfs.activitytimeout", "10")
    return run


def test_git_lfs_itself_pushes_and_pulls(git, client, node, books, tmp_path) -> None:
    pointers = [git("lfs", "clean", data=data).stdout for data in (SMALL, BIG)]
    for data in (SMALL, BIG):
        git("lfs", "push", "--object-id", "origin", about(data)["oid"])
    commit(node, books, SMALL, BIG)
    shutil.rmtree(tmp_path / "home" / ".git" / "lfs" / "objects")

    got = [git("lfs", "smudge", data=pointer).stdout for pointer in pointers]

    assert got == [SMALL, BIG]
    assert upload(client, BIG) == about(BIG)
