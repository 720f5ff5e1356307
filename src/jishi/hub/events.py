"""Facts the hub announces."""

from __future__ import annotations

from typing import ClassVar

from jishi.core.events import Event


class RepoCreated(Event, frozen=True):
    """A repository exists."""

    name: ClassVar[str] = "hub.RepoCreated"

    repo: str
    kind: str
    private: bool


class RepoMoved(Event, frozen=True):
    """A repository has another name; the old one redirects."""

    name: ClassVar[str] = "hub.RepoMoved"

    repo: str


class RepoDeleted(Event, frozen=True):
    """A repository is gone."""

    name: ClassVar[str] = "hub.RepoDeleted"

    repo: str


class VisibilityChanged(Event, frozen=True):
    """A repository was made private or public."""

    name: ClassVar[str] = "hub.VisibilityChanged"

    repo: str
    private: bool


class CommitPushed(Event, frozen=True):
    """A branch moved to a new commit.

    Attributes:
        old: 40 hex digits, empty where the branch is new.
        files: Paths the commit changed.
    """

    name: ClassVar[str] = "hub.CommitPushed"

    repo: str
    ref: str
    old: str
    new: str
    files: int


class RefChanged(Event, frozen=True):
    """A branch or tag was created, moved by hand or removed (``new`` empty)."""

    name: ClassVar[str] = "hub.RefChanged"

    repo: str
    ref: str
    old: str
    new: str


class DownloadsCounted(Event, frozen=True):
    """A node counted downloads of a repository since its last report."""

    name: ClassVar[str] = "hub.DownloadsCounted"

    repo: str
    day: int
    downloads: int


class RepoLiked(Event, frozen=True):
    """Somebody likes a repository, or no longer (``liked`` false)."""

    name: ClassVar[str] = "hub.RepoLiked"

    repo: str
    liked: bool
