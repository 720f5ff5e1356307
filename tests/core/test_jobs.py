"""A job runs, once if all goes well, and never for somebody who lost its lease."""

from __future__ import annotations

import pytest

from jishi.core import jobs
from jishi.core.db import Database, Mode


def enqueue(db: Database, name: str = "tests.work", key: str | None = None, delay: int = 0) -> None:
    with db.begin(Mode.WRITE) as tx:
        jobs.enqueue(tx, name, {"x": 1}, key=key, delay_seconds=delay)


def claim(db: Database, node: str = "a") -> list[jobs.Job]:
    with db.begin(Mode.WRITE) as tx:
        return jobs.claim(tx, node)


def test_a_job_is_claimed_once_and_finished(db: Database) -> None:
    enqueue(db)

    (job,) = claim(db)
    again = claim(db, "b")
    with db.begin(Mode.WRITE) as tx:
        done = jobs.finish(tx, job)

    assert (job.name, job.args, job.attempt) == ("tests.work", {"x": 1}, 1)
    assert again == []
    assert done
    assert claim(db) == []


def test_a_key_asks_once(db: Database) -> None:
    enqueue(db, key="k")
    enqueue(db, key="k")

    assert len(claim(db)) == 1


def test_a_rolled_back_transaction_asks_for_nothing(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.begin(Mode.WRITE) as tx:
        jobs.enqueue(tx, "tests.work", {})
        raise ZeroDivisionError

    assert claim(db) == []


def test_a_delayed_job_waits(db: Database, clock) -> None:
    enqueue(db, delay=60)

    assert claim(db) == []
    clock.forward(61)
    assert len(claim(db)) == 1


def test_a_dead_nodes_job_is_taken_over_and_the_dead_cannot_finish_it(db: Database, clock) -> None:
    enqueue(db)
    (lost,) = claim(db, "dead")
    clock.forward(jobs.LEASE_SECONDS + 1)

    (taken,) = claim(db, "alive")
    with db.begin(Mode.WRITE) as tx:
        ghost = jobs.finish(tx, lost)
        kept = jobs.keep(tx, taken)
        done = jobs.finish(tx, taken)

    assert (ghost, kept, done) == (False, True, True)
    assert taken.attempt == 2


def test_a_failing_job_is_tried_with_pauses_and_then_shown(db: Database, clock) -> None:
    enqueue(db)
    for _ in range(jobs.ATTEMPTS_MAX):
        (job,) = claim(db)
        with db.begin(Mode.WRITE) as tx:
            assert jobs.fail(tx, job, "boom")
        assert claim(db) == []
        clock.forward(4000)

    with db.begin(Mode.READ) as tx:
        assert jobs.count_failed(tx) == 1
    assert claim(db) == []


def test_ended_jobs_are_forgotten_after_a_week(db: Database, clock) -> None:
    enqueue(db, key="k")
    (job,) = claim(db)
    with db.begin(Mode.WRITE) as tx:
        jobs.finish(tx, job)
    clock.forward((jobs.DONE_DAYS + 1) * 86_400)

    with db.begin(Mode.WRITE) as tx:
        swept = jobs.sweep(tx)
    enqueue(db, key="k")

    assert swept == 1
    assert len(claim(db)) == 1


def test_a_job_that_kills_every_node_is_given_up(db: Database, clock) -> None:
    enqueue(db)
    for _ in range(jobs.ATTEMPTS_MAX):
        assert len(claim(db)) == 1
        clock.forward(jobs.LEASE_SECONDS + 1)

    assert claim(db) == []
    with db.begin(Mode.READ) as tx:
        assert jobs.count_failed(tx) == 1
