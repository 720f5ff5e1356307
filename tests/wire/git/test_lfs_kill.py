"""A part that was acknowledged is there after ``kill -9``, and one that was not does no harm."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from jishi.hub.content.lfs import PART_BYTES
from tests.clients.serving import Hub

SIZE = 2 * PART_BYTES + 1_000_003
DATA = random.Random(3).randbytes(SIZE)
OID = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path / "data")
    hub.start()
    yield hub
    hub.kill()


def send_half(url: httpx2.URL, part: bytes) -> socket.socket:
    """Announce a whole part and send half of it; the connection stays open."""
    wire = socket.create_connection((url.host, url.port))
    head = f"PUT {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
    wire.sendall(f"{head}Content-Length: {len(part)}\r\n\r\n".encode())
    wire.sendall(part[: len(part) // 2])
    return wire


@pytest.fixture
def client(hub: Hub) -> Iterator[httpx2.Client]:
    token = hub.add_person("lin")
    with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client


@pytest.mark.long
def test_acknowledged_parts_outlive_a_kill(hub: Hub, client: httpx2.Client) -> None:
    port = hub.port()
    client.post(f"{hub.url}/api/repos/create", json={"name": "books"}).raise_for_status()

    def plan() -> dict:
        body = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [{"oid": OID, "size": SIZE}],
        }
        address = f"{hub.url}/lin/books.git/info/lfs/objects/batch"
        return client.post(address, json=body).json()["objects"][0].get("actions")

    upload = plan()["upload"]
    first, second, third = (upload["header"][n] for n in ("00001", "00002", "00003"))
    client.put(first, content=DATA[:PART_BYTES]).raise_for_status()
    with send_half(httpx2.URL(second), DATA[PART_BYTES : 2 * PART_BYTES]):
        hub.kill()
    hub.start(port=port)
    early = client.post(upload["href"], json={"oid": OID, "parts": []})
    client.put(second, content=DATA[PART_BYTES : 2 * PART_BYTES]).raise_for_status()
    client.put(third, content=DATA[2 * PART_BYTES :]).raise_for_status()
    done = client.post(upload["href"], json={"oid": OID, "parts": []})
    hub.kill()
    hub.start(port=port)

    assert early.status_code == 422
    assert "2, 3" in early.json()["message"]
    assert done.status_code == 200
    assert plan() is None
    lines = [
        {"key": "header", "value": {"summary": "weights"}},
        {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": OID, "size": SIZE}},
    ]
    commit = client.post(
        f"{hub.url}/api/models/lin/books/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert commit.status_code == 200
    got = client.get(f"{hub.url}/lin/books/resolve/main/w.bin")
    assert hashlib.sha256(got.content).hexdigest() == OID
    deadline = time.monotonic() + 60
    while left := [*(hub.folder / "uploads").iterdir(), *(hub.folder / "spool").iterdir()]:
        assert time.monotonic() < deadline, left  # a job makes chunks of the file meanwhile
        time.sleep(0.1)
