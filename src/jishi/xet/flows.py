"""Bytes into xorbs: object first, row second, so that a crash leaves an object nobody names."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import numpy as np

from jishi.core.hop import hop
from jishi.storage import SpoolFile
from jishi.xet.depot import Depot
from jishi.xet.files import File, ProvenFile, find_file, keep_file
from jishi.xet.formats import Packer, Verified, XorbVerifier, merkle_root
from jishi.xet.intake import (
    READ_BYTES,
    Packing,
    Scan,
    Scanner,
    find_holders,
    plan_packing,
    read_chunks,
    runs_of,
)
from jishi.xet.terms import TermsMaker
from jishi.xet.xorbs import (
    Xorb,
    XorbMissing,
    find_xorbs,
    get_xorbs,
    keep_xorb,
    keep_xorb_again,
    xorb_key,
)


async def store_xorb(
    depot: Depot, name: bytes, body: AsyncIterator[list[bytes]], *, sender: str = ""
) -> bool:
    """Verify a xorb while it arrives, and keep it; return whether it is new.

    A stored one is verified and written all the same: whoever sends it had the bytes, and
    does not learn from the time it takes whether somebody else has them too.

    Args:
        sender: Remembered as somebody who had all of it, by whatever name.

    Raises:
        BadXorb: If it is not what its name says; nothing is kept.
        XorbMissing: If it was stored and is deleted just now.
        DiskFull: If there is no room.
    """
    known = await depot.db.read(find_xorbs, [name])
    with depot.spool.new() as file:
        verifier = XorbVerifier(name, file.write)
        await _feed(depot, verifier, body)
        verified = await hop(depot.pool, verifier.finish)
        if not known:
            _, is_new = await _keep(depot, verified, file, sender)
            return is_new
        await hop(depot.pool, _keep_for_show, depot, verified, file)
    if not await depot.db.write(keep_xorb_again, name, sender):
        raise XorbMissing
    return False


async def ingest(depot: Depot, key: str, size: int) -> File:
    """Turn an object of the store into a file of chunks; the object stays.

    Cost: reads it twice, and packs what no xorb has yet.

    Raises:
        ObjectMissing: If the store lost the object.
        DiskFull: If there is no room.
    """
    scan = await _scan(depot, key, size)
    known = await depot.db.read(find_file, scan.hash)
    if known is not None:
        return known
    holders = await depot.db.read(find_holders, scan)
    packing = await hop(depot.pool, plan_packing, depot.memory, scan, holders)
    rows: dict[int, int] = {}
    for number, chunks in enumerate(packing.new, 1):
        xorb = await _pack(depot, key, scan, chunks)
        rows[-number] = xorb.id
    used = {rows.get(xorb, xorb) for xorb, _ in packing.places}
    xorbs = await depot.db.read(get_xorbs, used)
    proven = await hop(depot.pool, _to_file, depot, scan, packing, rows, xorbs)
    return await depot.db.write(keep_file, proven)


async def _feed(depot: Depot, verifier: XorbVerifier, body: AsyncIterator[list[bytes]]) -> None:
    """Let threads verify one group while the next one arrives."""
    loop = asyncio.get_running_loop()
    working: asyncio.Future[None] | None = None
    try:
        async for group in body:
            if working is not None:
                await working
            working = loop.run_in_executor(depot.pool, verifier.feed, group)
        if working is not None:
            await working
    finally:  # no thread writes to a file that is closed under it
        if working is not None and not working.done():
            await asyncio.wait([working])


def _keep_for_show(depot: Depot, verified: Verified, file: SpoolFile) -> None:
    """Spend the time on a stored xorb that a new one takes: in a folder of its own, synced."""
    key = xorb_key(secrets.token_bytes(len(verified.index.name)), verified.tag)
    depot.store.put(key, file.path)
    depot.store.delete(key)


async def _keep(
    depot: Depot, verified: Verified, file: SpoolFile, sender: str = ""
) -> tuple[Xorb, bool]:
    """Move a verified xorb into the store; of two packings of one xorb the first stays."""
    index = verified.index
    key = xorb_key(index.name, verified.tag)
    await hop(depot.pool, depot.store.put, key, file.path)
    xorb, is_new = await depot.db.write(keep_xorb, index, verified.tag, sender)
    if xorb.key != key:
        await hop(depot.pool, depot.store.delete, key)
    return xorb, is_new


async def _scan(depot: Depot, key: str, size: int) -> Scan:
    scanner = Scanner()
    for start in range(0, size, READ_BYTES):
        end = min(size, start + READ_BYTES)
        await hop(depot.pool, _scan_piece, depot, scanner, key, start, end)
    return await hop(depot.pool, scanner.finish)


def _scan_piece(depot: Depot, scanner: Scanner, key: str, start: int, end: int) -> None:
    scanner.feed(depot.store.read(key, start, end))


async def _pack(depot: Depot, key: str, scan: Scan, chunks: list[int]) -> Xorb:
    with depot.spool.new() as file:
        verified = await hop(depot.pool, _pack_into, depot, file, key, scan, chunks)
        xorb, _ = await _keep(depot, verified, file)
    return xorb


def _pack_into(depot: Depot, file: SpoolFile, key: str, scan: Scan, chunks: list[int]) -> Verified:
    """Write a xorb as a client would, and read it as one that a client sent."""
    name = merkle_root(scan.hashes[chunks], scan.sizes[chunks])
    verifier, packer = XorbVerifier(name, file.write), Packer()
    for chunk in read_chunks(depot.store, key, scan, chunks):
        verifier.feed([packer.pack(chunk)])
    return verifier.finish()


def _to_file(
    depot: Depot, scan: Scan, packing: Packing, rows: dict[int, int], xorbs: dict[int, Xorb]
) -> ProvenFile:
    runs = np.array(list(runs_of(packing.places, rows)), np.int64).reshape(-1, 3)
    making = TermsMaker(lambda row: depot.memory.index(xorbs[row]))
    making.add(*runs.T)
    first_chunk = (scan.names[0], int(runs[0, 1])) if len(runs) else None
    return ProvenFile(scan.hash, int(scan.sizes.sum()), making.finish(), first_chunk)
