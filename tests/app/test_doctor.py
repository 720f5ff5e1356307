"""The doctor sees what is ill, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from jishi.app import doctor
from jishi.app.doctor import Health, examine
from jishi.app.folder import FolderLocked, locked, opened
from jishi.app.settings import load_settings
from jishi.core.db import Mode
from jishi.core.tables import cursors, jobs
from jishi.git import tables as git_tables
from jishi.hub.content import tables as content_tables
from jishi.xet import tables as xet_tables


@pytest.fixture
def settings(tmp_path):
    return load_settings(tmp_path / "data", {})


@pytest.fixture
def node(settings) -> Iterator:
    with locked(settings.folder), opened(settings) as node:
        for path in (settings.folder / "keys").rglob("*"):
            path.chmod(0o600)
        yield node


def findings(node, settings, check: str):
    report = asyncio.run(examine(node, settings))
    return [finding for finding in report.findings if finding.check == check]


def insert(node, table, **row) -> None:
    with node.db.begin(Mode.WRITE) as tx:
        tx.conn.execute(sa.insert(table), row)


def test_a_new_folder_is_well_in_both_languages(node, settings) -> None:
    report = asyncio.run(examine(node, settings))

    assert report.is_healthy
    assert len(report.lines("en")) == len(report.lines("zh-Hans")) == len(report.findings)
    for english, chinese in zip(report.lines("en"), report.lines("zh-Hans"), strict=True):
        grade, check, text = chinese.split(maxsplit=2)
        assert grade == "正常"
        assert check == "git" or not check.isascii()
        assert not text.isascii()
        assert english.index(english.split()[1]) == 6


def test_missing_and_cut_objects_are_bad(node, settings) -> None:
    digest = b"\x11" * 32
    key = f"lfs/11/11/{digest.hex()}"
    insert(node, content_tables.digests, sha256=digest, size=10, plain_key=key, computed_at=1)
    missing = findings(node, settings, "objects")
    node.store.put_bytes(key, b"short")
    cut = findings(node, settings, "objects")

    assert [f.health for f in missing + cut] == [Health.BAD, Health.BAD]
    assert (missing[0].text, cut[0].text) == (doctor.OBJECT_MISSING, doctor.OBJECT_CUT)
    assert cut[0].facts == {"key": key, "size": 5, "expected": 10}


def test_packs_and_xorbs_are_looked_for(node, settings) -> None:
    insert(node, git_tables.repos, id=1, refs_gen=1, packs_gen=1, head_ref="refs/heads/main")
    pack = {"sha": b"s" * 20, "pack_bytes": 9, "idx_bytes": 8, "objects": 1, "source": "api"}
    insert(node, git_tables.packs, id=b"p" * 20, made_at=1, **pack)
    insert(node, git_tables.members, repo_id=1, pack_id=b"p" * 20, added_gen=1)
    xorb = {"hash": b"x" * 32, "tag": b"tttt", "packed": 7, "raw": 7, "chunks": 1}
    insert(node, xet_tables.xorbs, state="live", uploaded_at=1, **xorb)

    keys = [str(finding.facts["key"]) for finding in findings(node, settings, "objects")]

    assert [key.partition("/")[0] for key in keys] == ["git", "git", "xorbs"]


def test_blocked_files_are_named_and_make_nobody_ill(node, settings) -> None:
    fine = {"repo_id": 1, "size": 9, "state": "committed", "uploaded_by": "", "created_at": 1}
    chunked = {"xet_file_id": 1, "xet_hash": b"x" * 32}
    insert(node, content_tables.contents, sha256=b"\x11" * 32, verified_at=1, **fine, **chunked)
    well = findings(node, settings, "contents")
    insert(node, content_tables.contents, sha256=b"\x22" * 32, blocked_at=1, **fine, **chunked)
    report = asyncio.run(examine(node, settings))

    (blocked,) = [finding for finding in report.findings if finding.check == "contents"]
    assert [(finding.health, finding.text) for finding in well] == [
        (Health.OK, doctor.CONTENTS_WELL)
    ]
    assert (blocked.health, blocked.text) == (Health.NOTE, doctor.CONTENT_BLOCKED)
    assert blocked.facts == {"sha256": "22" * 32}
    assert report.is_healthy, "its author has to act, not the operator"


def test_failed_jobs_and_stopped_listeners_are_bad(node, settings) -> None:
    ready = {"name": "tests.work", "lane": "default", "run_at": 1, "attempt": 5, "fence": 1}
    insert(node, jobs, state="failed", args="{}", created_at=1, done_at=2, **ready)
    insert(node, cursors, consumer="tests.ear", pos=0, tries=99, at=1)

    assert [f.health for f in findings(node, settings, "jobs")] == [Health.BAD]
    assert [f.facts for f in findings(node, settings, "events")] == [{"name": "tests.ear"}]


@pytest.mark.parametrize(
    ("free", "health"), [(1 << 40, Health.OK), (1 << 30, Health.NOTE), (1 << 20, Health.BAD)]
)
def test_room_that_runs_out_is_said_before_it_is_gone(
    node, settings, monkeypatch, free, health
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage)

    assert [f.health for f in findings(node, settings, "disk")] == [health]


def test_without_git_nobody_can_clone_but_all_else_works(node, settings, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    assert [f.health for f in findings(node, settings, "git")] == [Health.NOTE]


def test_a_damaged_database_is_bad(settings) -> None:
    with locked(settings.folder):
        with opened(settings):
            pass
        file = settings.folder / "jishi.db"
        raw = bytearray(file.read_bytes())
        raw[8192:12288] = b"\xff" * 4096
        file.write_bytes(raw)
        with opened(settings, upgrading=False) as node:
            words = list(doctor.check_database(doctor.Patient(node, settings)))

    assert [word.health for word in words] == [Health.BAD]


def test_a_folder_is_held_by_one_process(settings) -> None:
    with locked(settings.folder), pytest.raises(FolderLocked), locked(settings.folder):
        pass
    with locked(settings.folder):
        pass
