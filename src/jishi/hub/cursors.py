"""Where a page ended: a sort key and a row, as an opaque text."""

from __future__ import annotations

import base64
from typing import ClassVar, Final

import msgspec

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_


class BadCursor(Refusal):
    """The position was not made by this list."""

    code: ClassVar[str] = "hub.bad_cursor"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This page address is not valid any more. Start from the first page.")


def write_cursor(key: int, row: int) -> str:
    """Return the position after the row with this sort key."""
    text = msgspec.json.encode([key, row])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, int]:
    """Return sort key and row of a position.

    Raises:
        BadCursor: If no list made it.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key, row = msgspec.json.decode(text, type=tuple[int, int])
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadCursor from error
    if max(abs(key), abs(row)) >= _INT64:
        raise BadCursor
    return key, row


_INT64: Final = 1 << 63
