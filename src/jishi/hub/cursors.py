"""Where a page ended: a sort key and a public id, as an opaque text."""

from __future__ import annotations

import base64
import struct
from typing import ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_


class BadCursor(Refusal):
    """The position was not made by this list."""

    code: ClassVar[str] = "hub.bad_cursor"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This page address is not valid any more. Start from the first page.")


def write_cursor(key: int, public_id: str) -> str:
    """Return the position after what has this sort key and public id.

    Rows are no part of it: their numbers would count what the reader may not see.
    """
    return base64.urlsafe_b64encode(_POSITION.pack(key, bytes.fromhex(public_id))).decode()


def read_cursor(cursor: str) -> tuple[int, str]:
    """Return sort key and public id of a position.

    Raises:
        BadCursor: If no list made it.
    """
    try:
        key, public_id = _POSITION.unpack(base64.b64decode(cursor, b"-_", validate=True))
    except (ValueError, struct.error) as error:
        raise BadCursor from error
    return key, public_id.hex()


_POSITION: Final = struct.Struct(">q12sx")
"""The last byte makes the text whole groups of four letters, without ``=``."""
