"""Commits through the API: what they ask for, what is checked, how they settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import sqlalchemy as sa

from jishi import git
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.hub import content, events, index, tables
from jishi.hub.attributes import REGULAR_BYTES_MAX
from jishi.hub.card import BadCard, read_card, read_config, tags_of, uses_of
from jishi.hub.repos import Repo, RepoKind, Right, access_repo, reload_repo
from jishi.hub.revisions import BRANCH_PREFIX, MAIN, RevisionMissing
from jishi.people import Actor

__all__ = [
    "BRANCH_PREFIX",
    "CHANGES_MAX",
    "MAIN",
    "REGULAR_BYTES_MAX",
    "BranchBusy",
    "BranchMoved",
    "Change",
    "CommitDraft",
    "Committed",
    "Copy",
    "DeletesNothing",
    "PathConflict",
    "PutFile",
    "PutLarge",
    "Remove",
    "RevisionMissing",
    "TooLargeForGit",
    "TooManyChanges",
]

CHANGES_MAX = 25_000
SUMMARY_CHARS_MAX = 1_000
DESCRIPTION_CHARS_MAX = 65_000
RACES_MAX = 5
"""How often the branch moves under a commit without a stated parent before it is refused."""
METADATA_BYTES_MAX = 1 << 20


class BranchMoved(Refusal):
    """The stated parent is not the head of the branch."""

    code: ClassVar[str] = "hub.branch_moved"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_(
        "The branch was updated since you opened this page. Please refresh and try again."
    )


class BranchBusy(Refusal):
    """Others moved the branch each time the commit was ready."""

    code: ClassVar[str] = "hub.branch_busy"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("Others are committing to this branch. Try again in a moment.")


class DeletesNothing(Refusal):
    """A commit deletes what is not there."""

    code: ClassVar[str] = "hub.deletes_nothing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("A file with this name doesn't exist: {path}")


class TooLargeForGit(Refusal):
    """A file was sent as regular that must be sent as a large file."""

    code: ClassVar[str] = "hub.too_large_for_git"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_(
        "{path} is larger than {bytes_max} bytes and must be uploaded as a large file."
    )


class TooManyChanges(Refusal):
    """A commit changes more paths than one may."""

    code: ClassVar[str] = "hub.too_many_changes"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("A commit may change {changes_max} files. Split it.")


class PathConflict(Refusal):
    """A path would be a file and a folder at once."""

    code: ClassVar[str] = "hub.path_conflict"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{path} cannot be a file and a folder at the same time.")


@dataclass(frozen=True, slots=True)
class PutFile:
    """A file that Git itself keeps.

    Attributes:
        data: The content, or where it lies in ``CommitDraft.spool``: ``(start, end)``.
    """

    path: str
    data: bytes | tuple[int, int]


@dataclass(frozen=True, slots=True)
class PutLarge:
    """A file whose content was uploaded before.

    Attributes:
        sha256: 32 bytes.
        size: As the client states it; ``None`` on copies within the hub.
    """

    path: str
    sha256: bytes
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """A file or folder to delete."""

    path: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A file to be put from another place of the same repository.

    Attributes:
        revision: ``None`` for the head that is committed to.
    """

    path: str
    source: str
    revision: str | None = None


Change = PutFile | PutLarge | Remove | Copy


@dataclass(frozen=True, slots=True)
class CommitDraft:
    """A commit somebody asks for.

    Attributes:
        parent: Start of the commit the author has seen, or ``None``: onto whatever is there.
        changes: Applied in this order.
        spool: Descriptor of the file that holds the content of ``PutFile`` ranges.
    """

    summary: str
    description: str = ""
    parent: str | None = None
    changes: tuple[Change, ...] = ()
    spool: int | None = None

    @property
    def message(self) -> str:
        """The text Git keeps."""
        summary = self.summary.strip()[:SUMMARY_CHARS_MAX] or "Update"
        description = self.description.strip()[:DESCRIPTION_CHARS_MAX]
        return f"{summary}\n\n{description}" if description else summary


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that is on the branch.

    Attributes:
        ref: Full name of the branch.
    """

    repo: Repo
    ref: str
    oid: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a commit is built on.

    Attributes:
        head: ``None`` for the first commit of a branch.
        sizes: sha256 -> bytes of the large files named.
        now: Microseconds UTC.
    """

    repo: Repo
    ref: str
    head: str | None
    sizes: dict[bytes, int]
    now: int


@dataclass(frozen=True, slots=True)
class Built:
    """A commit that is made and not on the branch yet.

    Attributes:
        commit: Without a pack if nothing changed: then it is the head.
        put: Rows of the index, see ``index.move_index``.
        pointers: ``(blob, sha256, size)`` of the large files put.
        card: New text of ``README.md``; ``None`` if unchanged, empty if removed.
        config: New ``config.json``, likewise.
    """

    commit: git.NewCommit
    title: str
    author: str
    put: tuple[index.Indexed, ...]
    gone: tuple[str, ...]
    pointers: tuple[tuple[bytes, bytes, int], ...]
    card: bytes | None
    config: bytes | None


def prepare_commit(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, revision: str, draft: CommitDraft
) -> Prepared:
    """Check a draft against what is there, before anything is built.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        RevisionMissing: If ``revision`` is not a branch.
        BranchMoved: If the stated parent is not the head.
        content.ContentUnknown: If a large file was not uploaded to this repository.
        content.ContentMismatch: If its bytes were found to be others.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    ref = branch_ref(revision)
    head = git.get_ref(tx, repo.git_id, ref)
    if not ref.startswith(BRANCH_PREFIX) or (head is None and ref != MAIN):
        raise RevisionMissing(revision=revision)
    if draft.parent is not None and not (head or "").startswith(draft.parent.lower()):
        raise BranchMoved
    wanted = {c.sha256 for c in draft.changes if isinstance(c, PutLarge)}
    return Prepared(repo, ref, head, _require_contents(tx, repo, wanted), tx.now)


def settle_commit(tx: Tx, actor: Actor, prepared: Prepared, built: Built) -> Committed:
    """Put a built commit on its branch, with everything that shows it.

    Raises:
        RepoMissing: If the repository went away meanwhile.
        SignInNeeded: As ``access_repo``, like the following.
        ReadOnlyToken: See above.
        Denied: See above.
        git.RefMoved: If the branch moved meanwhile.
    """
    repo = reload_repo(tx, actor, prepared.repo, right=Right.WRITE)
    if built.commit.pack is not None:
        git.add_pack(tx, repo.git_id, built.commit.pack)
    git.move_ref(tx, repo.git_id, prepared.ref, old=prepared.head, new=built.commit.oid)
    index.note_pointers(tx, repo.id, built.pointers)
    content.mark_committed(tx, repo.id, [sha256 for _, sha256, _ in built.pointers])
    if prepared.ref == MAIN:
        repo = _move_main(tx, repo, built)
    record(
        tx,
        events.CommitPushed(
            repo.public_id,
            prepared.ref,
            prepared.head or "",
            built.commit.oid,
            sum(not item.place.endswith("/") for item in built.put) + len(built.gone),
        ),
        subject=repo.public_id,
        actor_id=actor.id,
    )
    return Committed(repo, prepared.ref, built.commit.oid)


def restart_history(tx: Tx, repo: Repo, *, oid: str, title: str, author: str) -> None:
    """Let the default branch begin anew with the same files at the parentless ``oid``."""
    new = bytes.fromhex(oid)
    index.note_commit(tx, repo.id, oid=new, title=title, author=author, at=tx.now)
    index.attribute_all(tx, repo.id, new)
    values = {"head": new, "commits": 1, "updated_at": tx.now}
    tx.conn.execute(sa.update(tables.repos).where(tables.repos.c.id == repo.id).values(values))


def branch_ref(revision: str) -> str:
    """Return the full name of the branch somebody means by ``revision``."""
    return revision if revision.startswith("refs/") else BRANCH_PREFIX + revision


def _require_contents(tx: Tx, repo: Repo, digests: set[bytes]) -> dict[bytes, int]:
    known = content.find_many(tx, repo.id, digests)
    for sha256 in sorted(digests):
        if sha256 not in known:
            raise content.ContentUnknown(sha256=sha256.hex())
        if known[sha256].is_blocked:
            raise content.ContentMismatch(sha256=sha256.hex())
    return {sha256: known[sha256].size for sha256 in digests}


def _move_main(tx: Tx, repo: Repo, built: Built) -> Repo:
    oid = bytes.fromhex(built.commit.oid)
    index.move_index(tx, repo.id, oid, put=built.put, gone=built.gone)
    index.note_commit(tx, repo.id, oid=oid, title=built.title, author=built.author, at=tx.now)
    values: dict[str, Any] = {"head": oid, "commits": repo.commits + 1, "updated_at": tx.now}
    card, config = repo.card, repo.config
    if built.config is not None:
        config = read_config(built.config) if built.config else None
        values["config"] = None if config is None else index.json_text(config)
    tags = repo.tags
    if built.card is not None:
        card = _read_card(built.card)
        values["card"] = None if card is None else index.json_text(card)
        if repo.kind is RepoKind.SPACE:
            index.set_uses(tx, repo.id, uses_of(card))
    if built.card is not None or built.config is not None or not repo.commits:
        tags = tuple(_tags(repo, card, config))
        values["tags"] = index.json_text(tags)
        index.set_tags(tx, repo.id, tags)
    tx.conn.execute(sa.update(tables.repos).where(tables.repos.c.id == repo.id).values(values))
    return replace(
        repo,
        head=built.commit.oid,
        commits=repo.commits + 1,
        updated_at=tx.now,
        card=card,
        config=config,
        tags=tags,
    )


def _tags(repo: Repo, card: dict[str, Any] | None, config: dict[str, Any] | None) -> Sequence[str]:
    tags = tags_of(card, repo.kind)
    if config is not None and config.get("model_type"):
        tags = [*dict.fromkeys(["transformers", str(config["model_type"]), *tags])]
    return tags


def _read_card(data: bytes) -> dict[str, Any] | None:
    """Read the front matter of a pushed README; one that cannot be read shows none."""
    try:
        return read_card(data.decode("utf-8", "replace"))
    except BadCard:
        return None
