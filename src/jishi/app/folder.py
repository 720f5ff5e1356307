"""The data folder: who may open it, and what a node has once it is open."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

from jishi.app.saying import reason_of
from jishi.app.settings import Settings, is_origin
from jishi.core.db import Database
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.signing import load_keys
from jishi.git import Cache
from jishi.hub import Node
from jishi.migrations import pending, upgrade
from jishi.people import Gate
from jishi.storage import LocalStore, Spool, no_space

LOCK: Final = "jishi.lock"
LAST_URL: Final = "last-url"
"""The public origin of the last start: commands without a server make links from it."""
COPIES_MAX: Final = 2
"""Copies of the database from before upgrades that are kept."""
THREADS_MAX: Final = 8


class FolderLocked(Refusal):
    """Another process has the data folder open."""

    code: ClassVar[str] = "app.folder_locked"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("{folder} is in use by process {process}.")


class FolderUnusable(Refusal):
    """The data folder cannot be made or written to."""

    code: ClassVar[str] = "app.folder_unusable"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{folder} cannot be used as the data folder: {problem}.")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process; the system lets go when the process ends.

    The lock is advisory and tied to the open file, so it neither outlives a killed process
    nor passes to the children that serve Git.

    Raises:
        FolderUnusable: If the folder cannot be made or written to.
        FolderLocked: If another process has it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FolderUnusable(folder=str(folder), problem=reason_of(error)) from error
    with os.fdopen(handle, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = file.read(20).strip() or "?"
            raise FolderLocked(folder=str(folder), process=process) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def opened(settings: Settings, *, upgrading: bool = True) -> Iterator[Node]:
    """Open the data folder, which the caller has locked.

    Args:
        upgrading: Bring its schema up to date first.

    Raises:
        ScriptChanged: If another release upgraded the data.
        DiskFull: If there is no room for the copy made before an upgrade.
    """
    folder = settings.folder
    keys = load_keys(folder / "keys")
    store = LocalStore(folder / "objects")
    with (
        closing(Database(settings.database)) as db,
        ThreadPoolExecutor(_threads(), thread_name_prefix="bytes") as pool,
    ):
        if upgrading:
            migrate(db, folder)
        yield Node(
            db=db,
            store=store,
            spool=Spool(folder / "spool"),
            keys=keys,
            git=Cache(folder / "git", store),
            folder=folder,
            pool=pool,
            gate=Gate(db, pool, settings.people),
        )


def note_url(settings: Settings) -> None:
    """Write down where this server is reached, for commands that run when it does not.

    A disk without room is no reason not to serve.
    """
    with suppress(OSError):
        (settings.folder / LAST_URL).write_text(settings.url + "\n", encoding="ascii")


def with_last_url(settings: Settings) -> Settings:
    """Return settings whose public origin is that of the last start, if nobody stated one."""
    if not settings.is_url_guessed:
        return settings
    try:
        last = (settings.folder / LAST_URL).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):  # never served, or somebody wrote there
        return settings
    return replace(settings, url=last) if is_origin(last) else settings


def migrate(db: Database, folder: Path) -> None:
    """Run the scripts that have not run, after a copy of a SQLite file that holds something.

    Raises:
        DiskFull: If there is no room for the copy.
        ScriptChanged: If another release upgraded the data.
    """
    waiting = pending(db)
    file = folder / "jishi.db"
    if waiting and db.is_sqlite and not waiting[0].startswith("0001_"):
        with no_space():
            _copy(file, folder / f"jishi.db.before-{waiting[0][:4]}")
    upgrade(db)


def _copy(source: Path, target: Path) -> None:
    """Copy a database in one step, durable on return; smaller steps may never end."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
        old.backup(new)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(target)
    copies = sorted(target.parent.glob("jishi.db.before-[0-9][0-9][0-9][0-9]"))
    for old_copy in copies[:-COPIES_MAX]:
        old_copy.unlink()


def _threads() -> int:
    return min(THREADS_MAX, (os.cpu_count() or 2) + 2)
