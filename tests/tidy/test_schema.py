"""The migrations end where the tables of the code are, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import numbers
from tests.postgres import own_database

import jishi.app.build  # noqa: F401  (every package's tables are loaded by it)
from jishi.core.db import Database, Mode
from jishi.core.sql import metadata
from jishi.migrations import upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request, tmp_path) -> Iterator[tuple[Database, Database]]:
    """Two databases of one kind: one was migrated, one made from the code's tables."""
    if request.param == "sqlite":
        urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("migrated", "declared")]
        yield from _filled(*urls)
        return
    address = request.getfixturevalue("postgres")
    name = f"schema{next(numbers)}"
    with own_database(address, f"{name}a") as one, own_database(address, f"{name}b") as other:
        yield from _filled(one, other)


def _filled(one: str, other: str) -> Iterator[tuple[Database, Database]]:
    migrated, declared = Database(one), Database(other)
    upgrade(migrated)
    with declared.begin(Mode.WRITE) as tx:
        metadata.create_all(tx.conn)
    yield migrated, declared
    migrated.close()
    declared.close()


def shape_of(db: Database) -> dict[str, Any]:
    """Tell everything a table is but the names nobody gave."""
    with db.begin(Mode.READ) as tx:
        look = sa.inspect(tx.conn)
        return {
            table: {
                "columns": {
                    c["name"]: (str(c["type"]), c["nullable"], c["default"])
                    for c in look.get_columns(table)
                },
                "key": look.get_pk_constraint(table)["constrained_columns"],
                "foreign": sorted(
                    (f["constrained_columns"], f["referred_table"], f["referred_columns"])
                    for f in look.get_foreign_keys(table)
                ),
                "unique": sorted(u["column_names"] for u in look.get_unique_constraints(table)),
                "checks": sorted(str(c["sqltext"]) for c in look.get_check_constraints(table)),
                "indexes": sorted(
                    (
                        str(i["name"]),
                        i["column_names"],
                        bool(i["unique"]),
                        sorted((k, str(v)) for k, v in i.get("dialect_options", {}).items()),
                    )
                    for i in look.get_indexes(table)
                ),
            }
            for table in look.get_table_names()
        }


def test_migrations_end_where_the_code_is(two: tuple[Database, Database]) -> None:
    migrated, declared = (shape_of(db) for db in two)
    migrated.pop("core_migration")

    assert migrated.keys() == declared.keys()
    for table, shape in declared.items():
        assert migrated[table] == shape, table


def test_tables_are_named_after_their_package() -> None:
    packages = {"core", "people", "git", "xet", "hub"}

    assert {name.partition("_")[0] for name in metadata.tables} == packages
