"""A consumer takes what the demo offers, with every client there is."""

from __future__ import annotations

from pathlib import Path

from tests.clients.clients import NEWEST, Client
from tests.clients.contents import hashes
from tests.clients.serving import Hub
from tests.clients.test_datasets import WITH_DATASETS
from tests.clients.test_transformers import WITH_TORCH

MODEL = "open-bazaar/market-tales"


def test_j3_a_consumer_reads_with_every_client(demo: Hub, tmp_path: Path) -> None:
    reader = Client(NEWEST, demo.url, tmp_path / "reader")
    torch = reader.using(variant=WITH_TORCH, script="with_transformers")
    rows = reader.using(variant=WITH_DATASETS, script="with_datasets")

    loaded = torch.call("load", repo=MODEL)
    messages = rows.call("load", repo="open-bazaar/stall-messages")
    reader.shell("hf", "download", MODEL, "--local-dir", str(tmp_path / "downloaded")).ok()
    reader.shell("git", "lfs", "install").ok()
    reader.shell("git", "clone", "-q", f"{demo.url}/{MODEL}", str(tmp_path / "cloned")).ok()

    assert (loaded["type"], messages["count"]) == ("llama", 620)
    assert hashes(tmp_path / "downloaded") == hashes(tmp_path / "cloned")
    assert reader.call("info", repo=MODEL, expand=["downloads"])["downloads"] >= 0
