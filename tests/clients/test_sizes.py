"""Files of no byte and one, commits of one file and of thousands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import Client
from tests.clients.contents import hashes


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("name", ["small.txt", "small.bin", "small.safetensors"])
def test_the_smallest_files_round_trip(
    newest: Client,
    repo: str,
    tmp_path: Path,
    fresh: Callable[[Client], Client],
    name: str,
    size: int,
) -> None:
    (tmp_path / name).write_bytes(b"x" * size)

    newest.call("upload_file", repo=repo, file=str(tmp_path / name), path=name)

    got = fresh(newest).call("download", repo=repo, path=name)
    assert got["size"] == size
    assert got["sha256"] == hashes(tmp_path)[name]


@pytest.mark.parametrize("count", [1, 100, 5_000])
def test_a_commit_of_many_files_loses_none(
    newest: Client, repo: str, tmp_path: Path, count: int
) -> None:
    folder = tmp_path / "folder"
    for number in range(count):
        path = folder / f"part-{number % 7}" / f"{number:05d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * (number % 5))

    newest.call("upload_folder", repo=repo, folder=str(folder))

    newest.shell("git", "clone", "-q", f"{newest.endpoint}/{repo}", str(tmp_path / "clone")).ok()
    got = hashes(tmp_path / "clone")
    del got[".gitattributes"]
    assert got == hashes(folder)
