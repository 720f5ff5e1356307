"""Plain bytes out of Xet chunks, and chunks out of plain bytes."""

from __future__ import annotations

from functools import partial

from jishi import xet
from jishi.core.errors import invariant
from jishi.hub.content.contents import Content, XetFile
from jishi.hub.node import Node
from jishi.storage import Make


async def prepare_rebuild(node: Node, content: Content) -> Make:
    """Return what makes any bytes of a Xet content, in threads.

    Raises:
        FileMissing: If the chunks were deleted meanwhile.
    """
    invariant(content.xet_file_id is not None, "this content is made of chunks")
    layout = await node.db.read(xet.load_layout, content.xet_file_id or 0)
    return partial(xet.read_bytes, node.xet.memory, node.store, layout)


async def ingest_object(node: Node, key: str, size: int) -> XetFile:
    """Turn an object of the store into chunks and return the file they make."""
    file = await xet.ingest(node.xet, key, size)
    return XetFile(file.id, file.hash, file.size)
