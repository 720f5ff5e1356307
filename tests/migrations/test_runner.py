"""Scripts run once, in order, and never under another text."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from jishi.core.db import Database, Mode
from jishi.migrations import pending, upgrade
from jishi.migrations.runner import ScriptChanged, scripts


@pytest.fixture
def empty(tmp_path):
    db = Database(f"sqlite:///{tmp_path}/empty.db")
    yield db
    db.close()


def test_an_empty_database_gets_every_script_once(empty: Database) -> None:
    names = [name for name, _ in scripts()]

    assert pending(empty) == names
    assert upgrade(empty) == len(names)
    assert upgrade(empty) == 0
    assert pending(empty) == []


def test_scripts_are_numbered_without_a_gap() -> None:
    numbers = [int(name[:4]) for name, _ in scripts()]

    assert numbers == list(range(1, len(numbers) + 1))


def test_data_of_another_release_is_left_alone(db: Database) -> None:
    last = scripts()[-1][0]
    with db.begin(Mode.WRITE) as tx:
        change = sa.text("UPDATE core_migration SET sha256 = 'other' WHERE name = :name")
        tx.conn.execute(change, {"name": last})

    with pytest.raises(ScriptChanged) as caught:
        upgrade(db)

    assert caught.value.facts["script"] == last
