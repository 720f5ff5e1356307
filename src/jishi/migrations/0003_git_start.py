"""Refs, packs and which repository has them."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.git import tables
from jishi.migrations.runner import Op

schema = sa.MetaData()
for table in (tables.repos, tables.refs, tables.packs, tables.members, tables.uploads):
    table.to_metadata(schema)


def up(op: Op) -> None:
    """Create the tables of the Git store."""
    op.create(schema)
