"""The page for operators names every command and every setting."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jishi import people
from jishi.app.settings import _Stated
from tests.cli.running import jishi

PAGE = Path(__file__).parents[2] / "docs/en/reference/operating.md"
SETTINGS = [
    *(field.name for field in msgspec.structs.fields(_Stated) if field.name != "people"),
    *(f"people.{field.name}" for field in msgspec.structs.fields(people.Settings)),
]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "verb",
    ["serve", "user add", "user link", "token add", "org add", "org member add", "doctor"],
)
def test_every_option_of_every_verb_is_named(verb: str) -> None:
    told = jishi(*verb.split(), "--help").out
    options = {word.strip("[],") for word in told.split() if word.strip("[],").startswith("--")}
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `jishi {verb}")]

    assert len(lines) == 1
    assert options - {"--help", "--data"} <= {word.strip("[]`") for word in lines[0].split()}
