"""Large contents of repositories and uploads in parts."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.hub.content import tables
from jishi.migrations.runner import Op

schema = sa.MetaData()
for table in (tables.contents, tables.digests, tables.uploads, tables.parts):
    table.to_metadata(schema)


def up(op: Op) -> None:
    """Create the tables of large contents."""
    op.create(schema)
