"""The language of a terminal."""

from __future__ import annotations

from collections.abc import Mapping


def locale_of(environment: Mapping[str, str]) -> str:
    """Return ``zh-Hans`` for a Chinese terminal, else ``en``."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    told = next((environment[name] for name in names if environment.get(name)), "")
    return "zh-Hans" if told.lower().startswith("zh") else "en"
