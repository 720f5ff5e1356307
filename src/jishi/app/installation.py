"""Whether a folder is a data folder; loads nothing of the platform to say no."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

import msgspec

from jishi.app.saying import say, typed
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

ROOT_KEY: Final = Path("keys", "root")
"""Written by the first start, before anything else that counts."""
BEFOREHAND: Final = frozenset({"jishi.toml", "jishi.lock", "lost+found"})
"""What may lie in a folder that is to become a data folder by a command."""


class FolderMissing(Refusal):
    """There is no data folder to work on."""

    code: ClassVar[str] = "app.folder_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_(
        "There is no installation in {folder}. Name another folder with --data, "
        "or begin one here: {command}"
    )


def refuse_missing(
    folder: Path, *, program: str, locale: str, may_begin: bool
) -> tuple[int, bytes] | None:
    """Return the answer that refuses work on a folder that was never served, else ``None``.

    Args:
        program: How the command was started, quoted.
        may_begin: Whether the command may make an installation where nothing lies.
    """
    if is_installed(folder) or (may_begin and _is_vacant(folder)):
        return None
    command = typed(program, "serve", folder=folder)
    refusal = FolderMissing(folder=str(folder), command=command)
    return 409, msgspec.json.encode(say(refusal, locale))


def is_installed(folder: Path) -> bool:
    """Whether ``folder`` was served, or prepared by a command."""
    return (folder / ROOT_KEY).exists()


def _is_vacant(folder: Path) -> bool:
    """Whether nothing but settings lies in ``folder``, or it does not exist."""
    try:
        return BEFOREHAND.issuperset(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:  # no folder, or not ours
        return False
