"""What names a revision: a full ref, a branch, a tag, a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from jishi import git
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub.repos import Repo

BRANCH_PREFIX: Final = "refs/heads/"
TAG_PREFIX: Final = "refs/tags/"
MAIN: Final = "refs/heads/main"


class RevisionMissing(Refusal):
    """The repository has no such branch, tag or commit."""

    code: ClassVar[str] = "hub.revision_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("Invalid rev id: {revision}")


@dataclass(frozen=True, slots=True)
class Named:
    """A branch or tag.

    Attributes:
        name: Short, ``main``.
        ref: Full, ``refs/heads/main``.
        oid: The commit, also of an annotated tag.
    """

    name: str
    ref: str
    oid: str


def find_ref(tx: Tx, repo: Repo, revision: str) -> Named | None:
    """Return what ``revision`` names: a full ref, a branch, or a tag, in this order."""
    for ref in (revision, BRANCH_PREFIX + revision, TAG_PREFIX + revision):
        if not ref.startswith("refs/"):
            continue
        found = git.find_ref(tx, repo.git_id, ref)
        if found is not None:
            return Named(ref.split("/", 2)[-1], ref, found.peeled or found.oid)
    return None
