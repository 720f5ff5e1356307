"""Repositories of many small files, made by raw commits as clients send them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.lab import call

OPERATIONS_MAX = 20_000
"""Of one commit; the hub takes 25 000."""


def names(count: int) -> Iterator[str]:
    """Yield paths: folders of 100 files."""
    return (f"part-{index // 100:04}/file-{index:06}.json" for index in range(count))


def content(index: int) -> bytes:
    """Return a small file that differs from all others."""
    return json.dumps({"index": index, "text": f"{index * 2_654_435_761:x} " * 12}).encode()


def ndjson(paths: Sequence[str], first: int = 0) -> bytes:
    """Return the body of one commit that adds ``paths``."""
    lines = [{"key": "header", "value": {"summary": f"Add {len(paths)} files"}}]
    for index, path in enumerate(paths, first):
        text = base64.b64encode(content(index)).decode()
        value = {"path": path, "content": text, "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def commit(url: str, token: str, repo: str, body: bytes) -> None:
    """Send one commit to ``main``."""
    address = f"{url}/api/models/{repo}/commit/main"
    call(address, token, body, kind="application/x-ndjson")


def fill(url: str, token: str, repo: str, count: int) -> None:
    """Add ``count`` files, in as many commits as it takes."""
    paths = list(names(count))
    for start in range(0, count, OPERATIONS_MAX):
        commit(url, token, repo, ndjson(paths[start : start + OPERATIONS_MAX], start))


def write(folder: Path, count: int) -> None:
    """Write the same files into a folder."""
    for index, name in enumerate(names(count)):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content(index))
