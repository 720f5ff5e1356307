"""What scripts add, and that all goes without them."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import PASSWORD, SLICE, Bazaar, visiting

CHAT = "/longquan/celadon-chat"


def test_reading_searching_and_forms_need_no_script(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url, scripts=False) as visit:
        page = visit.open("/")
        page.fill(".find input", "celadon")
        page.press(".find input", "Enter")
        page.locator("a.name").filter(has_text="celadon-chat").click()
        page.locator(".pick label").nth(1).click()
        expect(page.locator(".pick .pane").nth(1)).to_be_visible()
        expect(page.locator(".pick .pane").first).to_be_hidden()
        assert page.locator(".copy:visible").count() == 0
        visit.open("/sign-in?next=/settings/tokens")
        page.fill("input[name=name]", "lin")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.go")
        page.fill("input[name=name]", "without a script")
        page.click("main form.panel button.go")
        expect(page.locator(".note code")).to_contain_text("hf_")
        row = page.locator("tr").filter(has_text="without a script")
        row.locator("summary").click()  # it asks first
        row.locator("button").click()
        expect(page.get_by_text("without a script")).to_have_count(0)
        page.locator(".me > a.btn.bare").nth(1).click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.locator(".me > a.btn.bare").first.click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.locator(".me summary").click()
        page.locator("form[action='/sign-out'] button").click()
        expect(page.locator(".me a.go")).to_be_visible()


def test_a_command_is_copied(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visit.open(CHAT)
        page.locator(".pick .copy").first.click()

        expect(page.locator(".pick .copy span").first).to_have_text("已复制")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.splitlines()[-1] == "hf download longquan/celadon-chat"
        assert visit.faults == []


def test_keys_find_and_go_but_not_while_typing(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        page = visit.open("/")
        page.keyboard.press("/")
        expect(page.locator(".find input")).to_be_focused()
        page.keyboard.type("gm")
        assert page.url == bazaar.hub.url + "/"
        page.locator("main").focus()
        page.keyboard.press("g")
        page.keyboard.press("d")
        page.wait_for_url(bazaar.hub.url + "/datasets")


def test_the_theme_changes_at_once_and_stays(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url, SLICE[1]) as visit:
        page = visit.open("/")
        page.locator("[data-theme-next]").click()

        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        assert page.url == bazaar.hub.url + "/"
        visit.open("/models")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_menus_close_on_escape_and_elsewhere(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        page = visit.open(f"{CHAT}/tree/main")
        menu = page.locator("main details.menu")
        menu.locator("summary").click()
        expect(menu).to_have_attribute("open", "")
        page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        expect(menu.locator("summary")).to_be_focused()
        menu.locator("summary").click()
        page.locator("h1").click()
        expect(menu).not_to_have_attribute("open", "")


def test_every_stop_of_the_keyboard_shows_a_ring(browser: Browser, bazaar: Bazaar) -> None:
    with visiting(browser, bazaar.hub.url) as visit:
        page = visit.open(CHAT)
        bare = []
        for _ in range(40):
            page.keyboard.press("Tab")
            ring = page.evaluate(
                "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
                " const l = e.closest('.pick label');"
                " return s.outlineStyle !== 'none' || (l && getComputedStyle(l).outlineStyle"
                " !== 'none') || e === document.body ? '' : e.outerHTML.slice(0, 80); })()"
            )
            bare += [ring] if ring else []

    assert bare == []
