"""Every page in every look: accessible, quiet under the policy, no wider than the window."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.clients.serving import Hub, running
from tests.e2e.conftest import LOOK_PARAMS, LOOKS, SLICE, Bazaar, Look, Visit, set_up_link, visiting
from tests.e2e.seed import LONG, LONG_BRANCH, LONG_FILE, Sender

CHAT = "/longquan/celadon-chat"
SIGNED_IN = (
    "/",
    "/?q=celadon",
    "/?q=nothing-is-called-this",
    "/models",
    "/models?sort=likes&owner=longquan&tag=celadon",
    "/models?q=nothing-is-called-this",
    "/datasets",
    "/spaces",
    "/longquan",
    "/mei",
    CHAT,
    f"{CHAT}/tree/main",
    f"{CHAT}/tree/main/data",
    f"{CHAT}/tree/v1.0",
    f"{CHAT}/blob/main/train.py",
    f"{CHAT}/blob/main/README.md",
    f"{CHAT}/blob/main/%E5%9B%BE%E7%89%87/%E5%8D%B0.png",
    f"{CHAT}/blob/main/model.safetensors",
    f"{CHAT}/commits/main",
    f"{CHAT}/commits/main/train.py",
    f"{CHAT}/settings",
    "/lin/empty",
    f"/lin/{LONG}",
    f"/lin/{LONG}/tree/main",
    f"/lin/{LONG}/tree/{LONG_BRANCH}",
    f"/lin/{LONG}/blob/main/{quote(LONG_FILE)}",
    f"/lin/{LONG}/blob/main/{LONG}.txt",
    f"/lin/{LONG}/commits/main",
    f"/lin/{LONG}/settings",
    "/datasets/longquan/kiln-notes",
    "/spaces/longquan/glaze-finder",
    "/new",
    "/settings/profile",
    "/settings/tokens",
    "/settings/password",
    "/settings/organizations",
    "/organizations/new",
    "/organizations/longquan/members",
    "/organizations/longquan/settings",
    "/admin/people",
    "/device",
)
VISITING = ("/", "/sign-in", CHAT, "/organizations/longquan/members")
MISSING = ("/nobody-is-called-this", "/lin/nothing", f"{CHAT}/blob/main/nothing")
ONCE = [pytest.param(look, marks=() if look == SLICE[1] else pytest.mark.wide) for look in LOOKS]
"""What needs a hub or a form of its own is seen in one look in `make test`."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = (
    "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags},"
    " resultTypes: ['violations']})"
)


@dataclass(frozen=True)
class Seldom:
    """A page that is no part of a walk through the site.

    Attributes:
        shows: Selector of what makes it this page.
        state: Of the browser, ``None`` for nobody's.
    """

    name: str
    path: str
    shows: str
    status: int = 200
    state: StorageState | None = None


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds, one line each."""
    page.evaluate(axe)
    found = page.evaluate(RUN, TAGS)
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"][:3]
    ]


def looks_over(index: int, look: Look) -> bool:
    """Whether axe looks at a page in this look: in `make test` once, in `make e2e` always."""
    return look not in SLICE or SLICE[index % 2] == look


def too_wide(page: Page, look: Look) -> list[str]:
    width = page.evaluate("document.documentElement.scrollWidth")
    return [] if width <= look.width else [f"{width} pixels wide"]


def cut_commands(page: Page) -> list[str]:
    """Return the commands of which something is out of sight, or under the copy button."""
    cut: list[str] = page.evaluate(
        "[...document.querySelectorAll('.cmd')].filter((box) => {"
        " const [text, button] = [box.querySelector('pre'), box.querySelector('.copy')];"
        " const place = text.getBoundingClientRect();"
        " return place.width && (text.scrollWidth > text.clientWidth"
        " || place.right > button.getBoundingClientRect().left); })"
        ".map((box) => `cut: ${box.querySelector('pre').textContent}`)"
    )
    return cut


def head_of(bazaar: Bazaar) -> str:
    """Return the newest commit of the chat model."""
    with urllib.request.urlopen(f"{bazaar.hub.url}/api/models{CHAT}") as answer:
        sha: str = json.load(answer)["sha"]
    return sha


@pytest.mark.parametrize("look", LOOK_PARAMS)
def test_signed_in(browser: Browser, bazaar: Bazaar, axe: str, look: Look) -> None:
    faults: list[str] = []

    with visiting(browser, bazaar.hub.url, look, state=bazaar.lin) as visit:
        for index, path in enumerate((*SIGNED_IN, f"{CHAT}/commit/{head_of(bazaar)}")):
            page = visit.open(path)
            assert page.get_attribute("html", "lang") == look.locale
            found = too_wide(page, look) + cut_commands(page) + visit.faults
            found += violations(page, axe) if looks_over(index, look) else []
            faults += [f"{path} {fault}" for fault in found]
            visit.faults = []

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("look", LOOK_PARAMS)
def test_visiting(browser: Browser, bazaar: Bazaar, axe: str, look: Look) -> None:
    faults: list[str] = []

    with visiting(browser, bazaar.hub.url, look) as visit:
        for index, path in enumerate((*VISITING, *MISSING)):
            page = visit.open(path, status=404 if path in MISSING else 200)
            found = too_wide(page, look) + cut_commands(page) + visit.faults
            found += violations(page, axe) if looks_over(index, look) else []
            faults += [f"{path} {fault}" for fault in found]
            visit.faults = []

    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def seldom(bazaar: Bazaar) -> list[Seldom]:
    """Pages that people see once, or when something went wrong."""
    hub, token = bazaar.hub, bazaar.token
    invitation = hub.command("user", "add", "newcomer").removeprefix(hub.url)
    again = hub.command("user", "link", "newcomer").removeprefix(hub.url)
    reset = hub.command("user", "link", "mei").removeprefix(hub.url)
    block(hub, token)
    return [
        Seldom("an invitation", again, "input[name=password]"),
        Seldom("a reset", reset, "input[name=password]"),
        Seldom("a link that is over", invitation, ".blank h1", 404),
        Seldom("closed sign-up", "/sign-up", ".blank h1", 403),
        Seldom("not signed in", "/settings/tokens", ".blank a[href^='/sign-in']", 401),
        Seldom("not allowed", "/admin/people", ".blank h1", 403, bazaar.mei),
        Seldom("a part to come", "/jobs", ".blank h1", 404, bazaar.mei),
        Seldom("a program that asks", ask_for_device(hub), ".code-word", 200, bazaar.mei),
        Seldom("a blocked file", "/lin/blocked/blob/main/model.bin", ".note.fail", 200, bazaar.lin),
        Seldom("a folder with one", "/lin/blocked/tree/main", ".seal.clash", 200, bazaar.lin),
    ]


def ask_for_device(hub: Hub) -> str:
    """Begin as ``hf auth login`` does and return the page to open."""
    with urllib.request.urlopen(f"{hub.url}/oauth/device", b"client_id=hf") as answer:
        link: str = json.load(answer)["verification_uri_complete"]
    return link.removeprefix(hub.url)


def block(hub: Hub, token: str) -> None:
    """Block a file as the job does that hashes; ``tests/wire/test_blocked.py`` has that job."""
    lin = Sender(hub.url, token)
    lin.create("model", "lin/blocked", private=True)
    lin.commit_large("model", "lin/blocked", "model.bin", bytes(range(255)) * 9_000)
    with closing(sqlite3.connect(hub.folder / "jishi.db", timeout=30)) as conn, conn:
        changed = conn.execute(
            "UPDATE hub_content SET blocked_at = 1 WHERE repo_id ="
            " (SELECT id FROM hub_repo WHERE name = 'blocked')"
        )
        assert changed.rowcount == 1


def faults_of(visit: Visit, axe: str, look: Look) -> list[str]:
    """Return what is wrong with the page that is open."""
    assert visit.page.get_attribute("html", "lang") == look.locale
    found = too_wide(visit.page, look) + cut_commands(visit.page) + violations(visit.page, axe)
    found += visit.faults
    visit.faults = []
    return found


@pytest.mark.parametrize("look", LOOK_PARAMS)
def test_what_is_seldom_seen(
    browser: Browser, bazaar: Bazaar, seldom: list[Seldom], axe: str, look: Look
) -> None:
    faults: list[str] = []

    wanted = [each for index, each in enumerate(seldom) if looks_over(index, look)]
    for state in (None, bazaar.mei, bazaar.lin):
        with visiting(browser, bazaar.hub.url, look, state=state) as visit:
            for each in (each for each in wanted if each.state is state):
                page = visit.open(each.path, status=each.status)
                assert page.locator(each.shows).count() == 1, f"{each.name}: no {each.shows}"
                faults += [f"{each.name}: {fault}" for fault in faults_of(visit, axe, look)]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("look", ONCE, ids=str)
def test_a_token_on_the_one_page_that_shows_it(
    browser: Browser, bazaar: Bazaar, axe: str, look: Look
) -> None:
    with visiting(browser, bazaar.hub.url, look, state=bazaar.mei) as visit:
        page = visit.open("/settings/tokens")
        page.fill("form.panel input[name=name]", f"for {look}")
        page.click("form.panel button.go")
        expect(page.locator(".note code")).to_contain_text("hf_")

        assert faults_of(visit, axe, look) == []


@pytest.mark.parametrize("look", ONCE, ids=str)
def test_the_first_page_of_all_and_the_last(
    browser: Browser, axe: str, look: Look, tmp_path: Path
) -> None:
    with running(tmp_path / "data") as hub, visiting(browser, hub.url, look) as visit:
        page = visit.open(set_up_link(hub))
        assert page.locator("input[name=password]").count() == 1
        faults = faults_of(visit, axe, look)
        with closing(sqlite3.connect(hub.folder / "jishi.db", timeout=30)) as conn, conn:
            conn.execute("ALTER TABLE hub_repo RENAME TO lost")
        page = visit.open("/models", status=500)
        visit.faults = [each for each in visit.faults if "status of 500" not in each]
        assert page.locator(".blank code").count() == 1, "the number to give to somebody"
        faults += faults_of(visit, axe, look)

        assert faults == []


def test_axe_would_find_something(browser: Browser, bazaar: Bazaar, axe: str) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        page = visit.open("/sign-in")
        page.evaluate("document.querySelector('label').remove()")

        found = violations(page, axe)

    assert any(fault.startswith("label") for fault in found)


def test_a_cut_command_would_be_found(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url, SLICE[1], bypass_policy=True) as visit:
        page = visit.open("/")
        page.add_style_tag(content=".cmd pre { white-space: pre !important; width: 60px }")

        assert cut_commands(page)
