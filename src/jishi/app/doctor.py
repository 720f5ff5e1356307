"""Is this installation well?  What is wrong is said with what to do about it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final
from unicodedata import east_asian_width

import msgspec

from jishi import xet
from jishi.app.settings import Settings
from jishi.core import events, jobs
from jishi.core.db import Database, Mode
from jishi.core.hop import hop
from jishi.core.i18n import N_, translate
from jishi.core.sizes import say_bytes
from jishi.git.packs import list_objects as git_objects
from jishi.hub import Node, content
from jishi.migrations import pending
from jishi.storage import ObjectMissing

GIT_MIN: Final = (2, 39)
"""Partial clones over protocol 2 as we serve them."""
DISK_BYTES_LOW: Final = 2 << 30
DISK_BYTES_MIN: Final = 200 << 20
SHOWN_MAX: Final = 20
"""Findings of one kind that are shown."""
FOOTER_BYTES_MAX: Final = 4 << 20
"""What follows the chunks of a xorb: its own table of contents."""


@unique
class Health(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is broken."""
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """The result of one check.

    Attributes:
        text: A template over ``facts`` and, if they count ``bytes``, their ``size``.
    """

    check: str
    health: Health
    text: str
    facts: dict[str, str | int] = {}

    def said(self, locale: str) -> str:
        """Return it in words."""
        facts = dict(self.facts)
        if "bytes" in facts:
            facts["size"] = say_bytes(int(facts["bytes"]), locale)
        return translate(self.text, locale).format_map(facts)


class Report(msgspec.Struct, frozen=True):
    """All findings; healthy if none is bad."""

    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing needs mending."""
        return all(finding.health is not Health.BAD for finding in self.findings)

    def lines(self, locale: str) -> list[str]:
        """Return one line per finding, for people."""
        return [
            f"{_padded(translate(WORDS[finding.health], locale), 5)} "
            f"{_padded(translate(WORDS[finding.check], locale), 10)} {finding.said(locale)}"
            for finding in self.findings
        ]

    def as_json(self) -> list[str]:
        """Return the same for programs."""
        findings = [
            {
                "check": finding.check,
                "health": finding.health,
                "text": finding.said("en"),
                "facts": finding.facts,
            }
            for finding in self.findings
        ]
        report = {"healthy": self.is_healthy, "findings": findings}
        return [msgspec.json.format(msgspec.json.encode(report)).decode()]


def _padded(word: str, columns: int) -> str:
    """Fill a column of a terminal, where a Chinese character takes two."""
    taken = sum(1 + (east_asian_width(sign) in "WF") for sign in word)
    return word + " " * (columns - taken)


@dataclass(frozen=True, slots=True)
class Patient:
    """What the checks look at.

    Attributes:
        is_server: Whether this process serves the folder, or only looks.
    """

    node: Node
    settings: Settings
    is_server: bool = False


async def examine(node: Node, settings: Settings, *, is_server: bool = False) -> Report:
    """Run every check; takes as long as reading the database once."""
    findings = await hop(node.pool, _examine, Patient(node, settings, is_server))
    return Report(tuple(findings))


def _examine(patient: Patient) -> list[Finding]:
    is_old = bool(pending(patient.node.db))
    checks = (check for check in CHECKS if not (is_old and check in _NEED_SCHEMA))
    return [finding for check in checks for finding in check(patient)]


def check_process(patient: Patient) -> Iterator[Finding]:
    """Say who serves the folder; who only looks holds its lock for a moment, and is nobody."""
    facts: dict[str, str | int] = {"folder": str(patient.settings.folder)}
    if patient.is_server:
        yield Finding("lock", Health.OK, SERVED, facts | {"process": os.getpid()})
    else:
        yield Finding("lock", Health.OK, NOT_SERVED, facts)


def check_schema(patient: Patient) -> Iterator[Finding]:
    """Compare what ran with what there is."""
    waiting = pending(patient.node.db)
    if waiting:
        yield Finding("schema", Health.BAD, SCHEMA_OLD, {"scripts": ", ".join(waiting)})
    else:
        yield Finding("schema", Health.OK, SCHEMA_NEW)


def check_database(patient: Patient) -> Iterator[Finding]:
    """Let SQLite look through its own pages."""
    if not patient.node.db.is_sqlite:
        yield Finding("database", Health.OK, POSTGRESQL)
        return
    file = patient.settings.folder / "jishi.db"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
            words = [str(row[0]) for row in conn.execute("PRAGMA quick_check(5)")]
    except sqlite3.Error as error:
        words = [str(error)]
    facts: dict[str, str | int] = {
        "version": sqlite3.sqlite_version,
        "bytes": file.stat().st_size,
    }
    if words == ["ok"]:
        yield Finding("database", Health.OK, DATABASE_WELL, facts)
    else:
        yield Finding("database", Health.BAD, DATABASE_ILL, {"problem": "; ".join(words)})


def check_keys(patient: Patient) -> Iterator[Finding]:
    """Insist that only the owner reads the root secret."""
    folder = patient.settings.folder / "keys"
    paths = [folder, *folder.iterdir()] if folder.exists() else []
    open_ones = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_ones:
        yield Finding("keys", Health.BAD, KEYS_OPEN, {"path": str(path)})
    if not open_ones:
        yield Finding("keys", Health.OK, KEYS_CLOSED)


def check_consumers(patient: Patient) -> Iterator[Finding]:
    """Look for consumers that stopped."""
    with patient.node.db.begin(Mode.READ) as tx:
        last, seen = events.positions(tx)
    stopped = sorted(name for name, position in seen.items() if position.is_stopped)
    for name in stopped:
        yield Finding("events", Health.BAD, CONSUMER_STOPPED, {"name": name})
    if not stopped:
        yield Finding("events", Health.OK, CONSUMERS_WELL, {"count": last})


def check_jobs(patient: Patient) -> Iterator[Finding]:
    """Look for jobs that were given up."""
    with patient.node.db.begin(Mode.READ) as tx:
        failed = jobs.count_failed(tx)
    if failed:
        yield Finding("jobs", Health.BAD, JOBS_FAILED, {"count": failed})
    else:
        yield Finding("jobs", Health.OK, JOBS_WELL)


def check_git(_patient: Patient) -> Iterator[Finding]:
    """Ask the program that serves clones for its version."""
    path = shutil.which("git")
    if path is None:
        yield Finding("git", Health.NOTE, GIT_MISSING)
        return
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  (a fixed command)
    version = said.stdout.strip().removeprefix("git version ")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    text = GIT_WELL if numbers >= GIT_MIN else GIT_OLD
    health = Health.OK if numbers >= GIT_MIN else Health.NOTE
    yield Finding("git", health, text, {"version": version})


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Look how much room is left."""
    free = shutil.disk_usage(patient.settings.folder).free
    facts: dict[str, str | int] = {"bytes": free}
    if free < DISK_BYTES_MIN:
        yield Finding("disk", Health.BAD, DISK_FULL, facts)
    elif free < DISK_BYTES_LOW:
        yield Finding("disk", Health.NOTE, DISK_LOW, facts)
    else:
        yield Finding("disk", Health.OK, DISK_WELL, facts)


def check_objects(patient: Patient) -> Iterator[Finding]:
    """Look whether every object the database speaks of lies in the store, whole."""
    seen, ill = 0, list[Finding]()
    for key, least, most in _objects(patient.node.db):
        seen += 1
        try:
            size = patient.node.store.size(key)
        except ObjectMissing:
            ill.append(Finding("objects", Health.BAD, OBJECT_MISSING, {"key": key}))
        else:
            if not least <= size <= most:
                facts: dict[str, str | int] = {"key": key, "size": size, "expected": least}
                ill.append(Finding("objects", Health.BAD, OBJECT_CUT, facts))
        if len(ill) >= SHOWN_MAX:
            break
    yield from ill
    if not ill:
        yield Finding("objects", Health.OK, OBJECTS_WELL, {"count": seen})


def _objects(db: Database) -> Iterator[tuple[str, int, int]]:
    """Yield ``(key, fewest bytes, most bytes)``, read in slices so that no snapshot is long."""
    for list_objects in (git_objects, content.list_objects):
        after = ""
        while True:
            with db.begin(Mode.READ) as tx:
                objects = list_objects(tx, after=after)
            yield from ((key, size, size) for key, size in objects)
            if not objects:
                break
            after = objects[-1][0]
    row = 0
    while True:
        with db.begin(Mode.READ) as tx:
            xorbs = xet.list_objects(tx, after=row)
        yield from ((xorb.key, xorb.packed, xorb.packed + FOOTER_BYTES_MAX) for xorb in xorbs)
        if not xorbs:
            break
        row = xorbs[-1].id


def check_contents(patient: Patient) -> Iterator[Finding]:
    """Show files whose bytes are not what their uploader said."""
    with patient.node.db.begin(Mode.READ) as tx:
        blocked = content.list_blocked(tx, limit=SHOWN_MAX)
    for each in blocked:
        yield Finding("contents", Health.NOTE, CONTENT_BLOCKED, {"sha256": each.sha256.hex()})
    if not blocked:
        yield Finding("contents", Health.OK, CONTENTS_WELL)


def check_folders(patient: Patient) -> Iterator[Finding]:
    """Explain what lies in the data folder, and what of it may be deleted."""
    for name, text in FOLDERS.items():
        path = patient.settings.folder / name
        if path.is_dir():
            facts: dict[str, str | int] = {"name": name, "bytes": _bytes_in(path)}
            yield Finding("folder", Health.OK, text, facts)


def _bytes_in(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(base, name).stat().st_size
            except FileNotFoundError:  # a cache or a spooled body, gone meanwhile
                continue
    return total


SERVED = N_("Process {process} serves {folder}.")
NOT_SERVED = N_("No server runs on {folder}.")
SCHEMA_OLD = N_("These upgrades have not run: {scripts}. Start the server once.")
SCHEMA_NEW = N_("The schema is up to date.")
POSTGRESQL = N_("PostgreSQL answers.")
DATABASE_WELL = N_("SQLite {version} finds its file whole ({size}).")
DATABASE_ILL = N_("SQLite finds its file damaged: {problem}. Restore a backup.")
KEYS_OPEN = N_("Others can read {path}. Run: chmod go-rwx {path}")
KEYS_CLOSED = N_("Only the owner reads the keys.")
CONSUMER_STOPPED = N_("The listener {name} stopped at an event it cannot take. See the log.")
CONSUMERS_WELL = N_("Every listener works ({count} events).")
OBJECT_MISSING = N_("Object {key} is missing. Restore it from a backup.")
OBJECT_CUT = N_("Object {key} has {size} bytes instead of {expected}. Restore it from a backup.")
OBJECTS_WELL = N_("All {count} objects lie in the store, whole.")
CONTENT_BLOCKED = N_("A file is blocked: its bytes do not have the SHA-256 {sha256}.")
CONTENTS_WELL = N_("No file is blocked.")
JOBS_FAILED = N_("{count} jobs failed for good. See the log.")
JOBS_WELL = N_("No job failed.")
GIT_MISSING = N_("There is no git program, so nobody can clone. Install git 2.39 or newer.")
GIT_OLD = N_("git {version} is older than 2.39: some clones will fail.")
GIT_WELL = N_("git {version} serves clones.")
DISK_FULL = N_("Only {size} are free: uploads will be refused. Make room.")
DISK_LOW = N_("Only {size} are free.")
DISK_WELL = N_("{size} are free.")

FOLDERS: Final = {
    "objects": N_("{name}/ ({size}): what people uploaded. Back it up."),
    "keys": N_("{name}/ ({size}): the root secret. Back it up, apart from the rest."),
    "uploads": N_("{name}/ ({size}): uploads under way, kept for a day."),
    "spool": N_("{name}/ ({size}): request bodies under way. Emptied at each start."),
    "git": N_("{name}/ ({size}): a cache. Deleting it loses nothing."),
    "plain": N_("{name}/ ({size}): a cache of whole files. Deleting it loses nothing."),
}

WORDS: Final[Mapping[str, str]] = {
    "ok": N_("ok"),
    "note": N_("note"),
    "bad": N_("bad"),
    "lock": N_("lock"),
    "schema": N_("schema"),
    "database": N_("database"),
    "keys": N_("keys"),
    "events": N_("events"),
    "jobs": N_("jobs"),
    "objects": N_("objects"),
    "contents": N_("contents"),
    "git": N_("git"),
    "disk": N_("disk"),
    "folder": N_("folder"),
}
"""Grades and checks, as people read them; programs get them as they are."""

_NEED_SCHEMA: Final = (check_consumers, check_jobs, check_objects, check_contents)
CHECKS: Final[tuple[Callable[[Patient], Iterator[Finding]], ...]] = (
    *(check_process, check_schema, check_database, check_keys),
    *(check_consumers, check_jobs, check_objects, check_contents),
    *(check_git, check_disk, check_folders),
)
