"""The child process that renders: one document after the other, from its input to its output.

Frames are a length in four bytes, big end first, and MessagePack.  Imports little: what this
takes is held by each child.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress
from typing import BinaryIO, Final, TypeVar

import msgspec

from jishi.http.highlight import lines_of
from jishi.http.markdown import Place, render_markdown

LENGTH_BYTES: Final = 4
SECONDS_MAX: Final = 4
"""For one document, by the watch of who asks."""
ALARM_SECONDS: Final = 10
"""After this the child ends by itself, since who asked must be gone."""
MEMORY_BYTES_MAX: Final = 400 << 20
"""Address space; 40 MB are taken from the beginning."""
NICENESS: Final = 5
READY: Final = b"ready"

T = TypeVar("T")


class CardJob(msgspec.Struct, frozen=True, tag=True):
    """Render Markdown."""

    source: str
    place: Place
    locale: str


class CodeJob(msgspec.Struct, frozen=True, tag=True):
    """Colour code, line by line."""

    code: str
    language: str


Job = CardJob | CodeJob


def read_answer(answer: bytes | None, kind: type[T]) -> T | None:
    """Return what a child answered, ``None`` if it did not or could not."""
    if answer is None:
        return None
    try:
        return msgspec.msgpack.decode(answer, type=kind | None)
    except msgspec.MsgspecError:  # somebody else wrote to its output
        return None


def main() -> None:
    """Answer until the input ends."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _write(sink, READY)
    while length := source.read(LENGTH_BYTES):
        job = source.read(int.from_bytes(length))
        signal.alarm(ALARM_SECONDS)
        _write(sink, msgspec.msgpack.encode(_do(msgspec.msgpack.decode(job, type=Job))))
        signal.alarm(0)


def _do(job: Job) -> str | list[str] | None:
    try:
        if isinstance(job, CardJob):
            return str(render_markdown(job.source, job.place, job.locale))
        return [str(line) for line in lines_of(job.code, job.language)]
    except (MemoryError, RecursionError):
        return None


def _write(sink: BinaryIO, answer: bytes) -> None:
    sink.write(len(answer).to_bytes(LENGTH_BYTES) + answer)
    sink.flush()


def _limit() -> None:
    """Take little: memory, files, processor; ends are silent."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end is ours
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    os.nice(NICENESS)
