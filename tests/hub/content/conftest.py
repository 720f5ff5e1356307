"""A node with two repositories of two people, and whatever large contents a test wants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from jishi.core.db import Database, Mode
from jishi.core.signing import Keys
from jishi.git import Cache
from jishi.hub import Node, RepoKind, tables
from jishi.people import Actor, Gate, Role
from jishi.storage import LocalStore, Spool

LIN = Actor(1, "1" * 24, "lin", roles={"lin": Role.ADMIN})
MAYA = Actor(2, "2" * 24, "maya", roles={"maya": Role.ADMIN})


@dataclass(frozen=True)
class Place:
    """A repository as the domain names it."""

    id: int
    public_id: str
    path: str
    kind: RepoKind = RepoKind.MODEL


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def node(db: Database, tmp_path, pool) -> Iterator[Node]:
    store = LocalStore(tmp_path / "objects")
    node = Node(
        db=db,
        store=store,
        spool=Spool(tmp_path / "spool"),
        keys=Keys(b"k" * 32),
        git=Cache(tmp_path / "git", store),
        folder=tmp_path,
        pool=pool,
        gate=Gate(db, pool),
    )
    yield node
    node.plain.close()


def add_repo(db: Database, owner: Actor, name: str, *, private: bool = False) -> Place:
    path = f"{owner.name}/{name}"
    public_id = hashlib.sha256(path.encode()).hexdigest()[:24]
    row = {
        "public_id": public_id,
        "kind": "model",
        "namespace": owner.name,
        "name": name,
        "namespace_key": owner.name,
        "path_key": path,
        "private": private,
        "git_id": 1,
        "creator_id": owner.id,
        "commits": 0,
        "created_at": 0,
        "updated_at": 0,
        "tags": "[]",
        "downloads_30d": 0,
        "downloads_all": 0,
        "likes": 0,
    }
    with db.begin(Mode.WRITE) as tx:
        insert = sa.insert(tables.repos).values(row).returning(tables.repos.c.id)
        return Place(tx.conn.execute(insert).scalar_one(), public_id, path)


@pytest.fixture
def books(db: Database) -> Place:
    return add_repo(db, LIN, "books")


@pytest.fixture
def secrets(db: Database) -> Place:
    return add_repo(db, MAYA, "secrets", private=True)
