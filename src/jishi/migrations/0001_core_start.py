"""Events, jobs and leases."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME
from jishi.migrations.runner import Op

schema = sa.MetaData()

for table, key in (("core_event", "pos"), ("core_inbox", "seq")):
    sa.Table(
        table,
        schema,
        sa.Column(key, ID, primary_key=True, autoincrement=table == "core_inbox"),
        sa.Column("name", NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("actor", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", MICROS, nullable=False),
    )

sa.Table(
    "core_cursor",
    schema,
    sa.Column("consumer", NAME, primary_key=True),
    sa.Column("pos", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("at", MICROS, nullable=False),
)

job = sa.Table(
    "core_job",
    schema,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("key", NAME, unique=True),
    sa.Column("lane", NAME, nullable=False),
    sa.Column("run_at", MICROS, nullable=False),
    sa.Column("state", NAME, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("lease_by", NAME),
    sa.Column("lease_until", MICROS),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("args", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("done_at", MICROS),
    sa.CheckConstraint("state IN ('ready', 'running', 'done', 'failed')", name="state_known"),
)
sa.Index(
    "core_job_ready",
    job.c.lane,
    job.c.run_at,
    job.c.id,
    sqlite_where=job.c.state == "ready",
    postgresql_where=job.c.state == "ready",
)
sa.Index(
    "core_job_leased",
    job.c.lease_until,
    sqlite_where=job.c.state == "running",
    postgresql_where=job.c.state == "running",
)
sa.Index(
    "core_job_done",
    job.c.done_at,
    sqlite_where=job.c.state == "done",
    postgresql_where=job.c.state == "done",
)


def up(op: Op) -> None:
    """Create the tables every package stands on."""
    op.create(schema)
    op.forbid_change("core_event")
