"""Kill a server at chosen moments, start it again on the same folder, and compare."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tools.envs import python_of

from tests.clients.clients import NEWEST, Client
from tests.clients.proxy import Proxy, relaying
from tests.clients.serving import Hub, running

SPEAKER = Path(__file__).with_name("speaker.py")
KINDS = ("commit", "folder", "lfs")
STEP_SECONDS_MAX = 120
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Kill:
    """What one kill met.

    Attributes:
        delay: Seconds after the server had got the call's first byte; ``length`` is how long the
            shortest unkilled call of this kind took from there, so that most kills meet it under
            way however busy the machine is.
        was_under_way: Whether the server had got the call's first byte, and the call not returned.
        answered: Calls that had returned before.
    """

    kind: str
    delay: float
    length: float
    was_under_way: bool
    answered: int


@dataclass
class Killer:
    """One hub, killed again and again; the folder is kept.

    Attributes:
        wire: Between clients and hub; it outlives the hub and counts what was sent.
    """

    hub: Hub
    wire: Proxy
    token: str
    home: Path
    seed: int

    def __post_init__(self) -> None:
        """Make a repository for each kind, and learn how long a step takes."""
        self._port = self.wire.target[1]
        self._chosen = random.Random(self.seed)
        self._next = dict.fromkeys(KINDS, 0)
        self._known: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        self._lengths: dict[str, float] = {}
        for kind in KINDS:
            self._client().call("create", repo=f"lin/by-{kind}")

    def kill_during(self, kind: str) -> Kill:
        """Kill the server during a step, and insist on everything it said before.

        Raises:
            AssertionError: If something acknowledged is lost, or the hub is not healthy.
        """
        if kind not in self._lengths:
            self._measure(kind, 900_000)
            self._measure(kind, 900_001)
        length = self._lengths[kind]
        before = self._chosen.randint(0, 1)
        delay = self._chosen.uniform(0, length)
        log = self.home / f"{kind}-{self._next[kind]}.log"
        first = self._next[kind]
        with self._speak(kind, first, before + 2, log) as speaker:
            self._await_first_byte(log, first + before, speaker)
            time.sleep(delay)
            self.hub.kill()
            speaker.kill()
        answered = [line for line in _lines(log) if "done" in line]
        under_way = not any(line["done"] == first + before for line in answered)
        self.hub.start(port=self._port)
        for line in answered:
            self._known[kind] |= line["files"]
        self._next[kind] = first + before + 2
        self._compare(kind, [path for line in answered for path in line["files"]])
        self._measure(kind, first + len(answered))
        healthy = self.hub.try_command("doctor")
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
        return Kill(kind, delay, length, under_way, len(answered))

    def compare_all(self) -> int:
        """Insist on everything that was ever acknowledged; return how many files that is."""
        for kind, files in self._known.items():
            self._compare(kind, list(files))
        return sum(map(len, self._known.values()))

    def _measure(self, kind: str, number: int) -> None:
        """Take one step that nobody kills, and remember its files and how long it took."""
        log = self.home / f"{kind}-{number}-whole.log"
        with self._speak(kind, number, 1, log) as speaker:
            self._await_first_byte(log, number, speaker)
            started = time.monotonic()
            _, err = speaker.communicate(timeout=STEP_SECONDS_MAX)
            assert speaker.returncode == 0, err[-3000:]
        ended = list(_lines(log))[-1]
        self._known[kind] |= ended["files"]
        took = ended["at"] - started
        self._lengths[kind] = min(took, self._lengths.get(kind, took))

    def _await_first_byte(self, log: Path, number: int, speaker: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + STEP_SECONDS_MAX
        while (sent := _sent_at(log, number)) is None or self.wire.up_at < sent:
            assert time.monotonic() < deadline, "the client did not begin"
            assert sent or speaker.poll() is None, speaker.communicate()[1][-3000:]
            time.sleep(0.002)

    def _compare(self, kind: str, paths: list[str]) -> None:
        for path in paths:
            assert self._hash(f"lin/by-{kind}", path) == self._known[kind][path], path

    def _hash(self, repo: str, path: str) -> str:
        request = urllib.request.Request(
            f"{self.wire.url}/{repo}/resolve/main/{quote(path)}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        digest = hashlib.sha256()
        with urllib.request.urlopen(request, timeout=60) as answer:
            while piece := answer.read(READ_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def _client(self) -> Client:
        return Client(NEWEST, self.wire.url, self.home / "client", self.token)

    def _speak(self, kind: str, first: int, count: int, log: Path) -> subprocess.Popen[str]:
        client = self._client()
        python = python_of(NEWEST.environment)
        words = [kind, f"lin/by-{kind}", str(self.seed), str(first), str(count), str(log)]
        return subprocess.Popen(
            [str(python), str(SPEAKER), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=client.environment(),
            cwd=client.home,
        )


@contextmanager
def killing(home: Path, seed: int) -> Iterator[Killer]:
    """Serve a folder below ``home`` behind a relay that outlives the server."""
    with relaying() as wire, running(home / "data", "--url", wire.url) as hub:
        wire.target = ("127.0.0.1", hub.port())
        yield Killer(hub, wire, hub.add_person("lin"), home, seed)


def _sent_at(log: Path, number: int) -> float | None:
    """Return when a step began to send, on the clock all processes share."""
    return next((line["at"] for line in _lines(log) if line.get("begin") == number), None)


def _lines(log: Path) -> Iterator[dict]:
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)
