"""Repositories come, move, change their visibility and go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import sqlalchemy as sa

from jishi import git
from jishi.core import ids
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.core.sql import INSERT, insert_once
from jishi.hub import events, tables
from jishi.hub.repos import (
    Repo,
    RepoExists,
    RepoKind,
    Right,
    access_repo,
    check_name,
    require_write,
)
from jishi.people import Actor, Role, find_namespace
from jishi.people.names import require_role

DEFAULT_BRANCH: Final = "refs/heads/main"


class AlreadyYours(Refusal):
    """The repository exists, and the actor may see it."""

    code: ClassVar[str] = "hub.already_yours"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("You already created this {kind} repo: {path}")


class NotEnforced(Refusal):
    """A setting that would be stored and not acted upon."""

    code: ClassVar[str] = "hub.not_enforced"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This server cannot enforce {setting} yet, so it does not store it.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A repository somebody asks for.

    Attributes:
        private: ``None`` leaves it to the namespace's default.
    """

    kind: RepoKind
    namespace: str
    name: str
    private: bool | None = None

    @property
    def path(self) -> str:
        """The name as people type it: ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def check_draft(tx: Tx, actor: Actor, draft: Draft) -> int:
    """Say no to a draft before anything is built for it; return the instant.

    Raises:
        BadName: If the name breaks the naming rule.
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor may not create in the namespace.
        AlreadyYours: If the repository exists.
    """
    check_name(draft.name)
    require_role(tx, actor, Role.CONTRIBUTOR, draft.namespace)
    taken = {"kind": draft.kind.value, "path_key": draft.path.lower()}
    if tx.conn.execute(_TAKEN, taken).scalar_one_or_none() is not None:
        raise AlreadyYours(kind=draft.kind.value, path=draft.path)
    return tx.now


def create_repo(tx: Tx, actor: Actor, draft: Draft, *, namespace: str, private: bool) -> Repo:
    """Create a repository without a commit.

    Args:
        namespace: The namespace as it is spelled, ``draft.namespace`` may differ in case.

    Raises:
        BadName: As ``check_draft``, like the following.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        AlreadyYours: See above.
    """
    check_draft(tx, actor, draft)
    path_key = draft.path.lower()
    row = {
        "public_id": ids.new_id(tx.now),
        "kind": draft.kind.value,
        "namespace": namespace,
        "name": draft.name,
        "namespace_key": namespace.lower(),
        "path_key": path_key,
        "private": private,
        "git_id": git.create_store(tx),
        "creator_id": actor.id,
        "commits": 0,
        "created_at": tx.now,
        "updated_at": tx.now,
        "tags": "[]",
        "downloads_30d": 0,
        "downloads_all": 0,
        "likes": 0,
    }
    if insert_once(tx.conn, tables.repos, row) is None:  # another request made it a moment ago
        raise AlreadyYours(kind=draft.kind.value, path=draft.path)
    _drop_alias(tx, draft.kind, path_key)
    repo = access_repo(tx, actor, draft.kind, draft.path)
    event = events.RepoCreated(repo.public_id, repo.kind.value, private)
    record(tx, event, subject=repo.public_id, actor_id=actor.id)
    return repo


def move_repo(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, *, namespace: str, name: str
) -> Repo:
    """Give a repository another name; the old one redirects until somebody takes it.

    Args:
        namespace: Compared without case; kept as it is spelled.

    Raises:
        RepoElsewhere: If it moved already.
        RepoMissing: If the actor sees none.
        SignInNeeded: As ``access_repo``, like the following.
        ReadOnlyToken: See above.
        Denied: Also if the actor may not create in the new namespace.
        BadName: If the new name breaks the naming rule.
        RepoExists: If the new name is taken.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    check_name(name)
    if namespace.lower() != repo.namespace.lower():
        require_role(tx, actor, Role.CONTRIBUTOR, namespace)
    known = find_namespace(tx, namespace)
    namespace = namespace if known is None else known.name
    new_path = f"{namespace}/{name}"
    key, old_key = new_path.lower(), repo.path.lower()
    holder = tx.conn.execute(_TAKEN, {"kind": kind.value, "path_key": key}).scalar_one_or_none()
    if holder is not None and holder != repo.id:
        raise RepoExists(kind=kind.value, path=new_path)
    _drop_alias(tx, kind, key)
    values = {
        "namespace": namespace,
        "name": name,
        "namespace_key": namespace.lower(),
        "path_key": key,
    }
    tx.conn.execute(sa.update(tables.repos).where(tables.repos.c.id == repo.id).values(values))
    if key != old_key:
        alias = {"kind": kind.value, "path_key": old_key, "repo_id": repo.id}
        statement = INSERT[tx.conn.dialect.name](tables.aliases).values(alias)
        tx.conn.execute(
            statement.on_conflict_do_update(
                index_elements=["kind", "path_key"], set_={"repo_id": repo.id}
            )
        )
    moved = replace(repo, namespace=namespace, name=name)
    record(tx, events.RepoMoved(repo.public_id), subject=repo.public_id, actor_id=actor.id)
    return moved


def delete_repo(tx: Tx, actor: Actor, kind: RepoKind, path: str) -> None:
    """Remove a repository and its former names; its bytes wait for the collector.

    Raises:
        RepoElsewhere: If it moved: a name that only redirects deletes nothing.
        RepoMissing: If the actor sees none.
        SignInNeeded: As ``access_repo``, like the following.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    tx.conn.execute(
        sa.update(tables.repos).where(tables.repos.c.id == repo.id).values(deleted_at=tx.now)
    )
    tx.conn.execute(sa.delete(tables.aliases).where(tables.aliases.c.repo_id == repo.id))
    record(tx, events.RepoDeleted(repo.public_id), subject=repo.public_id, actor_id=actor.id)


def set_visibility(tx: Tx, actor: Actor, kind: RepoKind, path: str, *, private: bool) -> Repo:
    """Make a repository private or public.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE)
    require_write(tx, actor, repo)
    if repo.private != private:
        tx.conn.execute(
            sa.update(tables.repos).where(tables.repos.c.id == repo.id).values(private=private)
        )
        event = events.VisibilityChanged(repo.public_id, private)
        record(tx, event, subject=repo.public_id, actor_id=actor.id)
    return replace(repo, private=private)


def _drop_alias(tx: Tx, kind: RepoKind, path_key: str) -> None:
    tx.conn.execute(
        sa.delete(tables.aliases).where(
            tables.aliases.c.kind == kind.value, tables.aliases.c.path_key == path_key
        )
    )


_TAKEN: Final = sa.select(tables.repos.c.id).where(
    tables.repos.c.kind == sa.bindparam("kind"),
    tables.repos.c.path_key == sa.bindparam("path_key"),
    tables.repos.c.deleted_at.is_(None),
)
