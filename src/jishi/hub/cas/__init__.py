"""The store of chunks for whoever has a pass: upload, registration, plans, links.

Hides: what a pass and a link say, who may know of which xorb, what is hashed when.
Shows: one function for each call of the Xet protocol.
"""

from __future__ import annotations

from jishi.hub.cas.flows import (
    Progress,
    Reconstruction,
    ask_chunk,
    issue_token,
    needs_xorb,
    open_data,
    open_pass,
    put_xorb,
    reconstruct,
    register_shard,
)
from jishi.hub.cas.links import DataLinkInvalid
from jishi.hub.cas.passes import BASE_PATH, Pass, PassInvalid, PassReadsOnly, Token
from jishi.hub.cas.reading import ChunkUnknown, RangeInvalid, RangeTooWide
from jishi.hub.cas.registering import DigestDiffers, DigestUnsaid

__all__ = [
    "BASE_PATH",
    "ChunkUnknown",
    "DataLinkInvalid",
    "DigestDiffers",
    "DigestUnsaid",
    "Pass",
    "PassInvalid",
    "PassReadsOnly",
    "Progress",
    "RangeInvalid",
    "RangeTooWide",
    "Reconstruction",
    "Token",
    "ask_chunk",
    "issue_token",
    "needs_xorb",
    "open_data",
    "open_pass",
    "put_xorb",
    "reconstruct",
    "register_shard",
]
