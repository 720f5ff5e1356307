"""Likes, and downloads written down without a hot row.

Nodes count downloads in memory (``downloads.py``) and add them up in one statement every
few seconds; a crash loses the seconds since the last one.
"""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.events import record
from jishi.core.paging import Page
from jishi.core.sql import insert_once, upsert
from jishi.hub import events, tables
from jishi.hub.cursors import read_cursor, write_cursor
from jishi.hub.downloads import DAY_MICROS
from jishi.hub.repos import Repo
from jishi.people import Actor, ReadOnlyToken, SignInNeeded, find_actor, get_people

__all__ = [
    "FLUSH_SECONDS",
    "add_downloads",
    "age_downloads",
    "has_liked",
    "like",
    "list_likers",
    "unlike",
]

FLUSH_SECONDS = 5
WINDOW_DAYS = 30


def add_downloads(tx: Tx, counts: dict[tuple[int, str, int], int]) -> None:
    """Write down ``(repo id, public id, day) -> downloads`` of one node."""
    rows = [
        {"repo_id": repo_id, "day": day, "downloads": count}
        for (repo_id, _, day), count in sorted(counts.items())
    ]
    old = tables.days.c.downloads
    upsert(tx.conn, tables.days, rows, update={"downloads": lambda new: old + new.downloads})
    statement = (
        sa.update(tables.repos)
        .where(tables.repos.c.id == sa.bindparam("repo"))
        .values(
            downloads_30d=tables.repos.c.downloads_30d + sa.bindparam("n"),
            downloads_all=tables.repos.c.downloads_all + sa.bindparam("n"),
        )
    )
    if rows:
        values = [{"repo": row["repo_id"], "n": row["downloads"]} for row in rows]
        tx.conn.execute(statement, values)
    for (_, public_id, day), count in sorted(counts.items()):
        record(tx, events.DownloadsCounted(public_id, day, count), subject=public_id)


def age_downloads(tx: Tx) -> None:
    """Let days fall out of the window: the nightly sum of the last thirty."""
    since = tx.now // DAY_MICROS - WINDOW_DAYS
    window = (
        sa.select(sa.func.coalesce(sa.func.sum(tables.days.c.downloads), 0))
        .where(tables.days.c.repo_id == tables.repos.c.id, tables.days.c.day > since)
        .scalar_subquery()
    )
    tx.conn.execute(
        sa.update(tables.repos)
        .where(tables.repos.c.downloads_30d > 0, tables.repos.c.downloads_30d != window)
        .values(downloads_30d=window)
    )


def like(tx: Tx, actor: Actor, repo: Repo) -> None:
    """Like a repository; a second time changes nothing.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
    """
    _require_hand(actor)
    row = {"person_id": actor.id, "repo_id": repo.id, "at": tx.now}
    if insert_once(tx.conn, tables.likes, row) is not None:
        _move_likes(tx, actor, repo, 1)


def unlike(tx: Tx, actor: Actor, repo: Repo) -> None:
    """Take a like back; without one nothing changes.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
    """
    _require_hand(actor)
    gone = tx.conn.execute(
        sa.delete(tables.likes).where(
            tables.likes.c.person_id == actor.id, tables.likes.c.repo_id == repo.id
        )
    )
    if gone.rowcount:
        _move_likes(tx, actor, repo, -1)


def has_liked(tx: Tx, actor: Actor, repo: Repo) -> bool:
    """Whether the actor likes the repository."""
    mine = sa.select(tables.likes.c.at).where(
        tables.likes.c.person_id == actor.id, tables.likes.c.repo_id == repo.id
    )
    return tx.conn.execute(mine).scalar_one_or_none() is not None


def list_likers(
    tx: Tx, repo: Repo, *, after: str | None = None, limit: int = 1000
) -> Page[int, str]:
    """Return the rows of people who like the repository, the latest first.

    Raises:
        BadCursor: If ``after`` was not made by a list.
    """
    likes = tables.likes
    query = (
        sa.select(likes.c.person_id, likes.c.at)
        .where(likes.c.repo_id == repo.id)
        .order_by(likes.c.at.desc(), likes.c.person_id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        at, public_id = read_cursor(after)
        last = find_actor(tx, public_id)
        position = (at, 0 if last is None else last.id)  # of who is gone, where the time begins
        query = query.where(sa.tuple_(likes.c.at, likes.c.person_id) < position)
    rows = tx.conn.execute(query).all()
    items = tuple(row.person_id for row in rows[:limit])
    if len(rows) > limit:
        person = get_people(tx, items[-1:])[items[-1]]
        return Page(items, write_cursor(rows[limit - 1].at, person.public_id))
    return Page(items, None)


def _require_hand(actor: Actor) -> None:
    if actor.is_anonymous:
        raise SignInNeeded
    if not actor.can_write:
        raise ReadOnlyToken


def _move_likes(tx: Tx, actor: Actor, repo: Repo, by: int) -> None:
    tx.conn.execute(
        sa.update(tables.repos)
        .where(tables.repos.c.id == repo.id)
        .values(likes=tables.repos.c.likes + by)
    )
    event = events.RepoLiked(repo.public_id, by > 0)
    record(tx, event, subject=repo.public_id, actor_id=actor.id)
