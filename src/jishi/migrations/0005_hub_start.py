"""Repositories, their index, tags, likes and download days."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.hub import tables
from jishi.migrations.runner import Op

schema = sa.MetaData()
for table in (
    *(tables.repos, tables.aliases, tables.tags, tables.uses, tables.files, tables.commits),
    *(tables.pointers, tables.likes, tables.days),
):
    table.to_metadata(schema)


def up(op: Op) -> None:
    """Create the hub's own tables."""
    op.create(schema)
