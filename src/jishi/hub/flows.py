"""Creating and committing: check, build with no transaction open, settle in a short one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from jishi import git
from jishi.core.db import Tx
from jishi.core.hop import hop
from jishi.hub import lifecycle
from jishi.hub.assembly import assemble
from jishi.hub.attributes import DEFAULT, DEFAULT_DATASET
from jishi.hub.commits import (
    RACES_MAX,
    BranchBusy,
    BranchMoved,
    Built,
    CommitDraft,
    Committed,
    Prepared,
    PutFile,
    prepare_commit,
    settle_commit,
)
from jishi.hub.lifecycle import DEFAULT_BRANCH, Draft
from jishi.hub.node import Node
from jishi.hub.repos import Repo, RepoKind
from jishi.people import Actor, find_namespace

PAUSE_SECONDS_MAX = 0.2
FIRST_COMMIT = "initial commit"


async def create(node: Node, actor: Actor, draft: Draft, *, files: Sequence[PutFile] = ()) -> Repo:
    """Create a repository with its first commit: ``.gitattributes`` and ``files``.

    Raises:
        BadName: If the name breaks the naming rule.
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor may not create in the namespace.
        AlreadyYours: If the repository exists.
    """
    now = await node.db.read(lifecycle.check_draft, actor, draft)
    attributes = DEFAULT_DATASET if draft.kind is RepoKind.DATASET else DEFAULT
    first = {".gitattributes": PutFile(".gitattributes", attributes.encode())}
    first |= {file.path: file for file in files}
    commit = CommitDraft(FIRST_COMMIT, changes=tuple(first.values()))
    built = await hop(node.pool, assemble, None, commit, actor=actor, head=None, sizes={}, now=now)
    await git.store_pack(node.db, node.store, node.pool, built.commit.pack)
    return await node.db.write(_create, actor, draft, built)


async def commit(
    node: Node, actor: Actor, kind: RepoKind, path: str, revision: str, draft: CommitDraft
) -> Committed:
    """Put a commit on a branch, or say why not; what it returns is on disk.

    Without a stated parent a lost race is run again on the new head, until ``RACES_MAX``
    are lost.  A draft that changes nothing answers with the head.

    Raises:
        RepoElsewhere: As ``prepare_commit``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        RevisionMissing: See above.
        BranchMoved: If the stated parent is not the head, or no more when it settles.
        content.ContentUnknown: See above.
        content.ContentMismatch: See above.
        DeletesNothing: If a path to delete is not there.
        PathConflict: If a path would be file and folder.
        DiskFull: If there is no room for the pack.
        BranchBusy: If every race was lost.
    """
    lost = 0
    while True:
        prepared = await node.db.read(prepare_commit, actor, kind, path, revision, draft)
        built = await _build(node, actor, draft, prepared)
        if built.commit.pack is None:
            return Committed(prepared.repo, prepared.ref, built.commit.oid)
        await git.store_pack(node.db, node.store, node.pool, built.commit.pack)
        try:
            return await node.db.write(settle_commit, actor, prepared, built)
        except git.RefMoved as error:
            if draft.parent is not None:
                raise BranchMoved from error
            lost += 1
            if lost >= RACES_MAX:
                raise BranchBusy from error
        pause = random.uniform(0, PAUSE_SECONDS_MAX * lost)  # noqa: S311  (jitter)
        await asyncio.sleep(pause)


async def _build(node: Node, actor: Actor, draft: CommitDraft, prepared: Prepared) -> Built:
    repository = None
    if prepared.head is not None:
        repository = await git.open_repository(node.db, node.git, node.pool, prepared.repo.git_id)
    return await hop(
        node.pool,
        assemble,
        repository,
        draft,
        actor=actor,
        head=prepared.head,
        sizes=prepared.sizes,
        now=prepared.now,
        spool=node.spool,
    )


def _create(tx: Tx, actor: Actor, draft: Draft, built: Built) -> Repo:
    namespace = find_namespace(tx, draft.namespace)
    spelled = draft.namespace if namespace is None else namespace.name
    private = draft.private
    if private is None:
        private = namespace is not None and namespace.private_by_default
    repo = lifecycle.create_repo(tx, actor, draft, namespace=spelled, private=private)
    prepared = Prepared(repo, DEFAULT_BRANCH, None, {}, tx.now)
    return settle_commit(tx, actor, prepared, built).repo
