"""Other people's scripts are the ones the table names."""

from __future__ import annotations

import hashlib
import tomllib

import pytest
from tools.vendor import TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.parent.parent.name)
def test_vendored_files_are_those_of_the_table(table) -> None:
    entries = tomllib.loads(table.read_text(encoding="utf-8"))
    files = {file.name for file in table.parent.iterdir()} - {table.name}

    digests = {
        name: hashlib.sha256((table.parent / name).read_bytes()).hexdigest() for name in files
    }

    assert digests == {name: entry["sha256"] for name, entry in entries.items()}
    assert all(entry["licence"] for entry in entries.values())
