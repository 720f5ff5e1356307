"""Branches and tags: names, lists, and moves by compare-and-swap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from jishi import git
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.hub import events
from jishi.hub.repos import Repo, RepoKind, Right, access_repo
from jishi.hub.revisions import BRANCH_PREFIX, MAIN, TAG_PREFIX, Named, RevisionMissing
from jishi.people import Actor

NAME_CHARS_MAX = 200
REFS_MAX = 10_000

_BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.lock(?:/|$)|[./]$|^[/-]|^@$")
_HEX = re.compile(r"[0-9a-f]{40}")


class BadRefName(Refusal):
    """Git takes no branch or tag of this name."""

    code: ClassVar[str] = "hub.bad_ref_name"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{name} is not a valid name of a branch or tag.")


class RefExists(Refusal):
    """The branch or tag is there already."""

    code: ClassVar[str] = "hub.ref_exists"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("Reference {ref} already exists")


class MainStays(Refusal):
    """The default branch cannot be deleted."""

    code: ClassVar[str] = "hub.main_stays"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("Cannot delete refs/heads/main")


class TooManyRefs(Refusal):
    """A repository has a bounded number of branches and tags."""

    code: ClassVar[str] = "hub.too_many_refs"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("A repository may have {refs_max} branches and tags.")


@dataclass(frozen=True, slots=True)
class Refs:
    """All of a repository, the default branch first, else by name."""

    branches: tuple[Named, ...]
    tags: tuple[Named, ...]


def check_ref_name(name: str) -> str:
    """Return ``name`` if Git takes it and it cannot be taken for a commit.

    Raises:
        BadRefName: Otherwise.
    """
    ok = 0 < len(name) <= NAME_CHARS_MAX and not _BAD.search(name) and not _HEX.fullmatch(name)
    try:
        name.encode()
    except UnicodeEncodeError:
        ok = False
    if not ok or name.startswith("refs/"):
        raise BadRefName(name=name[:NAME_CHARS_MAX])
    return name


def list_refs(tx: Tx, actor: Actor, kind: RepoKind, path: str) -> Refs:
    """Return branches and tags.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
    """
    return refs_of(tx, access_repo(tx, actor, kind, path))


def refs_of(tx: Tx, repo: Repo) -> Refs:
    """Return branches and tags of a repository at hand."""
    found = git.list_refs(tx, repo.git_id)
    branches = [
        _named(ref, BRANCH_PREFIX, v) for ref, v in found.items() if ref.startswith(BRANCH_PREFIX)
    ]
    tags = [_named(ref, TAG_PREFIX, v) for ref, v in found.items() if ref.startswith(TAG_PREFIX)]
    branches.sort(key=lambda b: (b.ref != MAIN, b.name))
    return Refs(tuple(branches), tuple(sorted(tags, key=lambda t: t.name)))


def delete_branch(tx: Tx, actor: Actor, kind: RepoKind, path: str, name: str) -> None:
    """Remove a branch; its commits stay readable by their ids until the collector comes.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        MainStays: If it is the default branch.
        RevisionMissing: If there is none.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    ref = BRANCH_PREFIX + name.removeprefix(BRANCH_PREFIX)
    if ref == MAIN:
        raise MainStays
    _delete(tx, actor, repo, ref, name)


def delete_tag(tx: Tx, actor: Actor, kind: RepoKind, path: str, name: str) -> None:
    """Remove a tag.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        RevisionMissing: If there is none.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    _delete(tx, actor, repo, TAG_PREFIX + name.removeprefix(TAG_PREFIX), name)


def note_ref(tx: Tx, actor: Actor, repo: Repo, ref: str, *, old: str | None, new: str) -> None:
    """Record that a branch or tag was set outside of a commit."""
    event = events.RefChanged(repo.public_id, ref, old or "", new)
    record(tx, event, subject=repo.public_id, actor_id=actor.id)


def require_room(tx: Tx, repo: Repo) -> None:
    """Insist on a bounded number of refs.

    Raises:
        TooManyRefs: If there are ``REFS_MAX`` already.
    """
    if len(git.list_refs(tx, repo.git_id)) >= REFS_MAX:
        raise TooManyRefs(refs_max=REFS_MAX)


def _delete(tx: Tx, actor: Actor, repo: Repo, ref: str, name: str) -> None:
    old = git.get_ref(tx, repo.git_id, ref)
    if old is None:
        raise RevisionMissing(revision=name)
    git.move_ref(tx, repo.git_id, ref, old=old, new=None)
    note_ref(tx, actor, repo, ref, old=old, new="")


def _named(ref: str, prefix: str, value: git.Ref) -> Named:
    return Named(ref.removeprefix(prefix), ref, value.peeled or value.oid)
