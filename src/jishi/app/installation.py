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


class NoFolder(Refusal):
    """What should be the data folder is a file, or lies in one."""

    code: ClassVar[str] = "app.no_folder"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{folder} cannot be a data folder: {file} is a file.")


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
    file = _find_file(folder)
    if file is not None:
        return _refused(NoFolder(folder=str(folder), file=str(file)), locale)
    command = typed(program, "serve", folder=folder)
    return _refused(FolderMissing(folder=str(folder), command=command), locale)


def _refused(refusal: Refusal, locale: str) -> tuple[int, bytes]:
    return 409, msgspec.json.encode(say(refusal, locale))


def _find_file(folder: Path) -> Path | None:
    """Return what is a file where a folder has to be."""
    try:
        places = (folder, *folder.parents)
        return next((each for each in places if each.exists() and not each.is_dir()), None)
    except OSError:  # nobody lets us look
        return None


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
