"""From an empty folder to the first uploaded file that can be read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tests.clients.serving import Hub
from tools.envs import lock_of

from bench.lab import Lab, call, run, seconds
from bench.report import Row
from bench.sizes import build_wheel

AIM = 60


def measure(lab: Lab) -> Sequence[Row]:
    """Measure once, after a first install that warms the cache of packages."""
    wheel = build_wheel(lab.new_folder("wheel"))
    _whole_way(lab, wheel)
    steps = _whole_way(lab, wheel)
    total = sum(steps.values())
    note = ", ".join(f"{name} {taken:.1f} s" for name, taken in steps.items())
    what = "empty folder to first uploaded file"
    return [Row(what, f"{total:.1f} s", total, "s", aim=AIM, more_is_better=False, note=note)]


def _whole_way(lab: Lab, wheel: os.PathLike[str]) -> dict[str, float]:
    folder = lab.new_folder("fresh")
    server, client = folder / "server", folder / "client"
    hub = Hub(folder / "data", program=server / "bin" / "jishi", options=())
    steps = {
        "environment": seconds(lambda: run(sys.executable, "-m", "venv", server)),
        "install": seconds(lambda: run(server / "bin" / "pip", "install", "-q", wheel)),
    }
    try:
        steps["serve"] = seconds(hub.start)
        lock = ("--no-deps", "--require-hashes", "-r", str(lock_of("hub-2.4")))
        steps["client"] = seconds(
            lambda: (
                run(sys.executable, "-m", "venv", client),
                run(client / "bin" / "pip", "install", "-q", *lock),
            )
        )
        steps["upload and read"] = seconds(lambda: _upload(hub, client / "bin" / "hf"))
    finally:
        hub.kill()
    return steps


def _upload(hub: Hub, hf: os.PathLike[str]) -> None:
    token = hub.add_person("ada")
    file = hub.folder.parent / "weights.bin"
    file.write_bytes(os.urandom(1 << 20))
    home = {"HF_ENDPOINT": hub.url, "HF_TOKEN": token, "HF_HOME": str(file.parent / "hf")}
    run(hf, "upload", "ada/first", file, **home)
    got = call(f"{hub.url}/ada/first/resolve/main/weights.bin", token)
    assert got == file.read_bytes()
