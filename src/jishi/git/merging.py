"""Merge packs that have become too many: fewer files to search, deltas instead of copies.

The new pack is stored before a transaction lets it stand for the old ones, and only if all
of them are still members; commits made meanwhile simply stay beside it.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jishi.core.db import Database, Mode
from jishi.core.errors import invariant
from jishi.core.hop import hop
from jishi.git.cache import Cache
from jishi.git.children import running
from jishi.git.flows import open_now, store_pack
from jishi.git.packs import (
    MERGE_JOB,
    StoredPack,
    end_lease,
    packs_of,
    replace_packs,
    take_lease,
)
from jishi.git.writing import INLINE_BYTES_MAX, NewPack
from jishi.storage import Spool, SpoolFile, Store

LEASE_SECONDS: Final = 4 * 3600
CPU_SECONDS_MAX: Final = 3600
GROWTH: Final = 2
"""A pack stays if it is this many times as large as all smaller ones together."""
MERGED_MIN: Final = 2
"""Packs that are worth a merge."""
_SHA_BYTES = 20


__all__ = ["MERGE_JOB", "Workshop", "choose", "merge_packs"]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a merge needs of a node."""

    db: Database
    cache: Cache
    store: Store
    spool: Spool
    pool: Executor


async def merge_packs(workshop: Workshop, git_id: int) -> int:
    """Merge a repository's small packs and return how many became one.

    Does nothing if somebody else is at it, or if there is nothing to gain.

    Raises:
        GitMissing: If there is no Git program.
        DiskFull: If there is no room.
    """
    if not await workshop.db.write(take_lease, git_id, seconds=LEASE_SECONDS):
        return 0
    try:
        chosen = await hop(workshop.pool, _choose_now, workshop, git_id)
        if len(chosen) < MERGED_MIN:
            return 0
        new = await _merge(workshop, git_id, chosen)
        await store_pack(workshop.db, workshop.store, workshop.pool, new)
        old = [pack.id for pack in chosen]
        return len(old) if await workshop.db.write(replace_packs, git_id, old, new) else 0
    finally:
        await workshop.db.write(end_lease, git_id)


def choose(packs: Sequence[StoredPack]) -> list[StoredPack]:
    """Return the packs to merge: the small ones, until the next is much larger than they.

    So the sizes of what is left at least double, and a byte is rewritten a logarithmic
    number of times.
    """
    chosen: list[StoredPack] = []
    total = 0
    for pack in sorted(packs, key=lambda pack: pack.pack_bytes):
        if len(chosen) >= MERGED_MIN and pack.pack_bytes >= GROWTH * total:
            break
        chosen.append(pack)
        total += pack.pack_bytes
    return chosen


async def _merge(workshop: Workshop, git_id: int, packs: Sequence[StoredPack]) -> NewPack:
    folder = workshop.cache.folder(git_id)
    scratch = folder / f"merge.{secrets.token_hex(8)}.tmp"
    command = ["--git-dir", str(folder), "-c", "pack.threads=1", "pack-objects", "-q"]
    command += ["--stdin-packs", "--delta-base-offset", str(scratch / "pack")]
    scratch.mkdir()
    try:
        with await hop(workshop.pool, _names, workshop.spool, packs) as names:
            limits = {"cpu_seconds_max": CPU_SECONDS_MAX}
            async with running(command, stdin=names.file, more={}, **limits) as child:
                while await child.read():
                    pass
                status = await child.process.wait()
                invariant(status == 0, f"pack-objects merges: {bytes(child.errors)!r}")
        return await hop(workshop.pool, _take, scratch, workshop.spool)
    finally:
        await hop(workshop.pool, shutil.rmtree, scratch, ignore_errors=True)


def _choose_now(workshop: Workshop, git_id: int) -> list[StoredPack]:
    with workshop.db.begin(Mode.READ) as tx:
        packs = packs_of(tx, git_id, local=None).packs
    open_now(workshop.db, workshop.cache, git_id)
    return choose(packs)


def _names(spool: Spool, packs: Sequence[StoredPack]) -> SpoolFile:
    """Write what ``--stdin-packs`` reads, and go back to its beginning."""
    file = spool.new()
    file.write("".join(f"pack-{pack.id}.pack\n" for pack in packs).encode())
    file.file.seek(0)
    return file


def _take(scratch: Path, spool: Spool) -> NewPack:
    """Read what was made; a large pack is moved into the spool, whose disk the store has."""
    (idx,) = scratch.glob("*.idx")
    pack = idx.with_suffix(".pack")
    size = pack.stat().st_size
    with pack.open("rb") as file:
        objects = int.from_bytes(file.read(12)[8:], "big")
        file.seek(-_SHA_BYTES, 2)
        sha = file.read()
    index = idx.read_bytes()
    body: bytes | SpoolFile
    if size + len(index) <= INLINE_BYTES_MAX:
        body = pack.read_bytes()
    else:
        body = spool.new()
        shutil.move(pack, body.path)
    return NewPack(secrets.token_hex(20), sha, body, size, index, objects, "merge")
