"""Links to bytes of a xorb: they carry no token, so each is the right to exactly its range.

A xorb may hold chunks of many repositories; what lies beside the range is not for whoever
has the link.
"""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from jishi import xet
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.signing import Keys
from jishi.hub.cas.passes import SECOND, Pass
from jishi.hub.repos import still_open

LINK_SECONDS: Final = 3600
_PURPOSE: Final = "hub.cas-data"


class DataLinkInvalid(Refusal):
    """The link was not made here, is over, or is for other bytes; clients ask for a new one."""

    code: ClassVar[str] = "hub.cas_link_invalid"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("This link is not valid for these bytes.")


class Span(msgspec.Struct, frozen=True, array_like=True):
    """What a link says, sealed: bytes ``start`` to ``stop`` of one packing of a xorb.

    ``until`` in seconds since 1970 UTC; ``repo``, ``by`` and ``token`` are those of the pass.
    """

    hash: bytes
    tag: bytes
    start: int
    stop: int
    until: int
    repo: str
    by: str
    token: str

    @property
    def key(self) -> str:
        """Key of the object."""
        return xet.xorb_key(self.hash, self.tag)


def seal_spans(keys: Keys, plan: xet.Plan, opened: Pass, now: int) -> list[str]:
    """Return a seal for each fetch of a plan."""
    until = now // SECOND + LINK_SECONDS
    return [
        keys.seal(
            _PURPOSE,
            Span(
                fetch.xorb.hash,
                fetch.xorb.tag,
                fetch.start,
                fetch.stop,
                until,
                opened.repo,
                opened.by,
                opened.token,
            ),
        )
        for fetch in plan.fetches
    ]


def open_span(tx: Tx, keys: Keys, sealed: str, start: int, stop: int) -> Span:
    """Check a link for bytes ``start`` to ``stop`` (exclusive).

    Raises:
        DataLinkInvalid: If it is not good for all of them.
    """
    span = keys.unseal(_PURPOSE, sealed, Span)
    if span is None or span.until <= tx.now // SECOND:
        raise DataLinkInvalid
    if not span.start <= start < stop <= span.stop:
        raise DataLinkInvalid
    if still_open(tx, span.repo, span.by, span.token) is None:
        raise DataLinkInvalid
    return span
