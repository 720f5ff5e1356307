"""Schema of events, consumers and jobs."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME, metadata


def _stream(name: str, key: str, *, numbered: bool) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column(key, ID, primary_key=True, autoincrement=numbered),
        sa.Column("name", NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("actor", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", MICROS, nullable=False),
    )


events = _stream("core_event", "pos", numbered=False)
inbox = _stream("core_inbox", "seq", numbered=True)

cursors = sa.Table(
    "core_cursor",
    metadata,
    sa.Column("consumer", NAME, primary_key=True),
    sa.Column("pos", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("at", MICROS, nullable=False),
)

jobs = sa.Table(
    "core_job",
    metadata,
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
    jobs.c.lane,
    jobs.c.run_at,
    jobs.c.id,
    sqlite_where=jobs.c.state == "ready",
    postgresql_where=jobs.c.state == "ready",
)
sa.Index(
    "core_job_leased",
    jobs.c.lease_until,
    sqlite_where=jobs.c.state == "running",
    postgresql_where=jobs.c.state == "running",
)
sa.Index(
    "core_job_done",
    jobs.c.done_at,
    sqlite_where=jobs.c.state == "done",
    postgresql_where=jobs.c.state == "done",
)
