"""How this command was started, so that what is printed can be typed again."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Final

NAME: Final = "jishi"


def program_of(started: str, python: str) -> str:
    """Return what starts this very program from any folder, quoted.

    Args:
        started: The first word of the command line: a script, or ours of ``python -m jishi``.
        python: The interpreter.
    """
    is_module = Path(started).name == "__main__.py"
    script = Path(python).with_name(NAME) if is_module else Path(started).absolute()
    found = shutil.which(NAME)
    if found is not None and _is_same(Path(found), script):
        return NAME
    if is_module:
        return f"{shlex.quote(python)} -m {NAME}"
    return shlex.quote(str(script))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False
