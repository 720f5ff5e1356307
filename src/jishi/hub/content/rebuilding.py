"""Plain bytes out of Xet chunks, and chunks out of plain bytes."""

from __future__ import annotations

from jishi.core.errors import Broken
from jishi.hub.content.contents import Content, XetFile
from jishi.hub.node import Node
from jishi.storage import Make


async def prepare_rebuild(node: Node, content: Content) -> Make:
    """Return what makes any bytes of a Xet content, in threads."""
    raise Broken(f"no Xet store at {node.folder} for {content.sha256.hex()}")


async def ingest_object(node: Node, key: str, size: int) -> XetFile:
    """Turn an object of the store into chunks and return the file they make."""
    raise Broken(f"no Xet store at {node.folder} for {key}, {size} bytes")
