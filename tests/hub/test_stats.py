"""Likes, and downloads that are counted in memory and written down together."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
import sqlalchemy as sa

from jishi.app.feeds import age_downloads, flush_downloads
from jishi.core.db import Database, Mode, Tx
from jishi.hub import Node, Repo, RepoKind, access_repo, stats, tables
from jishi.hub.downloads import DAY_MICROS, SEEN_MICROS, DownloadCounter
from jishi.people import NOBODY, Actor, SignInNeeded
from tests.conftest import NOON
from tests.hub.shelves import MODEL, put_person, put_repo

TODAY = NOON // DAY_MICROS


@pytest.fixture
def repo(db: Database, lin: Actor) -> Repo:
    with db.begin(Mode.WRITE) as tx:
        return put_repo(tx, lin, "lin/a")


@pytest.fixture
def counter() -> DownloadCounter:
    return DownloadCounter()


def counts(db: Database) -> tuple[int, int]:
    with db.begin(Mode.READ) as tx:
        repo = access_repo(tx, NOBODY, MODEL, "lin/a")
    return repo.downloads_30d, repo.downloads_all


@pytest.mark.parametrize(
    ("kind", "path", "counted"),
    [
        (RepoKind.MODEL, "config.json", True),
        (RepoKind.MODEL, "config.yaml", True),
        (RepoKind.MODEL, "hyperparams.yaml", True),
        (RepoKind.MODEL, "params.json", True),
        (RepoKind.MODEL, "meta.yaml", True),
        (RepoKind.MODEL, "model_index.json", False),
        (RepoKind.MODEL, "adapter_config.json", False),
        (RepoKind.MODEL, "model-q4.gguf", True),
        (RepoKind.MODEL, "w/model-q4.gguf", True),
        (RepoKind.MODEL, "model.safetensors", False),
        (RepoKind.MODEL, "sub/config.json", False),
        (RepoKind.DATASET, "README.md", True),
        (RepoKind.DATASET, "data/a.parquet", True),
        (RepoKind.DATASET, "config.json", True),
        (RepoKind.DATASET, "a.py", False),
        (RepoKind.SPACE, "config.json", False),
    ],
)
def test_one_file_stands_for_a_download(counter, repo, kind, path, counted) -> None:
    counter.note(dataclasses.replace(repo, kind=kind), path, "p1", NOON)

    assert sum(counter.take().values()) == counted


@pytest.mark.parametrize(
    ("library", "path", "counted"),
    [
        ("diffusers", "model_index.json", True),
        ("diffusers", "config.json", True),
        ("diffusers", "pytorch_lora_weights.safetensors", True),
        ("diffusers", "v1.ckpt", True),
        ("diffusers", "lora.bin", True),
        ("diffusers", "q4.gguf", True),
        ("diffusers", "unet/diffusion_pytorch_model.safetensors", False),
        ("diffusers", "unet/config.json", False),
        ("diffusers", "sub/model_index.json", False),
        ("diffusers", "image.png", False),
        ("diffusers", "adapter_config.json", False),
        ("peft", "adapter_config.json", True),
        ("peft", "config.json", True),
        ("peft", "adapter_model.safetensors", False),
        ("transformers", "model.safetensors", False),
    ],
)
def test_some_libraries_have_files_of_their_own(counter, repo, library, path, counted) -> None:
    counter.note(dataclasses.replace(repo, tags=("region:us", library)), path, "p1", NOON)

    assert sum(counter.take().values()) == counted


def test_one_caller_counts_once_in_a_while(counter: DownloadCounter, repo: Repo) -> None:
    for path, who, at in [
        ("config.json", "p1", NOON),
        ("a.gguf", "p1", NOON + SEEN_MICROS - 1),
        ("config.json", "p2", NOON),
        ("config.json", "10.0.0.1", NOON),
        ("config.json", "p1", NOON + SEEN_MICROS),
    ]:
        counter.note(repo, path, who, at)

    assert counter.take() == {(repo.id, repo.public_id, TODAY): 4}
    assert counter.take() == {}


def test_two_repositories_are_two_downloads(counter: DownloadCounter, repo: Repo) -> None:
    for number in (1, 2):
        counter.note(dataclasses.replace(repo, id=number), "config.json", "p1", NOON)

    assert sum(counter.take().values()) == 2


def test_what_was_counted_is_written_down_once(node: Node, repo: Repo) -> None:
    node.downloads.note(repo, "config.json", "p1", NOON)
    node.downloads.note(repo, "config.json", "p2", NOON - DAY_MICROS)

    asyncio.run(flush_downloads(node))
    asyncio.run(flush_downloads(node))

    assert counts(node.db) == (2, 2)


def test_two_nodes_add_up(db: Database, repo: Repo) -> None:
    for count in (3, 4):
        with db.begin(Mode.WRITE) as tx:
            stats.add_downloads(tx, {(repo.id, repo.public_id, TODAY): count})

    assert counts(db) == (7, 7)
    with db.begin(Mode.READ) as tx:
        (day,) = tx.conn.execute(sa.select(tables.days)).all()
    assert (day.day, day.downloads) == (TODAY, 7)


def test_days_fall_out_of_the_window_and_stay_in_the_total(node: Node, repo: Repo, clock) -> None:
    days = {TODAY: 1, TODAY - 29: 10, TODAY - 30: 100}
    with node.db.begin(Mode.WRITE) as tx:
        found = {(repo.id, repo.public_id, day): count for day, count in days.items()}
        stats.add_downloads(tx, found)

    asyncio.run(age_downloads(node))
    assert counts(node.db) == (11, 111)
    clock.forward(86_400)
    asyncio.run(age_downloads(node))
    assert counts(node.db) == (1, 111)
    clock.forward(86_400 * 30)
    asyncio.run(age_downloads(node))
    assert counts(node.db) == (0, 111)


def test_downloads_are_events(tx: Tx) -> None:
    repo = put_repo(tx, put_person(tx, "lin"), "lin/b")

    stats.add_downloads(tx, {(repo.id, repo.public_id, TODAY): 5})

    streams = ("core_event", "core_inbox")  # PostgreSQL numbers events a moment later
    rows = [row for t in streams for row in tx.conn.exec_driver_sql(f"SELECT * FROM {t}").all()]
    (body,) = [row.body for row in rows if row.name == "hub.DownloadsCounted"]
    assert repo.public_id in body


def test_a_like_counts_once_and_is_taken_back_once(tx: Tx) -> None:
    lin = put_person(tx, "lin")
    repo = put_repo(tx, lin, "lin/b")

    def likes() -> int:
        return access_repo(tx, lin, MODEL, "lin/b").likes

    for _ in range(2):
        stats.like(tx, lin, repo)
    assert (likes(), stats.has_liked(tx, lin, repo)) == (1, True)
    for _ in range(2):
        stats.unlike(tx, lin, repo)
    assert (likes(), stats.has_liked(tx, lin, repo)) == (0, False)
    assert not stats.has_liked(tx, NOBODY, repo)


def test_nobody_likes_nothing(tx: Tx) -> None:
    repo = put_repo(tx, put_person(tx, "lin"), "lin/b")

    for change in (stats.like, stats.unlike):
        with pytest.raises(SignInNeeded):
            change(tx, NOBODY, repo)
