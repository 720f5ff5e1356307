"""Large contents of repositories: who has shown which bytes, where they lie, how they leave.

Hides: digests and where their bytes are, LFS transfers, uploads in parts, the plain cache.
Shows: registration by Xet and LFS, what a commit may name, a source of bytes for answers.
``hub.content.lfs`` is the door for the LFS dialect.
"""

from __future__ import annotations

from jishi.hub.content.contents import (
    Content,
    ContentMismatch,
    ContentUnknown,
    Digest,
    XetFile,
    find,
    find_digest,
    find_many,
    holds_file,
    list_blocked,
    list_objects,
    mark_committed,
    plain_key,
    register_plain,
    register_xet,
    used_bytes,
    used_bytes_each,
)
from jishi.hub.content.flows import source_of
from jishi.hub.content.jobs import HANDLERS
from jishi.hub.content.sharing import known_files, list_large_files, readable_files

__all__ = [
    "HANDLERS",
    "Content",
    "ContentMismatch",
    "ContentUnknown",
    "Digest",
    "XetFile",
    "find",
    "find_digest",
    "find_many",
    "holds_file",
    "known_files",
    "list_blocked",
    "list_large_files",
    "list_objects",
    "mark_committed",
    "plain_key",
    "readable_files",
    "register_plain",
    "register_xet",
    "source_of",
    "used_bytes",
    "used_bytes_each",
]
