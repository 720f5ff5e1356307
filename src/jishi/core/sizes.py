"""Sizes, as people read them."""

from __future__ import annotations

from functools import cache
from typing import Final

from babel.core import Locale
from babel.numbers import format_decimal

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_UNIT: Final = 1000


def say_bytes(count: int, locale: str) -> str:
    """Say bytes in decimal units: ``855 MB``."""
    amount, unit = float(count), 0
    while amount >= _UNIT - 0.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / _UNIT, unit + 1
    digits = 1 if unit and amount < 10 else 0  # noqa: PLR2004  (two figures are enough)
    text = format_decimal(round(amount, digits), locale=_parsed(locale))
    return f"{text} {_UNITS[unit]}"


@cache
def _parsed(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")
