"""Who is asking, and what people and organisations show of themselves."""

from __future__ import annotations

import base64
import re

import pytest

from jishi.core.db import Mode
from jishi.people import OPERATOR
from jishi.people.persons import set_active
from tests.wire.hf.asking import Hub

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_whoami_says_who_with_what_token_and_in_which_organisations(hub: Hub) -> None:
    answer = hub.get("/api/whoami-v2", "wu:read")

    assert answer.status == 200
    told = answer.json
    assert (told["type"], told["name"], told["fullname"], told["email"]) == (
        "user",
        "wu",
        "wu",
        None,
    )
    assert re.fullmatch("[0-9a-f]{24}", told["id"])
    token = told["auth"]["accessToken"]
    assert (told["auth"]["type"], token["displayName"], token["role"]) == (
        "access_token",
        "wu:read",
        "read",
    )
    assert DATE.fullmatch(token["createdAt"])
    assert [(org["name"], org["roleInOrg"]) for org in told["orgs"]] == [("looms", "contributor")]


def test_whoami_knows_write_tokens(hub: Hub) -> None:
    assert hub.get("/api/whoami-v2", "lin").json["auth"]["accessToken"]["role"] == "write"


def test_whoami_of_nobody_is_401(hub: Hub) -> None:
    assert hub.get("/api/whoami-v2").status == 401


@pytest.mark.parametrize("target", ["/api/whoami-v2", "/api/models", "/api/models/lin/x"])
def test_a_token_of_another_hub_is_401_everywhere_with_both_ways_out(hub: Hub, target) -> None:
    answer = hub.get(target, "hf_" + "x" * 34)

    assert (answer.status, answer.word) == (401, None)
    assert answer.message == "Invalid credentials in Authorization header"
    assert "hf auth login" in answer.json["error"]
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN=1" in answer.json["error"]


def test_a_refusal_speaks_chinese_to_who_asks_so(hub: Hub) -> None:
    answer = hub.get("/api/whoami-v2", "hf_" + "x" * 34, accept_language="zh-CN")

    assert answer.message == "Invalid credentials in Authorization header"
    assert "本站从未签发过" in answer.json["error"]


def test_an_account_out_of_use_is_told_so(hub: Hub) -> None:
    with hub.node.db.begin(Mode.WRITE) as tx:
        set_active(tx, OPERATOR, "wu", active=False)

    answer = hub.get("/api/whoami-v2", "wu")

    assert answer.status == 403
    assert "deactivated" in answer.json["error"]


def test_overviews_count_what_the_caller_may_see(books: Hub) -> None:
    seen = {who: books.get("/api/users/LIN/overview", who).json for who in (None, "lin")}

    assert seen[None]["user"] == "lin"
    assert (seen[None]["numModels"], seen["lin"]["numModels"]) == (1, 2)
    assert seen[None]["numDatasets"] == seen[None]["numSpaces"] == 0
    assert [org["name"] for org in seen[None]["orgs"]] == ["looms"]
    assert "email" not in seen["lin"]


def test_an_overview_counts_the_likes_the_caller_may_see(books: Hub) -> None:
    for name in ("books", "diary"):
        books.post(f"/api/models/lin/{name}/like", {}, "lin")
    books.post("/api/models/lin/books/like", {}, "wu")

    def likes(name: str, who: str | None = None) -> int:
        return books.get(f"/api/users/{name}/overview", who).json["numLikes"]

    assert [likes("lin", who) for who in ("lin", "wu", None)] == [2, 1, 1]
    assert (likes("wu"), likes("maya")) == (1, 0)
    books.ask("DELETE", "/api/models/lin/books/like", who="lin")
    assert [likes("lin", who) for who in ("lin", None)] == [1, 0]


def test_an_organisation_shows_its_members_and_counts(hub: Hub) -> None:
    overview = hub.get("/api/organizations/Looms/overview").json
    members = hub.get("/api/organizations/looms/members")

    assert (overview["name"], overview["numUsers"], overview["numModels"]) == ("looms", 2, 0)
    assert [(member["user"], member["role"]) for member in members.json] == [
        ("lin", "admin"),
        ("wu", "contributor"),
    ]
    assert members.next is None


def test_members_come_a_page_at_a_time(hub: Hub) -> None:
    first = hub.get("/api/organizations/looms/members?limit=1")
    assert first.next is not None
    rest = hub.get(first.next.removeprefix("http://hub.test"))

    assert [member["user"] for member in first.json + rest.json] == ["lin", "wu"]
    assert rest.next is None


@pytest.mark.parametrize(
    "target",
    [
        "/api/users/nobody-here/overview",
        "/api/users/looms/overview",
        "/api/users/nobody-here/followers",
        "/api/organizations/lin/overview",
        "/api/organizations/lin/members",
        "/api/organizations/lin/followers",
    ],
)
def test_who_does_not_exist_is_404(hub: Hub, target: str) -> None:
    answer = hub.get(target)

    assert (answer.status, answer.word) == (404, None)


@pytest.mark.parametrize(
    "target",
    ["/api/users/lin/followers", "/api/users/lin/following", "/api/organizations/looms/followers"],
)
def test_nobody_follows_anybody_yet(hub: Hub, target: str) -> None:
    assert hub.get(target).json == []


def test_basic_credentials_carry_the_token_as_the_password(hub: Hub) -> None:
    pair = base64.b64encode(f"anything:{hub.tokens['lin']}".encode()).decode()

    answer = hub.get("/api/whoami-v2", authorization=f"Basic {pair}")

    assert answer.json["name"] == "lin"
