"""``datasets``: formats, streaming, and pushing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.clients.clients import Client, Variant
from tests.clients.conftest import Place
from tests.clients.serving import Hub

WITH_DATASETS = Variant("datasets", "datasets")


def digest_of(texts: list[str]) -> str:
    """Hash rows as ``calls/with_datasets.py`` does."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@pytest.fixture
def rows(place: Place, tmp_path: Path) -> Client:
    home = tmp_path / "rows"
    return Client(WITH_DATASETS, place.endpoint, home, place.lin, script="with_datasets")


def test_every_format_loads_whole_and_as_a_stream(rows: Client, repo: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    rows.call("write_formats", folder=str(folder))
    formats = ("parquet", "csv", "jsonl")
    for name in formats:
        part = {"folder": str(folder / name), "repo_type": "dataset"}
        rows.call("upload_folder", repo=f"{repo}-{name}", **part)

    names = [f"{repo}-{name}" for name in formats]
    whole = rows.call("load_all", repos=names)
    streams = rows.call("load_all", repos=names, streaming=True)

    texts = [f"row {number} 行" for number in range(200)]
    expected = {"count": 200, "first": texts[0], "last": texts[-1], "digest": digest_of(texts)}
    assert whole == streams == [expected] * 3


def test_the_data_set_of_the_demo_loads_as_its_card_says(demo: Hub, tmp_path: Path) -> None:
    reader = Client(WITH_DATASETS, demo.url, tmp_path / "reader", script="with_datasets")

    messages = reader.call("load", repo="open-bazaar/stall-messages", split="test")
    goods = reader.call("load", repo="open-bazaar/stall-messages", config="goods", column="name_zh")

    assert messages["count"] == 69
    assert (goods["count"], goods["first"], goods["last"]) == (8, "碗", "橘子")


def test_pushed_rows_come_back_and_can_be_replaced(rows: Client, repo: str) -> None:
    assert rows.call("push", repo=repo) == [50, 70]
