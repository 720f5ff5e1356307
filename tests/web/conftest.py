"""A browser without a screen: pages, forms and cookies against the whole application."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from jishi import hub
from jishi.app.build import build
from jishi.app.settings import Settings
from jishi.core.db import Mode
from jishi.hub import Draft, Node, RepoKind
from jishi.hub.commits import CommitDraft, PutFile
from jishi.people import OPERATOR, Actor, PersonDraft, Role, hash_password
from jishi.people.orgs import OrgDraft, create_org, set_member
from jishi.people.persons import add_person

BASE = "http://hub.test"
PASSWORD = "a kiln is hot at night"
HASHED = hash_password(PASSWORD)


@dataclass
class Answer:
    """What came back.

    Attributes:
        headers: Lower-cased names; the last of several.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.body).decode()
        return self.body.decode()

    @property
    def said(self) -> str:
        """The text of the main part, without markup."""
        main = re.search(r"(?s)<main.*</main>", self.text)
        return " ".join(re.sub("<[^>]*>", " ", main[0] if main else self.text).split())

    @property
    def goes_to(self) -> str:
        assert self.status == 303, (self.status, self.said)
        return self.headers["location"]


@dataclass
class Visitor:
    """Somebody at a browser."""

    asgi: Any
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, *headers: tuple[str, str]) -> Answer:
        return asyncio.run(self.ask("GET", target, b"", headers))

    def post(self, target: str, **form: str) -> Answer:
        """Send a form from one of our pages."""
        headers = (
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", BASE),
            ("sec-fetch-site", "same-origin"),
        )
        return asyncio.run(self.ask("POST", target, urlencode(form).encode(), headers))

    def sign_in(self, name: str, password: str = PASSWORD) -> Visitor:
        assert self.post("/sign-in", name=name, password=password).goes_to == "/"
        return self

    async def ask(
        self, method: str, target: str, body: bytes, headers: tuple[tuple[str, str], ...]
    ) -> Answer:
        path, _, query = target.partition("?")
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = [("host", "hub.test"), ("cookie", jar), ("content-length", str(len(body))), *headers]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent if value],
            "client": ("127.0.0.1", 1),
            "server": ("hub.test", 80),
        }
        messages: list[dict[str, Any]] = []
        inbox = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if inbox:
                return inbox.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await self.asgi(scope, receive, send)
        return self._read(messages)

    def _read(self, messages: list[dict[str, Any]]) -> Answer:
        pairs = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        for name, value in pairs:
            if name.lower() == "set-cookie":
                for morsel in SimpleCookie(value).values():
                    self._keep(morsel.key, morsel.value, morsel["max-age"])
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return Answer(messages[0]["status"], {name.lower(): value for name, value in pairs}, body)

    def _keep(self, name: str, value: str, max_age: str) -> None:
        if max_age == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One kind of database is enough: pages hold no SQL."""
    (tmp_path / "jishi.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path}/jishi.db"


@pytest.fixture
def asgi(node: Node) -> Any:
    settings = Settings(
        folder=node.folder,
        url=BASE,
        origins=(),
        host="127.0.0.1",
        port=80,
        trusted_proxies=(),
        parts=("hub",),
        database="",
        people=node.gate.settings,
    )
    return build(settings, node).asgi


@pytest.fixture
def visitor(asgi) -> Visitor:
    return Visitor(asgi)


def add(node: Node, name: str, *, is_admin: bool = False, full_name: str = "") -> Actor:
    draft = PersonDraft(name, full_name=full_name, is_admin=is_admin, password_hash=HASHED)
    with node.db.begin(Mode.WRITE) as tx:
        person = add_person(tx, OPERATOR, draft)
    roles = {name: Role.ADMIN, "longquan": Role.ADMIN}
    return Actor(person.id, person.public_id, name, is_admin=is_admin, roles=roles)


@pytest.fixture
def lin_actor(node: Node) -> Actor:
    """Administers the installation and manages ``longquan``."""
    lin = add(node, "lin", is_admin=True, full_name="林青")
    with node.db.begin(Mode.WRITE) as tx:
        create_org(tx, OPERATOR, OrgDraft("longquan", "龙泉实验室"))
        set_member(tx, OPERATOR, "longquan", "lin", Role.ADMIN)
    return lin


@pytest.fixture
def lin(asgi, lin_actor: Actor) -> Visitor:
    return Visitor(asgi).sign_in(lin_actor.name)


@pytest.fixture
def mei(node: Node, asgi) -> Visitor:
    """Somebody else, who belongs to nothing."""
    add(node, "mei")
    return Visitor(asgi).sign_in("mei")


@pytest.fixture
def put(node: Node, lin_actor: Actor):
    """Make a repository of Lin's with files in it, or commit to it."""

    def make(path: str, files: dict[str, str | bytes], kind: RepoKind = RepoKind.MODEL, **more):
        asyncio.run(_put(node, lin_actor, path, files, kind, **more))

    return make


async def _put(
    node: Node,
    lin: Actor,
    path: str,
    files: dict[str, str | bytes],
    kind: RepoKind,
    *,
    title: str = "",
    private: bool = False,
) -> None:
    owner, name = path.split("/")
    changes = tuple(
        PutFile(file, data.encode() if isinstance(data, str) else data)
        for file, data in files.items()
    )
    if title:
        draft = CommitDraft(title, description="Because.", changes=changes)
        await hub.commit(node, lin, kind, path, "main", draft)
    else:
        await hub.create(node, lin, Draft(kind, owner, name, private), files=changes)
