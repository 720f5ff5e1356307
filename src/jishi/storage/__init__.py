"""Bytes by key: where objects lie and how they get there without being lost.

Hides: folders, fsync, temporary names.
Shows: ``Store`` (a protocol; ``LocalStore`` keeps a folder), ``Spool`` for bytes on the way.
"""

from __future__ import annotations

from jishi.storage.local import LocalStore
from jishi.storage.spool import Spool, SpoolFile
from jishi.storage.store import DiskFull, ObjectMissing, Store, no_space

__all__ = ["DiskFull", "LocalStore", "ObjectMissing", "Spool", "SpoolFile", "Store", "no_space"]
