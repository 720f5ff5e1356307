"""People arrive, look around, publish, and manage, in a browser beside the real programs.

All of them are in a network with nothing but loopback, and nothing tries to leave it.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tools.envs import python_of

from tests.clients.serving import Hub, plain_environment
from tests.e2e.conftest import LOOK_PARAMS, PASSWORD, Island, Look, set_up_link, visiting

COMMAND_SECONDS_MAX = 120
NO_NEWS = {"HF_HUB_DISABLE_UPDATE_CHECK": "1"}
"""Otherwise ``hf`` asks a package index whether there is a newer one."""


@pytest.fixture
def fresh(island: Island, tmp_path: Path):
    """A hub in a bare folder, as the README starts it: with the demo."""
    hub = Hub(tmp_path / "data", options=(), within=island.network.words)
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def bare(island: Island, tmp_path: Path):
    """A hub without anything."""
    hub = Hub(tmp_path / "data", within=island.network.words)
    hub.start()
    yield hub
    hub.kill()


@pytest.mark.parametrize("look", LOOK_PARAMS)
def test_j1_a_newcomer_finds_a_living_bazaar(island: Island, fresh: Hub, look: Look) -> None:
    name, password = _demo_login(fresh)
    with visiting(island.browser, fresh.url, look) as visit:
        page = visit.open("/")
        assert page.locator("ul.rows a.name").count() >= 4

        page.locator("a.name").filter(has_text="market-tales").last.click()
        expect(page.locator("article.prose h2").first).to_be_visible()
        assert f"export HF_ENDPOINT={fresh.url}" in page.locator(".pick").inner_text()
        page.locator(".tabs a").nth(1).click()
        page.get_by_role("link", name="config.json", exact=True).click()
        expect(page.locator("pre.code")).to_contain_text("LlamaForCausalLM")
        page.locator(".tabs a").nth(2).click()
        assert page.locator("ul.rows a.name").count() >= 2
        page.locator("ul.rows a.name").first.click()
        expect(page.locator("table.diff").first).to_be_visible()

        visit.open("/sign-in?next=/models")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", password)
        page.click("main button.go")
        page.wait_for_url(fresh.url + "/models")

        assert visit.faults == []


@pytest.mark.parametrize("look", LOOK_PARAMS)
def test_j2_a_publisher_comes_and_shows_a_model(
    island: Island, bare: Hub, tmp_path: Path, look: Look
) -> None:
    link = set_up_link(bare)
    with visiting(island.browser, bare.url, look) as visit:
        page = visit.open(link)
        _fill(page, name="lin", full_name="林青", password=PASSWORD)
        page.wait_for_url(bare.url + "/")
        visit.open("/admin/people")
        _fill(page, name="mei", full_name="梅")
        invitation = page.locator(".note code").inner_text()
        faults = visit.faults

    with visiting(island.browser, bare.url, look) as visit:
        page = visit.open(invitation.removeprefix(bare.url))
        _fill(page, password=PASSWORD)
        page.wait_for_url(bare.url + "/")
        visit.open("/settings/tokens")
        page.check("input[value=write]")
        _fill(page, name="laptop")
        token = page.locator(".note code").inner_text()
        _upload(bare, tmp_path, token)
        page = visit.open("/mei/first")

        expect(page.locator("article.prose h2")).to_have_text("First")
        page.locator(".tabs a").nth(1).click()
        expect(page.get_by_role("link", name="weights.bin")).to_be_visible()
        page.get_by_role("link", name="weights.bin").click()
        expect(page.locator(".kv code")).to_have_text(re.compile("[0-9a-f]{64}"))
        assert faults + visit.faults == []


def test_a_repository_is_renamed_and_deleted_in_the_browser(island: Island, bare: Hub) -> None:
    with visiting(island.browser, bare.url) as visit:
        page = visit.open(set_up_link(bare))
        _fill(page, name="lin", password=PASSWORD)
        page.wait_for_url(bare.url + "/")
        visit.open("/new")
        _fill(page, name="silk")
        page.wait_for_url(bare.url + "/lin/silk")
        visit.open("/lin/silk/settings")
        page.locator("input[name=name]").fill("satin")
        page.locator("form[action$='/move'] button").click()
        page.wait_for_url(bare.url + "/lin/satin/settings?done=move")
        page.locator("input[name=typed]").fill("lin/satin")
        page.locator("form[action$='/delete'] button").click()
        page.wait_for_url(bare.url + "/lin?done=deleted")
        expect(page.get_by_role("status")).to_contain_text("仓库及其文件和历史已删除")

        assert page.locator(".blank").count() == 1
        assert visit.faults == []


def _fill(page, **fields: str) -> None:
    """Fill the form that has the page's one green button, and send it."""
    form = page.locator("main form").filter(has=page.locator("button.go")).first
    for name, value in fields.items():
        form.locator(f"input[name={name}]").fill(value)
    form.locator("button.go").click()


def _upload(hub: Hub, folder: Path, token: str) -> None:
    """Send a folder with the newest client, as somebody would type it."""
    model = folder / "model"
    model.mkdir()
    (model / "README.md").write_text("---\nlicense: mit\n---\n# First\n")
    (model / "weights.bin").write_bytes(bytes(range(256)) * 9_000)
    hf = python_of("hub-2.4").with_name("hf")
    environment = plain_environment(folder) | {"HF_ENDPOINT": hub.url, **NO_NEWS}
    for words in (["auth", "login", "--token", token], ["upload", "mei/first", str(model), "."]):
        done = subprocess.run(
            [*hub.within, str(hf), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _demo_login(hub: Hub) -> tuple[str, str]:
    start = hub.said.index("Demo log-ins, shown only now:")
    name, password = hub.said[start + 1].split()
    return name, password
