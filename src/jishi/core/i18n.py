"""Words: sources are English, marked by ``N_``; only the edges translate.

Translations lie in ``locales/<locale>/<package>.po``, one file per package that speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from babel import negotiate_locale
from babel.messages.pofile import read_po

from jishi.core.errors import Refusal

LOCALES = ("en", "zh-Hans")

FACTS_IN_WORDS: Final = frozenset(("accepted", "kind", "problem", "role"))
"""Facts of a refusal that are words of ours, not somebody's names."""


def N_(message: str) -> str:  # noqa: N802  (the gettext name for "extract, do not translate yet")
    """Mark a template for extraction and return it unchanged."""
    return message


def translate(message: str, locale: str) -> str:
    """Return ``message`` in ``locale``, or as it is where no translation exists."""
    return catalogue(locale).get(message, message)


def choose_locale(accepted: str) -> str:
    """Pick ours from an ``Accept-Language`` header, in the order given."""
    wished = [part.partition(";")[0].strip() for part in accepted.split(",")]
    wished = ["zh-Hans" if tag.lower().startswith("zh") else tag for tag in wished]
    return negotiate_locale(wished, LOCALES, sep="-") or "en"


@cache
def catalogue(locale: str) -> Mapping[str, str]:
    """Load all translations into ``locale``; English needs none."""
    words: dict[str, str] = {}
    if locale == "en":
        return words
    for source in sorted((files("jishi") / "locales" / locale).iterdir(), key=lambda f: f.name):
        with source.open("rb") as file:
            words |= {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}
    return words


def say_refusal(refusal: Refusal, locale: str) -> str:
    """Put a refusal into the words of ``locale``, its facts too where they are words of ours."""
    words = {
        name: translate(str(fact), locale)
        for name, fact in refusal.facts.items()
        if name in FACTS_IN_WORDS
    }
    return translate(refusal.text, locale).format_map(refusal.facts | words)
