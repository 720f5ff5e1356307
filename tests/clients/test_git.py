"""``git`` and ``git-lfs``, as Debian has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.clients import Client
from tests.clients.contents import hashes, write_folder, write_weights


@pytest.fixture
def shelf(newest: Client, repo: str, tmp_path: Path) -> str:
    """A repository with two commits, a branch, a tag and a large file."""
    folder = tmp_path / "folder"
    write_folder(folder, files=5)
    write_weights(folder / "model.safetensors", tensors=2)
    newest.call("upload_folder", repo=repo, folder=str(folder), commit_message="All")
    newest.call("tag", repo=repo, name="v1", tag_message="First")
    newest.call("branch", repo=repo, name="side")
    newest.call("commit_texts", repo=repo, texts={"data/0001.txt": "changed\n"}, message="Change")
    newest.shell("git", "lfs", "install").ok()
    return repo


def test_a_clone_brings_history_and_large_files(newest: Client, shelf: str, tmp_path: Path) -> None:
    newest.shell("git", "clone", "-q", f"{newest.endpoint}/{shelf}", "clone").ok()

    clone = newest.home / "clone"
    expected = {**hashes(tmp_path / "folder")}
    got = hashes(clone)
    (tmp_path / "folder" / "data" / "0001.txt").write_text("changed\n")
    expected = hashes(tmp_path / "folder")
    assert {name: got[name] for name in expected} == expected
    titles = newest.shell("git", "log", "--format=%s", cwd=clone).ok().split("\n")[:-1]
    assert titles == newest.call("commits", repo=shelf)
    assert "origin/side" in newest.shell("git", "branch", "-r", cwd=clone).ok()
    assert newest.shell("git", "tag", cwd=clone).ok() == "v1\n"
    newest.shell("git", "fsck", "--strict", cwd=clone).ok()


def test_a_shallow_clone_has_one_commit_and_deepens(newest: Client, shelf: str) -> None:
    at = f"{newest.endpoint}/{shelf}"
    newest.shell("git", "clone", "-q", "--depth", "1", at, "shallow").ok()
    clone = newest.home / "shallow"
    count = newest.shell("git", "rev-list", "--count", "HEAD", cwd=clone).ok()

    newest.shell("git", "fetch", "-q", "--unshallow", cwd=clone).ok()

    assert count == "1\n"
    assert newest.shell("git", "rev-list", "--count", "HEAD", cwd=clone).ok() == "3\n"


def test_a_partial_clone_leaves_blobs_until_they_are_asked_for(newest: Client, shelf: str) -> None:
    at = f"{newest.endpoint}/{shelf}"
    newest.shell("git", "clone", "-q", "--filter=blob:none", "--no-checkout", at, "partial").ok()
    clone = newest.home / "partial"
    missing = newest.shell(
        "git", "rev-list", "--objects", "--missing=print", "HEAD", cwd=clone
    ).ok()

    read = newest.shell("git", "show", "HEAD:data/0001.txt", cwd=clone).ok()

    assert missing.count("\n?") > 5
    assert read == "changed\n"


def test_new_commits_are_fetched(newest: Client, shelf: str) -> None:
    newest.shell("git", "clone", "-q", f"{newest.endpoint}/{shelf}", "clone").ok()
    clone = newest.home / "clone"
    newest.call("commit_texts", repo=shelf, texts={"later.txt": "later\n"}, message="Later")

    newest.shell("git", "pull", "-q", cwd=clone).ok()

    assert (clone / "later.txt").read_text() == "later\n"


def test_a_private_repository_is_cloned_with_a_token_only(
    newest: Client, shelf: str, tmp_path: Path
) -> None:
    newest.call("set_private", repo=shelf, private=True)
    plain = f"{newest.endpoint}/{shelf}"
    with_token = plain.replace("http://", f"http://lin:{newest.token}@")

    refused = newest.shell("git", "clone", "-q", plain, "without")
    newest.shell("git", "clone", "-q", with_token, "with").ok()

    assert refused.status != 0
    got = hashes(newest.home / "with")["model.safetensors"]
    assert got == hashes(tmp_path / "folder")["model.safetensors"]


def test_a_push_is_refused_in_words(newest: Client, shelf: str) -> None:
    with_token = f"{newest.endpoint}/{shelf}".replace("http://", f"http://lin:{newest.token}@")
    newest.shell("git", "clone", "-q", with_token, "clone").ok()
    clone = newest.home / "clone"
    who = ("-c", "user.name=Lin", "-c", "user.email=lin@example.org")
    newest.shell("git", *who, "commit", "-q", "--allow-empty", "-m", "Mine", cwd=clone).ok()

    pushed = newest.shell("git", "push", "-q", cwd=clone)

    assert pushed.status != 0
    assert "This server does not take git push." in pushed.err
    assert f"hf upload {shelf} ." in pushed.err
