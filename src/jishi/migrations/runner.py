"""Run the scripts that have not run yet."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import ClassVar

import sqlalchemy as sa

from jishi.core.db import Database, Mode, Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

SCRIPT = re.compile(r"(\d{4})_[a-z0-9_]+\.py")
_LOCK = 0x6A69_7368


class ScriptChanged(Refusal):
    """The data folder was upgraded by a script that has another text today."""

    code: ClassVar[str] = "migrations.script_changed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_(
        "The data was upgraded by another version of {script}. Install the release that made it."
    )


@dataclass(frozen=True, slots=True)
class Op:
    """What a script may do.

    Attributes:
        conn: Open connection, inside the script's transaction.
    """

    conn: sa.Connection

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; else PostgreSQL."""
        return self.conn.dialect.name == "sqlite"

    def create(self, schema: sa.MetaData) -> None:
        """Create every table and index of ``schema``, which the script itself defines."""
        schema.create_all(self.conn, checkfirst=False)

    def run(self, sql: str) -> None:
        """Run one statement as it is."""
        self.conn.exec_driver_sql(sql)

    def forbid_change(self, table: str) -> None:
        """Make ``table`` append-only by a trigger."""
        name = f"{table}_append_only"
        if self.is_sqlite:
            for verb in ("UPDATE", "DELETE"):
                self.run(
                    f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            return
        self.run(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{table} is append-only'; END$$"
        )
        self.run(
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def upgrade(db: Database) -> int:
    """Bring the schema up to date and return how many scripts ran.

    Raises:
        ScriptChanged: If a script that ran has another text now.
    """
    ran = 0
    for name, digest in scripts():
        with db.begin(Mode.WRITE) as tx:
            ran += run_once(tx, name, digest)
    return ran


def pending(db: Database) -> list[str]:
    """Return the names of the scripts that have not run; all of them on an empty database."""
    with db.begin(Mode.READ) as tx:
        if not sa.inspect(tx.conn).has_table("core_migration"):
            return [name for name, _ in scripts()]
        done = set(tx.conn.exec_driver_sql("SELECT name FROM core_migration").scalars())
    return [name for name, _ in scripts() if name not in done]


def scripts() -> list[tuple[str, str]]:
    """Return ``(module name, sha256 of its text)`` in the order they run."""
    found = sorted(
        (item for item in files("jishi.migrations").iterdir() if SCRIPT.fullmatch(item.name)),
        key=lambda item: item.name,
    )
    return [(i.name[:-3], hashlib.sha256(i.read_bytes()).hexdigest()) for i in found]


def run_once(tx: Tx, name: str, digest: str) -> bool:
    """Run a script unless it has run; return whether it did.

    Raises:
        ScriptChanged: If it ran and has another text now.
    """
    if tx.conn.dialect.name == "postgresql":
        tx.conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    tx.conn.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS core_migration "
        "(n INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, at BIGINT NOT NULL)"
    )
    number = int(name[:4])
    query = sa.text("SELECT sha256 FROM core_migration WHERE n = :n")
    seen = tx.conn.execute(query, {"n": number}).scalar_one_or_none()
    if seen is not None:
        if seen != digest:
            raise ScriptChanged(script=name)
        return False
    import_module(f"jishi.migrations.{name}").up(Op(tx.conn))
    tx.conn.execute(
        sa.text("INSERT INTO core_migration VALUES (:n, :name, :sha256, :at)"),
        {"n": number, "name": name, "sha256": digest, "at": tx.now},
    )
    return True
