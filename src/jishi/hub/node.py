"""What one node has at hand: database, object store, caches, threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from jishi.core.db import Database
from jishi.core.signing import Keys
from jishi.git import Cache
from jishi.people import Gate
from jishi.storage import Spool, Store

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Node:
    """The resources of this process that flows use between transactions.

    Attributes:
        store: Objects that must not be lost.
        git: Bare repositories rebuilt from the store on demand; may be deleted.
        folder: The data folder; ``plain/`` below it is a cache.
        pool: Threads for hashing, LZ4, numpy, libgit2 and file I/O, all of which let
            other threads run meanwhile.
        gate: Limits on sign-ins and last uses of tokens, in memory.
    """

    db: Database
    store: Store
    spool: Spool
    keys: Keys
    git: Cache
    folder: Path
    pool: ThreadPoolExecutor
    gate: Gate
