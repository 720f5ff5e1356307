"""The stream loses nothing, repeats nothing, and keeps each subject's order."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import pytest
import sqlalchemy as sa

from jishi.core.db import Database, Mode, Tx
from jishi.core.events import (
    TRIES_MAX,
    Consumer,
    Event,
    deliver,
    note_failure,
    rebuild,
    record,
    sequence,
)
from jishi.core.tables import events


class Said(Event, frozen=True):
    """For these tests."""

    name: ClassVar[str] = "tests.Said"

    n: int


def drain(db: Database, consumer: Consumer) -> None:
    while True:
        with db.begin(Mode.WRITE) as tx:
            moved = sequence(tx)
        with db.begin(Mode.WRITE) as tx:
            if not deliver(tx, consumer) and not moved:
                return


def listener(heard: list[int]) -> Consumer:
    return Consumer("tests.ears", lambda _tx, e: heard.append(e.n), lambda _tx: heard.clear())


def test_every_event_is_heard_once_in_order(db: Database) -> None:
    heard: list[int] = []
    for n in range(5):
        with db.begin(Mode.WRITE) as tx:
            record(tx, Said(n), subject="s")

    drain(db, listener(heard))
    drain(db, listener(heard))

    assert heard == [0, 1, 2, 3, 4]


def test_a_rolled_back_event_never_happened(db: Database) -> None:
    heard: list[int] = []
    with pytest.raises(ZeroDivisionError), db.begin(Mode.WRITE) as tx:
        record(tx, Said(1), subject="s")
        raise ZeroDivisionError
    with db.begin(Mode.WRITE) as tx:
        record(tx, Said(2), subject="s")

    drain(db, listener(heard))

    assert heard == [2]


def test_writers_at_once_lose_nothing_and_positions_are_dense(db: Database) -> None:
    heard: list[int] = []

    def write(who: int) -> None:
        for n in range(20):
            with db.begin(Mode.WRITE) as tx:
                record(tx, Said(who * 100 + n), subject=str(who))
                time.sleep(0.001)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        drain(db, listener(heard))
    drain(db, listener(heard))

    assert sorted(heard) == sorted(who * 100 + n for who in range(4) for n in range(20))
    for who in range(4):
        own = [n for n in heard if n // 100 == who]
        assert own == sorted(own)
    with db.begin(Mode.READ) as tx:
        assert list(tx.conn.execute(sa.select(events.c.pos).order_by("pos")).scalars()) == [
            *range(1, 81)
        ]


def test_a_rebuilt_consumer_hears_everything_again(db: Database) -> None:
    heard: list[int] = []
    with db.begin(Mode.WRITE) as tx:
        record(tx, Said(7), subject="s")
    drain(db, listener(heard))

    with db.begin(Mode.WRITE) as tx:
        rebuild(tx, listener(heard))
    drain(db, listener(heard))

    assert heard == [7]


def test_a_consumer_that_breaks_keeps_its_place_and_stops_in_the_end(db: Database) -> None:
    def break_down(_tx: Tx, _event: Event) -> None:
        raise ZeroDivisionError

    consumer = Consumer("tests.broken", break_down, lambda _tx: None)
    with db.begin(Mode.WRITE) as tx:
        record(tx, Said(1), subject="s")
    with db.begin(Mode.WRITE) as tx:
        sequence(tx)

    with pytest.raises(ZeroDivisionError), db.begin(Mode.WRITE) as tx:
        deliver(tx, consumer)
    drain(db, Consumer("tests.broken", lambda _tx, _e: None, lambda _tx: None))
    with db.begin(Mode.WRITE) as tx:
        tries = [note_failure(tx, consumer) for _ in range(TRIES_MAX)]

    assert tries == [True] * (TRIES_MAX - 1) + [False]


def test_history_cannot_be_changed(db: Database) -> None:
    with db.begin(Mode.WRITE) as tx:
        record(tx, Said(1), subject="s")
    with db.begin(Mode.WRITE) as tx:
        sequence(tx)

    for change in (sa.update(events).values(body="{}"), sa.delete(events)):
        with pytest.raises(sa.exc.DBAPIError), db.begin(Mode.WRITE) as tx:
            tx.conn.execute(change)
