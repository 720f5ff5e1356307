"""Facts, written down in the transaction that made them true.

An event is named ``package.Fact``, in the past tense, and stored with the version of its
shape.  Consumers read the stream in order of its dense ``pos``; a consumer's database
effects and its cursor move in one transaction, so each event takes effect exactly once.

SQLite has one writer, so ``pos`` is given at once.  On PostgreSQL a number would be given
before the commit and readers would pass over late ones: events go to an inbox, and
``sequence`` moves what is committed into the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec
import sqlalchemy as sa
from typing_extensions import override

from jishi.core.db import Tx
from jishi.core.errors import invariant
from jishi.core.sql import insert_once
from jishi.core.tables import cursors, events, inbox

BATCH_MAX = 500
"""Events a consumer takes in one transaction."""
MOVED_MAX = 2000
"""Events the sequencer moves at once."""
TRIES_MAX = 5
"""How often a consumer may break on the same events before it stops."""

_SEQUENCER: Final = 0x6A69


class Event(msgspec.Struct, frozen=True):
    """Base of every fact.  Carries opaque ids, never names or addresses of people.

    Attributes:
        name: ``package.Fact``.
        version: Raised when a field changes meaning; old bodies stay readable.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    registry: ClassVar[dict[str, type[Event]]] = {}

    @override
    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        invariant(cls.name not in Event.registry, f"duplicate event {cls.name}")
        Event.registry[cls.name] = cls


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who listens.

    Attributes:
        handle: Called per event inside the consumer's own transaction.
        clear: Forgets all that ``handle`` made, for a rebuild.
    """

    name: str
    handle: Callable[[Tx, Event], None]
    clear: Callable[[Tx], None]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a consumer got.

    Attributes:
        pos: Of the last event it has seen.
        is_stopped: It broke ``TRIES_MAX`` times on what comes next.
    """

    pos: int
    is_stopped: bool


def record(tx: Tx, event: Event, *, subject: str, actor_id: int = 0) -> None:
    """Append ``event`` to the stream.

    Lock or change the subject's row before, so that its events keep their order.

    Args:
        subject: Public id of what the event is about.
        actor_id: The person's row, ``0`` for nobody or the platform.
    """
    is_sqlite = tx.conn.dialect.name == "sqlite"
    row = {
        "name": event.name,
        "version": event.version,
        "subject": subject,
        "actor": actor_id,
        "body": msgspec.json.encode(event).decode(),
        "at": tx.now,
    }
    if is_sqlite:
        tx.conn.execute(sa.insert(events), {**row, "pos": None})  # SQLite gives the next one
    else:
        tx.conn.execute(sa.insert(inbox), row)


def sequence(tx: Tx) -> int:
    """Move committed events from PostgreSQL's inbox into the stream; return how many.

    Correct because whatever the second statement sees is committed: if A came before B on
    a subject, then B visible means A visible or already moved.
    """
    if tx.conn.dialect.name == "sqlite":
        return 0
    lock = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
    if not tx.conn.execute(lock, {"key": _SEQUENCER}).scalar_one():
        return 0
    return tx.conn.execute(_MOVE, {"n": MOVED_MAX}).rowcount


def deliver(tx: Tx, consumer: Consumer) -> int:
    """Hand ``consumer`` what it has not seen and return how much that was."""
    insert_once(tx.conn, cursors, {"consumer": consumer.name, "pos": 0, "tries": 0, "at": tx.now})
    last = tx.conn.execute(_SELECT_CURSOR, {"name": consumer.name}).scalar_one()
    rows = tx.conn.execute(_SELECT_EVENTS, {"after": last}).all()
    for row in rows:
        shape = Event.registry.get(row.name)
        if shape is not None:  # a part of another release; its facts are not ours to judge
            consumer.handle(tx, msgspec.json.decode(row.body, type=shape))
    if rows:
        moved = {"name": consumer.name, "pos": rows[-1].pos, "now": tx.now}
        tx.conn.execute(_MOVE_CURSOR, moved)
    return len(rows)


def note_failure(tx: Tx, consumer: Consumer) -> bool:
    """Count a broken delivery; return whether the consumer may try again.

    The cursor of a consumer that never delivered went with what it broke, so it is made here.
    """
    insert_once(tx.conn, cursors, {"consumer": consumer.name, "pos": 0, "tries": 0, "at": tx.now})
    tx.conn.execute(_COUNT_TRY, {"name": consumer.name})
    tries = sa.select(cursors.c.tries).where(cursors.c.consumer == consumer.name)
    return (tx.conn.execute(tries).scalar_one_or_none() or 0) < TRIES_MAX


def positions(tx: Tx) -> tuple[int, dict[str, Position]]:
    """Return the last ``pos`` of the stream, and how far each consumer got."""
    last = tx.conn.execute(_LAST).scalar_one() or 0
    rows = tx.conn.execute(_POSITIONS)
    return last, {row.consumer: Position(row.pos, row.tries >= TRIES_MAX) for row in rows}


def has_unsequenced(tx: Tx) -> bool:
    """Whether committed events wait in PostgreSQL's inbox."""
    return tx.conn.dialect.name != "sqlite" and tx.conn.execute(_WAITING).first() is not None


def rebuild(tx: Tx, consumer: Consumer) -> None:
    """Let ``consumer`` forget everything; the next deliveries start at the first event."""
    consumer.clear(tx)
    tx.conn.execute(_MOVE_CURSOR, {"name": consumer.name, "pos": 0, "now": tx.now})


_LAST = sa.select(sa.func.max(events.c.pos))
_POSITIONS = sa.select(cursors.c.consumer, cursors.c.pos, cursors.c.tries)
_WAITING = sa.select(inbox.c.seq).limit(1)
_SELECT_CURSOR = (
    sa.select(cursors.c.pos).where(cursors.c.consumer == sa.bindparam("name")).with_for_update()
)
_SELECT_EVENTS = (
    sa.select(events.c.pos, events.c.name, events.c.body)
    .where(events.c.pos > sa.bindparam("after"))
    .order_by(events.c.pos)
    .limit(BATCH_MAX)
)
_MOVE_CURSOR = (
    sa.update(cursors)
    .where(cursors.c.consumer == sa.bindparam("name"))
    .values(pos=sa.bindparam("pos"), tries=0, at=sa.bindparam("now"))
)
_COUNT_TRY = (
    sa.update(cursors)
    .where(cursors.c.consumer == sa.bindparam("name"))
    .values(tries=cursors.c.tries + 1)
)
_MOVE = sa.text("""
WITH d AS (DELETE FROM core_inbox
           WHERE seq IN (SELECT seq FROM core_inbox ORDER BY seq LIMIT :n) RETURNING *),
     o AS (SELECT row_number() OVER (ORDER BY seq) AS n, * FROM d),
     h AS (SELECT coalesce(max(pos), 0) AS m FROM core_event)
INSERT INTO core_event (pos, name, version, subject, actor, body, at)
SELECT h.m + o.n, o.name, o.version, o.subject, o.actor, o.body, o.at FROM o, h
""")
