"""What strangers upload runs no script, leads nowhere and poses as nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import Bazaar, visiting
from tests.payloads import PAYLOADS

WATCH = "window.pwned = () => { window.ran = true; };"


def test_a_card_of_all_payloads_runs_nothing(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        page = visit.open("/lin/hostile")
        page.wait_for_timeout(500)

        assert page.evaluate("window.ran") is None
        assert page.locator("article.prose").count() == 1
        assert page.locator("#main").evaluate("node => node.tagName") == "MAIN"
        assert visit.faults == []


@pytest.mark.wide
def test_each_payload_alone_runs_nothing(browser: Browser, bazaar: Bazaar) -> None:
    ran = []

    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        for index in range(len(PAYLOADS)):
            page = visit.open(f"/lin/hostile/blob/main/cards/{index:02}.md")
            page.wait_for_timeout(50)
            if page.evaluate("window.ran") or visit.faults:
                ran.append((PAYLOADS[index], visit.faults))

    assert ran == []


def test_links_of_a_hostile_card_lead_nowhere(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        page = visit.open("/lin/hostile")

        addresses = page.locator("article.prose a[href]").evaluate_all(
            "links => links.map(link => link.protocol)"
        )

    assert set(addresses) <= {"http:", "https:", "mailto:"}


@pytest.mark.parametrize("view", ["resolve/main/sign.svg", "raw/main/sign.svg"])
def test_a_picture_opened_alone_runs_nothing(browser: Browser, bazaar: Bazaar, view: str) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        answer = visit.page.goto(f"{bazaar.hub.url}/lin/hostile/{view}")
        visit.page.wait_for_timeout(300)

        assert answer is not None
        assert "sandbox" in (answer.header_value("content-security-policy") or "")
        assert visit.page.evaluate("window.ran") is None


def test_a_picture_in_a_page_runs_nothing(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        page = visit.open("/lin/hostile/blob/main/sign.svg")
        page.wait_for_timeout(300)

        assert page.evaluate("window.ran") is None
        assert page.locator("img[src$='sign.svg']").evaluate("image => image.naturalWidth") == 40
        assert visit.faults == []


@pytest.mark.parametrize("view", ["resolve", "raw"])
def test_a_page_is_handed_over_and_not_shown(browser: Browser, bazaar: Bazaar, view: str) -> None:
    with visiting(browser, bazaar.hub.url, state=bazaar.lin) as visit:
        page = visit.open("/lin/hostile/blob/main/page.html")
        assert page.locator("pre.code").inner_text().startswith("<!doctype html>")

        with page.expect_download() as download:
            page.evaluate(f"location.href = '/lin/hostile/{view}/main/page.html'")

        assert download.value.suggested_filename == "page.html"


def test_a_title_of_a_commit_is_text(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.add_init_script(WATCH)
        page = visit.open("/lin/hostile/commits/main")

        assert page.get_by_text("<script>pwned()</script>").count() == 1
        assert page.evaluate("window.ran") is None
