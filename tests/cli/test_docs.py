"""The page for operators names every command and every setting."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from jishi import people
from jishi.app.settings import _Stated
from tests.cli.running import jishi

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / f"docs/{language}/reference/operating.md" for language in ("en", "zh")]
SETTINGS = [
    *(field.name for field in msgspec.structs.fields(_Stated) if field.name != "people"),
    *(f"people.{field.name}" for field in msgspec.structs.fields(people.Settings)),
]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_explained(name: str) -> None:
    for page in PAGES:
        assert f"`{name}`" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", *map(str, PAGES)])
def test_links_between_pages_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in re.findall(r"\]\(([\w./-]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_readme_leads_to_the_page_for_operators() -> None:
    for name, page in zip(("README.md", "README.zh.md"), PAGES, strict=True):
        assert f"({page.relative_to(ROOT)})" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "verb",
    ["serve", "user add", "user link", "token add", "org add", "org member add", "doctor"],
)
def test_every_option_of_every_verb_is_named(verb: str) -> None:
    told = jishi(*verb.split(), "--help").out
    options = {word.strip("[],") for word in told.split() if word.strip("[],").startswith("--")}

    for page in PAGES:
        rows = page.read_text(encoding="utf-8").splitlines()
        lines = [line for line in rows if line.startswith(f"| `jishi {verb}")]
        assert len(lines) == 1
        assert options - {"--help", "--data"} <= {word.strip("[]`") for word in lines[0].split()}
