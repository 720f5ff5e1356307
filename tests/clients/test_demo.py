"""The demo: its models are what its script makes, and a killed start loads it all the same."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tools.envs import python_of

import jishi
from tests.clients.clients import NEWEST, Client
from tests.clients.contents import sha256
from tests.clients.serving import Hub, plain_environment

CONTENT = Path(jishi.__file__).parent / "app" / "demo" / "content"
BYTES_MAX = 5_000_000
TRAINING_SECONDS_MAX = 60


def test_training_again_gives_the_same_bytes(tmp_path: Path) -> None:
    began = time.perf_counter()

    subprocess.run(
        [python_of("transformers"), CONTENT / "training" / "train.py", "tales", tmp_path / "tales"],
        check=True,
        timeout=5 * TRAINING_SECONDS_MAX,
        env=plain_environment(tmp_path),
    )

    assert time.perf_counter() - began < TRAINING_SECONDS_MAX
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert sha256(tmp_path / "tales" / name) == sha256(CONTENT / "market-tales" / name)


def test_the_cards_name_the_bytes_that_ship() -> None:
    for name in ("market-tales", "market-tales-haggling", "stall-intents"):
        card = (CONTENT / name / "README.md").read_text(encoding="utf-8")
        assert sha256(CONTENT / name / "model.safetensors") in card


def test_the_demo_is_small() -> None:
    assert sum(file.stat().st_size for file in CONTENT.rglob("*") if file.is_file()) < BYTES_MAX


def test_the_demo_has_people_history_a_branch_and_a_tag(demo: Hub, tmp_path: Path) -> None:
    reader = Client(NEWEST, demo.url, tmp_path / "reader")

    models = reader.call("models")
    refs = reader.call("refs", repo="open-bazaar/market-tales")
    data = reader.call("refs", repo="open-bazaar/stall-messages", repo_type="dataset")
    fine_tune = reader.call("info", repo="tomas/market-tales-haggling")
    logins = [line.split() for line in demo.said if line.startswith(("  linxia ", "  tomas "))]

    assert len(models) == 3
    assert len(reader.call("commits", repo="open-bazaar/market-tales")) == 4
    assert list(refs["tags"]) == ["v1.0"]
    assert set(data["branches"]) == {"main", "goods"}
    assert "base_model:finetune:open-bazaar/market-tales" in fine_tune["tags"]
    assert [len(words) for words in logins] == [2, 2]


def test_a_start_that_was_killed_while_loading_loads_again(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "data", options=())
    process = hub.begin()
    begun = hub.folder / "demo-unfinished"
    while not begun.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(0.2)
    hub.kill()
    was_unfinished = begun.exists()

    hub.start()

    try:
        reader = Client(NEWEST, hub.url, tmp_path / "reader")
        assert was_unfinished
        assert not begun.exists()
        assert len(reader.call("models")) == 3
        assert len(reader.call("commits", repo="open-bazaar/market-tales")) == 4
        assert any(line.startswith("  linxia ") for line in hub.said)
    finally:
        hub.kill()
