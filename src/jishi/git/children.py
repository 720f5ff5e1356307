"""Children of Git: how they are started, bounded, read and ended.

A child gets a process group of its own, an environment of ours and none of the hooks and
settings of the machine.  It never outlives the block that started it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

PIECE_BYTES: Final = 128 << 10
STDERR_BYTES_MAX: Final = 8 << 10
CPU_SECONDS_MAX: Final = 300
SECONDS_MAX: Final = 3600
NICENESS: Final = 5


class GitMissing(Refusal):
    """This machine has no Git program; everything but the Git protocol works without."""

    code: ClassVar[str] = "git.not_installed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    text: ClassVar[str] = N_("The git program is not installed on this server.")


@dataclass(slots=True)
class Child:
    """A running child.

    Attributes:
        errors: The beginning of what it said on its standard error.
    """

    process: asyncio.subprocess.Process
    errors: bytearray = field(default_factory=bytearray)

    async def read(self) -> bytes:
        """Return the next piece of its output, empty at the end."""
        assert self.process.stdout is not None
        return await self.process.stdout.read(PIECE_BYTES)

    async def drain(self) -> None:
        """Read its standard error to the end and keep the beginning."""
        assert self.process.stderr is not None
        while piece := await self.process.stderr.read(STDERR_BYTES_MAX):
            self.errors += piece[: STDERR_BYTES_MAX - len(self.errors)]

    def kill(self) -> None:
        """End it and all it started, unless it ended by itself."""
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):  # gone, or a zombie on macOS
            os.killpg(self.process.pid, signal.SIGKILL)


@asynccontextmanager
async def running(
    words: Sequence[str],
    *,
    stdin: BinaryIO | None,
    more: Mapping[str, str],
    cpu_seconds_max: int = CPU_SECONDS_MAX,
) -> AsyncGenerator[Child]:
    """Run ``git`` with ``words`` for the time of the block.

    Args:
        stdin: An open file; ``None`` for nothing to read.
        more: Variables besides our own.

    Raises:
        GitMissing: If there is no Git program.
    """
    child = Child(await _start(words, stdin, more))
    loop = asyncio.get_running_loop()
    timer = loop.call_later(SECONDS_MAX, child.kill)
    draining = asyncio.ensure_future(child.drain())
    try:
        _bound(child.process.pid, cpu_seconds_max)
        yield child
    finally:
        timer.cancel()
        child.kill()
        await asyncio.shield(_end(child, draining))


def environment(git: str) -> dict[str, str]:
    """Return all that a child knows of the machine."""
    return {
        "PATH": os.pathsep.join((str(Path(git).parent), os.defpath)),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
    }


def find_git() -> str:
    """Return the path of the Git program.

    Raises:
        GitMissing: If there is none.
    """
    found = shutil.which("git")
    if found is None:
        raise GitMissing
    return found


async def _start(
    words: Sequence[str], stdin: BinaryIO | None, more: Mapping[str, str]
) -> asyncio.subprocess.Process:
    git = find_git()
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            git,
            *words,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=PIECE_BYTES,
            cwd="/",
            env={**environment(git), **more},
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # the caller left meanwhile; nobody else would end it
        child = Child(await starting)
        child.kill()
        await child.process.wait()
        raise


def _bound(pid: int, cpu_seconds_max: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        if hasattr(resource, "prlimit"):  # Linux
            limits = ((resource.RLIMIT_CPU, cpu_seconds_max), (resource.RLIMIT_CORE, 0))
            for kind, bound in limits:
                resource.prlimit(pid, kind, (bound, bound))


async def _end(child: Child, draining: asyncio.Future[None]) -> None:
    """Read what is left in the pipes, else they stay open until somebody collects garbage."""
    while await child.read():
        pass
    await asyncio.wait((draining,))
    await child.process.wait()
