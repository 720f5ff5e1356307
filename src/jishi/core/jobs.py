"""Work that runs later: a queue in the same database, with leases and fences.

A job is enqueued in the transaction that makes it necessary and finished in a transaction
of its own; whoever lost the lease (a dead node, a long pause) cannot finish it any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.sql import INSERT
from jishi.core.tables import jobs

LEASE_SECONDS = 30
HEARTBEAT_SECONDS = 10
ATTEMPTS_MAX = 5
CLAIM_MAX = 4
"""Jobs a node takes at once."""
DONE_DAYS = 7
"""How long a finished job keeps its key taken."""
_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed job.

    Attributes:
        args: As they were enqueued.
        attempt: 1 at the first run.
        fence: Proves that the lease is still ours.
    """

    id: int
    name: str
    args: dict[str, Any]
    attempt: int
    fence: int


Handler = Callable[[dict[str, Any]], Awaitable[None]]
"""Runs a job; idempotent, since a job may run twice."""


def enqueue(
    tx: Tx, name: str, args: Mapping[str, Any], *, key: str | None = None, delay_seconds: int = 0
) -> None:
    """Ask for ``name`` to be run with ``args``; a ``key`` that is taken asks for nothing."""
    row = {
        "name": name,
        "key": key,
        "lane": "default",
        "run_at": tx.now + delay_seconds * _SECOND,
        "state": "ready",
        "attempt": 0,
        "fence": 0,
        "args": msgspec.json.encode(args).decode(),
        "created_at": tx.now,
    }
    tx.conn.execute(INSERT[tx.conn.dialect.name](jobs).values(row).on_conflict_do_nothing())


def claim(tx: Tx, node: str) -> list[Job]:
    """Lease up to ``CLAIM_MAX`` jobs that are due to ``node``, after reviving lost ones."""
    tx.conn.execute(_REVIVE, {"now": tx.now})
    due = (
        sa.select(jobs.c.id)
        .where(jobs.c.state == "ready", jobs.c.lane == "default", jobs.c.run_at <= tx.now)
        .order_by(jobs.c.run_at, jobs.c.id)
        .limit(CLAIM_MAX)
        .with_for_update(skip_locked=True)
    )
    ids = list(tx.conn.execute(due).scalars())
    if not ids:
        return []
    lease = (
        sa.update(jobs)
        .where(jobs.c.id.in_(ids))
        .values(
            state="running",
            attempt=jobs.c.attempt + 1,
            fence=jobs.c.fence + 1,
            lease_by=node,
            lease_until=tx.now + LEASE_SECONDS * _SECOND,
        )
        .returning(jobs.c.id, jobs.c.name, jobs.c.args, jobs.c.attempt, jobs.c.fence)
    )
    rows = tx.conn.execute(lease).all()
    return [Job(r.id, r.name, msgspec.json.decode(r.args), r.attempt, r.fence) for r in rows]


def keep(tx: Tx, job: Job) -> bool:
    """Lengthen the lease; ``False`` means that it is lost."""
    until = {"lease_until": tx.now + LEASE_SECONDS * _SECOND}
    return _change(tx, job, until)


def finish(tx: Tx, job: Job) -> bool:
    """Mark ``job`` done; ``False`` means that the lease was lost: roll back."""
    return _change(tx, job, {"state": "done", "done_at": tx.now, "lease_until": None})


def fail(tx: Tx, job: Job, error: str) -> bool:
    """Put ``job`` back with a growing pause, or give it up after the last attempt."""
    if job.attempt >= ATTEMPTS_MAX:
        return _change(tx, job, {"state": "failed", "error": error, "done_at": tx.now})
    pause = min(3600, 5 * 4 ** (job.attempt - 1)) * _SECOND
    values = {"state": "ready", "run_at": tx.now + pause, "error": error, "lease_until": None}
    return _change(tx, job, values)


def release(tx: Tx, job: Job) -> bool:
    """Put ``job`` back untried, because the node that held it stops."""
    values = {"state": "ready", "attempt": job.attempt - 1, "lease_until": None}
    return _change(tx, job, values)


def revive_all(tx: Tx) -> None:
    """Put every running job back: nobody else can be running one when a node starts alone."""
    tx.conn.execute(
        sa.update(jobs).where(jobs.c.state == "running").values(state="ready", lease_until=None)
    )


def next_run(tx: Tx) -> int | None:
    """Return when the next job is due or loses its lease, microseconds UTC."""
    due = [tx.conn.execute(query).scalar_one() for query in (_NEXT_READY, _NEXT_LOST)]
    return min((instant for instant in due if instant is not None), default=None)


def sweep(tx: Tx) -> int:
    """Forget jobs that ended ``DONE_DAYS`` ago, a slice at a time."""
    old = (
        sa.select(jobs.c.id)
        .where(jobs.c.state == "done", jobs.c.done_at < tx.now - DONE_DAYS * 86400 * _SECOND)
        .limit(1000)
    )
    return tx.conn.execute(sa.delete(jobs).where(jobs.c.id.in_(old.scalar_subquery()))).rowcount


def count_failed(tx: Tx) -> int:
    """Return how many jobs were given up; ``doctor`` shows it."""
    query = sa.select(sa.func.count()).where(jobs.c.state == "failed")
    return int(tx.conn.execute(query).scalar_one())


def _change(tx: Tx, job: Job, values: Mapping[str, object]) -> bool:
    guarded = sa.update(jobs).where(
        jobs.c.id == job.id, jobs.c.fence == job.fence, jobs.c.state == "running"
    )
    return tx.conn.execute(guarded.values(**values)).rowcount == 1


_NEXT_LOST = sa.select(sa.func.min(jobs.c.lease_until)).where(jobs.c.state == "running")
_NEXT_READY = sa.select(sa.func.min(jobs.c.run_at)).where(
    jobs.c.state == "ready", jobs.c.lane == "default"
)
_REVIVE = (
    sa.update(jobs)
    .where(jobs.c.state == "running", jobs.c.lease_until < sa.bindparam("now"))
    .values(
        state=sa.case((jobs.c.attempt >= ATTEMPTS_MAX, "failed"), else_="ready"),
        error=sa.case((jobs.c.attempt >= ATTEMPTS_MAX, "its node died"), else_=jobs.c.error),
        done_at=sa.bindparam("now"),
        lease_until=None,
    )
)
