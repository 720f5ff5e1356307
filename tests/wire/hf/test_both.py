"""A day of a client on each kind of database: what the wide tables try on SQLite only."""

from __future__ import annotations

import pytest

from tests.wire.hf.asking import BASE, Hub, file, gone
from tests.wire.hf.conftest import LARGE

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)

BOOKS = "/api/models/lin/books"


def test_files_come_back_from_every_revision(books: Hub) -> None:
    first = books.get(BOOKS).json["sha"]
    books.put_large("lin/books", {"w.bin": LARGE})
    books.commit("lin/books", gone("data", "deletedFolder"), file("中 文.txt", b"new"))
    books.post(f"{BOOKS}/tag/{first}", {"tag": "v1"})
    books.post(f"{BOOKS}/branch/feature%2Fx", {"startingPoint": "v1"})

    def paths(rev: str) -> list[str]:
        return [e["path"] for e in books.get(f"{BOOKS}/tree/{rev}?recursive=true").json]

    assert paths("main") == [".gitattributes", "README.md", "w.bin", "中 文.txt"]
    for rev in (first, "v1", "feature%2Fx"):
        assert paths(rev) == [".gitattributes", "README.md", "data", "data/a.txt"]
        assert books.get(f"/lin/books/resolve/{rev}/data/a.txt").body == b"a"
    assert books.get("/lin/books/resolve/main/w.bin").body == LARGE
    assert len(books.get(f"{BOOKS}/commits/main").json) == 4


def test_pages_and_last_commits_agree(books: Hub) -> None:
    books.put("lin/books", {f"f{i}": b"%d" % i for i in range(9)})
    whole = books.get(f"{BOOKS}/tree/main?recursive=true&expand=true").json
    target: str | None = f"{BASE}{BOOKS}/tree/main?recursive=true&expand=true&limit=4"
    seen = []
    while target:
        page = books.get(target.removeprefix(BASE))
        seen += page.json
        target = page.next

    assert seen == whole
    assert {e["lastCommit"]["id"] for e in whole if e["path"].startswith("f")} == {
        books.get(BOOKS).json["sha"]
    }


def test_names_lead_on_and_privacy_holds(books: Hub) -> None:
    moved = {"fromRepo": "lin/books", "toRepo": "looms/library", "type": "model"}
    assert books.post("/api/repos/move", moved).status == 200

    assert books.get(BOOKS).headers["Location"] == "/api/models/looms/library"
    assert books.get("/api/models/looms/library", "wu").status == 200
    books.ask("PUT", "/api/models/looms/library/settings", who="lin", body={"private": True})
    assert books.get(BOOKS, "maya").status == 404
    assert books.get(BOOKS, "wu").status == 307
    assert [m["id"] for m in books.get("/api/models", "maya").json] == []
    assert {m["id"] for m in books.get("/api/models", "wu").json} == {"looms/library"}


def test_lists_filter_sort_and_page(books: Hub) -> None:
    for name in ("alpha", "beta", "gamma"):
        books.create(f"lin/{name}")
        card = f"---\nlicense: mit\ntags: [{name}]\n---\n".encode()
        books.put(f"lin/{name}", {"README.md": card})
    for who in ("lin", "wu"):
        books.post("/api/models/lin/beta/like", {}, who)

    def ids(query: str) -> list[str]:
        return [m["id"] for m in books.get(f"/api/models?{query}").json]

    assert ids("sort=likes&limit=1") == ["lin/beta"]
    assert set(ids("filter=license:mit")) == {"lin/alpha", "lin/beta", "lin/gamma"}
    assert ids("filter=license:mit&filter=gamma") == ["lin/gamma"]
    assert ids("search=ALPH&author=lin") == ["lin/alpha"]
    first = books.get("/api/models?limit=3&sort=likes")
    second = books.get(first.next.removeprefix(BASE))
    assert len({m["id"] for m in first.json + second.json}) == 4
    assert second.next is None


def test_a_stale_parent_and_a_lost_name_are_conflicts(books: Hub) -> None:
    old = books.get(BOOKS).json["sha"]
    books.put("lin/books", {"a": b"1"})

    assert books.commit("lin/books", file("a", b"2"), parentCommit=old).status == 412
    assert books.create("lin/books").status == 409
    assert books.post(f"{BOOKS}/branch/main", {}).status == 409


def test_a_deleted_repository_is_gone(books: Hub) -> None:
    body = {"name": "books", "organization": "lin"}
    assert books.ask("DELETE", "/api/repos/delete", who="lin", body=body).status == 200

    assert books.get(BOOKS, "lin").status == 404
    assert books.create("lin/books").status == 200
    assert books.get("/lin/books/resolve/main/README.md").status == 404


def test_the_owner_reads_how_much_is_stored(books: Hub) -> None:
    books.put_large("lin/books", {"w.bin": LARGE})

    stored = {r["id"]: r["storage"] for r in books.get("/api/settings/repositories", "lin").json}

    assert stored == {"lin/books": len(LARGE), "lin/diary": 0}
    assert books.get(BOOKS).json["usedStorage"] == len(LARGE)


def test_spaces_are_listed_with_what_they_use_run_and_hold(hub: Hub) -> None:
    for name, card in (("one", "models: [lin/books]"), ("two", "datasets: [Lin/Threads]")):
        hub.create(f"lin/{name}", kind="space", sdk="static")
        files = {"README.md": f"---\nsdk: static\n{card}\n---\n".encode(), "d/x": b"x"}
        hub.put(f"lin/{name}", files, kind="spaces")
    hub.put("lin/two", {"index.html": b"<h1>"}, kind="spaces")
    hub.put_large("lin/one", {"w.bin": LARGE}, prefix="spaces/")

    def ids(query: str) -> list[str]:
        return sorted(space["id"] for space in hub.get(f"/api/spaces?{query}").json)

    assert ids("models=LIN/books") == ["lin/one"]
    assert ids("datasets=lin/threads") == ["lin/two"]
    assert ids("linked=true") == ["lin/one", "lin/two"]
    fields = "siblings,usedStorage,runtime"
    listed = hub.get(f"/api/spaces?expand={fields}").json
    assert listed == [hub.get(f"/api/spaces/{s['id']}?expand={fields}").json for s in listed]
    assert [s["runtime"]["stage"] for s in listed] == ["PAUSED", "NO_APP_FILE"]
    assert [s["usedStorage"] for s in listed] == [0, len(LARGE)]
    assert {"rfilename": "d/x"} in listed[0]["siblings"]
