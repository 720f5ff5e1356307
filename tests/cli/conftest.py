"""One server for every test that does not care how it began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.running import Server, serving


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server nobody has set up; tests add people under names of their own."""
    with serving(tmp_path_factory.mktemp("cli") / "data", "--no-demo") as server:
        yield server
