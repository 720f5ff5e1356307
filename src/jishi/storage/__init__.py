"""Bytes by key: where objects lie and how they get there without being lost.

Hides: folders, fsync, temporary names, what is cached and who follows whom.
Shows: ``Store`` (a protocol; ``LocalStore`` keeps a folder), ``Spool`` and ``Assembly`` for
bytes on the way in, sources for bytes on the way out, ``PlainCache`` for bytes worth keeping.
"""

from __future__ import annotations

from jishi.storage.assembly import Assembly
from jishi.storage.local import LocalStore
from jishi.storage.plain import PLAIN_BYTES_MAX, Make, PlainCache
from jishi.storage.sources import (
    BytesSource,
    FileSource,
    Piece,
    Source,
    StreamSource,
    object_source,
)
from jishi.storage.spool import Spool, SpoolFile
from jishi.storage.store import DiskFull, ObjectMissing, Store, no_space

__all__ = [
    "PLAIN_BYTES_MAX",
    "Assembly",
    "BytesSource",
    "DiskFull",
    "FileSource",
    "LocalStore",
    "Make",
    "ObjectMissing",
    "Piece",
    "PlainCache",
    "Source",
    "Spool",
    "SpoolFile",
    "Store",
    "StreamSource",
    "no_space",
    "object_source",
]
