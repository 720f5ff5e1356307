"""Lists of the dialect: filters, order, pages, and what an item carries."""

from __future__ import annotations

import shutil

import pytest

from jishi.core.db import Mode
from jishi.hub import RepoKind, access_repo, lists, stats
from jishi.people import NOBODY, Role
from tests.conftest import Clock
from tests.http.serving import open_node
from tests.wire.hf.asking import BASE, Hub, gone
from tests.wire.hf.conftest import LARGE, peopled

CARDS = {
    "lin/alpha-text": "license: mit\npipeline_tag: text-generation\nlanguage: [zh, en]",
    "lin/Beta-Vision": "license: apache-2.0\nlibrary_name: timm\ndatasets: [lin/threads]",
    "wu/gamma_text": "license: mit\nbase_model: lin/alpha-text\ntags: [benchmark:official]",
    "looms/delta": "tags: [weaving]",
}
SPACES = {
    "lin/show": "models: [lin/alpha-text, wu/gamma_text]\ndatasets: [LIN/threads]\n",
    "looms/stage": "models: [Lin/Alpha-Text]\n",
    "lin/loom": "datasets: lin/threads\n",
    "lin/bare": "tags: [model:lin/alpha-text]\n",
}
SECRET = {"lin/hidden": "license: mit", "looms/hidden": "license: mit"}


@pytest.fixture(scope="module")
def bazaar(tmp_path_factory, sqlite_template):
    """Four public models, two private ones, a dataset and four Spaces."""
    folder = tmp_path_factory.mktemp("bazaar")
    shutil.copy(sqlite_template, folder / "jishi.db")
    clock = Clock()  # each repository a minute after the one before
    with open_node(folder, clock=clock) as node:
        hub = peopled(node)
        for path, card in (CARDS | SECRET).items():
            clock.forward(60)
            who = "wu" if path.startswith("wu/") else "lin"
            hub.create(path, who, private=path in SECRET)
            hub.put(path, {"README.md": f"---\n{card}\n---\n".encode()}, who)
        clock.forward(60)
        hub.put("lin/alpha-text", {"a": b"later"})
        hub.create("lin/threads", kind="dataset")
        hub.commit(
            "lin/threads",
            ("file", {"path": "README.md", "content": "---\nlanguage: zh\ntask_ids: [a]\n---\n"}),
            kind="datasets",
        )
        for path, card in SPACES.items():
            clock.forward(60)
            hub.create(path, kind="space", sdk="gradio")
            hub.put(path, {"README.md": f"---\nsdk: gradio\n{card}---\n".encode()}, kind="spaces")
        hub.post("/api/models/wu/gamma_text/like", {}, "lin")
        hub.post("/api/models/wu/gamma_text/like", {}, "maya")
        hub.post("/api/models/looms/delta/like", {}, "wu")
        with node.db.begin(Mode.WRITE) as tx:
            delta = access_repo(tx, NOBODY, RepoKind.MODEL, "looms/delta")
            stats.add_downloads(tx, {(delta.id, delta.public_id, tx.now // 86_400_000_000): 7})
        yield hub


def names(hub: Hub, query: str = "", who: str | None = None, kind: str = "models") -> list[str]:
    answer = hub.get(f"/api/{kind}{query}", who)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json]


UPDATED = ["lin/alpha-text", "looms/delta", "wu/gamma_text", "lin/Beta-Vision"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", UPDATED),
        ("?sort=lastModified&direction=-1", UPDATED),
        ("?sort=createdAt", ["looms/delta", "wu/gamma_text", "lin/Beta-Vision", "lin/alpha-text"]),
        ("?sort=likes&limit=2", ["wu/gamma_text", "looms/delta"]),
        ("?sort=downloads&limit=1", ["looms/delta"]),
        ("?sort=trendingScore&limit=1", ["wu/gamma_text"]),
        ("?search=TEXT", ["lin/alpha-text", "wu/gamma_text"]),
        ("?search=text&search=gamma", ["wu/gamma_text"]),
        ("?search=text%20lin", ["lin/alpha-text"]),
        ("?search=lin%2F", ["lin/alpha-text", "lin/Beta-Vision"]),
        ("?search=a_t", ["wu/gamma_text"]),
        ("?search=%25", []),
        ("?author=lin", ["lin/alpha-text", "lin/Beta-Vision"]),
        ("?author=LIN&search=beta", ["lin/Beta-Vision"]),
        ("?author=nobody", []),
        ("?filter=license:mit", ["lin/alpha-text", "wu/gamma_text"]),
        ("?filter=license:mit&filter=zh", ["lin/alpha-text"]),
        ("?filter=license:mit,zh", ["lin/alpha-text"]),
        ("?filter=language:zh", ["lin/alpha-text"]),
        ("?filter=text-generation", ["lin/alpha-text"]),
        ("?pipeline_tag=text-generation", ["lin/alpha-text"]),
        ("?filter=timm", ["lin/Beta-Vision"]),
        ("?filter=dataset:lin/threads", ["lin/Beta-Vision"]),
        ("?trained_dataset=lin/threads", ["lin/Beta-Vision"]),
        ("?filter=base_model:lin/alpha-text", ["wu/gamma_text"]),
        ("?filter=benchmark:official", ["wu/gamma_text"]),
        ("?filter=none", []),
        ("?sort=nonsense", UPDATED),
        ("?limit=nonsense", UPDATED),
        ("?limit=0", UPDATED[:1]),
    ],
)
def test_models_are_found_and_ordered(bazaar: Hub, query: str, expected: list[str]) -> None:
    found = names(bazaar, query)

    if "&limit" in query or "sort=" in query or not query:
        assert found == expected
    else:
        assert found == [name for name in UPDATED if name in expected]


def test_kinds_have_lists_of_their_own(bazaar: Hub) -> None:
    assert names(bazaar, kind="datasets") == ["lin/threads"]
    assert names(bazaar, kind="spaces") == [*reversed(SPACES)]
    assert names(bazaar, "?filter=language:zh&filter=task_ids:a", kind="datasets")
    assert names(bazaar, "?filter=gradio", kind="spaces") == [*reversed(SPACES)]


@pytest.mark.parametrize("kind", ["models", "datasets"])
def test_nothing_is_gated(bazaar: Hub, kind: str) -> None:
    for gated in ("true", "True", "1", "auto", "manual"):
        assert names(bazaar, f"?gated={gated}", kind=kind) == []
    for gated in ("false", "False", "0", ""):
        assert names(bazaar, f"?gated={gated}", kind=kind) == names(bazaar, kind=kind)


@pytest.mark.parametrize(
    "query",
    [
        *("inference=warm", "inference_provider=all", "inference_provider=a&inference_provider=b"),
        *("apps=ollama", "apps=ollama&apps=vllm", "apps=ollama,vllm", "inference_provider=a,b"),
        *("num_parameters=min:6B,max:128B", "num_parameters=max:1"),
    ],
)
def test_what_no_model_here_is_known_to_have_finds_none(bazaar: Hub, query: str) -> None:
    answer = bazaar.get(f"/api/models?{query}&search=a&limit=1")

    assert (answer.status, answer.json, answer.next) == (200, [], None)
    assert bazaar.get(f"/api/models?{query}&expand=colour").status == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("models=lin/alpha-text", ["looms/stage", "lin/show"]),
        ("models=LIN%2FALPHA-text", ["looms/stage", "lin/show"]),
        ("models=lin/alpha-text&models=wu/gamma_text", ["lin/show"]),
        ("models=lin/alpha-text,wu/gamma_text", ["lin/show"]),
        ("datasets=lin/threads", ["lin/loom", "lin/show"]),
        ("datasets=lin/threads&models=lin/alpha-text", ["lin/show"]),
        ("models=lin/threads", []),
        ("datasets=lin/alpha-text", []),
        ("models=lin/alpha", []),
        ("linked=true", ["lin/loom", "looms/stage", "lin/show"]),
        ("linked=True&author=lin", ["lin/loom", "lin/show"]),
        ("linked=false", [*reversed(SPACES)]),
        ("models=&datasets=", [*reversed(SPACES)]),
    ],
)
def test_spaces_are_found_by_what_they_use(bazaar: Hub, query: str, expected: list[str]) -> None:
    assert names(bazaar, f"?{query}", kind="spaces") == expected


def test_what_a_space_uses_follows_its_card(hub: Hub) -> None:
    def using(query: str) -> list[str]:
        return names(hub, f"?{query}", kind="spaces")

    def write(card: str) -> None:
        hub.put("lin/x", {"README.md": f"---\n{card}\n---\n".encode()}, kind="spaces")

    hub.create("lin/x", kind="space", sdk="static")
    write("sdk: static\nmodels: [a/b, A/B, c/d]")
    assert using("models=a/b") == using("models=c/d") == using("linked=true") == ["lin/x"]
    write("sdk: static\nmodels: [c/d]\ndatasets: {a: b}")
    assert (using("models=a/b"), using("models=c/d")) == ([], ["lin/x"])
    hub.put("lin/x", {"other": b"x"}, kind="spaces")
    assert using("models=c/d") == ["lin/x"]
    hub.commit("lin/x", gone("README.md"), kind="spaces")
    assert using("models=c/d") == using("linked=true") == []


def test_siblings_are_whole_or_the_page_ends_before(bazaar: Hub, monkeypatch) -> None:
    files = {
        item["id"]: item["siblings"] for item in bazaar.get("/api/models?full=true", "lin").json
    }
    for path, siblings in files.items():
        assert siblings == bazaar.get(f"/api/models/{path}", "lin").json["siblings"]
        assert {"rfilename": "README.md"} in siblings
    named = bazaar.get("/api/models?expand=siblings", "lin").json
    assert {item["id"]: item["siblings"] for item in named} == files

    for files_max, pages in ((1, 6), (4, 4), (5, 3), (1000, 1)):
        monkeypatch.setattr(lists, "PAGE_FILES_MAX", files_max)
        target: str | None = f"{BASE}/api/models?full=true"
        found = []
        while target:
            page = bazaar.get(target.removeprefix(BASE), "lin")
            found.append({item["id"]: item["siblings"] for item in page.json})
            target = page.next
        assert {path: each for page in found for path, each in page.items()} == files
        assert (files_max, len(found)) == (files_max, pages)


def test_pages_with_details_are_shorter(bazaar: Hub, monkeypatch) -> None:
    monkeypatch.setattr(lists, "DETAILED_MAX", 2)

    for query in ("full=true", "expand=siblings", "expand=usedStorage"):
        page = bazaar.get(f"/api/models?{query}")
        assert (len(page.json), bool(page.next)) == (2, True)
    assert len(bazaar.get("/api/models?expand=sha").json) == len(CARDS)
    assert len(bazaar.get("/api/models?cardData=true").json) == len(CARDS)


def test_a_list_says_only_what_is_known_of_its_items(bazaar: Hub) -> None:
    for kind in ("models", "datasets", "spaces"):
        plain = bazaar.get(f"/api/{kind}").json[0]
        full = bazaar.get(f"/api/{kind}?full=true").json[0]

        assert not plain.keys() & {"siblings", "cardData", "config", "sha", "runtime"}
        assert full.keys() >= {"siblings", "sha", "lastModified", "author"}
        assert ("cardData" in full) == (kind != "models")


def test_private_repositories_are_listed_to_their_readers_only(bazaar: Hub) -> None:
    assert set(names(bazaar, who="lin")) == {*CARDS, *SECRET}
    assert set(names(bazaar, who="lin:read")) == {*CARDS, *SECRET}
    assert set(names(bazaar, who="wu")) == {*CARDS, "looms/hidden"}
    assert set(names(bazaar, who="maya")) == set(CARDS)
    assert set(names(bazaar)) == set(CARDS)
    for query in ("?search=hidden", "?filter=license:mit&search=hidden", "?author=lin"):
        assert not {*SECRET} & set(names(bazaar, query, "maya"))


@pytest.mark.parametrize("sort", ["", "&sort=createdAt", "&sort=likes", "&sort=downloads"])
def test_pages_meet_without_gap_or_overlap(bazaar: Hub, sort: str) -> None:
    whole = names(bazaar, f"?search=a{sort}")
    target: str | None = f"{BASE}/api/models?search=a{sort}&limit=1&full=true"
    seen = []

    while target:
        page = bazaar.get(target.removeprefix(BASE))
        seen += [item["id"] for item in page.json]
        target = page.next
        assert target is None or f"search=a{sort}&limit=1&full=true&cursor=" in target

    assert seen == whole


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0x", "WyJhIiwxXQ", "%FF", "WzFlOTk5LDFd"])
def test_a_cursor_of_nobodys_making_is_400(bazaar: Hub, cursor: str) -> None:
    assert bazaar.get(f"/api/models?cursor={cursor}").status == 400


def test_an_item_carries_what_lists_show_and_no_more(bazaar: Hub) -> None:
    item = bazaar.get("/api/models?search=alpha").json[0]
    full = bazaar.get("/api/models?search=alpha&full=true&cardData=true&config=true").json[0]
    named = bazaar.get("/api/models?search=alpha&expand=sha&expand=likes").json[0]

    assert item.keys() >= {"id", "private", "likes", "downloads", "tags", "createdAt"}
    assert item["pipeline_tag"] == "text-generation"
    assert not item.keys() & {"siblings", "cardData", "config", "sha"}
    assert full["cardData"]["license"] == "mit"
    assert full.keys() >= {"sha", "lastModified", "author", "config"}
    assert [one["rfilename"] for one in full["siblings"]] == [".gitattributes", "README.md", "a"]
    assert full["sha"] == bazaar.get("/api/models/lin/alpha-text").json["sha"]
    assert named.keys() == {"_id", "id", "sha", "likes"}


def test_tags_are_told_by_type(bazaar: Hub) -> None:
    models = bazaar.get("/api/models-tags-by-type").json
    datasets = bazaar.get("/api/datasets-tags-by-type").json

    assert {"id": "license:mit", "label": "mit", "type": "license"} in models["license"]
    assert {"id": "timm", "label": "timm", "type": "other"} in models["other"]
    assert {"id": "language:zh", "label": "zh", "type": "language"} in datasets["language"]


# Likes -------------------------------------------------------------------------------------


def test_a_like_counts_once_and_is_taken_back(books: Hub, clock: Clock) -> None:
    target = "/api/models/lin/books"

    def likes() -> int:
        return books.get(target).json["likes"]

    for _ in range(2):
        assert books.post(f"{target}/like", {}, "wu").status == 200
    assert likes() == 1
    clock.forward(1)
    books.post(f"{target}/like", {}, "lin")
    assert [p["user"] for p in books.get(f"{target}/likers").json] == ["lin", "wu"]
    for _ in range(2):
        assert books.ask("DELETE", f"{target}/like", who="wu").status == 200
    assert likes() == 1
    assert [p["user"] for p in books.get(f"{target}/likers").json] == ["lin"]


def test_nobody_likes_nothing(books: Hub) -> None:
    assert books.post("/api/models/lin/books/like", {}, None).status == 401
    assert books.ask("DELETE", "/api/models/lin/books/like").status == 401


def test_what_somebody_likes_is_told_to_those_who_may_know(books: Hub) -> None:
    for name in ("books", "diary"):
        books.post(f"/api/models/lin/{name}/like", {}, "lin")

    def liked(who: str | None) -> list[str]:
        found = books.get("/api/users/lin/likes", who).json
        assert all(one["createdAt"].endswith("Z") for one in found)
        return [one["repo"]["name"] for one in found]

    assert liked("lin") == ["lin/diary", "lin/books"]
    assert liked("wu") == liked(None) == ["lin/books"]
    assert books.get("/api/users/nobody-here/likes").status == 404


def test_likes_and_likers_come_in_pages(books: Hub) -> None:
    for name in ("books", "diary"):
        for who in ("lin", "wu") if name == "books" else ("lin",):
            books.post(f"/api/models/lin/{name}/like", {}, who)

    first = books.get("/api/users/lin/likes?limit=1", "lin")
    second = books.get(first.next.removeprefix(BASE), "lin")
    likers = books.get("/api/models/lin/books/likers?limit=1")
    more = books.get(likers.next.removeprefix(BASE))

    assert [one["repo"]["name"] for one in first.json + second.json] == ["lin/diary", "lin/books"]
    assert [one["user"] for one in likers.json + more.json] == ["wu", "lin"]
    assert second.next is more.next is None


# Storage -----------------------------------------------------------------------------------


def test_storage_is_told_to_members(books: Hub) -> None:
    books.put_large("lin/books", {"w.bin": LARGE})
    books.create("looms/cloth", "lin", kind="dataset")

    own = books.get("/api/settings/repositories", "lin").json
    org = books.get("/api/organizations/looms/settings/repositories", "wu").json

    assert [(r["id"], r["type"], r["visibility"], r["storage"]) for r in own] == [
        ("lin/books", "model", "public", len(LARGE)),
        ("lin/diary", "model", "private", 0),
    ]
    assert own[0]["storagePercent"] == 100
    assert [(r["id"], r["type"]) for r in org] == [("looms/cloth", "dataset")]


def test_storage_is_told_to_nobody_else(books: Hub) -> None:
    assert books.get("/api/settings/repositories").status == 401
    statuses = [
        books.get("/api/organizations/looms/settings/repositories", who).status
        for who in (None, "maya")
    ]
    assert statuses == [401, 403]


def test_roles_are_told_by_their_names() -> None:
    assert [role.name.lower() for role in Role] == ["read", "contributor", "write", "admin"]
