"""What the real client says when bytes are not what it promised, and that nothing is kept."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.clients.clients import NEWEST, VARIANTS, Client, Refused
from tests.clients.serving import running
from tests.wire.test_bad_input import Place, noise, opened

FILE_BYTES = 3_000_000
CHANGED_AT = 1_000_000
"""Far behind every head and before the end of the one large body."""
OTHER = "ab" * 32
WITHOUT_XET = VARIANTS[1]


@contextmanager
def altering() -> Iterator[tuple[socket.socket, list[int]]]:
    """Relay to the port in the list, and change byte ``CHANGED_AT`` of what a connection sends."""
    target: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
        yield listener, target


def _accept(listener: socket.socket, target: list[int]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_relay, args=(client, target[0]), daemon=True).start()


def _relay(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_pass_on, args=(server, client, -1), daemon=True)
        back.start()
        _pass_on(client, server, CHANGED_AT)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket, at: int) -> None:
    with suppress(OSError):
        while piece := bytearray(source.recv(1 << 16)):
            if 0 <= at < len(piece):
                piece[at] ^= 1
            at -= len(piece)
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A hub behind a line that changes a byte of whatever is large."""
    with altering() as (listener, target):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with running(tmp_path_factory.mktemp("words") / "data", "--url", url) as hub:
            target.append(hub.port())
            with opened(hub) as place:
                yield place


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    file = tmp_path / "weights.bin"
    file.write_bytes(noise(request.node.name, FILE_BYTES))
    return file


def refused(client: Client, function: str, **facts: str) -> Refused:
    with pytest.raises(Refused) as caught:
        client.call(function, repo="lin/bad", path="weights.bin", **facts)
    return caught.value


def test_bytes_changed_on_the_way_of_a_xorb(place: Place, file: Path, tmp_path: Path) -> None:
    client = Client(NEWEST, place.hub.url, tmp_path / "home", place.token)

    with place.untouched():
        said = refused(client, "upload_file", file=str(file))

    assert "400" in said.text
    assert "/xorbs/default/" in said.text, "the client drops our words and names the address"


def test_bytes_changed_on_the_way_of_git_lfs(place: Place, file: Path, tmp_path: Path) -> None:
    client = Client(WITHOUT_XET, place.hub.url, tmp_path / "home", place.token)

    with place.untouched():
        said = refused(client, "upload_file", file=str(file))

    assert said.text == "Error while uploading 'weights.bin' to the Hub."
    assert "The SHA-256 of the bytes that arrived is" in said.cause
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said.cause


@pytest.mark.parametrize("variant", [NEWEST, WITHOUT_XET], ids=["xet", "lfs"])
def test_a_digest_that_is_another_files(place: Place, file: Path, tmp_path: Path, variant) -> None:
    straight = place.hub.at("127.0.0.1")
    client = Client(variant, straight, tmp_path / "home", place.token)
    file.write_bytes(file.read_bytes()[: CHANGED_AT // 2])
    own = hashlib.sha256(file.read_bytes()).hexdigest()
    head = place.head()

    said = refused(client, "commit_claiming", file=str(file), digest=OTHER)

    words = said.text + said.cause
    assert f" is {own}, not {OTHER}. Nothing was " in words
    assert place.head() == head
