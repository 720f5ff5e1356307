"""Pkt-lines: how Git's protocol cuts a stream (gitprotocol-common(5))."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

FLUSH: Final = b"0000"
DELIMITER: Final = b"0001"
LENGTH_BYTES: Final = 4
PACKET_BYTES_MAX: Final = 65_520
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


class BadRequest(Refusal):
    """The client does not speak Git's protocol."""

    code: ClassVar[str] = "git.bad_request"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This is no request of the Git protocol: {problem}.")


def packet(text: bytes) -> bytes:
    """Return ``text`` as one pkt-line."""
    return b"%04x%b" % (len(text) + LENGTH_BYTES, text)


def split(data: bytes) -> Iterator[bytes | None]:
    """Yield the content of each pkt-line, ``None`` for a delimiter, until the flush.

    A line feed at the end of a line does not count.

    Raises:
        BadRequest: If the stream is cut, never flushed, or its lengths are none.
    """
    start = 0
    while start < len(data):
        head = data[start : start + LENGTH_BYTES]
        if len(head) != LENGTH_BYTES or not _HEX.issuperset(head):
            raise BadRequest(problem="a length is not four hex digits")
        length = int(head, 16)
        if head == FLUSH:
            return
        if head == DELIMITER:
            yield None
            start += LENGTH_BYTES
            continue
        if not LENGTH_BYTES <= length <= PACKET_BYTES_MAX or start + length > len(data):
            raise BadRequest(problem="a line is cut short or too long")
        yield data[start + LENGTH_BYTES : start + length].removesuffix(b"\n")
        start += length
    raise BadRequest(problem="it ends without a flush")
