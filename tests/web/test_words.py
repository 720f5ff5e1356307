"""Words of pages are complete in every language, and none is left over."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import jishi.web
from jishi.core.i18n import LOCALES
from jishi.web.templating import ENVIRONMENTS
from tests.tidy.test_words import marked_in


def sources() -> set[str]:
    env = ENVIRONMENTS["en"]
    found = set()
    for name in env.list_templates():
        for _, function, text in env.extract_translations(env.loader.get_source(env, name)[0]):
            found.add(text[1] if function == "ngettext" else _first(text))
    code = Path(jishi.web.__file__).parent.rglob("*.py")
    return found | {text for path in code for text in marked_in(path)}


def _first(text: object) -> str:
    return text if isinstance(text, str) else next(part for part in text if part)


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en"])
def test_every_word_of_a_page_is_translated_and_none_is_left_over(locale: str) -> None:
    with (files("jishi") / "locales" / locale / "web.po").open("rb") as file:
        translated = {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}

    assert set(translated) == sources()
    assert [source for source, text in translated.items() if not text] == []


def test_fields_are_the_same_in_both_languages() -> None:
    with (files("jishi") / "locales" / "zh-Hans" / "web.po").open("rb") as file:
        pairs = [(str(entry.id), str(entry.string)) for entry in read_po(file) if entry.id]

    def fields(text: str) -> list[str]:
        return sorted(part.partition(")s")[0] for part in text.split("%(")[1:])

    assert [source for source, text in pairs if fields(source) != fields(text)] == []
