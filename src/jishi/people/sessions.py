"""Sessions of browsers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.people import tables
from jishi.people.memory import forget_after
from jishi.people.persons import Person, PersonInactive
from jishi.people.secret import digest, new_secret

__all__ = ["SESSION_DAYS", "Opened", "end_all_sessions", "end_session"]

SESSION_DAYS = 30
SESSIONS_MAX = 50
"""Open sessions of one person; the oldest ends when another one begins."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just begun.

    Attributes:
        secret: For the cookie; only its hash is stored.
        expires_at: Microseconds UTC.
    """

    secret: str
    expires_at: int
    person: Person


def open_session(tx: Tx, person: Person) -> Opened:
    """Begin a session of ``person``.

    Raises:
        PersonInactive: If the account is out of use.
    """
    if not person.is_active:
        raise PersonInactive(name=person.name)
    secret = new_secret()
    expires_at = tx.now + SESSION_DAYS * 86_400_000_000
    row = {
        "sha256": digest(secret),
        "person_id": person.id,
        "created_at": tx.now,
        "expires_at": expires_at,
    }
    tx.conn.execute(sa.insert(tables.sessions), row)
    tx.conn.execute(_END_OLDEST, {"person_id": person.id, "max": SESSIONS_MAX})
    forget_after(tx)
    return Opened(secret, expires_at, person)


def end_session(tx: Tx, secret: str) -> None:
    """Sign out; a session that is unknown or over is fine."""
    tx.conn.execute(_END, {"sha256": digest(secret)})
    forget_after(tx)


def end_all_sessions(tx: Tx, person_id: int) -> None:
    """Sign a person out of every browser."""
    tx.conn.execute(_END_ALL, {"person_id": person_id})
    forget_after(tx)


_s = tables.sessions.c
_END: Final = sa.delete(tables.sessions).where(_s.sha256 == sa.bindparam("sha256"))
_END_ALL: Final = sa.delete(tables.sessions).where(_s.person_id == sa.bindparam("person_id"))
_KEPT: Final = (
    sa.select(_s.sha256)
    .where(_s.person_id == sa.bindparam("person_id"))
    .order_by(_s.created_at.desc(), _s.sha256)
    .limit(sa.bindparam("max"))
)
_END_OLDEST: Final = sa.delete(tables.sessions).where(
    _s.person_id == sa.bindparam("person_id"), _s.sha256.not_in(_KEPT)
)
