"""Where the store waits: putting packs away, opening repositories."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

from jishi.core.db import Database, Mode
from jishi.core.hop import hop
from jishi.git.cache import Cache
from jishi.git.packs import Members, begin_upload, generations, key_of, packs_of
from jishi.git.repository import Repository
from jishi.git.writing import NewPack
from jishi.storage import SpoolFile, Store


async def store_pack(db: Database, store: Store, pool: Executor, pack: NewPack | None) -> None:
    """Put a pack where ``add_pack`` expects it; small ones go with ``add_pack`` itself.

    An hour later a pack that no transaction named is swept.

    Raises:
        DiskFull: If there is no room.
    """
    if pack is None or pack.is_inline:
        return
    try:
        await db.write(begin_upload, pack.id)
        await hop(pool, _put, store, pack)
    finally:
        if isinstance(pack.pack, SpoolFile):
            pack.pack.close()


async def open_repository(db: Database, cache: Cache, pool: Executor, git_id: int) -> Repository:
    """Return a repository with all packs that are committed now."""
    repository = cache.peek(git_id, await db.read(generations, git_id))
    if repository is not None:
        return repository
    return await hop(pool, open_now, db, cache, git_id)


def open_now(db: Database, cache: Cache, git_id: int) -> Repository:
    """Do the same on this thread, for jobs and commands."""
    return cache.open(git_id, _Packs(db, git_id))


class _Packs:
    """Reads a repository's packs, whenever the cache asks."""

    def __init__(self, db: Database, git_id: int) -> None:
        self._db = db
        self._git_id = git_id

    def __call__(self, local: frozenset[str]) -> Members:
        with self._db.begin(Mode.READ) as tx:
            return packs_of(tx, self._git_id, local=local)


def _put(store: Store, pack: NewPack) -> None:
    if isinstance(pack.pack, SpoolFile):
        store.put(key_of(pack.id, "pack"), pack.pack.path)
    elif isinstance(pack.pack, Path):
        store.put(key_of(pack.id, "pack"), pack.pack)
    else:
        store.put_bytes(key_of(pack.id, "pack"), pack.pack)
    store.put_bytes(key_of(pack.id, "idx"), pack.idx)
