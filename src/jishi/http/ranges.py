"""Which bytes were asked for: one range, and conditions on the entity tag (RFC 9110)."""

from __future__ import annotations

import re
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*\Z", re.ASCII | re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_DIGITS_MAX: Final = 18
"""More digits than any size has; Python refuses to read thousands of them."""


def choose_range(header: str, size: int) -> tuple[int, int] | None:
    """Return ``(start, end)`` of the bytes a ``Range`` header asks for.

    ``None`` means everything: what is no single byte range is ignored, as the standard
    allows.  An empty range (``start == end``) cannot be satisfied.
    """
    match = _RANGE.match(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(_number(match[2]), size)
        return (size - length, size) if length or not _number(match[2]) else None
    start = _number(match[1])
    end = min(_number(match[2]) + 1, size) if match[2] else size
    if match[2] and _number(match[2]) < start:
        return None  # "5-3" is not a range
    return (start, end) if start < size else (size, size)


def is_match(header: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names the entity tag ``tag`` (weak comparison)."""
    if header.strip() == "*":
        return True
    plain = tag.removeprefix("W/")
    return bool(plain) and any(found[1] == plain for found in _TAG.finditer(header))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS_MAX else 10**_DIGITS_MAX
