"""Bytes of the wheel, and of what a plain install brings along."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.lab import Lab, run
from bench.report import Row

ROOT = Path(__file__).resolve().parents[1]


def build_wheel(folder: Path) -> Path:
    """Build the wheel as ``make dist`` does."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    (wheel,) = folder.glob("jishi-*.whl")
    return wheel


def measure(lab: Lab) -> Sequence[Row]:
    """Measure."""
    wheel = build_wheel(lab.new_folder("wheel"))
    venv = lab.new_folder("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    before = _bytes(venv)
    python = venv / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", wheel)
    own = _bytes(venv / "lib", "jishi") + _bytes(venv / "lib", "jishi-*")
    whole = _bytes(venv) - before
    return [
        _row("wheel", wheel.stat().st_size),
        _row("installed, our files", own),
        _row("installed, with all it needs", whole),
    ]


def _row(what: str, size: int) -> Row:
    return Row(what, f"{size / 1e6:.1f} MB", size, "bytes")


def _bytes(folder: Path, name: str = "") -> int:
    roots = folder.glob(f"python*/site-packages/{name}") if name else [folder]
    files = (path for root in roots for path in root.rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())
