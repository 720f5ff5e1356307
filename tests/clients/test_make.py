"""The first of the two commands of the README, on nothing but the files of the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRST_ANSWER_SECONDS_MAX = 15
"""After the installation ended."""
SECOND_START_SECONDS_MAX = 10
"""3 on an idle machine."""
STOP_SECONDS_MAX = 30
OF_AN_OUTER_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")


@dataclass(frozen=True)
class Start:
    """A server that ``make serve`` started.

    Attributes:
        said: What it printed up to the last command to try.
        seconds: From typing the command to the first answer.
        answered_at: When that was, seconds since the epoch.
    """

    url: str
    said: list[str]
    seconds: float
    answered_at: float


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that Git knows, as they are now, in a folder of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = tmp_path / "jishi" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return tmp_path / "jishi"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def made(checkout: Path) -> Iterator[Start]:
    """Type ``make serve`` and wait for what it prints."""
    environment = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  (how pip finds packages here)
        if name not in OF_AN_OUTER_MAKE
    }
    typed_at = time.perf_counter()
    with subprocess.Popen(
        ["make", "serve", f"PYTHON={sys.executable}", f"PORT={free_port()}"],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said = list(_until_tried(process))
            found = re.search(r"Jishi serves (http\S+)", "\n".join(said))
            assert found, said
            with urllib.request.urlopen(f"{found[1]}/healthz", timeout=30) as answer:
                assert answer.status == 200
            seconds = time.perf_counter() - typed_at
            now = time.time()  # noqa: TID251  (compared with the time of a file)
            yield Start(found[1], said, seconds, now)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(STOP_SECONDS_MAX)


def _until_tried(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield lines up to the empty one after the commands to try."""
    is_trying = False
    for line in process.stdout or ():
        yield line.rstrip("\n")
        is_trying = is_trying or line.startswith("Try next:")
        if is_trying and not line.strip():
            return


def models(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/api/models", timeout=30) as answer:
        return sorted(each["id"] for each in json.load(answer))


@pytest.mark.wide
def test_make_serve_installs_and_shows_the_demo_and_keeps_it(checkout: Path) -> None:
    with made(checkout) as first:
        installed_at = (checkout / ".venv" / ".run").stat().st_mtime
        shown = models(first.url)
    with made(checkout) as second:
        kept = models(second.url)

    assert first.answered_at - installed_at < FIRST_ANSWER_SECONDS_MAX
    assert second.seconds < SECOND_START_SECONDS_MAX
    assert len(shown) == 3
    assert kept == shown
    assert "Demo log-ins, shown only now:" in first.said
    assert "Demo log-ins, shown only now:" not in second.said
    for start in (first, second):
        assert any(f"{start.url}/set-up/" in line for line in start.said)
        at = start.said.index("Try next:")
        assert len([line for line in start.said[at + 1 :] if line.strip()]) == 3
    assert (checkout / "jishi-data" / "jishi.db").exists()
