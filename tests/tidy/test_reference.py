"""The reference pages say what the code says."""

from __future__ import annotations

import pytest
from tools.reference import FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    file = FOLDER / name

    assert file.exists(), "run make docs"
    assert file.read_text(encoding="utf-8") == PAGES[name], "run make docs"
