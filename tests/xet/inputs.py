"""The inputs of the vectors, rebuilt from their descriptions."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "vectors"
VECTORS = json.loads((FOLDER / "vectors.json").read_text())


def vector(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@cache
def stream(seed: str, count: int) -> bytes:
    blocks = (
        hashlib.sha256(seed.encode() + struct.pack("<Q", i)).digest()
        for i in range(-(-count // 32))
    )
    return b"".join(blocks)[:count]


@cache
def made(name: str) -> bytes:
    """Return the bytes of a vector's input."""
    if name == "one_byte":
        data = b"a"
    elif name == "hello":
        data = b"hello world"
    elif name == "zeros_300000":
        data = bytes(300_000)
    elif name == "stream_c_ins":
        base = made("stream_c_1000000")
        data = base[:500_000] + b"INSERTED" * 5 + base[500_000:]
    elif name == "text_120000":
        rows = (
            b"row %08d, value %d, label class-%d\n" % (i, (i * 2654435761) % 1000003, i % 7)
            for i in range(4000)
        )
        data = b"".join(rows)[:120_000]
    elif name == "f32_100000":
        words = struct.unpack("<25000I", stream("f32", 100_000))
        data = struct.pack(
            "<25000f",
            *(math.sin(k / 500) + (h / 2**32 - 0.5) * 1e-3 for k, h in enumerate(words)),
        )
    else:
        _, seed, count = name.split("_")
        data = stream(seed, int(count))
    assert hashlib.sha256(data).hexdigest() == VECTORS["files"][name]["sha256"], name
    return data
