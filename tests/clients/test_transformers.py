"""``transformers`` on the models of the demo, from a hub that serves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.clients import Client, Variant
from tests.clients.serving import Hub

WITH_TORCH = Variant("transformers", "transformers")


@pytest.fixture
def tomas(demo: Hub, tmp_path: Path) -> Client:
    token = demo.command("token", "add", "tomas", "--role", "write")
    return Client(WITH_TORCH, demo.url, tmp_path / "tomas", token, script="with_transformers")


def test_every_demo_model_loads(tomas: Client) -> None:
    repos = ["open-bazaar/market-tales", "tomas/market-tales-haggling", "linxia/stall-intents"]

    loaded = tomas.using(token="").call("load_all", repos=repos)

    assert [each["type"] for each in loaded] == ["llama", "llama", "bert"]
    assert {each["dtype"] for each in loaded} == {"torch.bfloat16"}
    assert all(each["finite"] and "灯" in each["back"] for each in loaded)


def test_the_models_do_what_their_cards_say(tomas: Client) -> None:
    texts = ["请问蜂蜜多少钱", "Thank you, the lamps are lovely!"]

    done = tomas.call("try_cards", texts=texts, start="In the evening")

    assert done["labels"] == ["price", "thanks"]
    told = done["told"]
    assert told.startswith("In the evening, ")
    assert told.endswith(".")


def test_a_pushed_model_comes_back_equal(tomas: Client) -> None:
    assert tomas.call("push", source="open-bazaar/market-tales", target="tomas/mine") is True
