"""Forget what has run out."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.people import tables

SLICE_MAX = 1000
"""Rows of a table that one call removes."""


def sweep(tx: Tx) -> int:
    """Remove sessions, links, devices and refresh tokens that do not work any more.

    Returns:
        How many; call again while it is not zero.
    """
    return sum(tx.conn.execute(statement, {"now": tx.now}).rowcount for statement in _SWEEPS)


def _statement(table: sa.Table) -> sa.Delete:
    dead = sa.select(table.c.sha256).where(table.c.expires_at <= sa.bindparam("now"))
    return sa.delete(table).where(table.c.sha256.in_(dead.limit(SLICE_MAX)))


_SWEEPS: Final = tuple(
    _statement(table) for table in (tables.sessions, tables.links, tables.devices, tables.refreshes)
)
