"""Names inside a repository: what may be stored, and pulled everywhere, ever after.

Clients refuse to write ``..``, absolute names and Windows drives to their disks, so such a
file would be stored and unreachable; ``.git`` and ``.cache`` belong to Git and the clients.
"""

from __future__ import annotations

import re
from typing import ClassVar

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

PATH_BYTES_MAX = 4096
SEGMENT_BYTES_MAX = 255
DEPTH_MAX = 100

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OWNED = re.compile(r"\.git|\.cache|git~[0-9]+")
"""The last one is what Windows calls the first one where short names are on."""
_IGNORABLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Code points HFS+ ignores and terminals act upon: ``.g\\u200cit`` is ``.git`` on a Mac."""


class BadPath(Refusal):
    """The name may not be stored."""

    code: ClassVar[str] = "hub.bad_path"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{path} is not a valid file name here: {problem}.")


def check_path(path: str) -> str:
    """Return ``path`` if it may name a file of a repository.

    Raises:
        BadPath: With the reason.
    """
    problem = _problem(path)
    if problem is not None:
        raise BadPath(path=path[:200], problem=problem)
    return path


def _problem(path: str) -> str | None:
    try:
        octets = len(path.encode())
    except UnicodeEncodeError:
        return "not valid Unicode"
    segments = path.split("/")
    wrong = {
        f"longer than {PATH_BYTES_MAX} bytes": octets > PATH_BYTES_MAX,
        "empty or absolute": not path or path.startswith("/"),
        "backslashes and control characters are not allowed": "\\" in path
        or _CONTROL.search(path) is not None,
        f"more than {DEPTH_MAX} folders deep": len(segments) > DEPTH_MAX,
    }
    found = (problem for problem, holds in wrong.items() if holds)
    inner = (problem for problem in map(_segment_problem, segments) if problem is not None)
    return next(found, None) or next(inner, None)


def _segment_problem(segment: str) -> str | None:
    plain = _IGNORABLE.sub("", segment).lower().rstrip(". ")
    if not segment or segment in {".", ".."} or not plain:
        return "empty, . and .. are not names"
    if any(map(_OWNED.fullmatch, (plain, plain.split(":")[0].rstrip(". ")))):
        return f"{segment} belongs to the tools that read repositories"
    if _DRIVE.match(segment):
        return "a name may not begin with a drive letter"
    if len(segment.encode()) > SEGMENT_BYTES_MAX:
        return f"a name may not be longer than {SEGMENT_BYTES_MAX} bytes"
    return None
