"""What a bench hands back, and the page made of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "en" / "reference" / "benchmarks.md"
KEPT = ROOT / ".cache" / "bench"
"""What was measured at full scale: a bench can be run again without all the others."""

RATIO = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        ours: What was measured here, with its unit.
        peer: The same of the peer, empty where there is none.
        figure: What the aim is about: a ratio to the peer, or a number with ``unit``.
        aim: The bound, ``None`` where nothing is promised.
        more_is_better: Whether the aim is a least or a most.
        note: CPU seconds, spread, conditions.
    """

    what: str
    ours: str
    figure: float
    unit: str = RATIO
    peer: str = ""
    aim: float | None = None
    more_is_better: bool = True
    note: str = ""

    @property
    def is_met(self) -> bool:
        if self.aim is None:
            return True
        return self.figure >= self.aim if self.more_is_better else self.figure <= self.aim

    def cells(self) -> tuple[str, ...]:
        bound = "≥" if self.more_is_better else "≤"
        aim = "" if self.aim is None else f"{bound} {number(self.aim)} {self.unit}"
        verdict = "" if self.aim is None else "met" if self.is_met else "**missed**"
        figure = f"{number(self.figure)} {self.unit}"
        return (self.what, self.ours, self.peer, figure, aim, verdict, self.note)


def number(value: float) -> str:
    """Write a number with as many digits as mean something."""
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if value >= 1 else f"{value:.2f}"


HEAD = ("what", "Jishi", "peer", "figure", "aim", "", "notes")
INTRODUCTION = """\
# Benchmarks

Every figure was measured beside a peer in the same run on the same machine, runs of both
taking turns, medians given; so read the ratios, and the absolute numbers only as what this
machine gives. `make bench` measures again and writes this page, `python -m bench NAME` measures
one of {names}.
"""


def keep(name: str, rows: Sequence[Row], rounds: int) -> None:
    """Keep the figures of one bench, with the conditions they were measured under."""
    KEPT.mkdir(parents=True, exist_ok=True)
    busy = f"{os.getloadavg()[0]:.1f}"
    day = datetime.now(UTC).date().isoformat()
    about = {"day": day, "rounds": rounds, "load at the end": busy}
    text = json.dumps({"about": about, "rows": [asdict(row) for row in rows]})
    (KEPT / f"{name}.json").write_text(text, encoding="utf-8")


def write_page(names: Sequence[str]) -> bool:
    """Write the page of the documentation once every bench was run; say whether it was."""
    files = [KEPT / f"{name}.json" for name in names]
    if not all(file.exists() for file in files):
        return False
    parts = [INTRODUCTION.format(names=", ".join(f"`{name}`" for name in names)), _conditions()]
    for name, file in zip(names, files, strict=True):
        kept = json.loads(file.read_text(encoding="utf-8"))
        about = ", ".join(f"{key} {value}" for key, value in kept["about"].items())
        rows = [Row(**row) for row in kept["rows"]]
        parts.append(f"## {name}\n\n`python -m bench {name}`: {about}.\n\n{table(rows)}")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return True


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _conditions() -> str:
    versions = ", ".join(
        f"{name} {metadata.version(name)}"
        for name in ("uvicorn", "httptools", "uvloop", "sqlalchemy", "pygit2", "numpy")
    )
    facts = {
        "machine": f"{_processor()}, {_cores()} cores, {_memory_gib():.0f} GiB, loopback",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Jishi": f"{metadata.version('jishi')}; {versions}",
        "peers": f"{_first('nginx', '-v')}; {_first('git', '--version')}",
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in facts.items())])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _cores() -> int:
    return Path("/proc/cpuinfo").read_text(encoding="utf-8").count("processor\t")


def _memory_gib() -> float:
    first = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()[0]
    return int(first.split()[1]) / (1 << 20)


def _first(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]
