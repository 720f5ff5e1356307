"""Loopback has two names, and every client works by either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import Client
from tests.clients.conftest import Place
from tests.clients.contents import hashes, write_folder
from tests.clients.serving import Hub
from tests.clients.test_datasets import WITH_DATASETS
from tests.clients.test_transformers import WITH_TORCH


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_links_lead_back_by_the_name_the_client_used(
    lin: Client,
    place: Place,
    repo: str,
    tmp_path: Path,
    fresh: Callable[[Client], Client],
    host: str,
) -> None:
    write_folder(tmp_path / "folder", files=1)
    client = lin.using(endpoint=place.hub.at(host))

    url = client.call("create", repo=repo)
    file = tmp_path / "folder" / "weights" / "model.safetensors"
    done = client.call("upload_file", repo=repo, file=str(file), path="model.safetensors")

    assert url == f"{place.hub.at(host)}/{repo}"
    assert done["url"].startswith(place.hub.at(host))
    got = fresh(client).call("snapshot", repo=repo)
    assert got["model.safetensors"] == hashes(file.parent)["model.safetensors"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_git_and_git_lfs_work_by_either_name(
    newest: Client, place: Place, repo: str, tmp_path: Path, host: str
) -> None:
    write_folder(tmp_path / "folder", files=1)
    newest.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))
    newest.shell("git", "lfs", "install").ok()

    newest.shell("git", "clone", "-q", f"{place.hub.at(host)}/{repo}", "clone").ok()

    got = hashes(newest.home / "clone")
    assert got.items() >= hashes(tmp_path / "folder").items()


def test_datasets_go_there_and_back_by_localhost(newest: Client, place: Place, repo: str) -> None:
    """By the other name: ``test_datasets``."""
    by_name = place.hub.at("localhost")
    rows = newest.using(variant=WITH_DATASETS, script="with_datasets", endpoint=by_name)

    assert rows.call("push", repo=repo) == [50, 70]


def test_transformers_go_there_and_back_by_localhost(demo: Hub, tmp_path: Path) -> None:
    """By the other name: ``test_transformers``."""
    token = demo.command("token", "add", "tomas", "--role", "write")
    by_name = demo.at("localhost")
    tomas = Client(WITH_TORCH, by_name, tmp_path / "tomas", token, script="with_transformers")

    assert tomas.call("push", source="open-bazaar/market-tales", target="tomas/by-name") is True
