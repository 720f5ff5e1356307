"""Run the real command, and servers that end with their test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

START_SECONDS_MAX = 60
COMMAND = (sys.executable, "-m", "jishi")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """What a bare terminal has: nothing of ours, English."""
    kept = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}  # noqa: TID251  (where git is)
    return {**kept, "HOME": "/nonexistent", **more}


def jishi(*arguments: object, cwd: Path | None = None, **variables: str) -> Done:
    """Run one command to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        cwd=cwd,
        env=environment(**variables),
        timeout=START_SECONDS_MAX,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def typed(command: str, cwd: Path) -> Done:
    """Run what was printed, as somebody does who pastes it into another terminal."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        check=False,
        text=True,
        cwd=cwd,
        env=environment(),
        timeout=START_SECONDS_MAX,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass
class Server:
    process: subprocess.Popen[str]
    banner: str
    url: str
    data: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(START_SECONDS_MAX)

    def set_up(self) -> str | None:
        """Address of the set-up link, if the banner has one."""
        found = re.search(r"http\S+/set-up/\S+", self.banner)
        return None if found is None else found.group()


@contextmanager
def serving(data: Path, *arguments: object, **variables: str) -> Iterator[Server]:
    """Yield a server on a free port, once it said that it serves."""
    command = [*COMMAND, "serve", "--data", str(data), "--port", "0", *map(str, arguments)]
    with (
        (data.parent / f"{data.name}.log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(**variables)
        ) as process,
    ):
        try:
            banner = "".join(_until_served(process))
            said = (data.parent / f"{data.name}.log").read_text()
            assert process.poll() is None, f"ended with {process.poll()}: {said}"
            url = re.search(r"https?://[\w.:\[\]]+", banner)
            assert url is not None, f"no address in {banner!r}: {said}"
            yield Server(process, banner, url.group(), data)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(START_SECONDS_MAX)


def _until_served(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what is printed up to the last of the three commands to try."""
    commands = 0
    for line in process.stdout or ():
        yield line
        commands += line.startswith("  ") and ("HF_ENDPOINT=" in line or "jishi " in line)
        commands += line.startswith("  git ")
        if commands == 3:
            return
