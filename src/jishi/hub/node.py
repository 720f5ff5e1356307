"""What one node has at hand: database, object store, caches, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from jishi.core.db import Database
from jishi.core.hop import Turns
from jishi.core.recent import Recent
from jishi.core.signing import Keys
from jishi.git import Cache
from jishi.git.smart import Fetches
from jishi.hub.downloads import DownloadCounter
from jishi.hub.entries import Entry
from jishi.people import Gate
from jishi.storage import PLAIN_BYTES_MAX, Assembly, BytesSource, PlainCache, Spool, Store
from jishi.xet import Depot, Memory

LISTED_MAX: Final = 50_000
"""Entries of whole listings that a process keeps in mind, about 15 MB."""
COUNTED_MAX: Final = 10_000
"""Histories whose length a process keeps in mind."""
BLOB_BYTES_MAX: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Node:
    """The resources of this process that flows use between transactions.

    Attributes:
        store: Objects that must not be lost.
        git: Bare repositories rebuilt from the store on demand; may be deleted.
        folder: The data folder.
        pool: Threads for hashing, LZ4, numpy, libgit2 and file I/O, all of which let
            other threads run meanwhile.
        downloads: Downloads seen and not yet written down.
        gate: Limits on sign-ins and last uses of tokens, in memory.
        plain_bytes_max: Room of ``plain``.
        plain: Large files rebuilt from chunks, ``folder/plain``; may be deleted.
        assembly: Uploads in parts, ``folder/uploads``: state until they are whole or expire.
        xet: What keeping and reading chunks takes.
        fetches: Children of Git that answer clones and fetches.
        listings: What a commit holds, by (repository, commit): it never changes.
        lengths: How many commits a history has, by (repository, commit).
        blobs: Small files that Git holds, by (repository, object).
        sending: Larger ones that are being sent: many readers, however slow, share one copy.
        heavy: For jobs that keep threads busy for long: one at a time.  Four at once took
            no less time, and made a small hop wait 50 ms instead of 0.3.
    """

    db: Database
    store: Store
    spool: Spool
    keys: Keys
    git: Cache
    folder: Path
    pool: ThreadPoolExecutor
    gate: Gate
    plain_bytes_max: int = PLAIN_BYTES_MAX
    downloads: DownloadCounter = field(default_factory=DownloadCounter)
    heavy: Turns = field(default_factory=lambda: Turns(1))
    listings: Recent[tuple[Entry, ...]] = field(default_factory=lambda: Recent(LISTED_MAX, len))
    lengths: Recent[int] = field(default_factory=lambda: Recent(COUNTED_MAX, lambda _: 1))
    blobs: Recent[bytes] = field(default_factory=lambda: Recent(BLOB_BYTES_MAX, len))
    sending: WeakValueDictionary[tuple[int, str], BytesSource] = field(
        default_factory=WeakValueDictionary
    )
    plain: PlainCache = field(init=False)
    assembly: Assembly = field(init=False)
    xet: Depot = field(init=False)
    fetches: Fetches = field(init=False)

    def __post_init__(self) -> None:
        """Open what needs nothing but the folder and the threads."""
        plain = PlainCache(self.folder / "plain", self.pool, bytes_max=self.plain_bytes_max)
        object.__setattr__(self, "plain", plain)
        object.__setattr__(self, "assembly", Assembly(self.folder / "uploads", self.pool))
        xet = Depot(self.db, self.store, self.spool, self.pool, Memory(self.store))
        object.__setattr__(self, "xet", xet)
        fetches = Fetches(self.db, self.git, self.pool, self.spool)
        object.__setattr__(self, "fetches", fetches)
