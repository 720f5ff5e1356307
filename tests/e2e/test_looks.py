"""Every page in every look: accessible, quiet under the policy, no wider than the window."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import LOOK_PARAMS, SLICE, Bazaar, Look, visiting
from tests.e2e.seed import LONG, LONG_BRANCH, LONG_FILE

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
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = (
    "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags},"
    " resultTypes: ['violations']})"
)


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
