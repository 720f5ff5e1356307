"""A hub as people run it: the process of ``jishi serve`` on a data folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

JISHI = Path(sys.executable).with_name("jishi")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
COMMAND_SECONDS_MAX = 60
LISTENING = "0A"
"""State of a socket in ``/proc/net/tcp``."""


class DidNotStart(Exception):
    """The process ended, or did not say its address in time."""


@dataclass
class Hub:
    """One data folder, and the process that serves it while it runs.

    Attributes:
        url: Where it answers, as it says itself.
        said: What it printed since its last start.
    """

    folder: Path
    program: Path = JISHI
    options: tuple[str, ...] = ("--no-demo",)
    within: tuple[str, ...] = ()
    url: str = ""
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _listener: threading.Thread = field(default_factory=threading.Thread)
    _serving: threading.Event = field(default_factory=threading.Event)

    def start(self, *, port: int = 0) -> None:
        """Start the process and wait until it said what it has to say.

        Raises:
            DidNotStart: With what it printed.
        """
        self.begin(port=port)
        if not self._serving.wait(START_SECONDS_MAX) or not self.url:
            self.kill()
            raise DidNotStart("\n".join(self.said))

    def begin(self, *, port: int = 0) -> subprocess.Popen[str]:
        """Start the process in a group of its own and do not wait."""
        command = [*self.within, str(self.program), "serve", "--port", str(port), *self.options]
        self.said = []
        self.url = ""
        self.process = subprocess.Popen(
            [*command, "--data", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=plain_environment(self.folder.parent),
            cwd=self.folder.parent,
            start_new_session=True,
        )
        self._serving = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self.process

    def _listen(self) -> None:
        """Keep what is printed; the pipe must not fill."""
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self._read(lines)
        self._serving.set()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self.said.append(line.rstrip("\n"))
            found = re.search(r"Jishi serves (https?://\S+)", line)
            if found:
                self.url = found[1]
            if self.url and not line.strip() and "Try next:" in self.said:
                self._serving.set()

    def stop(self) -> int:
        """Ask the process to end as an operator would, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """SIGKILL to the process and its children."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self._ended()

    def _ended(self) -> int:
        assert self.process is not None
        status = self.process.wait(STOP_SECONDS_MAX)
        self._listener.join(STOP_SECONDS_MAX)
        self.process = None
        return status

    def port(self) -> int:
        """Return where it listens, whatever address it tells people.

        Raises:
            LookupError: If it listens nowhere.
        """
        assert self.process is not None
        files = Path(f"/proc/{self.process.pid}")
        links = {str(link.readlink()) for link in (files / "fd").iterdir()}
        for line in (files / "net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in links:
                return int(fields[1].partition(":")[2], 16)
        raise LookupError(f"process {self.process.pid} listens nowhere")

    def at(self, host: str) -> str:
        """Return its address by another name of this machine."""
        return f"http://{host}:{self.port()}"

    def command(self, *words: str) -> str:
        """Run ``jishi`` beside the server, or without one, and return what it printed."""
        done = self.try_command(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def try_command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Do the same; the exit status is the caller's business."""
        return subprocess.run(
            [*self.within, str(self.program), *words, "--data", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            env=plain_environment(self.folder.parent),
            check=False,
        )

    def add_person(self, name: str, *, role: str = "write") -> str:
        """Add somebody and return an access token of theirs."""
        self.command("user", "add", name)
        return self.command("token", "add", name, "--role", role)

    def add_organisation(self, name: str, **members: str) -> None:
        """Add an organisation with members: name -> role."""
        self.command("org", "add", name)
        for person, role in members.items():
            self.command("org", "member", "add", name, person, "--role", role)


def plain_environment(home: Path) -> dict[str, str]:
    """Return an environment that knows nothing of whoever runs the tests."""
    return {
        "PATH": os.environ["PATH"],  # noqa: TID251  (where git is)
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextmanager
def running(folder: Path, *options: str, **settings: object) -> Iterator[Hub]:
    """Serve ``folder`` for the length of the block."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    hub = Hub(folder, options=("--no-demo", *options), **settings)  # type: ignore[arg-type]
    hub.start()
    try:
        yield hub
    finally:
        hub.kill()
