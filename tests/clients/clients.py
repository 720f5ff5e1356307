"""Clients in environments of their own, called as other people's programs are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.envs import python_of

from tests.clients.serving import plain_environment

CALLS = Path(__file__).parent / "calls"
CALL_SECONDS_MAX = 300
ANSWER = "ANSWER "


@dataclass(frozen=True)
class Variant:
    """A pair of library and Xet extension, and how it is set.

    Attributes:
        environment: Name of its lock, see ``tools.envs``.
        has_xet: Whether large files travel by Xet.
    """

    name: str
    environment: str
    has_xet: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)


NEWEST = Variant("2.4.0/1.8.0", "hub-2.4")
VARIANTS = (
    NEWEST,
    Variant("2.4.0 without Xet", "hub-2.4", has_xet=False, settings={"HF_HUB_DISABLE_XET": "1"}),
    Variant("1.28.0/1.6.0", "hub-1.28"),
    Variant("0.36.0/1.2.0", "hub-0.36"),
    Variant("0.36.0/1.8.0", "hub-0.36-xet-1.8"),
)


class Refused(Exception):
    """The call raised inside the client.

    Attributes:
        kinds: Names of the exception's classes, most derived first.
        text: What a person would have read.
        cause: What stands above it, under "direct cause of the following exception".
    """

    def __init__(self, kinds: list[str], text: str, cause: str) -> None:
        super().__init__(f"{kinds[0]}: {text}")
        self.kinds = kinds
        self.text = text
        self.cause = cause


@dataclass(frozen=True)
class Client:
    """Somebody at a machine of their own.

    Attributes:
        home: Home folder, with the caches.
        token: What ``HF_TOKEN`` says; empty for nobody.
        within: Words before every command, such as those that enter a namespace.
    """

    variant: Variant
    endpoint: str
    home: Path
    token: str = ""
    script: str = "with_hub"
    settings: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()

    def using(self, **changes: Any) -> Client:
        """Return the same client with something changed."""
        return replace(self, **changes)

    def environment(self) -> dict[str, str]:
        """Return what its processes find in their environment."""
        self.home.mkdir(parents=True, exist_ok=True)
        own = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(self.home / "hf"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "50ms",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "NO_COLOR": "1",
            "DO_NOT_TRACK": "0",
        }
        if self.token:
            own["HF_TOKEN"] = self.token
        return {**plain_environment(self.home), **own, **self.variant.settings, **self.settings}

    def call(self, function: str, **facts: Any) -> Any:
        """Run one function of a script in ``calls`` and return its answer.

        Raises:
            Refused: With the client's own exception.
        """
        process = self.begin(function, **facts)
        out, err = process.communicate(timeout=CALL_SECONDS_MAX)
        lines = [line for line in out.splitlines() if line.startswith(ANSWER)]
        assert lines, f"{function} ended with {process.returncode}\n{out[-2000:]}\n{err[-8000:]}"
        answer = json.loads(lines[-1].removeprefix(ANSWER))
        if "refused" in answer:
            raise Refused(answer["refused"], answer["text"], answer["cause"])
        return answer["value"]

    def begin(self, function: str, **facts: Any) -> subprocess.Popen[str]:
        """Start the same and do not wait."""
        python = python_of(self.variant.environment)
        words = [
            *self.within,
            str(python),
            str(CALLS / f"{self.script}.py"),
            function,
            json.dumps(facts),
        ]
        return subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            cwd=self.home,
        )

    def shell(self, *words: str, cwd: Path | None = None, text: str | None = None) -> Shell:
        """Run a program of the environment, such as ``hf``, or of the machine, such as ``git``."""
        process = self.begin_shell(*words, cwd=cwd)
        try:
            out, err = process.communicate(text, timeout=CALL_SECONDS_MAX)
        except BaseException:
            process.kill()
            raise
        return Shell(process.returncode, out, err)

    def begin_shell(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start the same and do not wait."""
        scripts = python_of(self.variant.environment).parent
        program = scripts / words[0]
        first = str(program) if program.exists() else words[0]
        return subprocess.Popen(
            [*self.within, first, *words[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environment(), "PATH": f"{scripts}:{self.environment()['PATH']}"},
            cwd=cwd or self.home,
        )


@dataclass(frozen=True)
class Shell:
    """How a program ended."""

    status: int
    out: str
    err: str

    def ok(self) -> str:
        """Insist that all went well and return what was printed."""
        assert self.status == 0, self.out + self.err
        return self.out
