"""Lists of repositories: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import Any, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import invariant
from jishi.core.paging import Page
from jishi.hub import content, entries, tables
from jishi.hub.cursors import BadCursor, read_cursor, write_cursor
from jishi.hub.entries import FILES_MAX
from jishi.hub.repos import COLUMNS, Repo, RepoKind, seen_by, to_repo, visible
from jishi.people import Actor, Denied, Role, SignInNeeded

__all__ = [
    "PAGE_MAX",
    "BadCursor",
    "Detail",
    "Listed",
    "Query",
    "Sort",
    "count_liked",
    "count_repos",
    "count_tags",
    "list_detailed",
    "list_liked",
    "list_repos",
    "list_storage",
]

PAGE_MAX = 1000
"""The dialect's own cap, ``hf-hub-api.md`` §7."""
FILTERS_MAX = 20
SEARCH_CHARS_MAX = 200
DETAILED_MAX = 100
"""Repositories of a page that says more than their own rows do."""
PAGE_FILES_MAX = 20_000
"""Files such a page names; a repository that has more is a page of its own."""


@unique
class Sort(StrEnum):
    """What a list is ordered by, always descending."""

    UPDATED = "updated_at"
    CREATED = "created_at"
    DOWNLOADS = "downloads_30d"
    LIKES = "likes"


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for.

    Attributes:
        kind: ``None`` for every kind: of one author, sorted by ``Sort.UPDATED``.
        search: Words that all must occur in ``namespace/name``, whatever the case.
        author: Namespace, compared without case.
        tags: All must be present.
        uses: What the card of a Space must name, all of it: ``(kind, namespace/name)``.
        is_linked: Whether the card of a Space must name a model or dataset at all.
        after: Where the previous page ended.
    """

    kind: RepoKind | None = None
    search: tuple[str, ...] = ()
    author: str | None = None
    tags: tuple[str, ...] = ()
    uses: tuple[tuple[RepoKind, str], ...] = ()
    is_linked: bool = False
    sort: Sort = Sort.UPDATED
    limit: int = 30
    after: str | None = None


@unique
class Detail(StrEnum):
    """What takes a look beyond a repository's own row."""

    FILES = "files"
    STORAGE = "storage"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository of a list, with the details that were asked for.

    Attributes:
        files: Paths at the head, in Git's order.
        used_bytes: Of all large contents.
        has_app: Whether a Space has the file that it runs.
    """

    repo: Repo
    files: tuple[str, ...] | None = None
    used_bytes: int | None = None
    has_app: bool | None = None


def list_detailed(
    tx: Tx, actor: Actor, query: Query, details: Collection[Detail]
) -> Page[Listed, str]:
    """Return a page as ``list_repos`` does, shorter where it carries details.

    Raises:
        BadCursor: If ``after`` was not made by a list.
    """
    if not details:
        page = list_repos(tx, actor, query)
        return Page(tuple(Listed(repo) for repo in page.items), page.end)
    page = list_repos(tx, actor, replace(query, limit=min(query.limit, DETAILED_MAX)))
    repos, end = page.items, page.end
    files: Sequence[tuple[str, ...] | None] = [None] * len(repos)
    if Detail.FILES in details:
        files = _files_of(tx, repos)
        if len(files) < len(repos):
            repos = repos[: len(files)]
            end = write_cursor(getattr(repos[-1], query.sort.value), repos[-1].public_id)
    used = apps = None
    if Detail.STORAGE in details:
        used = content.used_bytes_each(tx, [repo.id for repo in repos])
    if Detail.APP in details:
        apps = entries.find_apps(tx, repos)
    items = (
        Listed(
            repo,
            paths,
            None if used is None else used.get(repo.id, 0),
            None if apps is None else repo.id in apps,
        )
        for repo, paths in zip(repos, files, strict=True)
    )
    return Page(tuple(items), end)


def _files_of(tx: Tx, repos: Iterable[Repo]) -> list[tuple[str, ...]]:
    """Return the files of as many repositories as a page may name, at least of the first."""
    found: list[tuple[str, ...]] = []
    left = PAGE_FILES_MAX
    for repo in repos:
        if found and left <= 0:
            break
        paths = entries.list_paths(tx, repo, limit=left + 1 if found else FILES_MAX)
        if found and len(paths) > left:
            break
        found.append(paths)
        left -= len(paths)
    return found


def list_repos(tx: Tx, actor: Actor, query: Query) -> Page[Repo, str]:
    """Return a page of the repositories that ``actor`` may see, highest sort key first.

    Raises:
        BadCursor: If ``after`` was not made by a list.
    """
    is_own = query.author is not None and query.sort is Sort.UPDATED
    invariant(query.kind is not None or is_own, "an index has all kinds in this order")
    repos = tables.repos
    key = repos.c[query.sort.value]
    limit = max(1, min(query.limit, PAGE_MAX))
    statement = sa.select(*COLUMNS).where(repos.c.deleted_at.is_(None), visible(seen_by(actor)))
    if query.kind is not None:
        statement = statement.where(repos.c.kind == query.kind.value)
    if query.author is not None:
        statement = statement.where(repos.c.namespace_key == query.author.lower())
    for word in query.search[:FILTERS_MAX]:
        lowered = word[:SEARCH_CHARS_MAX].lower()
        statement = statement.where(repos.c.path_key.contains(lowered, autoescape=True))
    for tag in query.tags[:FILTERS_MAX]:
        has = sa.select(tables.tags.c.repo_id).where(tables.tags.c.tag.in_(_spellings(tag)))
        statement = statement.where(repos.c.id.in_(has))
    for kind, path in query.uses[:FILTERS_MAX]:
        using = sa.select(tables.uses.c.repo_id).where(
            tables.uses.c.kind == kind.value, tables.uses.c.path_key == path.lower()
        )
        statement = statement.where(repos.c.id.in_(using))
    if query.is_linked:
        statement = statement.where(sa.exists().where(tables.uses.c.repo_id == repos.c.id))
    if query.after is not None:
        statement = statement.where(sa.tuple_(key, repos.c.id) < _read_position(tx, query.after))
    rows = tx.conn.execute(statement.order_by(key.desc(), repos.c.id.desc()).limit(limit + 1)).all()
    items = tuple(to_repo(row) for row in rows[:limit])
    if len(rows) == limit + 1:
        last_row = rows[limit - 1]
        return Page(items, write_cursor(getattr(last_row, query.sort.value), last_row.public_id))
    return Page(items, None)


def count_repos(tx: Tx, actor: Actor, namespace: str) -> dict[RepoKind, int]:
    """Return how many repositories of each kind ``actor`` sees in ``namespace``."""
    repos = tables.repos
    counts = [sa.func.count().filter(repos.c.kind == kind.value) for kind in RepoKind]
    statement = sa.select(*counts).where(
        repos.c.namespace_key == namespace.lower(),
        repos.c.deleted_at.is_(None),
        visible(seen_by(actor)),
    )
    return dict(zip(RepoKind, tx.conn.execute(statement).one(), strict=True))


def _spellings(tag: str) -> list[str]:
    """Return the tags a filter matches: languages have a prefix in datasets only."""
    prefix, _, rest = tag.partition(":")
    return [tag, rest] if prefix in {"language", "library", "pipeline_tag"} and rest else [tag]


def count_tags(tx: Tx, actor: Actor, kind: RepoKind) -> list[str]:
    """Return tags of repositories ``actor`` sees, the most used first, at most 1 000."""
    repos = tables.repos
    statement = (
        sa.select(tables.tags.c.tag)
        .join(repos, repos.c.id == tables.tags.c.repo_id)
        .where(repos.c.kind == kind.value, repos.c.deleted_at.is_(None), visible(seen_by(actor)))
        .group_by(tables.tags.c.tag)
        .order_by(sa.func.count().desc(), tables.tags.c.tag)
        .limit(PAGE_MAX)
    )
    return list(tx.conn.execute(statement).scalars())


def list_liked(
    tx: Tx, actor: Actor, person_id: int, *, after: str | None = None, limit: int = PAGE_MAX
) -> Page[tuple[Repo, int], str]:
    """Return what a person likes and when, as far as ``actor`` sees it, the latest first.

    Raises:
        BadCursor: If ``after`` was not made by a list.
    """
    likes, repos = tables.likes, tables.repos
    statement = (
        sa.select(*COLUMNS, likes.c.at)
        .join(likes, likes.c.repo_id == repos.c.id)
        .where(
            likes.c.person_id == person_id, repos.c.deleted_at.is_(None), visible(seen_by(actor))
        )
        .order_by(likes.c.at.desc(), likes.c.repo_id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        position = _read_position(tx, after)
        statement = statement.where(sa.tuple_(likes.c.at, likes.c.repo_id) < position)
    rows: list[Any] = list(tx.conn.execute(statement))
    items = tuple((to_repo(row), row.at) for row in rows[:limit])
    if len(rows) > limit:
        last, at = items[-1]
        return Page(items, write_cursor(at, last.public_id))
    return Page(items, None)


def _read_position(tx: Tx, cursor: str) -> tuple[int, int]:
    """Return sort key and row of a position.

    Raises:
        BadCursor: If no list made it, or the repository it names is gone.
    """
    key, public_id = read_cursor(cursor)
    row = tx.conn.execute(_ROW, {"public_id": public_id}).scalar_one_or_none()
    if row is None:
        raise BadCursor
    return key, row


def count_liked(tx: Tx, actor: Actor, person_id: int) -> int:
    """Return how much of what a person likes ``actor`` sees."""
    likes, repos = tables.likes, tables.repos
    statement = (
        sa.select(sa.func.count())
        .select_from(likes.join(repos, likes.c.repo_id == repos.c.id))
        .where(
            likes.c.person_id == person_id, repos.c.deleted_at.is_(None), visible(seen_by(actor))
        )
    )
    return int(tx.conn.execute(statement).scalar_one())


def list_storage(tx: Tx, actor: Actor, namespace: str) -> list[tuple[Repo, int]]:
    """Return the repositories of ``namespace`` with the bytes they hold, largest first.

    Raises:
        SignInNeeded: If nobody said who is asking.
        Denied: If the actor is no member.
    """
    if actor.is_anonymous:
        raise SignInNeeded
    if not actor.has(Role.READ, namespace):
        raise Denied(role=Role.READ.name.lower(), namespace=namespace)
    repos = list_repos(tx, actor, Query(author=namespace, limit=PAGE_MAX)).items
    sized = [(repo, content.used_bytes(tx, repo.id)) for repo in repos]
    return sorted(sized, key=lambda pair: -pair[1])


_ROW: Final = sa.select(tables.repos.c.id).where(
    tables.repos.c.public_id == sa.bindparam("public_id")
)
