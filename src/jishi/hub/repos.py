"""Repositories: what they are called, who may see them and who may change them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub import tables
from jishi.people import NOBODY, Actor, Role, find_actor
from jishi.people.names import require_role

NAME = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,94}[A-Za-z0-9_])?")
"""The clients' own check, ``hf-hub-api.md`` §1.2: ASCII, at most 96 characters."""


@unique
class RepoKind(StrEnum):
    """What a repository holds; the words are said in refusals too."""

    MODEL = N_("model")
    DATASET = N_("dataset")
    SPACE = N_("space")


@unique
class Right(StrEnum):
    """What somebody wants to do with a repository."""

    READ = "read"
    WRITE = "write"
    """Commit, and also rename, delete, settings: whoever may replace every file may."""


class BadName(Refusal):
    """The name breaks the naming rule."""

    code: ClassVar[str] = "hub.bad_name"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "{name} is not a valid repository name: up to 96 letters, digits, and . _ - between "
        "them, no -- or .., no .git at the end."
    )


class RepoExists(Refusal):
    """Another repository of this kind has the name."""

    code: ClassVar[str] = "hub.repo_exists"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("A {kind} repository called {path} already exists")


class RepoMissing(Refusal):
    """No such repository, or the actor may not know that there is one."""

    code: ClassVar[str] = "hub.repo_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is no {kind} {path}, or you may not see it.")


class RepoElsewhere(Refusal):
    """The repository has another name now.

    Attributes:
        path: ``namespace/name`` of today.
    """

    code: ClassVar[str] = "hub.repo_elsewhere"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("{old} is called {path} now.")


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository that exists and that the actor may see.

    Attributes:
        id: The row; never leaves the platform.
        public_id: 24 hex digits, for the outside.
        head: Commit of the default branch, 40 hex digits, ``None`` before the first.
        commits: Length of the default branch's history.
        created_at: Microseconds UTC, as ``updated_at``.
        card: Front matter of ``README.md``.
        config: What ``config.json`` says of the model.
    """

    id: int
    public_id: str
    kind: RepoKind
    namespace: str
    name: str
    private: bool
    git_id: int
    creator_id: int
    head: str | None
    commits: int
    created_at: int
    updated_at: int
    card: dict[str, Any] | None
    tags: tuple[str, ...]
    config: dict[str, Any] | None
    downloads_30d: int
    downloads_all: int
    likes: int

    @property
    def path(self) -> str:
        """The name as people type it: ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def check_name(name: str) -> None:
    """Insist on the naming rule for the part after the slash.

    Raises:
        BadName: If the name breaks it.
    """
    if NAME.fullmatch(name) is None or name.endswith((".git", ".ipynb")):
        raise BadName(name=name)


def access_repo(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, *, right: Right = Right.READ
) -> Repo:
    """Fetch a repository: the only way to get hold of one.

    Args:
        path: ``namespace/name``, compared without case.

    Raises:
        RepoElsewhere: If it moved and the actor may see it under its new name.
        RepoMissing: If there is none, or none that the actor may see.
        SignInNeeded: If nobody wants to write to a public repository.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor sees it and may not write.
    """
    key = path.lower()
    row = tx.conn.execute(_BY_PATH, {"kind": kind.value, "path_key": key}).one_or_none()
    if row is None:
        row = tx.conn.execute(_BY_ALIAS, {"kind": kind.value, "path_key": key}).one_or_none()
        if row is not None and _is_visible(actor, row):
            raise RepoElsewhere(old=path, path=f"{row.namespace}/{row.name}")
    if row is None or not _is_visible(actor, row):
        raise RepoMissing(kind=kind.value, path=path)
    repo = to_repo(row)
    if right is Right.WRITE:
        require_write(tx, actor, repo)
    return repo


def reload_repo(tx: Tx, actor: Actor, repo: Repo, *, right: Right = Right.READ) -> Repo:
    """Fetch a repository again in another transaction, whatever it is called now.

    Raises:
        RepoMissing: If it is gone, or hidden from the actor meanwhile.
        SignInNeeded: As ``access_repo``.
        ReadOnlyToken: As ``access_repo``.
        Denied: As ``access_repo``.
    """
    row = tx.conn.execute(_BY_ID, {"id": repo.id}).one_or_none()
    if row is None or not _is_visible(actor, row):
        raise RepoMissing(kind=repo.kind.value, path=repo.path)
    fresh = to_repo(row)
    if right is Right.WRITE:
        require_write(tx, actor, fresh)
    return fresh


def still_open(
    tx: Tx, public_id: str, by: str, token: str, *, right: Right = Right.READ
) -> int | None:
    """Return the row of a repository if whom something was sealed for may use it still.

    Args:
        by: Public id of the person, empty for nobody.
        token: Public id of the access token they came with, empty for a browser session.

    Returns:
        ``None`` if the repository is gone, the person is inactive, the token was revoked, or
        the right is gone.
    """
    row = tx.conn.execute(_BY_PUBLIC_ID, {"public_id": public_id}).one_or_none()
    actor = find_actor(tx, by, token) if by else NOBODY
    if row is None or actor is None or not _is_visible(actor, row):
        return None
    if right is Right.WRITE and not may_write(actor, to_repo(row)):
        return None
    return int(row.id)


def may_write(actor: Actor, repo: Repo) -> bool:
    """Whether the actor may change the repository."""
    if actor.has(Role.WRITE, repo.namespace):
        return actor.can_write
    own = repo.creator_id == actor.id and actor.has(Role.CONTRIBUTOR, repo.namespace)
    return own and actor.can_write


def require_write(tx: Tx, actor: Actor, repo: Repo) -> None:
    """Insist on the right to change the repository.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the role is missing.
    """
    if not may_write(actor, repo):
        require_role(tx, actor, Role.WRITE, repo.namespace)


def to_repo(row: sa.Row[Any]) -> Repo:
    """Make a value of a row that begins with ``COLUMNS``."""
    of = dict(zip(NAMES, row, strict=False))  # a row's own names cost a microsecond each
    return Repo(
        id=of["id"],
        public_id=of["public_id"],
        kind=RepoKind(of["kind"]),
        namespace=of["namespace"],
        name=of["name"],
        private=of["private"],
        git_id=of["git_id"],
        creator_id=of["creator_id"],
        head=of["head"].hex() if of["head"] else None,
        commits=of["commits"],
        created_at=of["created_at"],
        updated_at=of["updated_at"],
        card=msgspec.json.decode(of["card"]) if of["card"] else None,
        tags=tuple(msgspec.json.decode(of["tags"])),
        config=msgspec.json.decode(of["config"]) if of["config"] else None,
        downloads_30d=of["downloads_30d"],
        downloads_all=of["downloads_all"],
        likes=of["likes"],
    )


def visible(namespaces: Sequence[str]) -> sa.ColumnElement[bool]:
    """Say which rows an actor may see: the predicate of lists.

    Args:
        namespaces: ``seen_by(actor)``.
    """
    own = tables.repos.c.namespace_key.in_(namespaces)
    return sa.or_(tables.repos.c.private.is_(sa.false()), own)


def seen_by(actor: Actor) -> list[str]:
    """Return the lower-cased namespaces whose private repositories ``actor`` sees."""
    return sorted(name for name, role in actor.roles.items() if role >= Role.READ)


def _is_visible(actor: Actor, row: sa.Row[Any]) -> bool:
    return not row.private or actor.has(Role.READ, row.namespace)


NAMES: Final = (
    *("id", "public_id", "kind", "namespace", "name", "private", "git_id", "creator_id"),
    *("head", "commits", "created_at", "updated_at", "card", "tags", "config"),
    *("downloads_30d", "downloads_all", "likes"),
)
COLUMNS: Final = tuple(tables.repos.c[name] for name in NAMES)
_LIVE: Final = tables.repos.c.deleted_at.is_(None)
_BY_PATH: Final = sa.select(*COLUMNS).where(
    tables.repos.c.kind == sa.bindparam("kind"),
    tables.repos.c.path_key == sa.bindparam("path_key"),
    _LIVE,
)
_BY_ALIAS: Final = (
    sa.select(*COLUMNS)
    .join(tables.aliases, tables.aliases.c.repo_id == tables.repos.c.id)
    .where(
        tables.aliases.c.kind == sa.bindparam("kind"),
        tables.aliases.c.path_key == sa.bindparam("path_key"),
        _LIVE,
    )
)
_BY_PUBLIC_ID: Final = sa.select(*COLUMNS).where(
    tables.repos.c.public_id == sa.bindparam("public_id"), _LIVE
)
_BY_ID: Final = sa.select(*COLUMNS).where(tables.repos.c.id == sa.bindparam("id"), _LIVE)
