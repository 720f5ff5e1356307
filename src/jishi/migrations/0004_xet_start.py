"""Xorbs, files made of them and chunks to ask about."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.migrations.runner import Op
from jishi.xet import tables

schema = sa.MetaData()
for table in (
    tables.xorbs,
    tables.files,
    tables.members,
    tables.chunks,
    tables.senders,
    tables.epochs,
):
    table.to_metadata(schema)


def up(op: Op) -> None:
    """Create the tables of the Xet store."""
    op.create(schema)
