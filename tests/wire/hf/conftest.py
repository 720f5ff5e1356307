"""A hub with people in it; its database is SQLite unless a test asks for both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from jishi.hub import Node
from jishi.people import Role
from tests.conftest import numbers
from tests.http.serving import open_node
from tests.postgres import own_database
from tests.wire.hf.asking import Hub, file


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path) -> Iterator[str]:
    """Address of an empty database, of the kind a test names (``on_both``), else SQLite."""
    if getattr(request, "param", "sqlite") == "postgresql":
        address = request.getfixturevalue("postgres")
        with own_database(address, f"h{next(numbers)}", template="house") as own:
            yield own
        return
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "jishi.db")
    yield f"sqlite:///{tmp_path}/jishi.db"


@pytest.fixture
def hub(node: Node) -> Hub:
    """Lin and Wu have accounts, both belong to Looms; nothing is in the hub yet."""
    return peopled(node)


@pytest.fixture
def books(hub: Hub) -> Hub:
    """Lin has a public model ``lin/books`` with two files and a private one, ``lin/diary``."""
    hub.create("lin/books")
    hub.create("lin/diary", private=True)
    hub.put("lin/books", {"README.md": b"# Books\n", "data/a.txt": b"a"})
    return hub


def peopled(node: Node) -> Hub:
    hub = Hub(node)
    for name in ("lin", "wu", "maya"):
        hub.add_person(name)
    hub.add_org("looms", lin=Role.ADMIN, wu=Role.CONTRIBUTOR)
    return hub


LARGE = bytes(range(256)) * 20
FILES = {
    "README.md": b"---\nlicense: mit\nlanguage: [zh, en]\npipeline_tag: text-generation\n"
    b"tags: [weaving]\nbase_model: lin/base\n---\n# Shelf\n",
    "config.json": b'{"model_type": "bert", "architectures": ["BertModel"]}',
    "a%2Fb": b"percent",
    "q?.txt": b"question",
    "h#.txt": b"hash",
    "p+q r.txt": b"plus",
    "empty": b"",
    "data/sub dir/\u4e2d\u6587.txt": "\u4e2d".encode(),
    "data/range.bin": bytes(range(100)),
    "data.txt": b"sorts before data/",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, sqlite_template) -> Iterator[Hub]:
    """A hub to read from, one for all tests of a file.

    ``lin/shelf`` is public, has ``FILES`` and a large file, branches ``feature/x`` and
    ``empty``, the tag ``v1``; ``lin/vault`` is the same and private; ``lin/gone`` never was.
    """
    folder = tmp_path_factory.mktemp("shelf")
    shutil.copy(sqlite_template, folder / "jishi.db")
    with open_node(folder) as node:
        hub = peopled(node)
        for path, private in (("lin/shelf", False), ("lin/vault", True)):
            hub.create(path, private=private)
            hub.put(path, FILES)
            hub.put_large(path, {"model.safetensors": LARGE})
            hub.post(f"/api/models/{path}/tag/main", {"tag": "v1"})
            hub.post(f"/api/models/{path}/branch/feature%2Fx", {})
            hub.post(f"/api/models/{path}/branch/empty", {"emptyBranch": True})
            hub.commit(path, file("only-here.txt", b"x"), rev="feature/x")
        yield hub
