"""The formats of the Xet protocol: chunks, hashes, xorbs, shards.  Bytes in, values out."""

from __future__ import annotations

from jishi.xet.formats.chunks import CHUNK_BYTES_MIN, Chunker
from jishi.xet.formats.hashes import (
    BadHash,
    chunk_hash,
    file_hash,
    hash_bytes,
    hash_text,
    is_eligible,
    range_hash,
)
from jishi.xet.formats.merkle import Merkle, merkle_root
from jishi.xet.formats.packing import BadXorb, Packer
from jishi.xet.formats.shards import (
    SHARD_BYTES_MAX,
    BadShard,
    ReplyTimes,
    ShardFile,
    hide_chunks,
    keyed_block,
    read_shard,
    write_reply,
)
from jishi.xet.formats.xorbs import (
    XORB_BYTES_MAX,
    XORB_CHUNKS_MAX,
    XORB_RAW_MAX,
    Verified,
    XorbIndex,
    XorbVerifier,
    footer_bytes,
    read_footer,
    unpack_span,
)

__all__ = [
    "CHUNK_BYTES_MIN",
    "SHARD_BYTES_MAX",
    "XORB_BYTES_MAX",
    "XORB_CHUNKS_MAX",
    "XORB_RAW_MAX",
    "BadHash",
    "BadShard",
    "BadXorb",
    "Chunker",
    "Merkle",
    "Packer",
    "ReplyTimes",
    "ShardFile",
    "Verified",
    "XorbIndex",
    "XorbVerifier",
    "chunk_hash",
    "file_hash",
    "footer_bytes",
    "hash_bytes",
    "hash_text",
    "hide_chunks",
    "is_eligible",
    "keyed_block",
    "merkle_root",
    "range_hash",
    "read_footer",
    "read_shard",
    "unpack_span",
    "write_reply",
]
