"""One door to the database: what was acknowledged is there, what was refused is not."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from jishi.core.db import IDLE_SECONDS, Database, Mode, Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.sql import Busy, insert_once, upsert
from jishi.core.tables import cursors


class Nope(Refusal):
    """For these tests."""

    code = "tests.nope"
    kind = Kind.INVALID
    text = "No {name}."


def put(tx: Tx, name: str, pos: int = 0) -> str:
    row = {"consumer": name, "pos": pos, "tries": 0, "at": tx.now}
    tx.conn.execute(sa.insert(cursors), row)
    return name


def put_and_refuse(tx: Tx, name: str) -> None:
    put(tx, name)
    raise Nope(name=name)


def count_up(tx: Tx, name: str) -> None:
    query = sa.select(cursors.c.pos).where(cursors.c.consumer == name).with_for_update()
    seen = tx.conn.execute(query).scalar_one()
    change = sa.update(cursors).where(cursors.c.consumer == name).values(pos=seen + 1)
    tx.conn.execute(change)


def names(tx: Tx) -> list[str]:
    return list(tx.conn.execute(sa.select(cursors.c.consumer).order_by("consumer")).scalars())


def pos_of(tx: Tx, name: str) -> int:
    return tx.conn.execute(sa.select(cursors.c.pos).where(cursors.c.consumer == name)).scalar_one()


def test_a_refusal_in_a_batch_leaves_its_neighbours_alone(db: Database) -> None:
    async def run() -> list[object]:
        calls = [
            db.write(put_and_refuse, f"bad{i}") if i % 3 == 0 else db.write(put, f"good{i}")
            for i in range(30)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(run())

    assert sum(isinstance(a, Nope) for a in answers) == 10
    with db.begin(Mode.READ) as tx:
        assert names(tx) == sorted(f"good{i}" for i in range(30) if i % 3)


def test_an_error_of_the_database_reaches_its_caller_only(db: Database) -> None:
    async def run() -> list[object]:
        calls = [db.write(put, "once"), db.write(put, "once"), db.write(put, "other")]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(run())

    assert sum(isinstance(a, sa.exc.IntegrityError) for a in answers) == 1
    with db.begin(Mode.READ) as tx:
        assert names(tx) == ["once", "other"]


def test_no_increment_is_lost_between_threads_and_the_writer(db: Database) -> None:
    with db.begin(Mode.WRITE) as tx:
        put(tx, "n")

    def job() -> None:
        for _ in range(25):
            with db.begin(Mode.WRITE) as tx:
                count_up(tx, "n")

    async def many() -> None:
        await asyncio.gather(*(db.write(count_up, "n") for _ in range(50)))

    threads = [threading.Thread(target=job) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(many())
    for thread in threads:
        thread.join()

    with db.begin(Mode.READ) as tx:
        assert pos_of(tx, "n") == 100


def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        asyncio.run(db.read(put, "x"))


def test_a_reader_sees_one_snapshot(db: Database) -> None:
    with db.begin(Mode.READ) as before:
        assert names(before) == []
        asyncio.run(db.write(put, "late"))

        assert names(before) == []
    with db.begin(Mode.READ) as after:
        assert names(after) == ["late"]


def test_callbacks_run_after_the_commit_and_only_then(db: Database) -> None:
    heard: list[str] = []

    def operation(tx: Tx, name: str) -> None:
        put(tx, name)
        tx.after_commit.append(lambda: heard.append(name))
        if name == "bad":
            raise Nope(name=name)

    async def run() -> None:
        await asyncio.gather(
            *(db.write(operation, n) for n in ("a", "bad", "b")), return_exceptions=True
        )

    asyncio.run(run())
    db.close()

    assert sorted(heard) == ["a", "b"]


def test_a_lazy_write_is_there_for_the_write_that_follows(db: Database) -> None:
    async def run() -> str:
        await db.write_lazily(put, "hold")
        return await db.read(lambda tx: names(tx)[0]) if not db.is_sqlite else "hold"

    assert asyncio.run(run()) == "hold"
    db.close()


def test_an_upsert_adds_up(tx: Tx) -> None:
    rows = [{"consumer": "c", "pos": 5, "tries": 1, "at": 1}]
    upsert(tx.conn, cursors, rows, update={"pos": lambda new: cursors.c.pos + new.pos})
    upsert(tx.conn, cursors, rows, update={"pos": lambda new: cursors.c.pos + new.pos})

    assert pos_of(tx, "c") == 10
    assert insert_once(tx.conn, cursors, rows[0]) is None


def test_a_second_process_waits_and_is_refused_in_words(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("jishi.core.sql.BUSY_MS_MAX", 100)
    first = Database(f"sqlite:///{tmp_path}/a.db")
    second = Database(f"sqlite:///{tmp_path}/a.db")

    with first.begin(Mode.WRITE), pytest.raises(Busy), second.begin(Mode.WRITE):
        pass

    first.close()
    second.close()


SPEAKER = """
import asyncio, sys
import sqlalchemy as sa
from jishi.core.db import Database
db = Database(sys.argv[1])
def put(tx, i):
    tx.conn.exec_driver_sql(f"INSERT INTO said VALUES ({i})")
async def one(i):
    await db.write(put, i)
    print(i, flush=True)
async def main():
    for start in range(0, 100_000, 8):
        await asyncio.gather(*(one(i) for i in range(start, start + 8)))
asyncio.run(main())
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/said.db"
    db = Database(url)
    with db.begin(Mode.WRITE) as tx:
        tx.conn.exec_driver_sql("CREATE TABLE said (n INTEGER PRIMARY KEY)")
    db.close()
    command = [sys.executable, "-c", SPEAKER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as speaker:
        heard = [int(speaker.stdout.readline()) for _ in range(100)]
        os.kill(speaker.pid, signal.SIGKILL)
        heard += [int(line) for line in speaker.stdout if line.endswith("\n")]

    db = Database(url)
    with db.begin(Mode.READ) as tx:
        kept = set(tx.conn.exec_driver_sql("SELECT n FROM said").scalars())
    db.close()

    assert len(heard) >= 100
    assert set(heard) <= kept


def test_closing_a_database_that_was_just_made_does_not_wait(tmp_path) -> None:
    db = Database(f"sqlite:///{tmp_path}/new.db")
    for name in ("a", "b"):
        with db.begin(Mode.WRITE) as tx:
            tx.conn.exec_driver_sql(f"CREATE TABLE {name} (x)")
    begun = time.monotonic()

    db.close()

    assert time.monotonic() - begun < 5


def test_a_database_that_cannot_be_opened_says_so_at_once(tmp_path) -> None:
    with pytest.raises(sa.exc.OperationalError):
        Database(f"sqlite:///{tmp_path}/none/jishi.db")


def test_a_new_file_may_be_read_the_moment_it_is_opened(tmp_path) -> None:
    for number in range(40):
        db = Database(f"sqlite:///{tmp_path}/{number}.db")
        with db.begin(Mode.READ) as tx:
            assert sa.inspect(tx.conn).get_table_names() == []
        done = asyncio.run(asyncio.wait_for(db.write(lambda tx: tx.now), 10))
        db.close()
        assert done


def test_the_writer_outlives_a_checkpoint_that_fails(tmp_path) -> None:
    """The limit on the size of files stands for a disk that is full."""

    def put(tx: Tx, count: int) -> None:
        tx.conn.execute(sa.text("INSERT INTO t VALUES (zeroblob(:n))"), {"n": count})

    db = Database(f"sqlite:///{tmp_path}/jishi.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with db.begin(Mode.WRITE) as tx:
        tx.conn.exec_driver_sql("CREATE TABLE t (x BLOB)")
    with db.begin(Mode.READ) as tx:  # keeps the log from being copied meanwhile
        tx.conn.exec_driver_sql("SELECT count(*) FROM t").scalar_one()
        asyncio.run(db.write(put, 1 << 20))
        time.sleep(3 * IDLE_SECONDS)

    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    try:
        with pytest.raises(sa.exc.OperationalError):
            asyncio.run(db.write(put, 1))
        time.sleep(4 * IDLE_SECONDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    asyncio.run(asyncio.wait_for(db.write(put, 1), 10))

    with db.begin(Mode.READ) as tx:
        assert tx.conn.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 2
    db.close()
