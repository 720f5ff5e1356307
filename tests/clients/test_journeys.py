"""A consumer takes what the demo offers, with every client there is.

All of it happens in a network with nothing but loopback; the other journeys are a browser's.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import jishi
from tests.clients.alone import Alone
from tests.clients.clients import NEWEST, Client
from tests.clients.contents import hashes
from tests.clients.serving import Hub
from tests.clients.test_datasets import WITH_DATASETS, digest_of
from tests.clients.test_transformers import WITH_TORCH

MODEL, ROWS = "open-bazaar/market-tales", "open-bazaar/stall-messages"
SHIPPED = Path(jishi.__file__).parent / "app" / "demo" / "content"
COUNTED_SECONDS_MAX = 20
"""Downloads are written down every 5 s."""


def test_j3_a_consumer_reads_with_every_client(alone: Alone, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub" / "data", options=(), within=alone.words)
    hub.folder.parent.mkdir()
    hub.start()
    try:
        reader = Client(NEWEST, hub.url, tmp_path / "reader", within=alone.words)
        torch = reader.using(variant=WITH_TORCH, script="with_transformers")
        rows = reader.using(
            variant=WITH_DATASETS,
            script="with_datasets",
        )

        reader.shell("hf", "download", MODEL, "--local-dir", str(tmp_path / "downloaded")).ok()
        loaded = torch.call("load", repo=MODEL)
        messages = rows.call("load_quietly", repo=ROWS)
        reader.shell("git", "lfs", "install").ok()
        reader.shell("git", "clone", "-q", f"{hub.url}/{MODEL}", str(tmp_path / "cloned")).ok()

        assert loaded["type"] == "llama"
        assert (messages["count"], messages["digest"]) == (620, digest_of_shipped_texts())
        downloaded = hashes(tmp_path / "downloaded")
        assert downloaded == hashes(tmp_path / "cloned")
        assert (
            downloaded["model.safetensors"] == hashes(SHIPPED / "market-tales")["model.safetensors"]
        )
        assert counted_downloads(reader, MODEL) >= 1
        assert counted_downloads(reader, ROWS, repo_type="dataset") >= 1
        assert not [line for line in hub.said if "Traceback" in line]
        assert alone.attempts() == {}
    finally:
        hub.kill()


def digest_of_shipped_texts() -> str:
    lines = (SHIPPED / "stall-messages" / "data" / "train.jsonl").read_text(encoding="utf-8")
    texts = [json.loads(line)["text"] for line in lines.splitlines()]
    return digest_of(texts)


def counted_downloads(reader: Client, repo: str, **more: str) -> int:
    """Wait until downloads are written down and return how many were counted."""
    until = time.monotonic() + COUNTED_SECONDS_MAX
    while True:
        count: int = reader.call("info", repo=repo, expand=["downloads"], **more)["downloads"]
        if count or time.monotonic() > until:
            return count
