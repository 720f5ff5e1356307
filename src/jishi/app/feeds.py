"""Who listens to whom, and what runs later or again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jishi.core import jobs
from jishi.core.events import Consumer
from jishi.git.merging import MERGE_JOB, Workshop
from jishi.git.merging import merge_packs as merge
from jishi.hub import Node, content, stats
from jishi.hub.content import lfs

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Repeated:
    """Something each node does again and again.

    Attributes:
        every_seconds: Pause between the end of one run and the start of the next.
        at_stop: Once more before the process ends: what it kept in memory is written down.
    """

    name: str
    every_seconds: float
    run: Callable[[Node], Awaitable[None]]
    at_stop: bool = False


async def flush_downloads(node: Node) -> None:
    """Write down what was downloaded since the last time."""
    counts = node.downloads.take()
    if counts:
        await node.db.write(stats.add_downloads, counts)


async def age_downloads(node: Node) -> None:
    """Let days fall out of the thirty-day window."""
    await node.db.write(stats.age_downloads)


async def sweep_jobs(node: Node) -> None:
    """Forget jobs that ended long ago."""
    await node.db.write(jobs.sweep)


async def merge_packs(node: Node, args: dict[str, Any]) -> None:
    """Merge a repository's small packs.

    Args:
        args: ``git_id``.
    """
    workshop = Workshop(node.db, node.git, node.store, node.spool, node.pool)
    await merge(workshop, args["git_id"])


Handler = Callable[[Node, dict[str, Any]], Awaitable[None]]
"""Runs a job; idempotent, since a job may run twice."""

HANDLERS: Final[Mapping[str, Handler]] = {
    **content.HANDLERS,
    MERGE_JOB: merge_packs,
}
"""Job name -> what runs it."""

REPEATED: Final = (
    Repeated("hub.flush_downloads", stats.FLUSH_SECONDS, flush_downloads, at_stop=True),
    Repeated("hub.age_downloads", DAY_SECONDS / 4, age_downloads),
    Repeated("hub.sweep_uploads", lfs.SWEEP_SECONDS, lfs.sweep_uploads),
    Repeated("core.sweep_jobs", DAY_SECONDS / 4, sweep_jobs),
)

CONSUMERS: Final[tuple[Consumer, ...]] = ()
"""Nothing listens yet; the stream is written from the first day."""
