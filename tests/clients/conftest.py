"""A hub, people with tokens, and clients to drive it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.alone import Alone, lonely
from tests.clients.clients import NEWEST, VARIANTS, Client, Variant
from tests.clients.proxy import Proxy, relaying
from tests.clients.serving import Hub, running

numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A hub with people: ``lin`` writes, ``mei`` is somebody else, ``reader`` has a read token."""

    hub: Hub
    endpoint: str
    lin: str
    lin_reads: str
    mei: str


def populate(hub: Hub, endpoint: str) -> Place:
    """Add the people every test here knows."""
    lin = hub.add_person("lin")
    reads = hub.command("token", "add", "lin", "--role", "read")
    mei = hub.add_person("mei")
    hub.add_organisation("weavers", lin="admin", mei="read")
    return Place(hub, endpoint, lin, reads, mei)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One hub for all tests that leave it as they like, each with repositories of its own."""
    with running(tmp_path_factory.mktemp("hub") / "data") as hub:
        yield populate(hub, hub.url)


@pytest.fixture(scope="session")
def relayed() -> Iterator[tuple[Place, Proxy]]:
    """A hub whose address is a relay's, which counts and breaks; on disk, for large files."""
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as disk,
        relaying() as proxy,
        running(Path(disk) / "hub" / "data", "--url", proxy.url) as hub,
    ):
        proxy.target = ("127.0.0.1", hub.port())
        yield populate(hub, proxy.url), proxy


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """What ``jishi serve`` shows in an empty folder."""
    hub = Hub(tmp_path_factory.mktemp("demo") / "data", options=())
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def alone() -> Iterator[Alone]:
    """A network with nothing in it but loopback."""
    with lonely() as network:
        yield network


SLICES = [
    pytest.param(each, id=each.name, marks=() if each is NEWEST else pytest.mark.wide)
    for each in VARIANTS
]
"""The newest client is part of `make test`, all others are part of `make clients`."""


@pytest.fixture(params=SLICES)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


@pytest.fixture
def repo() -> str:
    """Name of a repository that nobody has used."""
    return f"lin/work-{next(numbers)}"


@pytest.fixture
def lin(place: Place, variant: Variant, tmp_path: Path) -> Client:
    return Client(variant, place.endpoint, tmp_path / "lin", place.lin)


@pytest.fixture
def newest(place: Place, tmp_path: Path) -> Client:
    """Lin with the newest client, for what does not differ between them."""
    return Client(NEWEST, place.endpoint, tmp_path / "lin", place.lin)


@pytest.fixture
def mei(place: Place, tmp_path: Path) -> Client:
    return Client(NEWEST, place.endpoint, tmp_path / "mei", place.mei)


@pytest.fixture
def nobody(place: Place, tmp_path: Path) -> Client:
    return Client(NEWEST, place.endpoint, tmp_path / "nobody")


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[Client], Client]:
    """The same person at another machine: nothing in its caches."""
    return lambda client: client.using(home=tmp_path / f"machine-{next(numbers)}")
