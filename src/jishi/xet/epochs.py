"""Which address a person's clients find the store at.

Clients remember for three weeks which xorbs they uploaded, by address.  When a client
builds on data that is gone, its owner's number is raised, and the next run sends everything.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.sql import upsert
from jishi.xet import tables

EVERYBODY: Final = ""


def epoch_of(tx: Tx, scope: str) -> int:
    """Return the number in the address: 1, until it was raised for somebody or everybody."""
    return 1 + int(tx.conn.execute(_SUM, {"scopes": [EVERYBODY, scope]}).scalar_one())


def raise_epoch(tx: Tx, scope: str = EVERYBODY) -> None:
    """Let the clients of somebody, or of everybody, forget what they know of the store."""
    row = {"scope": scope, "number": 1}
    raised = {"number": lambda _new: tables.epochs.c.number + 1}
    upsert(tx.conn, tables.epochs, [row], update=raised)


_SUM: Final = sa.select(sa.func.coalesce(sa.func.sum(tables.epochs.c.number), 0)).where(
    tables.epochs.c.scope.in_(sa.bindparam("scopes", expanding=True))
)
