"""Hops from the event loop to a thread, and lines to stand in for long ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def hop(pool: Executor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``work`` in ``pool`` and wait for it without blocking the loop."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, partial(work, *args, **kwargs))


async def hop_to_end(pool: Executor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the same, and outlast ``work`` even when cancelled.

    For what works on a file or a lock that ends with the caller.
    """
    working = asyncio.ensure_future(hop(pool, work, *args, **kwargs))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class Turns:
    """Lets at most ``most`` in at once, ``async with``; the others wait in line."""

    def __init__(self, most: int) -> None:
        self._line = asyncio.Semaphore(most)

    async def __aenter__(self) -> None:
        await self._line.acquire()

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._line.release()
