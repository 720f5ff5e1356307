"""What working with xorbs takes: database, store, threads, memory, a place in line."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from jishi.core.db import Database
from jishi.core.hop import Turns
from jishi.storage import Spool, Store
from jishi.xet.memory import Memory


class FairTurns:
    """Lets one in at a time, and of each person one in line: many calls get no more turns."""

    def __init__(self) -> None:
        self._all = Turns(1)
        self._own: WeakValueDictionary[str, Turns] = WeakValueDictionary()

    @asynccontextmanager
    async def turn_of(self, person: str) -> AsyncGenerator[None]:
        """Wait for a turn of somebody, by whatever name; it should be short."""
        own = self._own.setdefault(person, Turns(1))
        async with own, self._all:
            yield


@dataclass(frozen=True, slots=True)
class Depot:
    """The resources of this process.

    Attributes:
        proving: For proving and hashing what shards say, in short turns: it keeps Python
            busy, and threads are few.
    """

    db: Database
    store: Store
    spool: Spool
    pool: Executor
    memory: Memory
    proving: FairTurns = field(default_factory=FairTurns)
