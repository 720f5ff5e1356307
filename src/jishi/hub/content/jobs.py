"""What happens to contents after the commit: hashing what was only claimed, chunking."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.events import record
from jishi.core.hop import hop
from jishi.hub import tables as hub_tables
from jishi.hub.content import contents
from jishi.hub.content.contents import PACK_JOB, VERIFY_JOB, Content
from jishi.hub.content.events import ContentBlocked, ContentVerified
from jishi.hub.content.rebuilding import ingest_object, prepare_rebuild
from jishi.hub.node import Node
from jishi.storage import Make

GROUP_BYTES: Final = 4 << 20


async def verify_content(node: Node, args: dict[str, Any]) -> None:
    """Hash committed contents whose digest only their uploader computed.

    Args:
        args: ``repo_id``, and ``sha256``: hex digests.
    """
    for name in args["sha256"]:
        sha256 = bytes.fromhex(name)
        content = await node.db.read(contents.find, args["repo_id"], sha256)
        if content is None or content.is_verified or content.is_blocked:
            continue
        async with node.heavy:
            computed = await _hash(node, content)
        await node.db.write(settle_verified, content, computed)


async def pack_content(node: Node, args: dict[str, Any]) -> None:
    """Turn contents that came whole into chunks, so that Xet clients find them.

    The object stays: it leaves by ``sendfile``.

    Args:
        args: ``sha256``: hex digests.
    """
    for name in args["sha256"]:
        sha256 = bytes.fromhex(name)
        digest = await node.db.read(contents.find_digest, sha256)
        if digest is None or digest.xet_file_id is not None or digest.plain_key is None:
            continue
        async with node.heavy:
            file = await ingest_object(node, digest.plain_key, digest.size)
        await node.db.write(contents.settle_packed, sha256, file)


def settle_verified(tx: Tx, content: Content, computed: bytes) -> None:
    """Write down what hashing a content gave, and tell of it."""
    changed = contents.settle_verified(tx, content, computed)
    fact = ContentVerified if computed == content.sha256 else ContentBlocked
    rows = tx.conn.execute(_PUBLIC_IDS, {"ids": changed}) if changed else ()
    for (public_id,) in rows:
        record(tx, fact(public_id, content.sha256.hex()), subject=public_id)


async def _hash(node: Node, content: Content) -> bytes:
    make = await prepare_rebuild(node, content)
    running = hashlib.sha256()
    for start in range(0, content.size, GROUP_BYTES):
        end = min(content.size, start + GROUP_BYTES)
        await hop(node.pool, _update, make, start, end, running)
    return running.digest()


def _update(make: Make, start: int, end: int, running: hashlib._Hash) -> None:
    running.update(make(start, end))


_PUBLIC_IDS: Final = (
    sa.select(hub_tables.repos.c.public_id)
    .where(hub_tables.repos.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(hub_tables.repos.c.id)
)

HANDLERS: Final[Mapping[str, Callable[[Node, dict[str, Any]], Awaitable[None]]]] = {
    VERIFY_JOB: verify_content,
    PACK_JOB: pack_content,
}
"""Job name -> what runs it."""
