"""What runs beside requests: consumers of events, jobs, what repeats.

One runner per process.  A commit wakes it; a slow poll finds what other nodes wrote and
what was put off.  Whatever breaks is logged and tried again with growing pauses, and never
takes its neighbours along.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jishi import people
from jishi.app.feeds import Repeated
from jishi.core import events, jobs
from jishi.core.db import Tx
from jishi.core.errors import invariant
from jishi.core.events import Consumer
from jishi.core.jobs import CLAIM_MAX, HEARTBEAT_SECONDS, Job
from jishi.hub import Node

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
"""How long work of other nodes, or work that was put off, may go unnoticed."""
GATHER_SECONDS: Final = 0.02
"""Commits that follow each other this closely are looked at together."""
JOB_SECONDS_MAX: Final = 4 * 3600
"""A job that takes longer hangs."""
PAUSE_SECONDS_MAX: Final = 30.0
HOUR: Final = 3600.0

JobHandler = Callable[[Node, dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Runner:
    """Runs consumers, jobs and repeated tasks of one node until it is stopped.

    Attributes:
        jobs: Handlers by the name jobs are enqueued under.
    """

    node: Node
    consumers: tuple[Consumer, ...]
    jobs: Mapping[str, JobHandler]
    repeated: tuple[Repeated, ...] = ()
    name: str = field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    )
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _wakes: tuple[asyncio.Event, asyncio.Event] = field(
        default_factory=lambda: (asyncio.Event(), asyncio.Event())
    )

    async def run(self) -> None:
        """Run until ``stop`` is called; jobs under way are handed back."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            for event in self._wakes:
                event.set()

        def call() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake)

        committed = self.node.db.committed
        committed.append(call)
        try:
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(self._supervise("consumers", self._consume)),
                    group.create_task(self._supervise("jobs", self._work)),
                    *(
                        group.create_task(self._supervise(again.name, self._repeat(again)))
                        for again in (*self.repeated, *_OWN)
                    ),
                ]
                await self._stopping.wait()
                for task in loops:
                    task.cancel()
        finally:
            committed.remove(call)
        for last in (*self.repeated, *_OWN):
            if last.at_stop:
                await last.run(self.node)

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopping.set()

    async def _supervise(self, name: str, forever: Callable[[], Awaitable[None]]) -> None:
        pause = 1.0
        while True:
            try:
                await forever()
            except Exception:  # a fence: one loop that breaks must not end the others
                log.exception("%s broke; next try in %d s", name, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)

    async def _consume(self) -> None:
        wake = self._wakes[0]
        while True:
            wake.clear()
            while await self._consume_round():
                pass
            await _wait(wake)

    async def _consume_round(self) -> bool:
        """Deliver a batch to everybody who is behind; return whether there may be more."""
        db = self.node.db
        if await db.read(events.has_unsequenced):
            await db.write(events.sequence)
        last, seen = await db.read(events.positions)
        more = False
        for consumer in self.consumers:
            position = seen.get(consumer.name)
            behind = last > (position.pos if position else 0)
            if behind and not (position and position.is_stopped):
                more |= await self._deliver(consumer)
        return more

    async def _deliver(self, consumer: Consumer) -> bool:
        try:
            return await self.node.db.write(events.deliver, consumer) > 0
        except Exception:  # a fence: what a consumer makes of an event is its own affair
            log.exception("consumer %s broke", consumer.name)
            if not await self.node.db.write(events.note_failure, consumer):
                log.error("consumer %s is stopped", consumer.name)  # noqa: TRY400  (said above)
            await asyncio.sleep(POLL_SECONDS)
            return False

    async def _work(self) -> None:
        wake = self._wakes[1]
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                wake.clear()
                if len(running) < CLAIM_MAX and await self._is_due():
                    for job in await self.node.db.write(jobs.claim, self.name):
                        task = asyncio.ensure_future(self._run_job(job))
                        running.add(task)
                        task.add_done_callback(running.discard)
                        task.add_done_callback(lambda _: wake.set())
                    continue
                await _wait(wake)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _is_due(self) -> bool:
        return await self.node.db.read(_is_due)

    async def _run_job(self, job: Job) -> None:
        """Run one job and write down how it ended, unless its lease was lost."""
        db = self.node.db
        try:
            await self._with_lease(job)
        except asyncio.CancelledError:
            await asyncio.shield(db.write(jobs.release, job))
            raise
        except _LeaseLost:
            log.warning("job %s %d lost its lease", job.name, job.id)
        except Exception as error:  # a fence: what a job meets is its own affair
            log.exception("job %s %d broke", job.name, job.id)
            await db.write(jobs.fail, job, f"{type(error).__name__}: {error}"[:1000])
        else:
            await db.write(jobs.finish, job)

    async def _with_lease(self, job: Job) -> None:
        """Run a job's handler while its lease is kept."""
        handler = self.jobs.get(job.name)
        invariant(handler is not None, f"no handler for jobs called {job.name}")
        assert handler is not None
        work = asyncio.ensure_future(handler(self.node, job.args))
        try:
            async with asyncio.timeout(JOB_SECONDS_MAX):
                while True:
                    done, _ = await asyncio.wait({work}, timeout=HEARTBEAT_SECONDS)
                    if done:
                        return await work
                    if not await self.node.db.write(jobs.keep, job):
                        raise _LeaseLost
        finally:
            work.cancel()

    def _repeat(self, task: Repeated) -> Callable[[], Awaitable[None]]:
        async def forever() -> None:
            while True:
                await task.run(self.node)
                await asyncio.sleep(task.every_seconds)

        return forever


class _LeaseLost(Exception):
    """Another node has the job now."""


def _is_due(tx: Tx) -> bool:
    due = jobs.next_run(tx)
    return due is not None and due <= tx.now


async def _wait(wake: asyncio.Event) -> None:
    """Wait for a commit or the next poll."""
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await wake.wait()
    except TimeoutError:
        return
    await asyncio.sleep(GATHER_SECONDS)


async def _flush_uses(node: Node) -> None:
    await people.flush_uses(node.gate)


async def _sweep(node: Node) -> None:
    while await node.db.write(people.sweep):
        pass


_OWN: Final = (
    Repeated("people.flush_uses", 1.0, _flush_uses, at_stop=True),
    Repeated("people.sweep", HOUR, _sweep),
)
