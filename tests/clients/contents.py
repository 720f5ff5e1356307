"""Bytes to upload: folders of small files, and weights as training makes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

TENSOR_BYTES = 10_000_000
"""One tensor: 5 million bfloat16 values, a little less than 10 MiB."""


def write_folder(folder: Path, *, files: int = 20) -> dict[str, str]:
    """Write a repository of small files, some of them binary; return path -> sha256."""
    texts: dict[str, bytes] = {
        "README.md": b"---\nlicense: apache-2.0\nsdk: static\n---\n\n# A folder\n",
        "config.json": b'{"model_type": "none"}\n',
        "data/empty.txt": b"",
        "data/one.bin": b"\0",
        "weights/model.safetensors": safetensors({"w": np.arange(600, dtype="<u2")}),
    }
    for number in range(files):
        texts[f"data/{number:04d}.txt"] = f"file {number}\n".encode()
    for name, content in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in texts.items()}


def bfloat16(count: int, seed: int) -> np.ndarray:
    """Return weights as initialised layers have them: normal, deviation 0.02, as raw halves."""
    dice = np.random.Generator(np.random.PCG64(seed))
    values = dice.standard_normal(count, dtype=np.float32) * np.float32(0.02)
    return (values.view(np.uint32) >> np.uint32(16)).astype("<u2")


def safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """Return a safetensors file of bfloat16 tensors."""
    header: dict[str, object] = {}
    at = 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": "BF16",
            "shape": [len(values)],
            "data_offsets": [at, at + values.nbytes],
        }
        at += values.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    body = b"".join(values.tobytes() for values in tensors.values())
    return len(head).to_bytes(8, "little") + head + body


def write_weights(
    path: Path, *, tensors: int = 20, changed: int | None = None, seed: int = 0
) -> str:
    """Write ``tensors`` times 10 MB of weights, one of them changed; return the sha256.

    Args:
        seed: Tensors are numbered from it; those of two seeds 100 apart have nothing in common.
    """
    seeds = {number: seed + number for number in range(tensors)}
    if changed is not None:
        seeds[changed] = seed + 50 + changed
    layers = {
        f"layers.{number}.weight": bfloat16(TENSOR_BYTES // 2, seed)
        for number, seed in seeds.items()
    }
    data = safetensors(layers)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def sha256(path: Path) -> str:
    """Hash a file without reading it whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """Return path -> sha256 of every file below ``folder``, ``.git`` and ``.cache`` left out."""
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not {".git", ".cache"} & set(file.relative_to(folder).parts)
    }
