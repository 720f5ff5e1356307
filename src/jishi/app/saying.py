"""What a terminal is told: refusals in its language, and commands that can be typed."""

from __future__ import annotations

import errno
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from jishi.core.errors import Refusal
from jishi.core.i18n import N_, say_refusal

NOT_ALLOWED = N_("this user may not")
IN_THE_WAY = N_("a file is in the way")
READ_ONLY = N_("the disk may only be read")
DISK_FULL = N_("the disk is full")
NOT_OURS = N_("this machine does not have the address")
NO_PLACE = N_("there is no such place")
A_FOLDER = N_("it is a folder")
UNKNOWN_NAME = N_("nobody knows the name")

_REASONS: Final[Mapping[int | None, str]] = {
    errno.ENOENT: NO_PLACE,
    errno.EACCES: NOT_ALLOWED,
    errno.EPERM: NOT_ALLOWED,
    errno.EEXIST: IN_THE_WAY,
    errno.ENOTDIR: IN_THE_WAY,
    errno.EISDIR: A_FOLDER,
    errno.EROFS: READ_ONLY,
    errno.ENOSPC: DISK_FULL,
    errno.EADDRNOTAVAIL: NOT_OURS,
    errno.EAFNOSUPPORT: NOT_OURS,
}


class Said(msgspec.Struct):
    """A refusal, for the command line."""

    code: str
    error: str


def say(refusal: Refusal, locale: str) -> Said:
    """Put a refusal into the words of ``locale``."""
    return Said(refusal.code, say_refusal(refusal, locale))


def reason_of(error: OSError) -> str:
    """Say why the system said no, where it can be translated."""
    if isinstance(error, socket.gaierror):
        return UNKNOWN_NAME
    return _REASONS.get(error.errno) or error.strerror or str(error)


def typed(program: str, *words: str, folder: Path) -> str:
    """Return a command as it can be pasted into a terminal, wherever that stands.

    Args:
        program: How this command was started, quoted.
        folder: The data folder.
    """
    return f"{program} {shlex.join((*words, '--data', str(folder)))}"
