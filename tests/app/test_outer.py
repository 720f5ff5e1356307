"""The outermost layer: who is asking, what other sites forge, headers safe by default."""

from __future__ import annotations

import base64
import json

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse

from jishi.app.outer import Outer, Surroundings
from jishi.core.db import Mode
from jishi.http import RawRouter, Route, Site, context_of, reply, user_content
from jishi.http.policy import is_cross_origin
from jishi.people.persons import find_person
from jishi.people.sessions import end_session, open_session
from jishi.people.settings import ForeignTokens
from jishi.people.tokens import TokenRole, create_token, revoke_token
from tests.http.serving import Wire, refuse, request, served

BASE = "http://hub.test"
OURS = ("Sec-Fetch-Site: same-origin",)


async def about(request):
    context = context_of(request)
    return reply(
        {
            "actor": context.actor.name,
            "writes": context.actor.can_write,
            "base": context.base,
            "locale": context.locale,
            "theme": context.theme,
            "target": context.target,
        }
    )


async def page(_):
    return HTMLResponse("<p>page")


async def upload(_):
    return PlainTextResponse("hello", headers=user_content("a.txt"))


async def crash(_):
    raise ZeroDivisionError


def broken(context, incident):
    return HTMLResponse(f"<p>{incident} for {context.target}")


@pytest.fixture
def wire(node):
    routes = [
        Route("GET POST PUT DELETE", "/about", about),
        Route("GET", "/page", page),
        Route("GET", "/a/b/resolve/main/{path...}", upload),
        Route("GET", "/crash", crash),
        Route("GET", "/api/crash", crash),
    ]
    site = Site(BASE, origins=("http://localhost:8000", "https://other.test"))
    outer = Outer(RawRouter(routes, refuse), Surroundings(node, site, (), broken))
    with served(outer) as port, Wire(port) as wire:
        yield wire


@pytest.fixture
def token(db, lin) -> str:
    with db.begin(Mode.WRITE) as tx:
        return create_token(tx, lin, name="t", role=TokenRole.READ).secret


@pytest.fixture
def session(db, lin) -> str:
    with db.begin(Mode.WRITE) as tx:
        return open_session(tx, find_person(tx, lin.name)).secret


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_token_names_its_owner_in_each_of_its_ways(wire: Wire, token: str) -> None:
    for value in (
        f"Bearer {token}",
        f"bearer {token}",
        f"Basic {basic('whoever', token)}",
        f"Basic {basic(token, '')}",
    ):
        said = json.loads(wire.get("/about", f"Authorization: {value}").body)

        assert (said["actor"], said["writes"]) == ("lin", False)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Bearer hf_unknown", b"people.token_unknown"),
        ("Bearer", b"people.token_absent"),
        ("Bearer ", b"people.token_absent"),
        ("Basic !!!", b"people.token_absent"),
        ("Basic /w==", b"people.token_absent"),
        ("Digest x=1", b"people.token_absent"),
        ("", b"people.token_absent"),
    ],
)
def test_a_token_that_is_none_is_refused_even_where_all_may_read(
    wire: Wire, value: str, code: bytes
) -> None:
    answer = wire.get("/about", f"Authorization: {value}")

    assert (answer.status, code in answer.body) == (401, True)


def test_a_revoked_token_is_refused_at_once(wire: Wire, db, lin) -> None:
    with db.begin(Mode.WRITE) as tx:
        minted = create_token(tx, lin, name="t", role=TokenRole.WRITE)
    assert wire.get("/about", f"Authorization: Bearer {minted.secret}").status == 200
    with db.begin(Mode.WRITE) as tx:
        revoke_token(tx, lin, minted.token.public_id)

    assert wire.get("/about", f"Authorization: Bearer {minted.secret}").status == 401


def test_a_session_names_its_person_until_it_ends(wire: Wire, db, session: str) -> None:
    cookie = f"Cookie: theme=dark; jishi={session}; lang=zh-Hans"
    before = json.loads(wire.get("/about", cookie).body)
    with db.begin(Mode.WRITE) as tx:
        end_session(tx, session)
    after = json.loads(wire.get("/about", cookie).body)

    assert (before["actor"], before["theme"], before["locale"]) == ("lin", "dark", "zh-Hans")
    assert after["actor"] == ""


def test_over_https_only_the_host_cookie_counts(wire: Wire, session: str) -> None:
    def actor(name: str) -> str:
        wire.send(request("/about", f"Cookie: {name}={session}", host="other.test"))
        return json.loads(wire.answer().body)["actor"]

    assert actor("jishi") == ""
    assert actor("__Host-jishi") == "lin"


@pytest.mark.parametrize(
    ("fields", "cookie", "passes"),
    [
        (("Sec-Fetch-Site: same-origin",), True, True),
        (("Sec-Fetch-Site: same-origin", f"Origin: {BASE}"), True, True),
        (("Sec-Fetch-Site: none",), True, True),
        (("Sec-Fetch-Site: none", "Origin: null"), True, False),
        (("Sec-Fetch-Site: same-site", f"Origin: {BASE}:9000"), True, False),
        (("Sec-Fetch-Site: cross-site", "Origin: http://evil.test"), True, False),
        (("Sec-Fetch-Site: cross-site", "Origin: http://evil.test"), False, False),
        ((f"Origin: {BASE}",), True, True),
        ((f"Origin: {BASE}:9000",), True, False),
        (("Origin: http://localhost:8000",), True, False),
        (("Origin: null",), True, False),
        (("Origin: http://evil.test",), False, False),
        ((), True, False),
        ((), False, True),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_changes_come_from_our_pages_or_from_programs(
    wire: Wire, session: str, method, fields, cookie, passes
) -> None:
    more = (f"Cookie: jishi={session}",) if cookie else ()
    answer = wire.get("/about", *fields, *more, method=method)

    assert answer.status == (200 if passes else 403)
    if passes:
        assert json.loads(answer.body)["actor"] == ("lin" if cookie else "")
    else:
        assert b"http.cross_site" in answer.body


def test_reading_and_tokens_need_no_origin(wire: Wire, session: str, token: str) -> None:
    evil = ("Sec-Fetch-Site: cross-site", "Origin: http://evil.test")

    assert wire.get("/about", f"Cookie: jishi={session}", *evil).status == 200
    assert wire.get("/about", f"Authorization: Bearer {token}", *evil, method="POST").status == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("Sec-Fetch-Site: cross-site", "Origin: http://evil.test"), 403),
        (("Origin: http://evil.test",), 403),
        (("Sec-Fetch-Site: same-origin", f"Origin: {BASE}"), 200),
        ((), 200),
    ],
)
def test_what_a_browser_keeps_is_no_program(wire: Wire, token: str, fields, status) -> None:
    kept = f"Authorization: basic {basic('whoever', token)}"

    assert wire.get("/about", kept, *fields, method="POST").status == status


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("hub.test", BASE),
        ("localhost:8000", "http://localhost:8000"),
        ("LOCALHOST:8000", "http://localhost:8000"),
        ("other.test", "https://other.test"),
        ("evil.test", BASE),
        ("hub.test:81", BASE),
    ],
)
def test_links_name_the_host_that_was_asked_if_it_is_ours(wire: Wire, host, base) -> None:
    wire.send(request("/about?x=%2F", host=host))
    said = json.loads(wire.answer().body)

    assert (said["base"], said["target"]) == (base, "/about?x=%2F")


def test_request_ids_come_back(wire: Wire) -> None:
    own = wire.get("/about", "X-Request-Id: mine-1", "X-Amzn-Trace-Id: t-2")
    traced = wire.get("/about", "X-Amzn-Trace-Id: 0f8fad5b-d9cb-469f-a165-70867728950e")
    odd = wire.get("/about", f"X-Request-Id: {'x' * 200}")
    plain = wire.get("/about")

    assert own.headers["x-request-id"] == "mine-1"
    assert traced.headers["x-request-id"].endswith(";0f8fad5b-d9cb-469f-a165-70867728950e")
    assert len(odd.headers["x-request-id"]) == 24
    assert plain.headers["x-request-id"] != odd.headers["x-request-id"]


def test_every_answer_is_safe_by_default(wire: Wire) -> None:
    data, html, missing = (wire.get(path) for path in ("/about", "/page", "/nowhere"))
    preflight = wire.get("/about", method="OPTIONS")

    for answer in (data, html, missing, preflight):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "script-src 'self'" in html.headers["content-security-policy"]
    assert "require-trusted-types-for" in html.headers["content-security-policy"]
    assert html.headers["cross-origin-opener-policy"] == "same-origin"
    assert "script-src" not in data.headers["content-security-policy"]
    assert "access-control-allow-origin" not in data.headers
    assert preflight.status == 405


def test_uploads_keep_their_sandbox_and_scripts_of_others_may_read_them(wire: Wire) -> None:
    upload = wire.get("/a/b/resolve/main/a.txt", "Origin: http://elsewhere.test")
    preflight = wire.get("/a/b/resolve/main/a.txt", method="OPTIONS")

    assert upload.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert upload.headers["access-control-allow-origin"] == "*"
    assert "ETag" in upload.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in upload.headers
    assert preflight.status == 204
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "POST" not in preflight.headers["access-control-allow-methods"]


@pytest.mark.parametrize("prefix", ["", "datasets/", "spaces/"])
def test_only_the_addresses_of_files_are_for_scripts_of_others(prefix: str) -> None:
    assert is_cross_origin(f"/{prefix}lin/books/resolve/main/a".encode())
    for rest in ("blob/main/resolve/a", "tree/main/x/resolve/", "resolve"):
        assert not is_cross_origin(f"/{prefix}lin/books/{rest}".encode())
    assert not is_cross_origin(b"/api/models/lin/books/tree/main/resolve/x")


def test_a_crash_is_a_number_for_programs_and_a_page_for_browsers(wire: Wire, caplog) -> None:
    program = wire.get("/crash", "X-Request-Id: r-7")
    browser = wire.get("/crash", "Accept: text/html")
    api = wire.get("/api/crash", "Accept: text/html")

    assert (program.status, browser.status, api.status) == (500, 500, 500)
    assert program.headers["x-request-id"] == "r-7"
    assert json.loads(program.body)["error"].startswith("Incident ")
    assert browser.body.startswith(b"<p>")
    assert json.loads(api.body)["error"].startswith("Incident ")
    assert "r-7" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_foreign_tokens_may_be_passed_over_for_readers(wire: Wire, node) -> None:
    node.gate.settings = type(node.gate.settings)(foreign_tokens=ForeignTokens.ANONYMOUS)
    reads = wire.get("/about", "Authorization: Bearer hf_other")
    writes = wire.get("/about", "Authorization: Bearer hf_other", method="POST")

    assert (reads.status, json.loads(reads.body)["actor"]) == (200, "")
    assert "passed over" in reads.headers["x-hf-warning"]
    assert writes.status == 401
