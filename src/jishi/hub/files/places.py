"""A revision somebody may read, found by whatever names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jishi.core.db import Tx
from jishi.hub import content
from jishi.hub.entries import Entry
from jishi.hub.repos import Repo, RepoKind, access_repo
from jishi.hub.revisions import MAIN, RevisionMissing, find_ref
from jishi.people import Actor
from jishi.storage import Source

FULL_OID: Final = 40
SHORT_OID_MIN: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A revision of a repository that the actor may read.

    Attributes:
        oid: The commit, 40 hex digits; empty for the default branch before its first one.
        ref: The branch or tag that was named, ``None`` for a commit.
        is_head: Whether it is the head of the default branch, which SQL pictures.
    """

    repo: Repo
    revision: str
    oid: str
    ref: str | None

    @property
    def is_head(self) -> bool:
        """Whether SQL pictures this revision."""
        return self.oid == (self.repo.head or "")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and where its bytes come from.

    Attributes:
        is_text: Whether the beginning reads as UTF-8 text; only known of what Git holds.
    """

    entry: Entry
    source: Source
    is_text: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """A revision and what it holds.

    Attributes:
        entries: Files and folders; empty unless they were wanted.
        used_bytes: Of all large contents of the repository.
        has_app: Whether a Space has the file that it runs; at the head, whatever the revision.
    """

    place: Place
    entries: Sequence[Entry]
    used_bytes: int
    has_app: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """A path of a revision.

    Attributes:
        entry: ``None`` if the revision has no such path.
        known: The content of a large file, ``None`` if this hub never had it.
    """

    place: Place
    path: str
    entry: Entry | None
    known: content.Content | None = None


def find_place_in(tx: Tx, actor: Actor, kind: RepoKind, path: str, revision: str) -> Place:
    """Return the place; without ``oid`` and ``ref`` where only packs can tell.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        RevisionMissing: If nothing can have this name.
    """
    repo = access_repo(tx, actor, kind, path)
    return _place_of(tx, repo, revision)


def _place_of(tx: Tx, repo: Repo, revision: str) -> Place:
    if revision in {"main", MAIN}:
        return Place(repo, revision, repo.head or "", MAIN)
    if revision == repo.head:
        return Place(repo, revision, revision, None)
    named = find_ref(tx, repo, revision)
    if named is not None:
        return Place(repo, revision, named.oid, named.ref)
    lowered = revision.lower()
    is_hex = all(c in "0123456789abcdef" for c in lowered)
    if not is_hex or not SHORT_OID_MIN <= len(revision) <= FULL_OID:
        raise RevisionMissing(revision=revision)
    return Place(repo, revision, "", None)
