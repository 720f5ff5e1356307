"""One transaction per operation, one thread hop per transaction.

Operations are plain functions ``(tx, actor, ...) -> value``.  The event loop runs them
with ``await db.write(...)``, ``await db.write_lazily(...)`` or ``await db.read(...)``;
jobs, commands and tests say ``with db.begin(Mode.WRITE) as tx``.  It is one door: nothing
else begins, commits or rolls back.

SQLite has one writer thread.  It takes waiting operations together into one transaction,
a savepoint each, and answers them after the one commit that made all of them durable: with
``synchronous = FULL`` that is 4-8 times what a commit per operation reaches.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, unique
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import sqlalchemy as sa

from jishi.core.sql import BUSY_MS_MAX, Busy, is_busy, is_transient, open_engine

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

BATCH_MAX = 64
"""Operations that share one SQLite commit."""
BATCH_SECONDS = 0.005
"""How long a batch goes on taking operations."""
IDLE_SECONDS = 0.05
"""An idle SQLite writer checkpoints after this."""
TRIES_MAX = 3
"""How often PostgreSQL may end a transaction for another one's sake."""


@unique
class Mode(StrEnum):
    """What a transaction may do and when its effect is on disk."""

    READ = "read"
    WRITE = "write"
    WRITE_LAZILY = "write_lazily"


@dataclass(slots=True)
class Tx:
    """A running transaction: the only handle through which state changes.

    Attributes:
        conn: Open connection, inside a transaction.
        now: The instant of this transaction, microseconds since 1970 UTC.  Operations
            never read a clock.
        after_commit: Callbacks run once the transaction is committed, in order.
    """

    conn: sa.Connection
    now: int
    after_commit: list[Callable[[], None]] = field(default_factory=list)


def utc_micros() -> int:
    """Return the current instant, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Waiting:
    run: Callable[[Tx], Any]
    future: Future[Any]
    lazily: bool


class Database:
    """A connection source with a writer (SQLite: one thread) and a pool of readers.

    Attributes:
        committed: Called after every commit of a writer, on its thread: whoever waits for
            events and jobs looks again.
    """

    def __init__(
        self, url: str, *, readers: int | None = None, clock: Callable[[], int] = utc_micros
    ) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.committed: list[Callable[[], None]] = []
        self._engine = open_engine(url)
        self._read_engine = open_engine(url, query_only=True) if self.is_sqlite else self._engine
        self._clock = clock
        self._readers = ThreadPoolExecutor(
            readers or (os.cpu_count() or 2) + 2, thread_name_prefix="db-read"
        )
        self._own = threading.local()
        self._pinned: list[sa.Connection] = []
        self._turn = threading.Lock()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writers: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None
        if self.is_sqlite:
            # Opened here: the first connection turns a new file to WAL, which a second one at
            # the same moment makes fail; and what cannot be opened is said to who opens it.
            conn = self._engine.connect()
            self._thread = threading.Thread(
                target=self._write_forever, args=(conn,), name="db-write", daemon=True
            )
            self._thread.start()
        else:
            self._writers = ThreadPoolExecutor(8, thread_name_prefix="db-write")

    @contextmanager
    def begin(self, mode: Mode) -> Iterator[Tx]:
        """Open a transaction on this thread.

        Raises:
            Busy: If another writer kept the database for ``BUSY_MS_MAX``.
        """
        reads = mode is Mode.READ
        engine = self._read_engine if reads else self._engine
        with self._in_turn(mode), engine.connect() as conn:
            _enter(conn, mode)
            tx = Tx(conn=conn, now=self._clock())
            try:
                yield tx
            except BaseException:
                conn.exec_driver_sql("ROLLBACK")
                raise
            conn.exec_driver_sql("COMMIT")
        for callback in (*tx.after_commit, *(() if reads else self.committed)):
            callback()

    async def write(
        self, operation: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``operation`` in one write transaction; its effect is on disk on return."""
        return await self._write(Mode.WRITE, partial(_call, operation, args, kwargs))

    async def write_lazily(
        self, operation: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do the same, but a crash may take the last moments, never out of order.

        For intents that are worthless without a later ``write``, such as holds.
        """
        return await self._write(Mode.WRITE_LAZILY, partial(_call, operation, args, kwargs))

    async def read(
        self, operation: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``operation`` over one snapshot; the database refuses changes."""
        work = partial(_call, operation, args, kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def close(self) -> None:
        """End the threads after their current work and give all connections back."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        if self._writers is not None:
            self._writers.shutdown()
        self._readers.shutdown()
        for conn in self._pinned:
            conn.close()
        self._read_engine.dispose()
        self._engine.dispose()

    async def _write(self, mode: Mode, run: Callable[[Tx], R]) -> R:
        if self._writers is not None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._writers, partial(self._run, mode, run))
        future: Future[R] = Future()
        future.set_running_or_notify_cancel()
        self._queue.put(_Waiting(run, future, mode is Mode.WRITE_LAZILY))
        return await asyncio.wrap_future(future)

    def _read(self, run: Callable[[Tx], R]) -> R:
        """Run on a reader thread; SQLite's keep their connection.

        Taking one from the pool, two statements through SQLAlchemy and giving it back cost as
        much as the reads of a small answer.
        """
        if not self.is_sqlite:
            return self._run(Mode.READ, run)
        conn = self._pinned_connection()
        driver: Any = conn.connection.driver_connection
        driver.execute("BEGIN")
        try:
            return run(Tx(conn=conn, now=self._clock()))
        finally:
            driver.execute("ROLLBACK")  # ends reads that nobody finished, as COMMIT would not

    def _pinned_connection(self) -> sa.Connection:
        conn: sa.Connection | None = getattr(self._own, "conn", None)
        if conn is None:
            conn = self._own.conn = self._read_engine.connect()
            self._pinned.append(conn)
        return conn

    def _run(self, mode: Mode, run: Callable[[Tx], R]) -> R:
        for attempt in range(TRIES_MAX):
            try:
                with self.begin(mode) as tx:
                    return run(tx)
            except sa.exc.DBAPIError as error:
                if not is_transient(error) or attempt == TRIES_MAX - 1:
                    raise
                time.sleep(0.01 * 4**attempt)
        raise Busy

    @contextmanager
    def _in_turn(self, mode: Mode) -> Iterator[None]:
        """Queue SQLite's writers of this process; the file's own lock is a lottery."""
        if mode is Mode.READ or not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_MS_MAX / 1000):
            raise Busy
        try:
            yield
        finally:
            self._turn.release()

    def _write_forever(self, conn: sa.Connection) -> None:
        dirty = False
        while True:
            try:
                first = self._queue.get(timeout=IDLE_SECONDS if dirty else None)
            except queue.Empty:
                dirty = False
                with self._turn:
                    _checkpoint(conn, "PASSIVE")
                continue
            if first is None:
                break
            with self._turn:
                self._write_batch(conn, first)
            dirty = True
        # A connection that made the log and read nothing since waits here for itself, until
        # its time-out (SQLite 3.40.1, seen in every command on a new folder).
        conn.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        _checkpoint(conn, "TRUNCATE")
        conn.close()

    def _write_batch(self, conn: sa.Connection, first: _Waiting) -> None:
        answers: list[tuple[_Waiting, Any, BaseException | None]] = []
        callbacks: list[Callable[[], None]] = []
        try:
            _enter(conn, Mode.WRITE)
            until = time.monotonic() + BATCH_SECONDS
            waiting: _Waiting | None = first
            while waiting is not None:
                tx = Tx(conn=conn, now=self._clock())
                value, refusal = _run_in_savepoint(tx, waiting)
                if refusal is None:
                    callbacks += tx.after_commit
                answers.append((waiting, value, refusal))
                waiting = self._next(len(answers), until)
            conn.exec_driver_sql("COMMIT")
        except BaseException as error:  # the commit failed: nobody's effect is on disk
            if not conn.invalidated and conn.in_transaction():
                conn.rollback()
            for waiting in {id(w): w for w in (first, *(a[0] for a in answers))}.values():
                if not waiting.future.done():
                    waiting.future.set_exception(error)
            return
        conn.rollback()  # ends SQLAlchemy's own notion of a transaction; nothing is open
        # Before anybody is answered: whoever asks next must find caches of this process emptied.
        for callback in (*callbacks, *self.committed):
            callback()
        for asked, value, refusal in answers:
            _answer(asked.future, value, refusal)

    def _next(self, taken: int, until: float) -> _Waiting | None:
        if taken >= BATCH_MAX or time.monotonic() > until:
            return None
        try:
            following = self._queue.get_nowait()
        except queue.Empty:
            return None
        if following is None:
            self._queue.put(None)  # close() waits behind this batch
        return following


def _checkpoint(conn: sa.Connection, how: str) -> None:
    """Copy the log into the file; where that fails the log stays, and nothing is lost.

    A full disk must not end the writer: whoever waits for it would wait for ever.
    """
    try:
        conn.exec_driver_sql(f"PRAGMA wal_checkpoint({how})")
    except sa.exc.DBAPIError as error:
        log.warning("the log was not copied into the database: %s", error.orig)
    conn.rollback()


def _call(operation: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], tx: Tx) -> R:
    return operation(tx, *args, **kwargs)


def _run_in_savepoint(tx: Tx, waiting: _Waiting) -> tuple[Any, BaseException | None]:
    """Run one operation of a batch; what it raises leaves its neighbours alone."""
    tx.conn.exec_driver_sql("SAVEPOINT o")
    try:
        value = waiting.run(tx)
    except BaseException as error:  # handed to whoever waits
        tx.conn.exec_driver_sql("ROLLBACK TO o")
        tx.conn.exec_driver_sql("RELEASE o")
        return None, error
    tx.conn.exec_driver_sql("RELEASE o")
    if waiting.lazily:
        _answer(waiting.future, value, None)
    return value, None


def _answer(future: Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


_ENTER: Final = {
    ("sqlite", Mode.READ): ("BEGIN",),
    ("sqlite", Mode.WRITE): ("BEGIN IMMEDIATE",),
    ("sqlite", Mode.WRITE_LAZILY): ("BEGIN IMMEDIATE",),
    ("postgresql", Mode.READ): ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",),
    ("postgresql", Mode.WRITE): (),
    ("postgresql", Mode.WRITE_LAZILY): ("SET LOCAL synchronous_commit = off",),
}
"""First statements of a transaction.

A SQLite writer takes the write lock before it reads: with a plain ``BEGIN`` two writers
read the same balance and the later one books on top of what it no longer knows.
PostgreSQL writers stay at READ COMMITTED and lock the rows they are about to change.
"""


def _enter(conn: sa.Connection, mode: Mode) -> None:
    try:
        for statement in _ENTER[conn.dialect.name, mode]:
            conn.exec_driver_sql(statement)
    except sa.exc.OperationalError as error:
        if is_busy(error):
            raise Busy from error
        raise
