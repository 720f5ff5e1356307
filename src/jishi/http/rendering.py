"""Cards and code, put into HTML by child processes.

What strangers wrote may hit a part of comrak, nh3, Pygments or latex2mathml whose time or
memory grows out of bounds, most of them while no other thread can run.  So children do it,
one document at a time: a child has a deadline, little memory and no file of ours, and a
document that ends it is shown as its text.  Children start when the first document comes and
end when none came for a while.  One that lost its parent sees the end of its input, at the
latest when its own alarm rings.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup
from typing_extensions import override

from jishi.core.i18n import N_, translate
from jishi.http.highlight import plain_lines
from jishi.http.markdown import Place
from jishi.http.renderer import (
    LENGTH_BYTES,
    READY,
    SECONDS_MAX,
    CardJob,
    CodeJob,
    Job,
    read_answer,
)

__all__ = ["colour_lines", "render_card"]

log = logging.getLogger(__name__)

CHILDREN_MAX: Final = 2
IDLE_SECONDS: Final = 60
"""After this long without a document a child ends; it holds 35 MB."""
START_SECONDS_MAX: Final = 30
WAITING_MAX: Final = 16
"""Documents in line; those that come then are shown as text this time."""
WAITING_SECONDS_MAX: Final = 12
"""For one's turn and the answer; after that likewise."""
ANSWER_BYTES_MAX: Final = 64 << 20
_START: Final = """
import sys, types
package = types.ModuleType("jishi.http")  # all of the package would take 50 MB and a second
package.__path__ = [sys.argv[1]]
sys.modules["jishi.http"] = package
from jishi.http.renderer import main
main()
"""


class TooBusy(Exception):
    """Too many documents wait already, or no child could be started."""


async def render_card(source: str, place: Place, locale: str) -> tuple[Markup, bool]:
    """Return a Markdown document as HTML, and whether to keep that for its next reader.

    What cannot be rendered is shown as its text, with a sentence that says so.
    """
    try:
        answer = await workers.ask(CardJob(source, place, locale))
    except TooBusy:
        return _as_text(source, locale), False
    html = read_answer(answer, str)
    if html is None:
        return _as_text(source, locale), True
    return Markup(html), True  # noqa: S704  (from the one sanitiser)


async def colour_lines(code: str, language: str) -> tuple[tuple[Markup, ...], bool]:
    """Return the lines of ``code``, coloured where that is possible, and whether to keep them."""
    if not language:
        return plain_lines(code), False
    try:
        answer = await workers.ask(CodeJob(code, language))
    except TooBusy:
        return plain_lines(code), False
    lines = read_answer(answer, list[str])
    if lines is None:
        return plain_lines(code), True
    return tuple(map(Markup, lines)), True


def _as_text(source: str, locale: str) -> Markup:
    said = translate(N_("This document could not be rendered; here is its text."), locale)
    return Markup('<p><em>{}</em></p>\n<pre tabindex="0">{}</pre>').format(said, source)


class Workers:
    """The children of this process and the line before them.

    Args:
        seconds_max: For one document.
    """

    def __init__(
        self, *, seconds_max: float = SECONDS_MAX, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[bytes | None], bytes]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._workers: list[_Worker] = []
        self._seconds_max = seconds_max
        self._idle_seconds = idle_seconds

    @property
    def children(self) -> list[int]:
        """Process ids of the children that live now."""
        return [pid for worker in self._workers if (pid := worker.pid)]

    async def ask(self, job: Job) -> bytes | None:
        """Return a child's answer; ``None`` if it had none in time.

        Raises:
            TooBusy: If too many wait already, or no child could be started.
        """
        if self._jobs.qsize() >= WAITING_MAX:
            raise TooBusy
        with self._starting:
            free = sum(worker.is_free for worker in self._workers)
            if len(self._workers) < CHILDREN_MAX and free <= self._jobs.qsize():
                worker = _Worker(self._jobs, self._seconds_max, self._idle_seconds)
                self._workers.append(worker)
                worker.start()
        future: Future[bytes | None] = Future()
        self._jobs.put((future, msgspec.msgpack.encode(job)))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), WAITING_SECONDS_MAX)
        except TimeoutError:
            raise TooBusy from None


class _Worker(threading.Thread):
    """A thread with a child: writes a job to it, waits for the answer, kills it if none comes."""

    def __init__(
        self,
        jobs: queue.SimpleQueue[tuple[Future[bytes | None], bytes]],
        seconds_max: float,
        idle_seconds: float,
    ) -> None:
        super().__init__(name="rendering", daemon=True)
        self._jobs = jobs
        self._seconds_max = seconds_max
        self._idle_seconds = idle_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self.is_free = False

    @property
    def pid(self) -> int:
        """Of the child, 0 where there is none."""
        child = self._child
        return child.pid if child is not None else 0

    @override
    def run(self) -> None:
        """Serve for ever; a thread costs next to nothing."""
        while True:
            self.is_free = True
            try:
                future, job = self._jobs.get(
                    timeout=self._idle_seconds if self._child is not None else None
                )
            except queue.Empty:
                self._end()
                continue
            self.is_free = False
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._ask(job))
                except TooBusy as error:
                    future.set_exception(error)

    def _ask(self, job: bytes) -> bytes | None:
        """Return the child's answer; ``None`` if the document ended it.

        Raises:
            TooBusy: If there is no child: that says nothing of the document.
        """
        child = self._living()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(len(job).to_bytes(LENGTH_BYTES) + job)
            child.stdin.flush()
            return _receive(child.stdout.fileno(), self._seconds_max)
        except (OSError, _NoAnswer) as error:
            log.warning("a document could not be rendered: %s", error)
            self._end()
            return None

    def _living(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self._end()  # somebody killed it while it had nothing to do
        try:
            return self._child if self._child is not None else self._begin()
        except (OSError, _NoAnswer) as error:
            log.warning("no child for rendering could be started: %s", error)
            self._end()
            raise TooBusy from error

    def _begin(self) -> subprocess.Popen[bytes]:
        here = str(Path(__file__).parent)
        self._child = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-P", "-c", _START, here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        assert self._child.stdout is not None
        if _receive(self._child.stdout.fileno(), START_SECONDS_MAX) != READY:
            raise _NoAnswer("it did not start")
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # what the child did not read any more
                continue


class _NoAnswer(Exception):
    """The child said nothing in time, or ended."""


def _receive(fd: int, seconds: float) -> bytes:
    """Read one frame.

    Raises:
        _NoAnswer: If it is not whole in time.
    """
    end = time.monotonic() + seconds
    length = int.from_bytes(_read(fd, LENGTH_BYTES, end))
    if length > ANSWER_BYTES_MAX:
        raise _NoAnswer("too long an answer")
    return _read(fd, length, end)


def _read(fd: int, size: int, end: float) -> bytes:
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    pieces = bytearray()
    while len(pieces) < size:
        left = end - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise _NoAnswer("it took too long")
        piece = os.read(fd, size - len(pieces))
        if not piece:
            raise _NoAnswer("the child ended")
        pieces += piece
    return bytes(pieces)


workers: Final = Workers()
"""Of this process; it has no child before it is asked."""
