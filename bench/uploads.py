"""Upload of 1 GiB with the real client, against the same client and a sink.

The sink answers every upload route and stores nothing (``bench.sink``).  Each round uploads
weights that nobody has seen, from a client without a cache.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.lab import GIB, Lab, cpu_seconds, median, normal_bf16, pid_of, say, seconds
from bench.report import Row

ROOT = Path(__file__).resolve().parents[1]
AIM = 0.7


def measure(lab: Lab) -> Sequence[Row]:
    """Measure."""
    own: list[float] = []
    other: list[float] = []
    cpu: list[float] = []
    size = lab.size(GIB)
    file = lab.new_folder("weights") / "model.safetensors"
    with lab.hub() as (hub, token), _sink() as sink:
        for turn in range(lab.rounds):
            say(f"  round {turn + 1}")
            normal_bf16(file, size, seed=100 + turn)
            other.append(_upload(lab, sink, "hf_sink", "lin/sunk", file))
            before = cpu_seconds(pid_of(hub))
            own.append(_upload(lab, hub.url, token, f"lin/up-{turn}", file))
            cpu.append((cpu_seconds(pid_of(hub)) - before) / (size / GIB))
    ours, theirs = size / median(own), size / median(other)
    return [
        Row(
            f"hf upload, {size / GIB:.2f} GiB of bf16",
            f"{ours / 1e6:.0f} MB/s",
            ours / theirs,
            peer=f"{theirs / 1e6:.0f} MB/s (sink)",
            aim=AIM,
            note=f"{median(cpu):.2f} CPU s/GiB of the server; client and server share the cores",
        )
    ]


def _upload(lab: Lab, url: str, token: str, repo: str, file: Path) -> float:
    client = lab.client(url, token)
    return seconds(lambda: client.shell("hf", "upload", repo, str(file), file.name).ok())


@contextmanager
def _sink() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
