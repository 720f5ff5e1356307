"""A server with the store's routes only, and a client that does what hf_xet does."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx2
import pytest

from jishi.core.db import Mode
from jishi.hub import Node, RepoKind, cas, content
from jishi.people import NOBODY, Actor
from jishi.wire.xet.routes import ROUTES
from tests.http.serving import Given, served
from tests.hub.content.conftest import LIN, MAYA, Place, add_repo
from tests.xet.making import MadeXorb, Upload, unpack_chunks


@dataclass
class Hand:
    """Somebody's client, with a pass for one repository."""

    http: httpx2.Client
    node: Node
    place: Place
    token: cas.Token
    session: str = ""

    @property
    def head(self) -> dict[str, str]:
        head = {"Authorization": f"Bearer {self.token.access_token}"}
        return head | ({"X-Xet-Session-Id": self.session} if self.session else {})

    def get(self, path: str, **head: str) -> httpx2.Response:
        return self.http.get(self.token.path + path, headers=self.head | head)

    def post(self, path: str, body: bytes = b"") -> httpx2.Response:
        return self.http.post(self.token.path + path, headers=self.head, content=body)

    def put_xorb(self, xorb: MadeXorb, body: bytes | None = None) -> httpx2.Response:
        return self.post(f"/v1/xorbs/default/{xorb.text}", xorb.body if body is None else body)

    def put_shard(self, shard: bytes) -> list[dict]:
        """Return the lines of the answer."""
        answer = self.post("/v2/shards", shard)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.text.splitlines()]

    def upload(self, upload: Upload) -> None:
        for xorb in upload.xorbs:
            assert self.put_xorb(xorb).status_code == 200
        assert self.put_shard(upload.shard)[-1] == {"type": "result"}

    def commit(self, upload: Upload) -> None:
        with self.node.db.begin(Mode.WRITE) as tx:
            content.mark_committed(tx, self.place.id, [upload.sha256])

    def chunk(self, upload: Upload, number: int = 0) -> httpx2.Response:
        """Ask who has a chunk of a file."""
        names = [name.tobytes() for xorb in upload.xorbs for name in xorb.index.hashes]
        return self.get(f"/v1/chunks/default/{cas_text(names[number])}")

    def download(self, name: str, *, version: str = "v2", **head: str) -> bytes:
        """Put a file together as hf_xet does."""
        answer = self.get(f"/{version}/reconstructions/{name}", **head)
        assert answer.status_code == 200, answer.text
        plan = answer.json()
        entries = fetches(plan)
        loaded: dict[tuple[str, int, int], list[bytes]] = {}
        for xorb, url, (first, end), (start, stop) in entries:
            data = self.http.get(url, headers={"Range": f"bytes={start}-{stop}"})
            assert data.status_code == 206, data.text
            assert len(data.content) == stop + 1 - start
            chunks = unpack_chunks(data.content, end - first)
            loaded[xorb, first, end] = chunks
        out = b""
        for term in plan["terms"]:
            first, end = term["range"]["start"], term["range"]["end"]
            raw = next(
                b"".join(chunks[first - low : end - low])
                for (xorb, low, high), chunks in loaded.items()
                if xorb == term["hash"] and low <= first and end <= high
            )
            assert len(raw) == term["unpacked_length"]
            out += raw
        return out[plan["offset_into_first_range"] :]


def fetches(plan: dict) -> list[tuple[str, str, tuple[int, int], tuple[int, int]]]:
    """Return (xorb, address, chunks, bytes) of either version's answer."""
    found = []
    for xorb, entries in plan.get("fetch_info", {}).items():
        for entry in entries:
            chunks, span = entry["range"], entry["url_range"]
            found.append((xorb, entry["url"], pair(chunks), pair(span)))
    for xorb, entries in plan.get("xorbs", {}).items():
        for entry in entries:
            (only,) = entry["ranges"]
            found.append((xorb, entry["url"], pair(only["chunks"]), pair(only["bytes"])))
    return found


def pair(span: dict[str, int]) -> tuple[int, int]:
    return span["start"], span["end"]


def cas_text(raw: bytes) -> str:
    return b"".join(raw[i : i + 8][::-1] for i in range(0, 32, 8)).hex()


@pytest.fixture
def url(sqlite_template, tmp_path) -> str:
    """One kind of database is enough: what it does is tried in ``tests/xet``."""
    shutil.copy(sqlite_template, tmp_path / "jishi.db")
    return f"sqlite:///{tmp_path}/jishi.db"


@pytest.fixture
def http(node: Node) -> Iterator[httpx2.Client]:
    app = Given(ROUTES, node)
    with served(app) as port:
        base = f"http://127.0.0.1:{port}"
        app.context = replace(app.context, base=base)
        with httpx2.Client(base_url=base, timeout=60) as client:
            yield client


@dataclass
class House:
    """Repositories of two people, and clients for them."""

    http: httpx2.Client
    node: Node

    def repo(self, owner: Actor, name: str, *, private: bool = False) -> Place:
        return add_repo(self.node.db, owner, name, private=private)

    def hand(self, actor: Actor, place: Place, *, writes: bool = True, session: str = "") -> Hand:
        making = cas.issue_token(self.node, actor, RepoKind.MODEL, place.path, writes=writes)
        return Hand(self.http, self.node, place, asyncio.run(making), session)


@pytest.fixture
def house(http: httpx2.Client, node: Node) -> House:
    return House(http, node)


@pytest.fixture
def lin(house: House) -> Hand:
    """Lin's client, for her public repository."""
    return house.hand(LIN, house.repo(LIN, "books"))


@pytest.fixture
def maya(house: House) -> Hand:
    """Maya's client, for her private repository."""
    return house.hand(MAYA, house.repo(MAYA, "secrets", private=True))


@pytest.fixture
def reader(house: House, lin: Hand) -> Hand:
    """Nobody's client, reading Lin's public repository."""
    return house.hand(NOBODY, lin.place, writes=False)
