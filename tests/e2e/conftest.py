"""One browser, one hub with something in it, and the looks every page must bear."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, StorageState, sync_playwright

from tests.clients.alone import Alone, lonely
from tests.clients.serving import Hub, running
from tests.e2e.seed import fill

CHROMIUM = "/usr/bin/chromium"
NO_NAMES = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""The browser asks its makers for updates and more; what pages ask for, ``Visit`` sees."""
OF_CHROMIUM = "Ip6OutNoRoutes"
"""It asks the kernel again and again whether IPv6 leads anywhere."""
PASSWORD = "a kiln is hot at night"
WAIT_MS_MAX = 20_000


@dataclass(frozen=True)
class Look:
    """How somebody sees a page.

    Attributes:
        language: What the browser asks for.
        width: CSS pixels.
    """

    language: str
    width: int
    theme: str

    @property
    def locale(self) -> str:
        """Ours."""
        return "zh-Hans" if self.language.startswith("zh") else "en"

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.theme}"


SLICE = (Look("zh-CN", 1280, "light"), Look("en-GB", 390, "dark"))
LOOKS = tuple(
    Look(language, width, theme)
    for language in ("zh-CN", "en-GB")
    for width in (1280, 390)
    for theme in ("light", "dark")
)
LOOK_PARAMS = [
    pytest.param(look, id=str(look), marks=() if look in SLICE else pytest.mark.wide)
    for look in LOOKS
]
"""Two of eight in `make test`; all in `make e2e`."""


@dataclass
class Visit:
    """A page and what went wrong in it.

    Attributes:
        faults: Errors of the console and of scripts, requests that failed, and other hosts.
    """

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str, *, status: int = 200) -> Page:
        """Go to an address of the hub and expect a status."""
        answer = self.page.goto(self.base + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page


@dataclass(frozen=True)
class Bazaar:
    """A filled hub and a browser's state for two people.

    Attributes:
        lin: Signed in, an administrator.
        mei: Signed in, nobody special.
    """

    hub: Hub
    token: str
    lin: StorageState
    mei: StorageState


class _Loop:
    """The event loop that playwright keeps running in the thread of all tests.

    While it runs there, ``asyncio.run`` of other suites is refused; so it is put away between
    the tests of this one.
    """

    def __init__(self) -> None:
        self._own: asyncio.AbstractEventLoop | None = None

    def take(self) -> None:
        asyncio._set_running_loop(self._own)  # noqa: SLF001  (asyncio has no other way)

    def put_away(self) -> None:
        self._own = asyncio._get_running_loop()  # noqa: SLF001
        asyncio._set_running_loop(None)  # noqa: SLF001


_loop = _Loop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright
        _loop.take()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    _loop.take()
    browser.close()


@dataclass(frozen=True)
class Island:
    """A network with nothing but loopback, and a browser in it."""

    network: Alone
    browser: Browser


@pytest.fixture(scope="session")
def inhabited(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Island]:
    with lonely() as network:
        chromium = tmp_path_factory.mktemp("chromium") / "chromium"
        chromium.write_text(f'#!/bin/sh\nexec {shlex.join(network.words)} {CHROMIUM} "$@"\n')
        chromium.chmod(0o755)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", f"--host-resolver-rules={NO_NAMES}"]
        )
        yield Island(network, browser)
        _loop.take()
        browser.close()


@pytest.fixture
def island(inhabited: Island) -> Iterator[Island]:
    """The same for one test, which fails if anything tried to reach another host."""
    before = inhabited.network.attempts(but=OF_CHROMIUM)
    yield inhabited
    assert inhabited.network.attempts(but=OF_CHROMIUM) == before


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before fixtures of any scope; pytest asks this folder only about its own tests."""
    _loop.take()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    _loop.put_away()


@contextmanager
def visiting(
    browser: Browser,
    base: str,
    look: Look = SLICE[0],
    *,
    state: StorageState | None = None,
    scripts: bool = True,
    bypass_policy: bool = False,
) -> Iterator[Visit]:
    """Open a fresh window; what goes wrong in it is kept."""
    context = browser.new_context(
        locale=look.language,
        viewport={"width": look.width, "height": 800},
        color_scheme=look.theme,  # type: ignore[arg-type]
        storage_state=state,
        java_script_enabled=scripts,
        bypass_csp=bypass_policy,
        has_touch=look.width < 600,
    )
    context.set_default_timeout(WAIT_MS_MAX)
    page = context.new_page()
    visit = Visit(page, base)
    page.on("console", lambda said: _hear(visit, said.type, said.text))
    page.on("pageerror", lambda error: visit.faults.append(f"script: {error}"))
    page.on("request", lambda sent: _watch(visit, sent.url))
    try:
        yield visit
    finally:
        context.close()


def _hear(visit: Visit, kind: str, text: str) -> None:
    if kind in {"error", "warning"} and "the server responded with a status of 4" not in text:
        visit.faults.append(f"{kind}: {text}")


def _watch(visit: Visit, url: str) -> None:
    if not url.startswith((visit.base, "data:", "blob:", "chrome-error:", "about:")):
        visit.faults.append(f"asked elsewhere: {url}")


def choose_password(browser: Browser, hub: Hub, link: str) -> StorageState:
    """Follow an invitation and return the state of the browser that is now signed in."""
    with visiting(browser, hub.url) as visit:
        page = visit.open(link.removeprefix(hub.url))
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.go")
        page.wait_for_url(hub.url + "/")
        return page.context.storage_state()


@pytest.fixture(scope="session")
def bazaar(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    """A hub with people, models and things that try to hurt."""
    with running(tmp_path_factory.mktemp("bazaar") / "data") as hub:
        lin = hub.command("user", "add", "lin", "--full-name", "林青", "--admin")
        mei = hub.command("user", "add", "mei", "--full-name", "梅")
        hub.command("org", "add", "longquan", "--full-name", "龙泉实验室")
        hub.command("org", "member", "add", "longquan", "lin", "--role", "admin")
        hub.command("org", "member", "add", "longquan", "mei", "--role", "read")
        token = hub.command("token", "add", "lin", "--role", "write")
        fill(hub, token)
        yield Bazaar(
            hub, token, choose_password(browser, hub, lin), choose_password(browser, hub, mei)
        )


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def set_up_link(hub: Hub) -> str:
    """Return the link a fresh hub prints, without its origin."""
    said = "\n".join(hub.said)
    found = re.search(r"(/set-up/\S+)", said)
    assert found, said
    return found[1]
