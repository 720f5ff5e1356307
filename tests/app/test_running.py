"""The runner: events are consumed once, jobs are run, and what breaks stays alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import sqlalchemy as sa

from jishi.app import running
from jishi.app.feeds import Repeated
from jishi.app.running import Runner
from jishi.core import events, jobs
from jishi.core.db import Database, Mode, Tx
from jishi.core.events import Consumer, Event, record
from jishi.core.tables import jobs as job_table
from jishi.hub import Node
from tests.http.serving import open_node


class Rang(Event, frozen=True):
    name: ClassVar[str] = "tests.Rang"
    number: int


@pytest.fixture(autouse=True, scope="module")
def _forget() -> Iterator[None]:
    yield
    Event.registry.pop(Rang.name)


@pytest.fixture
def node(url, tmp_path) -> Iterator[Node]:
    with open_node(tmp_path, url) as node:
        yield node


@dataclass
class Ear:
    """A consumer that remembers, and breaks as often as it is told to."""

    heard: list[int] = field(default_factory=list)
    breaks: int = 0

    def handle(self, _tx: Tx, event: Event) -> None:
        if self.breaks:
            self.breaks -= 1
            raise ValueError("deaf")
        self.heard.append(event.number)

    def consumer(self, name: str = "tests.ear") -> Consumer:
        return Consumer(name, self.handle, lambda _tx: None)


def ring(db: Database, *numbers: int) -> None:
    with db.begin(Mode.WRITE) as tx:
        for number in numbers:
            record(tx, Rang(number), subject="bell")


def ask(db: Database, name: str, **args) -> None:
    with db.begin(Mode.WRITE) as tx:
        jobs.enqueue(tx, name, args)


def states(db: Database) -> list[str]:
    with db.begin(Mode.READ) as tx:
        return list(tx.conn.execute(sa.select(job_table.c.state)).scalars())


async def while_running(runner: Runner, until, *, seconds: float = 20) -> float:
    """Let a runner run until ``until()`` holds, and return how long that took."""
    task = asyncio.ensure_future(runner.run())
    begun = time.monotonic()
    try:
        while not until():
            assert time.monotonic() - begun < seconds, "it never came true"
            await asyncio.sleep(0.01)
        took = time.monotonic() - begun
    finally:
        runner.stop()
        await task
    return took


def test_consumers_hear_every_event_in_order_and_once(node) -> None:
    ear = Ear()
    ring(node.db, 1, 2)

    async def act() -> None:
        runner = Runner(node, (ear.consumer(),), {})
        rung: list[bool] = []

        def more() -> bool:
            if ear.heard == [1, 2] and not rung:
                rung.append(True)
                ring(node.db, 3)
            return ear.heard == [1, 2, 3]

        await while_running(runner, more)

    asyncio.run(act())
    asyncio.run(while_running(Runner(node, (ear.consumer(),), {}), lambda: True))
    assert ear.heard == [1, 2, 3]


def test_a_commit_wakes_the_runner_before_its_poll(node, monkeypatch) -> None:
    monkeypatch.setattr(running, "POLL_SECONDS", 30.0)
    ear = Ear()

    async def act() -> float:
        runner = Runner(node, (ear.consumer(),), {})
        task = asyncio.ensure_future(runner.run())
        await asyncio.sleep(0.5)
        ring(node.db, 1)
        begun = time.monotonic()
        while not ear.heard and time.monotonic() - begun < 20:  # noqa: ASYNC110  (a list wakes nobody)
            await asyncio.sleep(0.01)
        runner.stop()
        await task
        return time.monotonic() - begun

    assert asyncio.run(act()) < 10
    assert ear.heard == [1]


def test_a_consumer_that_breaks_tries_again_and_leaves_the_others_alone(node, monkeypatch) -> None:
    monkeypatch.setattr(running, "POLL_SECONDS", 0.05)
    good, bad = Ear(), Ear(breaks=2)
    ring(node.db, 1, 2)
    runner = Runner(node, (bad.consumer("tests.bad"), good.consumer("tests.good")), {})

    asyncio.run(while_running(runner, lambda: bad.heard == [1, 2] == good.heard))


def test_a_consumer_that_breaks_too_often_stops_and_is_seen(node, monkeypatch) -> None:
    monkeypatch.setattr(running, "POLL_SECONDS", 0.02)
    ear = Ear(breaks=1000)
    ring(node.db, 1)
    runner = Runner(node, (ear.consumer(),), {})

    def stopped() -> bool:
        with node.db.begin(Mode.READ) as tx:
            position = events.positions(tx)[1].get("tests.ear")
        return position is not None and position.is_stopped

    asyncio.run(while_running(runner, stopped))
    assert 1000 - ear.breaks == events.TRIES_MAX


def test_a_job_is_run_with_its_arguments_and_finished(node) -> None:
    seen = []

    async def work(at: Node, args) -> None:
        seen.append((at, args))

    ask(node.db, "tests.work", x=1)
    runner = Runner(node, (), {"tests.work": work})

    asyncio.run(while_running(runner, lambda: states(node.db) == ["done"]))
    assert seen == [(node, {"x": 1})]


def test_a_job_that_breaks_is_put_off_with_its_reason(node) -> None:
    async def work(_node: Node, _args) -> None:
        raise ValueError("no luck")

    def reason() -> str | None:
        with node.db.begin(Mode.READ) as tx:
            return tx.conn.execute(sa.select(job_table.c.error)).scalar_one()

    ask(node.db, "tests.work")
    runner = Runner(node, (), {"tests.work": work})

    asyncio.run(while_running(runner, lambda: reason() is not None))
    assert reason() == "ValueError: no luck"
    assert states(node.db) == ["ready"]


def test_a_job_nobody_knows_is_put_off(node) -> None:
    ask(node.db, "tests.unknown")

    def told() -> bool:
        with node.db.begin(Mode.READ) as tx:
            error = tx.conn.execute(sa.select(job_table.c.error)).scalar_one()
        return "tests.unknown" in (error or "")

    asyncio.run(while_running(Runner(node, (), {}), told))


def test_a_long_job_keeps_its_lease(node, monkeypatch) -> None:
    monkeypatch.setattr(running, "HEARTBEAT_SECONDS", 0.05)
    leases = set()

    async def work(_node: Node, _args) -> None:
        for _ in range(10):
            await asyncio.sleep(0.05)
            with node.db.begin(Mode.READ) as tx:
                leases.add(tx.conn.execute(sa.select(job_table.c.lease_until)).scalar_one())

    ask(node.db, "tests.work")
    runner = Runner(node, (), {"tests.work": work})

    asyncio.run(while_running(runner, lambda: states(node.db) == ["done"]))
    assert len(leases) > 2


def test_whoever_lost_the_lease_is_stopped_and_finishes_nothing(node, monkeypatch) -> None:
    monkeypatch.setattr(running, "HEARTBEAT_SECONDS", 0.05)
    ends = []

    async def work(_node: Node, _args) -> None:
        with node.db.begin(Mode.WRITE) as tx:  # as another node would, after a long pause
            tx.conn.execute(sa.update(job_table).values(fence=job_table.c.fence + 1))
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ends.append("stopped")
            raise

    ask(node.db, "tests.work")
    runner = Runner(node, (), {"tests.work": work})

    asyncio.run(while_running(runner, lambda: ends == ["stopped"]))
    assert states(node.db) == ["running"]


def test_a_runner_that_stops_hands_its_jobs_back_untried(node) -> None:
    begun = []

    async def work(_node: Node, _args) -> None:
        begun.append(1)
        await asyncio.sleep(60)

    ask(node.db, "tests.work")
    runner = Runner(node, (), {"tests.work": work})

    asyncio.run(while_running(runner, lambda: bool(begun)))
    assert states(node.db) == ["ready"]
    with node.db.begin(Mode.READ) as tx:
        assert tx.conn.execute(sa.select(job_table.c.attempt)).scalar_one() == 0


def test_a_node_that_starts_alone_revives_what_was_running(node) -> None:
    ask(node.db, "tests.work")
    with node.db.begin(Mode.WRITE) as tx:
        jobs.claim(tx, "dead")
        jobs.revive_all(tx)

    assert states(node.db) == ["ready"]


def test_what_repeats_goes_on_after_it_broke_and_once_more_at_the_end(node, monkeypatch) -> None:
    async def at_once(_seconds: float) -> None:
        await real(0)

    real = asyncio.sleep
    runs = []

    async def task(_node: Node) -> None:
        runs.append(1)
        if len(runs) == 2:
            monkeypatch.setattr(running.asyncio, "sleep", at_once)
            raise ValueError("once")

    again = Repeated("tests.task", 0.01, task, at_stop=True)
    runner = Runner(node, (), {}, (again,))

    async def act() -> int:
        running_task = asyncio.ensure_future(runner.run())
        while len(runs) < 4:
            await real(0.01)
        before = len(runs)
        runner.stop()
        with suppress(asyncio.CancelledError):
            await running_task
        return before

    assert len(runs) == 0
    before = asyncio.run(act())
    assert len(runs) > before
