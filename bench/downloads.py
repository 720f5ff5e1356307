"""Download of 1 GiB of bf16 weights, against nginx on the same file.

*warm*: the plain file lies in the cache.  *cold*: the first read after a Xet upload, rebuilt
from chunks; the server is started anew on an empty cache before each, and has ended its own
check of the file: it may not count twice.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.serving import Hub

from bench.lab import (
    GIB,
    Lab,
    cpu_seconds,
    let_settle,
    median,
    normal_bf16,
    pid_of,
    run,
    say,
    taking_turns,
)
from bench.peers import Nginx, nginx
from bench.report import Row

ROOT = Path(__file__).resolve().parents[1]
AIMS = {("warm", 1): 0.9, ("warm", 8): 0.9, ("cold", 1): 0.3, ("cold", 8): 0.4}


@dataclass
class Course:
    """Both servers and the file they give away."""

    lab: Lab
    hub: Hub
    peer: Nginx
    size: int

    @property
    def ours(self) -> str:
        return f"{self.hub.url}/lin/big/resolve/main/model.safetensors"

    @property
    def theirs(self) -> str:
        return f"{self.peer.url}/files/model.safetensors"

    def cold(self, connections: int) -> tuple[float, float]:
        """Forget the plain file and read; return bytes and CPU seconds per second and GiB."""
        self.hub.stop()
        shutil.rmtree(self.hub.folder / "plain", ignore_errors=True)
        self.hub.start()
        let_settle(pid_of(self.hub))
        return self.speed(self.ours, pid_of(self.hub), connections)

    def speed(self, url: str, pid: int, connections: int) -> tuple[float, float]:
        """Return bytes per second, and the server's CPU seconds per GiB."""
        before = cpu_seconds(pid)
        words = (sys.executable, "-m", "bench.drain", url, str(connections))
        taken = float(run(*words, cwd=ROOT))
        total = connections * self.size
        return total / taken, (cpu_seconds(pid) - before) / (total / GIB)


def measure(lab: Lab) -> Sequence[Row]:
    """Measure."""
    with lab.hub() as (hub, token), nginx(lab) as peer:
        file = peer.files / "model.safetensors"
        normal_bf16(file, lab.size(GIB), seed=1)
        client = lab.client(hub.url, token)
        say("  uploading by Xet")
        client.shell("hf", "upload", "lin/big", str(file), "model.safetensors").ok()
        course = Course(lab, hub, peer, file.stat().st_size)
        assert _digest(course.ours) == _digest(course.theirs), "not the bytes that went in"
        return [_row(course, state, n) for state in ("cold", "warm") for n in (1, 8)]


def _row(course: Course, state: str, connections: int) -> Row:
    say(f"  {state}, {connections}")
    cpu: dict[str, list[float]] = {"ours": [], "theirs": []}

    def ours() -> float:
        if state == "cold":
            speed, own = course.cold(connections)
        else:
            speed, own = course.speed(course.ours, pid_of(course.hub), connections)
        cpu["ours"].append(own)
        return speed

    def theirs() -> float:
        speed, own = course.speed(course.theirs, course.peer.worker, connections)
        cpu["theirs"].append(own)
        return speed

    if state == "warm":
        _warm(course)
    own, other = taking_turns(course.lab.rounds, ours, theirs)
    return Row(
        f"download, {course.size / GIB:.2f} GiB, {state}, {connections} connections",
        f"{median(own) / 1e6:.0f} MB/s",
        median(own) / median(other),
        peer=f"{median(other) / 1e6:.0f} MB/s (nginx)",
        aim=AIMS[state, connections],
        note=f"CPU s/GiB {median(cpu['ours']):.2f}, nginx {median(cpu['theirs']):.2f}",
    )


def _warm(course: Course) -> None:
    """Read until the whole file lies in the cache, which a second read makes it."""
    for _ in range(3):
        course.speed(course.ours, pid_of(course.hub), 1)
    plain = [p for p in (course.hub.folder / "plain").rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in plain) == course.size, "the cache was not filled"


def _digest(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return hashlib.file_digest(answer, "sha256").hexdigest()
