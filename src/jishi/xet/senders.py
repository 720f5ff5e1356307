"""Who sent which xorb: clients remember theirs for weeks and build on them without asking.

A sender had every byte, so nothing about the xorb is news to them.  To know a xorb's name
is no such thing: the name of a xorb with one chunk is that chunk's own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.sql import upsert
from jishi.xet import tables

SENT_DAYS: Final = 30
"""Clients forget what they sent after 21 days."""
FORGOTTEN_MAX: Final = 4
"""Old rows that one new row takes along, so that the table shrinks by itself."""
SLICE: Final = 500
_DAY: Final = 86_400_000_000


def note_sender(tx: Tx, xorb_id: int, sender: str) -> None:
    """Remember that somebody sent a xorb whole."""
    row = {"xorb_id": xorb_id, "sender": sender, "sent_at": tx.now}
    upsert(tx.conn, tables.senders, [row], update=["sent_at"])
    tx.conn.execute(_FORGET, {"until": tx.now - SENT_DAYS * _DAY})


def find_sent(tx: Tx, sender: str, xorb_ids: Collection[int]) -> set[int]:
    """Return those of some xorbs that somebody sent whole of late."""
    wanted = sorted(xorb_ids)
    found: set[int] = set()
    for start in range(0, len(wanted), SLICE):
        asked = {
            "sender": sender,
            "since": tx.now - SENT_DAYS * _DAY,
            "ids": wanted[start : start + SLICE],
        }
        found.update(tx.conn.execute(_SENT, asked).scalars())
    return found


_T: Final = tables.senders
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_SENT: Final = sa.select(_T.c.xorb_id).where(
    _T.c.sender == sa.bindparam("sender"),
    _T.c.xorb_id.in_(_IDS),
    _T.c.sent_at > sa.bindparam("since"),
)
_OLD: Final = (
    sa.select(_T.c.xorb_id, _T.c.sender)
    .where(_T.c.sent_at < sa.bindparam("until"))
    .order_by(_T.c.sent_at)
    .limit(FORGOTTEN_MAX)
    .with_for_update(skip_locked=True)
)
_FORGET: Final = sa.delete(_T).where(sa.tuple_(_T.c.xorb_id, _T.c.sender).in_(_OLD))
