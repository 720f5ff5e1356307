"""``datasets``: formats, streaming, and pushing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.clients import Client, Variant
from tests.clients.conftest import Place

WITH_DATASETS = Variant("datasets", "datasets")
CARD = """---
configs:
- config_name: parquet
  data_files: parquet/train.parquet
- config_name: csv
  data_files: csv/train.csv
- config_name: jsonl
  data_files: jsonl/train.jsonl
---
# Rows
"""


@pytest.fixture
def rows(place: Place, tmp_path: Path) -> Client:
    home = tmp_path / "rows"
    return Client(WITH_DATASETS, place.endpoint, home, place.lin, script="with_datasets")


def test_every_format_loads_whole_and_as_a_stream(rows: Client, repo: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    rows.call("write_formats", folder=str(folder))
    (folder / "README.md").write_text(CARD)
    rows.call("upload_folder", repo=repo, folder=str(folder), repo_type="dataset")
    expected = {"count": 200, "first": "row 0 行", "last": "row 199 行"}

    whole = [rows.call("load", repo=repo, config=name) for name in ("parquet", "csv", "jsonl")]
    streams = [
        rows.call("load", repo=repo, config=name, streaming=True)
        for name in ("parquet", "csv", "jsonl")
    ]

    assert whole == [expected] * 3
    assert streams == [expected] * 3


def test_pushed_rows_come_back_and_can_be_replaced(rows: Client, repo: str) -> None:
    assert rows.call("push", repo=repo) == [50, 70]
