"""Repositories come, move and go; settings, info by name, cards."""

from __future__ import annotations

import base64

import pytest

from jishi.hub import RepoKind
from jishi.hub.card import FINDINGS_MAX
from jishi.hub.commits import CHANGES_MAX
from jishi.people import Role
from jishi.wire.hf.shapes import EXPANDABLE, PREFIX
from tests.wire.hf.asking import BASE, Hub, file, gone, large
from tests.wire.hf.conftest import FILES, LARGE

BOOKS = "/api/models/lin/books"


def create(hub: Hub, who: str | None = "lin", **body):
    return hub.post("/api/repos/create", {"name": "new", **body}, who)


def move(hub: Hub, old: str, new: str, who: str = "lin"):
    return hub.post("/api/repos/move", {"fromRepo": old, "toRepo": new, "type": "model"}, who)


def delete(hub: Hub, name: str, who: str | None = "lin", **more):
    return hub.ask("DELETE", "/api/repos/delete", who=who, body={"name": name, **more})


# Create ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "prefix"), [("model", ""), ("dataset", "datasets/"), ("space", "spaces/")]
)
def test_a_new_repository_is_told_with_its_address(hub: Hub, kind: str, prefix: str) -> None:
    answer = create(hub, type=kind, **({"sdk": "gradio"} if kind == "space" else {}))

    assert answer.status == 200
    assert answer.json["url"] == f"{BASE}/{prefix}lin/new"
    assert answer.json["name"] == "lin/new"
    assert len(answer.json["id"]) == 24
    history = hub.get(f"/api/{kind}s/lin/new/commits/main").json
    assert [c["title"] for c in history] == ["initial commit"]
    paths = [e["path"] for e in hub.get(f"/api/{kind}s/lin/new/tree/main").json]
    assert paths == [".gitattributes", *(["README.md"] if kind == "space" else [])]


@pytest.mark.parametrize("body", [{"organization": None}, {"name": "lin/new"}, {}])
def test_without_an_organisation_it_is_ones_own(hub: Hub, body: dict) -> None:
    assert create(hub, **body).json["name"] == "lin/new"


def test_what_exists_is_409_with_its_address(books: Hub) -> None:
    for name in ("books", "BOOKS"):
        answer = create(books, name=name)

        assert answer.status == 409
        assert answer.json["url"].lower() == f"{BASE}/lin/books"
        assert answer.json["error"] == "You already created this model repo" == answer.message


def test_the_address_in_a_409_names_the_callers_origin(books: Hub) -> None:
    answer = books.post("/api/repos/create", {"name": "books"}, host="localhost:8000")

    assert answer.json["url"] == "http://localhost:8000/lin/books"


def test_kinds_have_names_of_their_own(books: Hub) -> None:
    assert create(books, name="books", type="dataset").status == 200


@pytest.mark.parametrize(
    ("who", "namespace", "status"),
    [
        (None, "lin", 401),
        ("lin:read", "lin", 403),
        ("wu", "lin", 403),
        ("maya", "looms", 403),
        ("wu", "looms", 200),
        ("lin", "nobody", 403),
        ("lin", "Looms", 200),
    ],
)
def test_who_may_create_where(hub: Hub, who, namespace: str, status: int) -> None:
    answer = create(hub, who, organization=namespace)

    assert answer.status == status
    if status == 200:
        assert answer.json["name"] == "looms/new"


@pytest.mark.parametrize(
    "name", ["", "a b", "-a", "a-", "a--b", "a..b", ".a", "a.git", "a/b/c", "中文", "a" * 97, "a\n"]
)
def test_a_bad_name_is_400(hub: Hub, name: str) -> None:
    assert create(hub, name=name, organization="lin").status == 400


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "a" * 96, "__init__"])
def test_a_good_name_is_kept_as_it_is_spelled(hub: Hub, name: str) -> None:
    assert create(hub, name=name).json["name"] == f"lin/{name}"


@pytest.mark.parametrize(
    ("body", "is_private"),
    [
        ({}, False),
        ({"private": True}, True),
        ({"private": False}, False),
        ({"visibility": "private"}, True),
        ({"visibility": "public"}, False),
    ],
)
def test_old_and_new_clients_say_private_in_their_way(hub: Hub, body, is_private) -> None:
    create(hub, **body)

    assert hub.get("/api/models/lin/new", "lin").json["private"] is is_private
    assert hub.get("/api/models/lin/new").status == (401 if is_private else 200)


def test_an_organisation_may_be_private_by_default(hub: Hub) -> None:
    hub.add_org("mill", private_by_default=True, lin=Role.WRITE)

    create(hub, organization="mill")
    create(hub, organization="mill", name="open", visibility="public")

    assert hub.get("/api/models/mill/new", "lin").json["private"] is True
    assert hub.get("/api/models/mill/open").json["private"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"visibility": "protected"},
        {"type": "space", "sdk": "flask"},
        {"type": "space", "sdk": "gradio", "hardware": "t4-small"},
        {"type": "space", "sdk": "gradio", "secrets": [{"key": "A", "value": "b"}]},
        {"type": "space", "sdk": "gradio", "variables": [{"key": "A", "value": "b"}]},
        {"type": "space", "sdk": "gradio", "volumes": [{"type": "bucket"}]},
        {"type": "space", "sdk": "gradio", "sleepTimeSeconds": 300},
        {"type": "space", "sdk": "gradio", "sleepTimeSeconds": -1},
        {"type": "space", "sdk": "gradio", "template": "gradio-templates/chatbot"},
        {"resourceGroupId": "0123456789abcdef01234567"},
        {"region": "eu"},
        {"region": []},
        {"type": "kernel"},
        {"type": "bucket"},
    ],
)
def test_what_would_have_no_effect_is_refused_and_not_made(hub: Hub, body: dict) -> None:
    answer = create(hub, **body)

    assert answer.status == 400
    assert hub.get(f"/api/{body.get('type', 'model')}s/lin/new", "lin").status == 404


def test_a_licence_becomes_a_card(hub: Hub) -> None:
    create(hub, license="mit")

    assert hub.get("/api/models/lin/new").json["cardData"] == {"license": "mit"}


def test_files_come_with_the_first_commit_and_go_before_its_defaults(hub: Hub) -> None:
    files = [
        {"path": ".gitattributes", "content": base64.b64encode(b"*.x text\n").decode()},
        {"path": "a.txt", "content": "plain", "encoding": "utf-8"},
    ]
    create(hub, files=files)

    assert hub.get("/lin/new/resolve/main/.gitattributes").body == b"*.x text\n"
    assert hub.get("/lin/new/resolve/main/a.txt").body == b"plain"
    assert len(hub.get("/api/models/lin/new/commits/main").json) == 1


@pytest.mark.parametrize(
    ("one", "status"),
    [
        ({"path": "../a", "content": ""}, 422),
        ({"path": "a", "content": "%"}, 400),
        ({"path": "a"}, 400),
    ],
)
def test_bad_first_files_make_no_repository(hub: Hub, one: dict, status: int) -> None:
    assert create(hub, files=[one]).status == status
    assert hub.get("/api/models/lin/new", "lin").status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": 1}', b"{}"])
def test_a_body_must_have_its_shape(hub: Hub, body: bytes) -> None:
    for method, target in (
        ("POST", "/api/repos/create"),
        ("POST", "/api/repos/move"),
        ("DELETE", "/api/repos/delete"),
    ):
        assert hub.ask(method, target, who="lin", body=body).status == 400


def test_a_space_has_the_card_of_its_sdk(hub: Hub) -> None:
    create(hub, type="space", sdk="gradio")
    info = hub.get("/api/spaces/lin/new").json

    assert info["cardData"]["sdk"] == info["sdk"] == "gradio"
    assert info["subdomain"] == "lin-new"
    assert info["runtime"]["stage"] == "NO_APP_FILE"
    assert "downloads" not in info


APPS = [
    ("sdk: gradio", "app.py", "PAUSED"),
    ("sdk: gradio", "src/app.py", "NO_APP_FILE"),
    ("sdk: gradio", "app.py/x", "NO_APP_FILE"),
    ("sdk: gradio\napp_file: src/app.py", "src/app.py", "PAUSED"),
    ("sdk: gradio\napp_file: ./main.py", "main.py", "PAUSED"),
    ("sdk: gradio\napp_file: main.py", "app.py", "NO_APP_FILE"),
    ("sdk: gradio\napp_file: [main.py]", "app.py", "PAUSED"),
    ("sdk: streamlit", "app.py", "PAUSED"),
    ("sdk: docker", "Dockerfile", "PAUSED"),
    ("sdk: docker", "app.py", "NO_APP_FILE"),
    ("sdk: docker\napp_file: app.py", "Dockerfile", "PAUSED"),
    ("sdk: static", "index.html", "PAUSED"),
    ("sdk: static", "Dockerfile", "NO_APP_FILE"),
    ("sdk: static\napp_file: dist/index.html", "dist/index.html", "PAUSED"),
    ("sdk: [gradio]", "app.py", "NO_APP_FILE"),
    ("title: none", "app.py", "NO_APP_FILE"),
]


@pytest.mark.parametrize(("card", "path", "stage"), APPS)
def test_a_space_with_the_file_its_sdk_runs_is_paused(hub: Hub, card, path, stage) -> None:
    create(hub, type="space", sdk="gradio")
    files = {"README.md": f"---\n{card}\n---\n".encode(), path: b"text"}
    hub.put("lin/new", files, kind="spaces")

    told = [
        hub.get("/api/spaces/lin/new").json["runtime"],
        hub.get("/api/spaces/lin/new?expand=runtime").json["runtime"],
        hub.get("/api/spaces?expand=runtime").json[0]["runtime"],
        hub.get("/api/spaces/lin/new/runtime").json,
    ]

    assert [runtime["stage"] for runtime in told] == [stage] * 4


def test_what_an_old_revision_had_does_not_make_a_space_run(hub: Hub) -> None:
    create(hub, type="space", sdk="gradio")
    old = hub.put("lin/new", {"app.py": b"import gradio"}, kind="spaces")
    hub.commit("lin/new", gone("app.py"), kind="spaces")

    assert hub.get("/api/spaces/lin/new").json["runtime"]["stage"] == "NO_APP_FILE"
    there = hub.get(f"/api/spaces/lin/new/revision/{old}").json
    assert "app.py" in {s["rfilename"] for s in there["siblings"]}
    assert there["runtime"]["stage"] == "NO_APP_FILE"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *(("GET", "secrets"), ("POST", "secrets"), ("DELETE", "secrets")),
        *(("GET", "variables"), ("POST", "variables"), ("POST", "hardware")),
        *(("PUT", "volumes"), ("DELETE", "volumes"), ("POST", "sleeptime"), ("POST", "dev-mode")),
    ],
)
def test_what_no_space_has_yet_is_400_for_its_writers(hub: Hub, method: str, name: str) -> None:
    create(hub, type="space", sdk="docker")

    answers = [
        hub.ask(method, f"/api/spaces/lin/new/{name}", who=who).status for who in ("lin", "wu")
    ]

    assert answers == [400, 403]


@pytest.mark.parametrize("name", ["restart", "restart?factory=true", "pause", "events", "a/b"])
def test_what_no_space_does_yet_is_a_missing_call_in_json(hub: Hub, name: str) -> None:
    create(hub, type="space", sdk="docker")

    for method in ("GET", "POST"):
        answer = hub.ask(method, f"/api/spaces/lin/new/{name}", who="lin")
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json["error"]


# Delete ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"name": "books", "organization": "lin"}, {"name": "lin/books"}])
def test_a_deleted_repository_is_gone_and_its_name_free(books: Hub, body: dict) -> None:
    answer = delete(books, **body, type="model")

    assert answer.status == 200
    assert books.get(BOOKS, "lin").status == 404
    assert books.get("/lin/books/resolve/main/README.md", "lin").status == 404
    assert delete(books, **body).status == 404
    assert create(books, name="books").status == 200
    assert books.get("/lin/books/resolve/main/README.md").status == 404


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("wu", 403), ("lin:read", 403)])
def test_only_writers_delete(books: Hub, who: str | None, status: int) -> None:
    assert delete(books, "lin/books", who).status == status
    assert delete(books, "lin/diary", who).status in {401, 403, 404}
    assert books.get(BOOKS).status == 200


def test_a_contributor_deletes_what_is_hers_only(hub: Hub) -> None:
    create(hub, "lin", organization="looms", name="of-lin")
    create(hub, "wu", organization="looms", name="of-wu")

    assert delete(hub, "looms/of-lin", "wu").status == 403
    assert delete(hub, "looms/of-wu", "wu").status == 200


# Move --------------------------------------------------------------------------------------


def test_an_old_name_leads_to_the_new_one_everywhere(books: Hub) -> None:
    head = books.get(BOOKS).json["sha"]
    assert move(books, "lin/books", "looms/library").status == 200

    moved = {
        BOOKS: "/api/models/looms/library",
        f"{BOOKS}?expand=sha": "/api/models/looms/library?expand=sha",
        f"{BOOKS}/revision/main?blobs=1": "/api/models/looms/library/revision/main?blobs=1",
        f"{BOOKS}/tree/main/data%2Fx": "/api/models/looms/library/tree/main/data%2Fx",
        "/lin/books/resolve/main/data/a.txt": "/looms/library/resolve/main/data/a.txt",
        "/lin/books/resolve/main/lin/books": "/looms/library/resolve/main/lin/books",
        "/LIN/Books/raw/main/README.md": "/looms/library/raw/main/README.md",
        "//api/models/lin/books/refs": "/api/models/looms/library/refs",
    }
    for old, new in moved.items():
        for method in ("GET", "HEAD"):
            answer = books.ask(method, old)
            assert (answer.status, answer.headers["Location"]) == (307, new)
    answer = books.post(f"{BOOKS}/paths-info/main", {"paths": []})
    assert answer.headers["Location"] == "/api/models/looms/library/paths-info/main"
    assert books.get("/api/models/looms/library").json["sha"] == head


def test_the_old_name_of_a_private_repository_tells_strangers_nothing(books: Hub) -> None:
    move(books, "lin/diary", "lin/journal")

    assert books.get("/api/models/lin/diary", "lin").status == 307
    for who, status in ((None, 401), ("wu", 404)):
        answer = books.get("/api/models/lin/diary", who)
        assert (answer.status, answer.word) == (status, "RepoNotFound")


def test_calls_that_name_a_repository_in_the_body_are_not_sent_in_circles(books: Hub) -> None:
    move(books, "lin/books", "lin/library")

    for answer in (delete(books, "lin/books"), move(books, "lin/books", "lin/third")):
        assert (answer.status, answer.word) == (404, "RepoNotFound")
        assert "lin/library" in answer.json["error"]
    assert books.get("/api/models/lin/library").status == 200


def test_chains_of_moves_lead_to_the_last_name(books: Hub) -> None:
    move(books, "lin/books", "lin/two")
    move(books, "lin/two", "lin/three")

    for old in ("books", "two"):
        answer = books.get(f"/api/models/lin/{old}")
        assert answer.headers["Location"] == "/api/models/lin/three"


def test_a_repository_may_move_back(books: Hub) -> None:
    move(books, "lin/books", "lin/two")
    move(books, "lin/two", "lin/books")

    assert books.get(BOOKS).json["id"] == "lin/books"
    assert books.get("/api/models/lin/two").headers["Location"] == BOOKS


def test_a_new_repository_takes_an_old_name_over(books: Hub) -> None:
    move(books, "lin/books", "lin/library")
    create(books, name="books")

    assert books.get(BOOKS).status == 200
    assert books.get("/lin/books/resolve/main/README.md").status == 404
    assert books.get("/lin/library/resolve/main/README.md").status == 200


def test_a_change_of_case_is_no_move(books: Hub) -> None:
    assert move(books, "lin/books", "LIN/Books").status == 200

    assert books.get(BOOKS).json["id"] == "lin/Books"


def test_the_namespace_keeps_its_spelling(books: Hub) -> None:
    assert move(books, "lin/books", "LOOMS/books").status == 200

    assert books.get("/api/models/looms/books").json["id"] == "looms/books"


@pytest.mark.parametrize(
    ("old", "new", "who", "status"),
    [
        ("lin/books", "wu/books", "lin", 403),
        ("lin/books", "nobody/books", "lin", 403),
        ("lin/books", "lin/diary", "lin", 409),
        ("lin/books", "lin/a--b", "lin", 400),
        ("lin/books", "books", "lin", 400),
        ("lin/books", "wu/mine", "wu", 403),
        ("lin/none", "lin/other", "lin", 404),
        ("lin/diary", "wu/mine", "wu", 404),
        ("lin/books", "lin/other", "lin:read", 403),
    ],
)
def test_moves_that_are_refused(books: Hub, old, new, who, status) -> None:
    answer = move(books, old, new, who)

    assert answer.status == status
    assert books.get(BOOKS).status == 200
    assert books.get("/api/models/lin/diary", "lin").status == 200


# Settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"private": True}, {"visibility": "private"}])
def test_a_repository_is_hidden_and_shown(books: Hub, body: dict) -> None:
    hidden = books.ask("PUT", f"{BOOKS}/settings", who="lin", body=body)

    assert hidden.json["private"] is True
    assert books.get(BOOKS).status == 401
    shown = books.ask("PUT", f"{BOOKS}/settings", who="lin", body={"visibility": "public"})
    assert shown.json["private"] is False
    assert books.get(BOOKS).status == 200


@pytest.mark.parametrize(
    "body",
    [
        *({"gated": wish} for wish in ("auto", "manual", True, [], {}, 0)),
        {"visibility": "protected"},
    ],
)
def test_settings_that_would_have_no_effect_are_400(books: Hub, body: dict) -> None:
    answer = books.ask("PUT", f"{BOOKS}/settings", who="lin", body=body | {"private": True})

    assert answer.status == 400
    assert books.get(BOOKS).json["private"] is False


def test_gates_may_be_opened_that_are_open(books: Hub) -> None:
    answer = books.ask("PUT", f"{BOOKS}/settings", who="lin", body={"gated": False})

    assert (answer.status, answer.json["gated"]) == (200, False)


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("wu", 403), ("lin:read", 403)])
def test_only_writers_change_settings(books: Hub, who: str | None, status: int) -> None:
    for body in ({"private": True}, {}):
        answer = books.ask("PUT", f"{BOOKS}/settings", who=who, body=body)
        assert answer.status == status


def test_auth_check_answers_as_the_thing_itself_would(books: Hub) -> None:
    def statuses(path: str) -> list[int]:
        people = (None, "wu", "lin:read", "lin")
        return [books.get(f"/api/models/{path}", who).status for who in people]

    assert statuses("lin/books/auth-check") == [200, 200, 200, 200]
    assert statuses("lin/books/auth-check/write") == [401, 403, 403, 200]
    assert statuses("lin/diary/auth-check") == [401, 404, 200, 200]
    assert statuses("lin/diary/auth-check/write") == [401, 404, 403, 200]


# Fields ------------------------------------------------------------------------------------

WELL_KNOWN = {
    RepoKind.MODEL: "author cardData config createdAt disabled downloads downloadsAllTime gated "
    "lastModified library_name likes pipeline_tag private sha siblings tags trendingScore "
    "usedStorage xetEnabled",
    RepoKind.DATASET: "author cardData createdAt disabled downloads downloadsAllTime gated "
    "lastModified likes private sha siblings tags trendingScore usedStorage xetEnabled",
    RepoKind.SPACE: "author cardData createdAt datasets disabled lastModified likes models private "
    "runtime sdk sha siblings subdomain tags trendingScore usedStorage xetEnabled",
}


CARD = b"""---
sdk: static
library_name: x
pipeline_tag: y
models: [lin/books]
datasets: [lin/threads]
---
"""


@pytest.mark.parametrize("kind", RepoKind)
@pytest.mark.parametrize("form", ["expand", "expand%5B%5D"])
def test_every_field_may_be_named_and_only_it_comes(hub: Hub, kind: RepoKind, form: str) -> None:
    """In lists as well; its value is that of the full answer."""
    create(hub, type=kind.value, **({"sdk": "static"} if kind is RepoKind.SPACE else {}))
    config = b'{"model_type": "bert"}'
    files = [file("README.md", CARD), file("index.html", b"x"), file("config.json", config)]
    hub.send_large("lin/new", LARGE, prefix=PREFIX[kind])
    hub.commit("lin/new", *files, large("w.bin", LARGE), kind=f"{kind.value}s")
    full = hub.get(f"/api/{kind.value}s/lin/new").json
    full["xetEnabled"] = True
    ids = {"_id": full["_id"], "id": "lin/new"}

    came = set()
    for name in sorted(EXPANDABLE[kind]):
        one = hub.get(f"/api/{kind.value}s/lin/new?{form}={name}")
        of_list = hub.get(f"/api/{kind.value}s?{form}={name}")
        wanted = ids | ({name: full[name]} if name in full else {})
        assert (one.status, of_list.status) == (200, 200)
        assert (name, one.json, of_list.json) == (name, wanted, [wanted])
        came |= one.json.keys() - {"_id", "id"}
    assert came == set(WELL_KNOWN[kind].split())
    assert full["usedStorage"] == len(LARGE)
    assert len(full["siblings"]) == 5
    if kind is RepoKind.SPACE:
        assert full["runtime"]["stage"] == "PAUSED"
        assert (full["models"], full["datasets"]) == (["lin/books"], ["lin/threads"])


@pytest.mark.parametrize("kind", ["models", "datasets", "spaces"])
def test_an_unknown_field_is_400_and_says_which_there_are(hub: Hub, kind: str) -> None:
    create(hub, type=kind[:-1], **({"sdk": "static"} if kind == "spaces" else {}))

    for target in (f"/api/{kind}/lin/new?expand=sha&expand=colour", f"/api/{kind}?expand=colour"):
        answer = hub.get(target)
        assert answer.status == 400
        assert 'expected one of "author"|"' in answer.json["error"]


def test_several_fields_are_named_one_by_one_or_with_commas(shelf: Hub) -> None:
    for query in ("expand=sha&expand=likes", "expand=sha,likes", "expand[]=sha&expand[]=likes"):
        answer = shelf.get(f"/api/models/lin/shelf?{query}")
        assert answer.json.keys() == {"_id", "id", "sha", "likes"}


def test_security_status_may_be_asked_for(shelf: Hub) -> None:
    assert shelf.get("/api/models/lin/shelf?securityStatus=true").status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/api/repos/create",
        "/api/models/no/where/paths-info/main",
        "/api/models/no/where/preupload/main",
        f"{BOOKS}/preupload/main",
        f"{BOOKS}/commit/main",
    ],
)
def test_nobody_has_a_body_read(books: Hub, target: str) -> None:
    answer = books.post(target, b"nonsense", None)

    assert answer.status == 401, answer.body


def test_a_repository_begins_with_as_many_files_as_a_commit_may_bring(hub: Hub) -> None:
    files = [{"path": "a", "content": ""}] * (CHANGES_MAX + 1)

    assert create(hub, files=files).status == 413
    assert create(hub, files=files[:2]).status == 200


# Cards -------------------------------------------------------------------------------------


def validate(hub: Hub, content: str, kind: str | None = "model", who=None, **more):
    return hub.post("/api/validate-yaml", {"content": content, "repoType": kind}, who, **more)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("---\nlicense: nope\n---\n", '"license" must be one of ['),
        ("---\nlicense: {a: b}\n---\n", '"license" must be one of ['),
        ("---\nlicense: [mit, {a: b}]\n---\n", '"license" must be one of ['),
        ("---\ntags: x\n---\n", '"tags" must be an array of strings'),
        ("---\ntags: [1]\n---\n", '"tags" must be an array of strings'),
        ("---\nlanguage: {a: 1}\n---\n", '"language" must be'),
        ("---\nmodel-index: {}\n---\n", '"model-index" must be an array'),
        ("---\nmodel-index:\n- name: x\n---\n", '"model-index[0].results" is required'),
        ("---\na: [\n---\n", ""),
        ("---\n- a\n---\n", "not a mapping"),
        ("---\na: &x [1]\nb: *x\n---\n", "aliases"),
        ("---\n" + "a: " + "[" * 30 + "]" * 30 + "\n---\n", "nested"),
        ("---\na: '" + "x" * 70_000 + "'\n---\n", "longer"),
        ("---\na: !!python/object:os.system x\n---\n", "tags"),
        ("---\na: !!int '" + "1:" * 30_000 + "1'\n---\n", "tags"),
        ("---\na: !!set {b}\n---\n", "tags"),
    ],
)
def test_a_bad_card_is_400_in_json_and_as_text(hub: Hub, content: str, error: str) -> None:
    said = validate(hub, content)
    text = validate(hub, content, accept="text/plain")

    assert said.status == text.status == 400
    assert error in said.json["errors"][0]["message"]
    assert error in said.json["error"]
    assert said.json["warnings"] == []
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.body.decode().startswith("- Error: ")
    assert error in text.body.decode()


@pytest.mark.parametrize(
    ("content", "warnings"),
    [
        ("---\nlicense: mit\nlanguage: [zh, en]\ntags: [a]\n---\n# Hi", 0),
        ("\n---\r\nlicense: apache-2.0\r\n---\r\n", 0),
        ("---\nlicense: other\nlicense_name: ours\n---\n", 0),
        ("---\nlicense: [mit, apache-2.0]\n---\n", 0),
        ("---\na: !!str 1\nb: ! 2\n---\n", 0),
        ("---\nlanguage: no\n---\n", 0),
        ("# no metadata", 1),
        ("", 1),
    ],
)
def test_a_good_card_is_200(hub: Hub, content: str, warnings: int) -> None:
    answer = validate(hub, content)

    assert (answer.status, answer.json["errors"]) == (200, [])
    assert len(answer.json["warnings"]) == warnings
    assert all(w["message"] for w in answer.json["warnings"])


@pytest.mark.parametrize("field", ["license", "tags", "model-index"])
def test_a_long_list_of_faults_is_not_repeated(hub: Hub, field: str) -> None:
    answer = validate(hub, f"---\n{field}: [" + "{}," * 15_000 + "]\n---\n")

    assert answer.status == 400
    assert 1 <= len(answer.json["errors"]) <= FINDINGS_MAX
    assert len(answer.body) < 20_000


def test_cards_are_judged_by_kind(hub: Hub) -> None:
    content = "---\nsdk: [1]\nmodel-index: 1\n---\n"

    statuses = [validate(hub, content, kind).status for kind in ("dataset", "space", None, "toy")]

    assert statuses == [200, 400, 400, 400]


def test_a_card_is_read_for_everybody(shelf: Hub) -> None:
    assert validate(shelf, FILES["README.md"].decode(), who="wu").status == 200
