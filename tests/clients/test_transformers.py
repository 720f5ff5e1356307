"""``transformers`` on the models of the demo, from a hub that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.clients import Client, Variant
from tests.clients.serving import Hub

WITH_TORCH = Variant("transformers", "transformers")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """What ``jishi serve`` shows in an empty folder."""
    hub = Hub(tmp_path_factory.mktemp("demo") / "data", options=())
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def tomas(demo: Hub, tmp_path: Path) -> Client:
    token = demo.command("token", "add", "tomas", "--role", "write")
    return Client(WITH_TORCH, demo.url, tmp_path / "tomas", token, script="with_transformers")


@pytest.mark.parametrize(
    ("repo", "kind"),
    [
        ("open-bazaar/market-tales", "llama"),
        ("tomas/market-tales-haggling", "llama"),
        ("linxia/stall-intents", "bert"),
    ],
)
def test_every_demo_model_loads(tomas: Client, repo: str, kind: str) -> None:
    loaded = tomas.using(token="").call("load", repo=repo)

    assert (loaded["type"], loaded["dtype"]) == (kind, "torch.bfloat16")
    assert loaded["finite"]
    assert "灯" in loaded["back"]


def test_the_models_do_what_their_cards_say(tomas: Client) -> None:
    texts = ["请问蜂蜜多少钱", "Thank you, the lamps are lovely!"]

    labels = tomas.call("classify", repo="linxia/stall-intents", texts=texts)
    told = tomas.call("tell", repo="open-bazaar/market-tales", start="In the evening")

    assert labels == ["price", "thanks"]
    assert told.startswith("In the evening, ")
    assert told.endswith(".")


def test_a_pushed_model_comes_back_equal(tomas: Client) -> None:
    assert tomas.call("push", source="open-bazaar/market-tales", target="tomas/mine") is True
