"""What working with xorbs takes: database, store, threads, memory."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from jishi.core.db import Database
from jishi.storage import Spool, Store
from jishi.xet.memory import Memory


@dataclass(frozen=True, slots=True)
class Depot:
    """The resources of this process."""

    db: Database
    store: Store
    spool: Spool
    pool: Executor
    memory: Memory
