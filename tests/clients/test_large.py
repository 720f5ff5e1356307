"""Large files: 200 MB there and back, little sent for a little change, broken connections."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import NEWEST, VARIANTS, Client, Variant
from tests.clients.conftest import Place
from tests.clients.contents import sha256, write_weights
from tests.clients.proxy import Proxy

MEGABYTE = 1_000_000
unseen = itertools.count(10_000, 100)
"""Seeds of weights that no other test uploads: known bytes would not be sent."""
NO_XET = next(variant for variant in VARIANTS if not variant.has_xet)

RESUMING = Variant(
    "0.36.0 without Xet", "hub-0.36", has_xet=False, settings={"HF_HUB_DISABLE_XET": "1"}
)
"""Newer releases begin anew in another process: each writes to a file of a name of its own."""


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, Path]:
    """200 MB of bf16 weights nobody has seen, and the same with one tensor of 10 MB changed."""
    seed = next(unseen)
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    write_weights(first, seed=seed)
    write_weights(second, seed=seed, changed=7)
    return first, second


@pytest.fixture(scope="session")
def middling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 MB of weights."""
    file = tmp_path_factory.mktemp("middling") / "model.safetensors"
    write_weights(file, tensors=4)
    return file


@pytest.fixture
def wire(relayed: tuple[Place, Proxy]) -> Proxy:
    relayed[1].reset()
    return relayed[1]


@pytest.fixture
def author(relayed: tuple[Place, Proxy], variant: Variant, tmp_path: Path) -> Client:
    return Client(variant, relayed[0].endpoint, tmp_path / "author", relayed[0].lin)


def test_200_mb_round_trip_and_a_changed_tensor_sends_a_twentieth(
    author: Client,
    wire: Proxy,
    weights: tuple[Path, Path],
    repo: str,
    fresh: Callable[[Client], Client],
) -> None:
    first, second = weights
    author.call("upload_file", repo=repo, file=str(first), path="model.safetensors")
    assert wire.up > first.stat().st_size // 2, "nobody has seen these bytes"
    old = fresh(author).call("download", repo=repo, path="model.safetensors")
    wire.reset()

    again = fresh(author)
    done = again.call("upload_file", repo=repo, file=str(second), path="model.safetensors")

    sent = wire.up
    new = fresh(author).call("download", repo=repo, path="model.safetensors")
    oldest = author.call("commits", repo=repo)
    assert (old["sha256"], new["sha256"]) == (sha256(first), sha256(second))
    assert len(oldest) == 3
    assert done["url"].startswith(author.endpoint)
    allowed = second.stat().st_size // 20 if author.variant.has_xet else 2 * second.stat().st_size
    assert sent <= allowed


def test_a_download_goes_on_after_a_broken_connection(
    author: Client, wire: Proxy, middling: Path, repo: str, fresh: Callable[[Client], Client]
) -> None:
    author.call("upload_file", repo=repo, file=str(middling), path="model.safetensors")
    wire.reset()
    wire.cut_down = 3 * MEGABYTE

    got = fresh(author).call("download", repo=repo, path="model.safetensors")

    assert wire.cuts == 1
    assert got["sha256"] == sha256(middling)


def test_an_upload_succeeds_after_a_broken_connection(
    author: Client, wire: Proxy, tmp_path: Path, repo: str, fresh: Callable[[Client], Client]
) -> None:
    file = tmp_path / "unseen.safetensors"
    write_weights(file, tensors=3, seed=next(unseen))
    author.call("create", repo=repo)
    wire.reset()
    wire.cut_up = 3 * MEGABYTE

    author.call("upload_file", repo=repo, file=str(file), path="model.safetensors")

    assert wire.cuts == 1
    got = fresh(author).call("download", repo=repo, path="model.safetensors")
    assert got["sha256"] == sha256(file)


@pytest.mark.parametrize("variant", [RESUMING], ids=lambda variant: variant.name)
def test_a_killed_download_is_resumed_from_where_it_was(
    author: Client, wire: Proxy, weights: tuple[Path, Path], repo: str
) -> None:
    file = weights[0]
    author.call("upload_file", repo=repo, file=str(file), path="model.safetensors")
    wire.reset()
    reader = author.using(home=author.home.parent / "reader")
    process = reader.begin("download", repo=repo, path="model.safetensors")
    while wire.down < 60 * MEGABYTE:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    wire.reset()

    got = reader.call("download", repo=repo, path="model.safetensors")

    assert got["sha256"] == sha256(file)
    assert wire.down < 160 * MEGABYTE


@pytest.mark.parametrize("variant", [NEWEST], ids=["newest"])
def test_bytes_that_are_here_already_are_not_sent_again(
    author: Client, wire: Proxy, middling: Path, repo: str, fresh: Callable[[Client], Client]
) -> None:
    author.call("upload_file", repo=repo, file=str(middling), path="model.safetensors")
    wire.reset()

    fresh(author).call("upload_file", repo=repo, file=str(middling), path="copy.safetensors")

    assert wire.up < MEGABYTE
    got = fresh(author).call("download", repo=repo, path="copy.safetensors")
    assert got["sha256"] == sha256(middling)


@pytest.mark.wide
@pytest.mark.parametrize("variant", [NEWEST, NO_XET], ids=["newest", "without Xet"])
def test_a_sparse_file_of_more_than_2_gib_round_trips(
    relayed: tuple[Place, Proxy], variant: Variant, repo: str
) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as disk:  # too much for a folder in memory
        file = Path(disk) / "sparse.bin"
        with file.open("wb") as out:
            out.truncate(2_200_000_000)
            out.seek(1_100_000_000)
            out.write(b"in the middle")
        place, _ = relayed
        lin = Client(variant, place.endpoint, Path(disk) / "lin", place.lin)

        lin.call("upload_file", repo=repo, file=str(file), path="sparse.bin")
        got = lin.using(home=Path(disk) / "other").call("download", repo=repo, path="sparse.bin")

        assert got["size"] == 2_200_000_000
        assert got["sha256"] == sha256(file)
