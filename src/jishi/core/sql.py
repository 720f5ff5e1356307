"""The few places where SQLite and PostgreSQL differ, hidden once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

metadata = sa.MetaData()

BUSY_MS_MAX = 10_000
"""How long a writer waits for another one before it is refused."""

ID: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Integer row id.  SQLite numbers rows by itself only where the type is ``INTEGER``."""

MICROS: Final = sa.BigInteger()
"""An instant: microseconds since 1970 UTC, the same on both databases."""

NAME: Final = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text that is compared byte by byte, so keyset order is the same on both databases."""


class Busy(Refusal):
    """Another writer kept the database for too long."""

    code: ClassVar[str] = "core.busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    text: ClassVar[str] = N_("The database is busy. Try again.")


INSERT: Final[Mapping[str, Callable[[sa.Table], sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def open_engine(url: str, *, query_only: bool = False) -> sa.Engine:
    """Open a database the only way the platform uses it.

    Args:
        query_only: Refuse changes on every connection; SQLite only.
    """
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=20, max_overflow=0)
    engine = sa.create_engine(url, pool_size=20, max_overflow=20)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    if query_only:
        sa.event.listen(engine, "connect", lambda conn, _: conn.execute("PRAGMA query_only = ON"))
    return engine


def insert_once(conn: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> Any | None:  # noqa: ANN401  (a key is whatever the table says)
    """Insert ``row`` and return its key, or ``None`` if a unique constraint stands against it.

    The row itself is asked for: the row count of an insert is -1 with some drivers.
    """
    key = next(iter(table.primary_key.columns))
    statement = INSERT[conn.dialect.name](table).values(row).on_conflict_do_nothing()
    return conn.execute(statement.returning(key)).scalar_one_or_none()


def upsert(
    conn: sa.Connection,
    table: sa.Table,
    rows: Iterable[Mapping[str, Any]],
    *,
    update: Mapping[str, Callable[[Any], Any]] | Iterable[str],
) -> None:
    """Insert ``rows``; where the primary key exists, change the columns named in ``update``.

    Args:
        update: Column names to overwrite, or name -> function of the row that was refused
            (``excluded``) giving the new value.
    """
    todo = list(rows)
    if not todo:
        return
    statement = INSERT[conn.dialect.name](table)
    new = statement.excluded
    if isinstance(update, Mapping):
        values = {name: make(new) for name, make in update.items()}
    else:
        values = {name: new[name] for name in update}
    keys = list(table.primary_key.columns)
    conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), todo)


def is_busy(error: sa.exc.OperationalError) -> bool:
    """Whether SQLite gave up waiting for another writer."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def is_transient(error: sa.exc.DBAPIError) -> bool:
    """Whether PostgreSQL ended the transaction for the sake of another one: try again."""
    return getattr(error.orig, "sqlstate", None) in {"40P01", "40001"}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin on its own
    for pragma in (
        f"busy_timeout = {BUSY_MS_MAX}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -65536",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 0",  # only the writer thread checkpoints, see core.db
        "mmap_size = 0",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
