"""People to test with, made without the slow hashing of a password."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec

from jishi.core.db import Database, Mode, Tx
from jishi.people import NOBODY, OPERATOR, Actor, Gate, PersonDraft, Settings, add_person
from jishi.people.access import load_actor

PASSWORD = "correct horse battery"


def add(tx: Tx, name: str, **facts) -> Actor:
    """Add a person and return the actor a session of theirs would be."""
    person = add_person(tx, OPERATOR, PersonDraft(name, **facts))
    return load_actor(tx, person.id) or NOBODY


def reload(tx: Tx, actor: Actor) -> Actor:
    return load_actor(tx, actor.id) or NOBODY


def in_one(db: Database, operation, *args, **kwargs):
    """Run one operation in a transaction of its own."""
    with db.begin(Mode.WRITE) as tx:
        return operation(tx, *args, **kwargs)


class Ticker:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def gate_of(db: Database, ticker: Ticker | None = None, **settings) -> Gate:
    pool = ThreadPoolExecutor(2)
    return Gate(db, pool, msgspec.convert(settings, Settings), ticker or Ticker())
