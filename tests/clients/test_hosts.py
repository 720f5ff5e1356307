"""Loopback has two names, and every client works by either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import Client
from tests.clients.conftest import Place
from tests.clients.contents import hashes, write_folder


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
