"""Two repositories of two people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from jishi.core.db import Database, Mode, Tx
from jishi.core.sql import insert_once
from jishi.hub import RepoKind, tables
from jishi.people import Actor, Role
from jishi.people import tables as people

LIN = Actor(1, "1" * 24, "lin", roles={"lin": Role.ADMIN})
MAYA = Actor(2, "2" * 24, "maya", roles={"maya": Role.ADMIN})


@dataclass(frozen=True)
class Place:
    """A repository as the domain names it."""

    id: int
    public_id: str
    path: str
    kind: RepoKind = RepoKind.MODEL


def enrol(tx: Tx, actor: Actor) -> None:
    """Let people know an actor: what was sealed for somebody is looked up again when used."""
    about = {"public_id": actor.public_id, "name": actor.name, "name_key": actor.name}
    named = {"id": actor.id, "kind": "person", "full_name": "", "created_at": 0, **about}
    insert_once(tx.conn, people.namespaces, named)
    insert_once(tx.conn, people.persons, {"id": actor.id, "email": "", "is_admin": False})


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
        enrol(tx, owner)
        insert = sa.insert(tables.repos).values(row).returning(tables.repos.c.id)
        return Place(tx.conn.execute(insert).scalar_one(), public_id, path)


@pytest.fixture
def books(db: Database) -> Place:
    return add_repo(db, LIN, "books")


@pytest.fixture
def secrets(db: Database) -> Place:
    return add_repo(db, MAYA, "secrets", private=True)
