"""Bytes out, from whatever holds them."""

from __future__ import annotations

from functools import partial

from jishi.core.errors import invariant
from jishi.core.hop import hop
from jishi.hub.content.contents import Content, ContentMismatch
from jishi.hub.content.rebuilding import prepare_rebuild
from jishi.hub.node import Node
from jishi.storage import Source, object_source


async def source_of(node: Node, content: Content) -> Source:
    """Return where the bytes of a content come from, for an answer or a job.

    Raises:
        ContentMismatch: If it is blocked.
    """
    if content.is_blocked:
        raise ContentMismatch(sha256=content.sha256.hex())
    if content.plain_key is not None:
        place = (node.store, node.pool, content.plain_key, content.size)
        return await hop(node.pool, object_source, *place)
    invariant(content.xet_hash is not None, "a content lies somewhere")
    prepare = partial(prepare_rebuild, node, content)
    return node.plain.source((content.xet_hash or b"").hex(), content.size, prepare)
