"""Environments of the real clients that tests drive: one per hashed lock, kept for reuse.

``python -m tools.envs``             makes every environment that is missing and prints its folder
``python -m tools.envs hub-2.4 …``   only these
``python -m tools.envs --lock``      writes the locks anew (needs uv; the line of torch is pip's)

An environment lies in ``.cache/envs/<first 16 hex of its lock's sha256>``, so that raising a lock
makes a new one and never changes one that another run is using.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEWEST = ("huggingface-hub==2.4.0", "hf-xet==1.8.0")
TORCH = "torch==2.13.0+cpu"
"""The CPU build, a wheel that pip finds on the machine; indexes have only a build for GPUs."""
TORCH_NEEDS = ("sympy", "networkx", "jinja2", "setuptools")
CLIENTS = {
    "hub-2.4": NEWEST,
    "hub-1.28": ("huggingface-hub==1.28.0", "hf-xet==1.6.0"),
    "hub-0.36": ("huggingface-hub==0.36.0", "hf-xet==1.2.0"),
    "hub-0.36-xet-1.8": ("huggingface-hub==0.36.0", "hf-xet==1.8.0"),
    "datasets": ("datasets==5.2.0", *NEWEST),
    "transformers": ("transformers==5.23.0", *NEWEST, *TORCH_NEEDS),
}
BARE = "bare"
"""What the platform itself needs, without the platform: a wheel is installed into it."""
INSTALL_SECONDS_MAX = 1800
"""A whole environment is made in minutes; pip hanging longer is an error."""


def lock_of(name: str) -> Path:
    """Return the hashed lock of one environment."""
    if name == BARE:
        return ROOT / "requirements" / "run.lock"
    return ROOT / "requirements" / f"clients-{name}.lock"


def python_of(name: str) -> Path:
    """Return the interpreter of an environment, which is made first if it is missing.

    Raises:
        subprocess.CalledProcessError: pip could not install exactly what the lock says.
    """
    digest = hashlib.sha256(lock_of(name).read_bytes()).hexdigest()[:16]
    folder = ROOT / ".cache" / "envs" / digest
    python = folder / "bin" / "python"
    with _alone(folder):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _say(f"making the environment of {name}")
            _run(sys.executable, "-m", "venv", str(folder))
            install = ("install", "-qq", "--no-deps", "--require-hashes")
            _run(str(python), "-m", "pip", *install, "-r", str(lock_of(name)))
            (folder / "complete").touch()
    return python


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the one right to make ``folder``: two suites may ask at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_lock(name: str) -> None:
    """Resolve one environment for every platform and write its lock."""
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch) / "asked.in"
        asked.write_text("\n".join(CLIENTS[name]) + "\n", encoding="utf-8")
        manner = ("--universal", "--python-version", "3.11", "--generate-hashes")
        plain = ("--no-header", "--no-annotate", "--quiet", "-o", str(lock_of(name)))
        _run("uv", "pip", "compile", *manner, *plain, str(asked))
        if name == "transformers":
            with lock_of(name).open("a", encoding="utf-8") as file:
                file.write(_torch_line(Path(scratch) / "report.json"))


def _torch_line(report: Path) -> str:
    """Ask pip which wheel it would take, and lock that one."""
    how = ("--quiet", "--dry-run", "--no-deps", "--ignore-installed", "--report", str(report))
    _run(sys.executable, "-m", "pip", "install", *how, TORCH)
    (item,) = json.loads(report.read_text(encoding="utf-8"))["install"]
    digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
    return f"{TORCH} \\\n    --hash=sha256:{digest}\n"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS_MAX)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> None:
    """Make environments or locks, by name or all of them."""
    names = [each for each in arguments if not each.startswith("-")]
    is_locking = "--lock" in arguments
    for name in names or [*CLIENTS, *([] if is_locking else [BARE])]:
        if is_locking:
            write_lock(name)
        else:
            sys.stdout.write(f"{name} {python_of(name).parents[1]}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
