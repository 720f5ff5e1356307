"""A Git store on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jishi.core.db import Database
from tests.git.shelf import Shelf


@pytest.fixture
def shelf(db: Database, tmp_path) -> Iterator[Shelf]:
    shelf = Shelf(db, tmp_path / "data")
    yield shelf
    shelf.close()
