"""How long a start takes, and what an idle server holds in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.clients.serving import Hub

from bench.lab import Lab, call, median, pid_of, resident_bytes, seconds
from bench.report import Row

FIRST_SECONDS_AIM = 15
SECOND_SECONDS_AIM = 3
MEMORY_MB_AIM = 150
IDLE_SECONDS = 5


def measure(lab: Lab) -> Sequence[Row]:
    """Measure, with the demo."""
    first, again, memory = [], [], []
    for _ in range(lab.rounds):
        hub = Hub(lab.new_folder("demo") / "data", options=())
        try:
            first.append(seconds(lambda: _start(hub)))  # noqa: B023  (called at once)
            hub.stop()
            again.append(seconds(lambda: _start(hub)))  # noqa: B023  (called at once)
            call(f"{hub.url}/")
            time.sleep(IDLE_SECONDS)
            memory.append(resident_bytes(pid_of(hub)) / 1e6)
        finally:
            hub.kill()
    return [
        _row("first start, demo loaded", median(first), "s", FIRST_SECONDS_AIM),
        _row("second start", median(again), "s", SECOND_SECONDS_AIM),
        _row("idle memory", median(memory), "MB", MEMORY_MB_AIM),
    ]


def _start(hub: Hub) -> None:
    hub.start()
    call(f"{hub.url}/healthz")


def _row(what: str, figure: float, unit: str, aim: float) -> Row:
    return Row(what, f"{figure:.2f} {unit}", figure, unit, aim=aim, more_is_better=False)
