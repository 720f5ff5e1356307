"""Every address of the dialect that belongs to no repository, and every one is answered."""

from __future__ import annotations

import pytest

from jishi.people import Role
from jishi.wire.hf.routes import ROUTES
from tests.wire.hf.asking import BASE, Hub

ANSWERS = {
    ("POST", "/api/repos/create"): (400, "/api/repos/create"),
    ("DELETE", "/api/repos/delete"): (400, "/api/repos/delete"),
    ("POST", "/api/repos/move"): (400, "/api/repos/move"),
    ("POST", "/api/validate-yaml"): (400, "/api/validate-yaml"),
    ("GET", "/api/models"): (200, "/api/models"),
    ("GET", "/api/datasets"): (200, "/api/datasets"),
    ("GET", "/api/spaces"): (200, "/api/spaces"),
    ("GET", "/api/models-tags-by-type"): (200, "/api/models-tags-by-type"),
    ("GET", "/api/datasets-tags-by-type"): (200, "/api/datasets-tags-by-type"),
    ("GET", "/api/users/{user}/likes"): (200, "/api/users/lin/likes"),
    ("GET", "/api/users/{user}/overview"): (200, "/api/users/LIN/overview"),
    ("GET", "/api/users/{user}/followers"): (200, "/api/users/lin/followers"),
    ("GET", "/api/users/{user}/following"): (200, "/api/users/lin/following"),
    ("GET", "/api/settings/repositories"): (200, "/api/settings/repositories"),
    ("GET", "/api/organizations/{org}/settings/repositories"): (
        200,
        "/api/organizations/looms/settings/repositories",
    ),
    ("GET", "/api/organizations/{org}/overview"): (200, "/api/organizations/looms/overview"),
    ("GET", "/api/organizations/{org}/members"): (200, "/api/organizations/looms/members"),
    ("GET", "/api/organizations/{org}/followers"): (200, "/api/organizations/looms/followers"),
    ("GET", "/api/whoami-v2"): (200, "/api/whoami-v2"),
    ("POST", "/oauth/device"): (200, "/oauth/device"),
    ("POST", "/oauth/token"): (400, "/oauth/token"),
    ("GET", "/api/telemetry/{topic...}"): (200, "/api/telemetry/hub/downloads/x"),
    ("POST", "/api/telemetry/{topic...}"): (200, "/api/telemetry/hub"),
    ("GET", "/api"): (404, "/api"),
    ("POST", "/api"): (404, "/api/"),
    ("PUT", "/api"): (404, "//api"),
    ("DELETE", "/api"): (404, "/api?x=1"),
    ("PATCH", "/api"): (404, "/api/?x=1"),
    ("GET", "/api/{rest...}"): (404, "/api/whatever/it/is"),
    ("POST", "/api/{rest...}"): (404, "/api/jobs/lin"),
    ("PUT", "/api/{rest...}"): (404, "/api/buckets/lin/x/settings"),
    ("DELETE", "/api/{rest...}"): (404, "/api/collections/x"),
    ("PATCH", "/api/{rest...}"): (404, "/api/collections/x"),
}


def test_no_address_is_left_out() -> None:
    there = {
        (method, route.path)
        for route in ROUTES
        if "{ns}" not in route.path
        for method in route.methods.split()
    }

    assert there == ANSWERS.keys()


@pytest.mark.parametrize(("method", "route"), ANSWERS)
def test_every_address_answers(shelf: Hub, method: str, route: str) -> None:
    status, target = ANSWERS[method, route]
    form = route.startswith("/oauth/")
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    body = None if method == "GET" else b"client_id=x" if form else b"{"

    answer = shelf.ask(method, target, who="lin", body=body, kind=kind)

    assert answer.status == status
    if answer.body:
        assert answer.headers["Content-Type"].startswith("application/json")
    if method == "GET":
        assert shelf.head(target, "lin").status == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PROPFIND"])
@pytest.mark.parametrize("target", ["/api", "/api/", "//api", "/api?a=/", "/api/?a", "/api/x"])
def test_below_api_everything_is_json(shelf: Hub, method: str, target: str) -> None:
    answer = shelf.ask(method, target, accept="text/html,*/*")

    assert answer.status == (405 if method == "PROPFIND" else 404)
    assert answer.headers["Content-Type"].startswith("application/json")


def test_whoami_tells_what_a_log_in_reads(shelf: Hub) -> None:
    me = shelf.get("/api/whoami-v2", "lin").json
    reader = shelf.get("/api/whoami-v2", "lin:read").json

    assert (me["type"], me["name"]) == ("user", "lin")
    assert [(org["name"], org["roleInOrg"]) for org in me["orgs"]] == [("looms", "admin")]
    assert me["auth"]["type"] == "access_token"
    assert me["auth"]["accessToken"]["role"] == "write"
    assert me["auth"]["accessToken"]["displayName"] == "lin"
    assert reader["auth"]["accessToken"]["role"] == "read"


def test_overviews_count_what_the_caller_sees(shelf: Hub) -> None:
    def models(who: str | None) -> int:
        return shelf.get("/api/users/lin/overview", who).json["numModels"]

    assert [models("lin"), models("wu"), models(None)] == [2, 1, 1]
    org = shelf.get("/api/organizations/looms/overview").json
    assert (org["name"], org["numUsers"], org["numModels"]) == ("looms", 2, 0)


def test_members_come_with_their_roles_in_pages(hub: Hub) -> None:
    hub.add_org("mill", lin=Role.ADMIN, wu=Role.READ, maya=Role.WRITE)

    first = hub.get("/api/organizations/mill/members?limit=2")
    second = hub.get(first.next.removeprefix(BASE))

    found = [(member["user"], member["role"]) for member in first.json + second.json]
    assert found == [("lin", "admin"), ("maya", "write"), ("wu", "read")]
    assert second.next is None


def test_who_is_not_there_is_404(shelf: Hub) -> None:
    for target in (
        *(f"/api/users/nobody-here/{what}" for what in ("overview", "followers", "following")),
        *(f"/api/organizations/lin/{what}" for what in ("overview", "members", "followers")),
    ):
        assert shelf.get(target).status == 404


@pytest.mark.parametrize("kind", ["models", "datasets", "spaces"])
def test_tokens_for_the_content_store_travel_twice(hub: Hub, kind: str) -> None:
    hub.create("lin/new", kind=kind[:-1], sdk="static")

    for name in ("read", "write"):
        for rev in ("main", "refs%2Fpr%2F1", "0" * 40):
            answer = hub.get(f"/api/{kind}/lin/new/xet-{name}-token/{rev}", "lin")
            assert answer.json["accessToken"] == answer.headers["X-Xet-Access-Token"]
            assert answer.json["casUrl"] == answer.headers["X-Xet-Cas-Url"]
            assert answer.json["casUrl"].startswith(f"{BASE}/cas/")
            assert str(answer.json["exp"]) == answer.headers["X-Xet-Token-Expiration"]
    statuses = [
        hub.get(f"/api/{kind}/lin/new/xet-write-token/main", who).status
        for who in (None, "wu", "lin:read", "lin")
    ]
    assert statuses == [401, 403, 403, 200]
    assert hub.get(f"/api/{kind}/lin/new/xet-read-token/main").status == 200
