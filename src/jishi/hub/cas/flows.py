"""Chunks in and out, for whoever has a pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from jishi import xet
from jishi.core.hop import hop
from jishi.hub.cas import links, passes, reach, reading, registering
from jishi.hub.cas.passes import Pass, Token
from jishi.hub.cas.reading import ChunkUnknown, Reading
from jishi.hub.cas.registering import Checked, Steps
from jishi.hub.node import Node
from jishi.hub.repos import RepoKind
from jishi.people import Actor
from jishi.storage import FileSource, ObjectMissing, Source, StreamSource, object_source
from jishi.xet import proofs
from jishi.xet.formats import ShardFile

T = TypeVar("T")

FRAME_SECONDS: Final = 10
"""How long a client hears nothing at most while its shard is worked on."""
PROVE_FILES: Final = 100
"""Files registered by one transaction."""
FIND_XORBS: Final = 5_000
"""Xorbs looked up by one transaction."""
TURN_SECONDS: Final = 0.05
"""How long a shard is worked on before others get their turn."""


@dataclass(slots=True)
class Progress:
    """How far a shard is.

    Attributes:
        verified: Files out of ``total``.
        is_settling: Whether all hold and are being written down.
    """

    verified: int = 0
    total: int = 0
    is_settling: bool = False


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """How to read bytes of a file, and a seal for each fetch of the plan."""

    plan: xet.Plan
    seals: list[str]


async def issue_token(
    node: Node, actor: Actor, kind: RepoKind, path: str, *, writes: bool
) -> Token:
    """Give somebody a pass for a repository.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    return await node.db.read(passes.make_pass, node.keys, actor, kind, path, writes=writes)


async def open_pass(node: Node, sealed: str, *, writes: bool) -> Pass:
    """Check a pass, before a body is asked for.

    Raises:
        PassInvalid: If it is not good.
        PassReadsOnly: If it is not good for writing.
    """
    return await node.db.read(passes.open_pass, node.keys, sealed, writes=writes)


async def needs_xorb(node: Node, sealed: str, name: bytes) -> bool:
    """Whether the bytes of a xorb have to come.

    Raises:
        PassInvalid: If the pass is not good.
        PassReadsOnly: If it is not good for writing.
    """
    return not await node.db.read(reading.has_xorb, node.keys, sealed, name)


async def put_xorb(node: Node, opened: Pass, name: bytes, body: AsyncIterator[list[bytes]]) -> bool:
    """Keep a xorb, verified while it arrives; return whether it is new.

    Raises:
        PassReadsOnly: If the pass is not good for writing.
        BadXorb: If the bytes are not what the name says.
        XorbMissing: If it was stored and is deleted just now.
        DiskFull: If there is no room.
    """
    if not opened.writes:
        raise passes.PassReadsOnly
    return await xet.store_xorb(node.xet, name, body, sender=opened.by)


async def ask_chunk(node: Node, sealed: str, chunk: bytes, *, session: str) -> bytes:
    """Return the reply to "who has this chunk?".

    On a miss each run of a client hears once of the repository's own large files.

    Args:
        session: Names the client's run.

    Raises:
        PassInvalid: If the pass is not good.
        ChunkUnknown: If there is nothing to say.
    """
    known = await node.db.read(reading.find_known, node.keys, sealed, chunk)
    parts = known.parts
    once = f"{session} {known.opened.repo}"
    if not parts and session and node.xet.memory.is_first(once):
        parts = await node.db.read(reading.find_hint, known.opened.repo_id)
    if not parts:
        raise ChunkUnknown
    try:
        return await hop(
            node.pool,
            xet.make_reply,
            node.xet.memory,
            parts,
            derive=node.keys.derive,
            now=known.now,
        )
    except ObjectMissing as error:  # deleted meanwhile: the client sends it
        raise ChunkUnknown from error


async def register_shard(
    node: Node, opened: Pass, shard: bytes | memoryview, *, every_seconds: float = FRAME_SECONDS
) -> AsyncGenerator[Progress]:
    """Prove the files of a shard and make them known to the repository.

    Yields how far it is: at once, and at least every ``every_seconds``.  All files hold, or
    nothing is registered.

    Raises:
        PassReadsOnly: If the pass is not good for writing.
        BadShard: If the shard does not hold.
        DigestUnsaid: If a file has no digest.
        DigestDiffers: If a file has another digest.
        XorbMissing: If it builds on what is not here.
        ContentMismatch: If a file is blocked under its digest.
    """
    if not opened.writes:
        raise passes.PassReadsOnly
    progress = Progress()
    working = asyncio.ensure_future(_register(node, opened, shard, progress))
    try:
        while not working.done():
            yield replace(progress)
            await asyncio.wait([working], timeout=every_seconds)
        working.result()
        yield replace(progress)
    finally:
        working.cancel()


async def reconstruct(
    node: Node, sealed: str, name: bytes, wanted: tuple[int, int | None] | None
) -> Reconstruction:
    """Plan how a client reads a file, or bytes of it.

    Raises:
        PassInvalid: If the pass is not good.
        FileMissing: If the pass's repository has no such file.
        RangeInvalid: If the range begins behind the end.
        RangeTooWide: If the answer would be too long.
    """
    found = await node.db.read(reading.open_reading, node.keys, sealed, name, wanted)
    return await hop(node.pool, _plan, node, found)


async def open_data(node: Node, sealed: str, start: int, stop: int) -> Source:
    """Return bytes ``start`` to ``stop`` (exclusive) of a xorb: a source of these alone.

    Raises:
        DataLinkInvalid: If the link is not good for them.
    """
    span = await node.db.read(links.open_span, node.keys, sealed, start, stop)
    try:
        source = await hop(node.pool, object_source, node.store, node.pool, span.key, stop)
    except ObjectMissing as error:  # deleted meanwhile: the client asks again
        raise links.DataLinkInvalid from error
    return _cut(source, start, stop)


def _cut(source: Source, start: int, stop: int) -> Source:
    if isinstance(source, FileSource):
        return FileSource(source.path, stop - start, start)
    if isinstance(source, StreamSource):
        opened = source.open
        return StreamSource(stop - start, lambda first, last: opened(start + first, start + last))
    return replace(source, data=source.data[start:stop])


def _plan(node: Node, found: Reading) -> Reconstruction:
    plan = xet.plan_read(node.xet.memory, found.layout, found.start, found.end)
    return Reconstruction(plan, links.seal_spans(node.keys, plan, found.opened, found.now))


async def _register(
    node: Node, opened: Pass, shard: bytes | memoryview, progress: Progress
) -> None:
    try:
        checked = await _check(node, opened, shard, progress)
        progress.is_settling = True
        for start in range(0, len(checked), PROVE_FILES):
            some = checked[start : start + PROVE_FILES]
            await node.db.write(registering.register, opened, some)
    except xet.XorbMissing:
        await node.db.write(xet.raise_epoch, opened.by)
        raise


async def _check(
    node: Node, opened: Pass, shard: bytes | memoryview, progress: Progress
) -> list[Checked]:
    files = await hop(node.pool, registering.read_files, shard)
    progress.total = len(files)
    xorbs = await _find_xorbs(node, opened, files)
    claimed = await _in_turns(node, opened, registering.prove_all(node, files, xorbs))
    hashed: set[bytes] = set()
    for start in range(0, len(claimed), PROVE_FILES):
        some = claimed[start : start + PROVE_FILES]
        hashed |= await node.db.read(registering.find_hashed, opened.repo_id, some)
    by_row = {xorb.id: xorb for xorb in xorbs.values()}
    waiting = registering.choose_hashed(claimed, hashed)
    progress.verified = len(files) - len(waiting)
    for file in waiting:
        await _in_turns(node, opened, registering.hash_file(node, file, by_row))
        progress.verified += 1
    verified = hashed | {file.sha256 for file in waiting}
    return [Checked(file, file.sha256 in verified) for file in claimed]


async def _find_xorbs(node: Node, opened: Pass, files: list[ShardFile]) -> Mapping[bytes, xet.Xorb]:
    """Return the xorbs of a shard, all of whose terms are within the sender's reach.

    Raises:
        XorbMissing: If something is not here, or not for them.
    """
    if not files:
        return {}
    names = await hop(node.pool, proofs.name_xorbs, files)
    xorbs: dict[bytes, xet.Xorb] = {}
    sent: set[int] = set()
    for start in range(0, len(names), FIND_XORBS):
        some = await node.db.read(xet.find_xorbs, names[start : start + FIND_XORBS])
        if len(some) < len(names[start : start + FIND_XORBS]):
            raise xet.XorbMissing
        rows = [xorb.id for xorb in some.values()]
        sent |= await node.db.read(proofs.find_sent, opened.by, rows)
        xorbs |= some
    runs = await hop(node.pool, proofs.find_runs, files, xorbs)
    by_row = {xorb.id: xorb for xorb in xorbs.values()}
    for cover in reach.covers(runs, sent, by_row):
        await node.db.read(reach.require_reach, opened, cover)
    return xorbs


async def _in_turns(node: Node, opened: Pass, steps: Steps[T]) -> T:
    """Run work in threads, in short turns between those of others."""
    while True:
        async with node.xet.proving.turn_of(opened.by):
            done = await hop(node.pool, _advance, steps)
        if done is not None:
            return done[0]


def _advance(steps: Steps[T]) -> tuple[T] | None:
    """Go on with some work for a turn; return its result, if it came to its end."""
    until = time.monotonic() + TURN_SECONDS
    while time.monotonic() < until:
        try:
            next(steps)
        except StopIteration as end:
            return (end.value,)
    return None
