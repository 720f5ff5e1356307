"""How many children of Git run at once, and who waits for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

QUEUE_MAX: Final = 400
CALLER_QUEUE_MAX: Final = 50
"""Requests of one caller that may wait: a class behind one address."""
QUEUE_SECONDS_MAX: Final = 30.0


class TooBusy(Refusal):
    """All children are at work and too many wait, or waited too long."""

    code: ClassVar[str] = "git.too_busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    text: ClassVar[str] = N_("Too many fetches are running. Try again in {seconds} seconds.")


@dataclass(slots=True)
class _Caller:
    """One caller's own limit, and how many of their requests know of it, or wait."""

    room: asyncio.Semaphore
    users: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Slots:
    """Bounded room for children.  Used on one event loop.

    Attributes:
        children_max: Children at once.
        queue_max: Requests that may wait, of one caller ``caller_queue_max``.
        seconds_max: How long one waits.
    """

    children_max: int
    queue_max: int = QUEUE_MAX
    caller_queue_max: int = CALLER_QUEUE_MAX
    seconds_max: float = QUEUE_SECONDS_MAX
    waiting: int = 0
    running: int = 0
    _room: asyncio.Semaphore = field(init=False)
    _callers: dict[str, _Caller] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open all the room."""
        self._room = asyncio.Semaphore(self.children_max)

    @asynccontextmanager
    async def take(self, caller: str, *, is_known: bool = True) -> AsyncGenerator[None]:
        """Hold room for one child; it is free again when the block ends, however it ends.

        One caller never holds more than half of the room: others get in.

        Args:
            is_known: Whether the caller said who they are; else a quarter is what they get.

        Raises:
            TooBusy: If too many wait, or this one waited ``seconds_max``.
        """
        own = self._callers.get(caller)
        own_waiting = 0 if own is None else own.waiting
        if self.waiting >= self.queue_max or own_waiting >= self.caller_queue_max:
            raise TooBusy(seconds=int(self.seconds_max))
        if own is None:
            share = max(1, self.children_max // (2 if is_known else 4))
            own = self._callers[caller] = _Caller(asyncio.Semaphore(share))
        own.users += 1
        try:
            await self._enter(own)
            self.running += 1
            try:
                yield
            finally:
                self.running -= 1
                self._room.release()
                own.room.release()
        finally:
            own.users -= 1
            if not own.users:
                del self._callers[caller]

    async def _enter(self, own: _Caller) -> None:
        self.waiting += 1
        own.waiting += 1
        entered = []
        try:
            async with asyncio.timeout(self.seconds_max):
                for room in (own.room, self._room):
                    await room.acquire()
                    entered.append(room)
        except TimeoutError as error:
            raise TooBusy(seconds=int(self.seconds_max)) from error
        finally:
            self.waiting -= 1
            own.waiting -= 1
            if len(entered) == 1:
                own.room.release()
