"""Where benches run: a scratch folder, a hub, clients, and what processes cost."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.clients.clients import NEWEST, Client
from tests.clients.serving import Hub

GIB = 1 << 30
SETTLED_SECONDS = 1
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Lab:
    """One run.

    Attributes:
        scale: 1 for the published sizes; smaller for a try.
        rounds: How often each side is measured; medians are given.
    """

    folder: Path
    scale: float = 1.0
    rounds: int = 3
    homes: int = field(default=0)

    def size(self, full: int) -> int:
        """Return a size or count at this run's scale."""
        return max(int(full * self.scale), 1)

    def new_folder(self, name: str) -> Path:
        """Return an empty folder."""
        self.homes += 1
        folder = self.folder / f"{name}-{self.homes}"
        folder.mkdir(parents=True)
        return folder

    def client(self, url: str, token: str) -> Client:
        """Return the newest client at a machine where nothing is cached."""
        return Client(NEWEST, url, self.new_folder("home"), token)

    @contextmanager
    def hub(self, *, within: tuple[str, ...] = ()) -> Iterator[tuple[Hub, str]]:
        """Serve an empty folder; also yields a token that may write as ``lin``."""
        hub = Hub(self.new_folder("hub") / "data", within=within)
        hub.start()
        try:
            yield hub, hub.add_person("lin")
        finally:
            hub.kill()


@contextmanager
def lab(scale: float, rounds: int) -> Iterator[Lab]:
    """Open a lab in the folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="jishi-bench-") as folder:
        yield Lab(Path(folder), scale, rounds)


def pid_of(hub: Hub) -> int:
    """Return the server's process, also where it was started through ``taskset``."""
    assert hub.process is not None
    return hub.process.pid


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and the children it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def let_settle(pid: int) -> None:
    """Wait until a server has no work of its own left: its jobs are not what is measured."""
    before = cpu_seconds(pid)
    while True:
        time.sleep(SETTLED_SECONDS)
        if (now := cpu_seconds(pid)) - before < SETTLED_SECONDS / 20:
            return
        before = now


def resident_bytes(pid: int) -> int:
    """Return what a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def taking_turns(rounds: int, *ways: Callable[[], float]) -> list[list[float]]:
    """Measure each way ``rounds`` times, one after the other, and return all figures."""
    figures: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, own in zip(ways, figures, strict=True):
            own.append(way())
    return figures


def median(figures: Sequence[float]) -> float:
    """Return the middle one."""
    return statistics.median(figures)


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Run a program and return what it printed.

    Raises:
        RuntimeError: With what it said, if it failed.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr[-2000:]}")
    return done.stdout


def call(
    url: str, token: str = "", data: bytes | None = None, *, kind: str = "application/json"
) -> bytes:
    """Send one request, a POST if there is ``data``, and return the answer.

    Raises:
        RuntimeError: With the answer, if it is an error.
    """
    headers = {"Content-Type": kind}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url}: {error.code} {error.read()[:500]!r}") from error


def create_repo(url: str, token: str, name: str) -> None:
    """Create a model repository."""
    call(f"{url}/api/repos/create", token, json.dumps({"name": name}).encode())


def normal_bf16(path: Path, size: int, seed: int) -> None:
    """Write a safetensors file of about ``size`` bytes of normal weights in bf16."""
    count = size // 2
    about = {"weights": {"dtype": "BF16", "shape": [count], "data_offsets": [0, count * 2]}}
    head = json.dumps(about).encode()
    head += b" " * (-len(head) % 8)
    numbers = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for start in range(0, count, 1 << 23):
            piece = numbers.standard_normal(min(1 << 23, count - start), dtype=np.float32)
            (piece.view(np.uint32) >> 16).astype("<u2").tofile(file)


def say(text: str) -> None:
    """Tell whoever waits what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
