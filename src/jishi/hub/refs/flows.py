"""Branches and tags that need a look into packs, or new objects."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from jishi import git
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.hub.assembly import author_of
from jishi.hub.commits import restart_history
from jishi.hub.files import Place, find_place
from jishi.hub.node import Node
from jishi.hub.refs.names import (
    MainStays,
    RefExists,
    check_ref_name,
    note_ref,
    require_room,
)
from jishi.hub.repos import RepoKind, Right, access_repo, reload_repo
from jishi.hub.revisions import BRANCH_PREFIX, MAIN, TAG_PREFIX, RevisionMissing
from jishi.people import Actor

EMPTY_MESSAGE = "initial commit"
TAG_CHARS_MAX = 65_000
SQUASH_CHARS_MAX = 500
"""What clients may send, ``hf-hub-api.md`` §6."""


class MessageTooLong(Refusal):
    """The message for a squashed history is longer than one may be."""

    code: ClassVar[str] = "hub.message_too_long"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This commit message may have at most {chars_max} characters.")


async def create_branch(
    node: Node,
    actor: Actor,
    kind: RepoKind,
    path: str,
    name: str,
    *,
    start: str | None,
    is_empty: bool,
    overwrite: bool,
) -> None:
    """Create a branch at ``start`` (``None``: the default branch), or without files.

    Args:
        is_empty: Make one parentless commit without files.
        overwrite: Move the branch if it is there; alone it changes nothing.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        BadRefName: If Git takes no such name.
        RevisionMissing: If ``start`` is not there.
        RefExists: If the branch is there and may not be overwritten.
        TooManyRefs: If there are too many.
    """
    await node.db.read(access_repo, actor, kind, path, right=Right.WRITE)
    ref = BRANCH_PREFIX + check_ref_name(name.removeprefix(BRANCH_PREFIX))
    place = await find_place(node, actor, kind, path, start or "main")
    new = git.NewCommit(place.oid, "", None)
    if is_empty:
        new = await _orphan(node, actor, place, EMPTY_MESSAGE, keep_files=False)
        await git.store_pack(node.db, node.store, node.pool, new.pack)
    if not new.oid:
        raise RevisionMissing(revision=start or "main")
    moves = overwrite and (is_empty or start is not None)
    await node.db.write(_set_ref, actor, place, ref, new, moves=moves, stays=overwrite)


async def create_tag(
    node: Node,
    actor: Actor,
    kind: RepoKind,
    path: str,
    name: str,
    *,
    revision: str,
    message: str | None,
) -> None:
    """Create a tag; with a message an annotated one.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        BadRefName: If Git takes no such name.
        RevisionMissing: If ``revision`` is not there.
        RefExists: If the tag is there.
        TooManyRefs: If there are too many.
    """
    await node.db.read(access_repo, actor, kind, path, right=Right.WRITE)
    ref = TAG_PREFIX + check_ref_name(name)
    place = await find_place(node, actor, kind, path, revision)
    if not place.oid:
        raise RevisionMissing(revision=revision)
    new = git.NewCommit(place.oid, "", None)
    if message:
        text = message[:TAG_CHARS_MAX]
        now = await node.db.read(_now)
        author = author_of(actor)
        make = partial(git.make_tag, name=name, message=text, author=author, when_us=now)
        new = await hop(node.pool, make, place.oid)
    await node.db.write(_set_ref, actor, place, ref, new, moves=False, stays=False)


async def squash(
    node: Node, actor: Actor, kind: RepoKind, path: str, branch: str, *, message: str
) -> None:
    """Replace a branch's history by one parentless commit of its files.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        MessageTooLong: If ``message`` has more than ``SQUASH_CHARS_MAX`` characters.
        RevisionMissing: If there is no such branch.
        git.RefMoved: If somebody commits meanwhile.
    """
    await node.db.read(access_repo, actor, kind, path, right=Right.WRITE)
    if len(message) > SQUASH_CHARS_MAX:
        raise MessageTooLong(chars_max=SQUASH_CHARS_MAX)
    place = await find_place(node, actor, kind, path, branch)
    if place.ref is None or not place.ref.startswith(BRANCH_PREFIX) or not place.oid:
        raise RevisionMissing(revision=branch)
    text = message.strip() or f"Super-squash branch '{branch}'"
    new = await _orphan(node, actor, place, text, keep_files=True)
    await git.store_pack(node.db, node.store, node.pool, new.pack)
    await node.db.write(_replace_history, actor, place, new, text.partition("\n")[0])


async def _orphan(
    node: Node, actor: Actor, place: Place, message: str, *, keep_files: bool
) -> git.NewCommit:
    repository = None
    if keep_files:
        repository = await git.open_repository(node.db, node.git, node.pool, place.repo.git_id)
    return await hop(
        node.pool,
        git.build_orphan,
        repository,
        tree_of=place.oid if keep_files else None,
        message=message,
        author=author_of(actor),
        when_us=await node.db.read(_now),
    )


def _now(tx: Tx) -> int:
    return tx.now


def _set_ref(
    tx: Tx,
    actor: Actor,
    place: Place,
    ref: str,
    new: git.NewCommit,
    *,
    moves: bool,
    stays: bool,
) -> None:
    repo = reload_repo(tx, actor, place.repo, right=Right.WRITE)
    old = git.get_ref(tx, repo.git_id, ref)
    if old is not None and not moves:
        if stays:
            return
        raise RefExists(ref=ref)
    if ref == MAIN and old != new.oid:
        raise MainStays  # its files are pictured in SQL: it moves by commits only
    if old is None:
        require_room(tx, repo)
    if new.pack is not None:
        git.add_pack(tx, repo.git_id, new.pack)
    peeled = place.oid if new.oid != place.oid and ref.startswith(TAG_PREFIX) else None
    git.move_ref(tx, repo.git_id, ref, old=old, new=new.oid, peeled=peeled)
    note_ref(tx, actor, repo, ref, old=old, new=new.oid)


def _replace_history(tx: Tx, actor: Actor, place: Place, new: git.NewCommit, title: str) -> None:
    repo = reload_repo(tx, actor, place.repo, right=Right.WRITE)
    ref = place.ref or MAIN
    if new.pack is not None:
        git.add_pack(tx, repo.git_id, new.pack)
    git.move_ref(tx, repo.git_id, ref, old=place.oid, new=new.oid)
    if ref == MAIN:
        restart_history(tx, repo, oid=new.oid, title=title, author=actor.name)
    note_ref(tx, actor, repo, ref, old=place.oid, new=new.oid)
