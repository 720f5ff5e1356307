"""Small answers: a model's page of facts, and one page of a wide tree; one core each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import trees
from bench.lab import Lab, cpu_seconds, create_repo, median, pid_of, run
from bench.report import Row

REQUESTS = 4_000
CONNECTIONS = 8
RATE_AIM = 1_000
FILES = 100_000
PAGE = 1_000
PAGE_MS_AIM = 10
ROOT = Path(__file__).resolve().parents[1]


def measure(lab: Lab) -> Sequence[Row]:
    """Measure; the server is bound to the first core, the client to the last."""
    with lab.hub(within=("taskset", "-c", "0")) as (hub, token):
        create_repo(hub.url, token, "small")
        trees.fill(hub.url, token, "lin/small", 10)
        count = lab.size(FILES)
        create_repo(hub.url, token, "wide")
        trees.fill(hub.url, token, "lin/wide", count)
        pid = pid_of(hub)
        return [
            _rate(lab, pid, f"{hub.url}/healthz", "healthz", None),
            _rate(lab, pid, f"{hub.url}/api/models/lin/small", "model_info", RATE_AIM),
            *_pages(lab, pid, f"{hub.url}/api/models/lin/wide/tree/main?recursive=true", count),
        ]


def _rate(lab: Lab, pid: int, url: str, what: str, aim: float | None) -> Row:
    load(url, 200, CONNECTIONS)
    before = cpu_seconds(pid)
    runs = [load(url, REQUESTS, CONNECTIONS) for _ in range(lab.rounds)]
    cpu = (cpu_seconds(pid) - before) / lab.rounds / REQUESTS
    rate = median([run["rate"] for run in runs])
    p50, p99 = (median([run[name] for run in runs]) for name in ("p50_ms", "p99_ms"))
    note = f"{CONNECTIONS} connections, p50 {p50:.1f} ms, p99 {p99:.1f} ms; {cpu * 1e6:.0f} µs CPU"
    return Row(what, f"{rate:.0f}/s", rate, "/s", aim=aim, note=note)


def _pages(lab: Lab, pid: int, url: str, count: int) -> Sequence[Row]:
    rows = []
    for what, connections in (("one reader", 1), ("four readers", 4)):
        load(f"{url}&limit={PAGE}", 20, connections)
        before = cpu_seconds(pid)
        runs = [load(f"{url}&limit={PAGE}", 200, connections) for _ in range(lab.rounds)]
        cpu = (cpu_seconds(pid) - before) / lab.rounds / 200
        p50, p99 = (median([run[name] for run in runs]) for name in ("p50_ms", "p99_ms"))
        rows.append(
            Row(
                f"tree page, {PAGE} entries of {count} files, {what}",
                f"{p50:.1f} ms",
                p50,
                "ms",
                aim=PAGE_MS_AIM if connections == 1 else None,
                more_is_better=False,
                note=f"p50; p99 {p99:.1f} ms; {cpu * 1e3:.1f} ms CPU",
            )
        )
    return rows


def load(url: str, count: int, connections: int) -> dict[str, float]:
    """Ask from a process of its own on the last core."""
    words = ("taskset", "-c", "1", sys.executable, "-m", "bench.load")
    answer: dict[str, float] = json.loads(run(*words, url, str(count), str(connections), cwd=ROOT))
    return answer
