"""Raw paths: what clients quote comes back as it was, and the more fixed route wins."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.core.errors import Broken
from jishi.http import BadBody, answer_bytes
from jishi.http.answers import reply
from jishi.http.router import NoRoute, RawRouter, Route, WrongMethod
from jishi.http.saying import speaking
from jishi.storage import StreamSource
from tests.http.serving import Given, Wire, open_node, refuse, served

parts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


async def nobody(_):
    raise NotImplementedError


def router(*routes: str) -> RawRouter:
    table = [Route(*route.rsplit(" ", 1), nobody) for route in routes]
    return RawRouter(table, refuse)


HUB = router(
    "GET /",
    "GET /api/models",
    "GET /api/models/{ns}/{name}",
    "DELETE /api/repos/delete",
    "GET /api/models/{ns}/{name}/revision/{rev}",
    "GET /api/models/{ns}/{name}/tree/{rev}",
    "GET /api/models/{ns}/{name}/tree/{rev}/{path...}",
    "POST /api/models/{ns}/{name}/commit/{rev}",
    "GET /{ns}/{name}.git/info/refs",
    "GET /{ns}/{name}/info/refs",
    "GET /{ns}/{name}/resolve/{rev}/{path...}",
    "GET /datasets/{ns}/{name}",
    "GET /{ns}/{name}",
    "POST /{ns}/settings",
)


def values(method: str, path: str) -> dict[str, str]:
    return HUB.match(method, path.encode())[1]


def pattern(method: str, path: str) -> str:
    return HUB.match(method, path.encode())[0].path


@given(parts, parts, parts, st.lists(parts, min_size=1, max_size=4))
def test_quoted_parts_come_back_whatever_they_hold(ns, name, rev, path) -> None:
    quoted = "/".join(quote(part, safe="") for part in ("api", "models", ns, name, "tree", rev))
    tail = "/".join(quote(part, safe="") for part in path)

    assert values("GET", f"/{quoted}/{tail}") == {
        "ns": ns,
        "name": name,
        "rev": rev,
        "path": "/".join(path),
    }


@given(st.lists(parts, min_size=1, max_size=4))
def test_a_path_quoted_as_one_part_is_the_same_path(path) -> None:
    whole = quote("/".join(path), safe="")

    assert values("GET", f"/a/b/resolve/main/{whole}")["path"] == "/".join(path)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_router(path: bytes) -> None:
    try:
        HUB.match("GET", b"/" + path)
    except (NoRoute, WrongMethod):
        return


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", "/"),
        ("GET", "//", "/"),
        ("GET", "//api/models", "/api/models"),
        ("GET", "/api/models/", "/api/models"),
        ("HEAD", "/api/models", "/api/models"),
        ("GET", "/datasets/a/b", "/datasets/{ns}/{name}"),
        ("GET", "/datasets/a", "/{ns}/{name}"),
        ("GET", "/api/models/a/b/tree/refs%2Fpr%2F1", "/api/models/{ns}/{name}/tree/{rev}"),
        ("GET", "/api/models/a/b/tree/x/y/z", "/api/models/{ns}/{name}/tree/{rev}/{path...}"),
        ("GET", "/a/b.git/info/refs", "/{ns}/{name}.git/info/refs"),
        ("GET", "/a/.git/info/refs", "/{ns}/{name}/info/refs"),
        ("GET", "/%61pi/models", "/api/models"),
        ("POST", "/a/settings", "/{ns}/settings"),
        ("GET", "/a/settings", "/{ns}/{name}"),
    ],
)
def test_the_more_fixed_route_wins_and_others_are_tried(method, path, expected) -> None:
    assert pattern(method, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing/here/at/all",
        "/api/models/a/b/tree",
        "/a//info/refs",
        "/a/b/resolve/main",
        "/a/b/resolve/main/",
        "/%ff/b",
        "/" + "a/" * 300,
    ],
)
def test_what_no_route_has_is_missing(path: str) -> None:
    with pytest.raises(NoRoute):
        HUB.match("GET", path.encode())


def test_a_wrong_method_names_the_right_ones() -> None:
    with pytest.raises(WrongMethod) as refused:
        HUB.match("PUT", b"/api/models/a/b/commit/main")

    assert refused.value.facts == {"method": "PUT", "allowed": "POST"}


def test_two_routes_for_one_address_are_refused_at_the_start() -> None:
    with pytest.raises(Broken):
        router("GET /{a}/x", "GET POST /{b}/x")
    with pytest.raises(Broken):
        router("GET /{a}x{b}")


def shout(refusal, _context):
    return reply({"SHOUTED": str(refusal)}, status=451)


async def refusing(request):
    raise BadBody(problem=request.path_params["who"])


async def refusing_late(request):
    async def pieces(start: int, end: int):
        raise BadBody(problem=f"late {start} {end}")
        yield b""

    return answer_bytes(request, StreamSource(10, pieces), headers={})


@pytest.fixture
def wire(tmp_path):
    routes = [
        Route("GET", "/loud/{who}", speaking(shout, refusing)),
        Route("GET", "/late", speaking(shout, refusing_late)),
        Route("GET", "/quiet/{who}", refusing),
    ]
    with open_node(tmp_path) as node, served(Given(routes, node)) as port, Wire(port) as wire:
        yield wire


def test_a_refusal_is_said_in_the_dialect_of_its_route(wire: Wire) -> None:
    loud, quiet = wire.get("/loud/b%C3%A4r"), wire.get("/quiet/x")

    assert loud.status == 451
    assert loud.body.decode() == '{"SHOUTED":"Unreadable request body: bär."}'
    assert quiet.status == 400
    assert b'"code":"http.bad_body"' in quiet.body


def test_a_stream_that_refuses_to_start_still_gets_a_status(wire: Wire) -> None:
    assert wire.get("/late").status == 451
    assert wire.get("/quiet/x").status == 400


def test_unknown_addresses_and_methods_are_said_by_the_router(wire: Wire) -> None:
    missing, wrong = wire.get("/nowhere"), wire.get("/late", method="DELETE")

    assert (missing.status, b"http.no_route" in missing.body) == (404, True)
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")


def test_bad_credentials_are_said_in_the_dialect_of_the_route(tmp_path) -> None:
    routes = [
        Route("GET", "/loud/{who}", speaking(shout, refusing)),
        Route("GET", "/own/{who}", speaking(shout, refusing), opens_itself=True),
    ]
    with (
        open_node(tmp_path) as node,
        served(Given(routes, node, refused=BadBody(problem="bad token"))) as port,
        Wire(port) as wire,
    ):
        assert b"bad token" in wire.get("/loud/x").body
        assert b"body: x" in wire.get("/own/x").body
        assert b"bad token" in wire.get("/nowhere").body
