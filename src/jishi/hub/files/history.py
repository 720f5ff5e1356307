"""What pages and lists show of commits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit.

    Attributes:
        title: First line of the message; ``message`` is the rest.
        author: As Git has it; a person's name for commits made here.
        at: Microseconds UTC.
    """

    oid: str
    title: str
    message: str
    author: str
    at: int
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a commit did to one file.

    Attributes:
        kind: ``add``, ``change`` or ``delete``.
        diff: Unified diff; ``None`` for what is no text or too long.
    """

    path: str
    kind: str
    diff: str | None


@dataclass(frozen=True, slots=True)
class CommitDetail:
    """A commit with what it changed.

    Attributes:
        is_cut: Whether there were more files than are shown.
    """

    info: CommitInfo
    changes: tuple[FileChange, ...]
    is_cut: bool
