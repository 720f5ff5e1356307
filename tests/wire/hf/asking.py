"""The whole application, asked in process: raw paths out, every header back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPMessage
from typing import Any
from urllib.parse import quote, urlencode

from jishi.app.build import build
from jishi.app.settings import Settings
from jishi.core.db import Mode
from jishi.hub import Node
from jishi.people import OPERATOR, Actor, PersonDraft, Role, add_person
from jishi.people.orgs import OrgDraft, create_org, set_member
from jishi.people.tokens import TokenRole, create_token

BASE = "http://hub.test"
NDJSON = "application/x-ndjson"
Body = Mapping[str, Any] | bytes | Iterable[bytes] | None


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        headers: Names without case, values as they were sent.
    """

    status: int
    headers: HTTPMessage
    body: bytes

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def word(self) -> str | None:
        """What clients of the dialect branch on."""
        return self.headers.get("X-Error-Code")

    @property
    def message(self) -> str | None:
        return self.headers.get("X-Error-Message")

    @property
    def next(self) -> str | None:
        """Where the next page is."""
        link = self.headers.get("Link", "")
        return link.partition("<")[2].partition(">")[0] if 'rel="next"' in link else None


class Hub:
    """A platform over a node, and tokens of the people who ask it."""

    def __init__(
        self, node: Node, *, origins: tuple[str, ...] = ("http://localhost:8000",)
    ) -> None:
        settings = Settings(
            folder=node.folder,
            url=BASE,
            origins=origins,
            host="127.0.0.1",
            port=8000,
            trusted_proxies=(),
            parts=("hub",),
            database=node.db.url,
            people=node.gate.settings,
        )
        self.node = node
        self.platform = build(settings, node)
        self.tokens: dict[str | None, str] = {}

    def add_person(self, name: str, **facts: Any) -> Actor:
        """Add a person with two tokens: ``name`` and ``name:read``."""
        with self.node.db.begin(Mode.WRITE) as tx:
            person = add_person(tx, OPERATOR, PersonDraft(name, **facts))
            for who, role in ((name, TokenRole.WRITE), (f"{name}:read", TokenRole.READ)):
                minted = create_token(tx, OPERATOR, name=who, role=role, owner=name)
                self.tokens[who] = minted.secret
        return Actor(person.id, person.public_id, name, roles={name: Role.ADMIN})

    def add_org(self, name: str, *, private_by_default: bool = False, **members: Role) -> None:
        with self.node.db.begin(Mode.WRITE) as tx:
            create_org(tx, OPERATOR, OrgDraft(name, private_by_default=private_by_default))
            for person, role in members.items():
                set_member(tx, OPERATOR, name, person, role)

    def ask(
        self,
        method: str,
        target: str,
        *,
        who: str | None = None,
        body: Body = None,
        kind: str = "application/json",
        **headers: str,
    ) -> Answer:
        """Send one request; as from the real server, a HEAD has no body.

        Args:
            target: Path and query as they travel.
            who: Key of ``tokens``, ``None`` for nobody.
            body: JSON unless it is bytes or pieces.
        """
        fields = {name.replace("_", "-").lower(): text for name, text in headers.items()}
        fields.setdefault("host", "hub.test")
        if who is not None:
            fields["authorization"] = f"Bearer {self.tokens.get(who, who)}"
        pieces = _pieces(body)
        if body is not None:
            fields.setdefault("content-type", kind)
            fields["content-length"] = str(sum(map(len, pieces)))
        return asyncio.run(self._ask(method, target, fields, pieces))

    def get(self, target: str, who: str | None = None, **headers: str) -> Answer:
        return self.ask("GET", target, who=who, **headers)

    def head(self, target: str, who: str | None = None, **headers: str) -> Answer:
        return self.ask("HEAD", target, who=who, **headers)

    def post(self, target: str, body: Body = None, who: str | None = "lin", **more: Any) -> Answer:
        return self.ask("POST", target, who=who, body=body, **more)

    def form(self, target: str, pairs: list[tuple[str, str]], who: str | None = None) -> Answer:
        body = urlencode(pairs).encode()
        return self.ask(
            "POST", target, who=who, body=body, kind="application/x-www-form-urlencoded"
        )

    def create(self, path: str, who: str = "lin", kind: str = "model", **more: Any) -> Answer:
        namespace, _, name = path.partition("/")
        body = {"name": name, "organization": namespace, "type": kind, **more}
        return self.post("/api/repos/create", body, who)

    def commit(
        self,
        path: str,
        *lines: tuple[str, Mapping[str, Any]],
        who: str = "lin",
        rev: str = "main",
        kind: str = "models",
        **header: Any,
    ) -> Answer:
        """Commit ``("file", {...})`` and the like."""
        body = ndjson(("header", {"summary": "Change", "description": "", **header}), *lines)
        return self.post(f"/api/{kind}/{path}/commit/{quote(rev, safe='')}", body, who, kind=NDJSON)

    def put(self, path: str, files: Mapping[str, bytes], who: str = "lin", **more: Any) -> str:
        """Commit regular files; return the commit."""
        answer = self.commit(
            path, *(file(name, data) for name, data in files.items()), who=who, **more
        )
        assert answer.status == 200, answer.body
        return answer.json["commitOid"]

    def put_large(
        self, path: str, files: Mapping[str, bytes], who: str = "lin", prefix: str = ""
    ) -> str:
        """Upload large files by LFS and commit them; return the commit."""
        for data in files.values():
            self.send_large(path, data, who, prefix)
        kind = prefix.strip("/") or "models"
        answer = self.commit(
            path, *(large(name, data) for name, data in files.items()), who=who, kind=kind
        )
        assert answer.status == 200, answer.body
        return answer.json["commitOid"]

    def send_large(self, path: str, data: bytes, who: str = "lin", prefix: str = "") -> None:
        one = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
        batch = self.post(
            f"/{prefix}{path}.git/info/lfs/objects/batch",
            {"operation": "upload", "objects": [one]},
            who,
            kind="application/vnd.git-lfs+json",
        )
        for item in batch.json["objects"]:
            if "actions" in item:
                href = item["actions"]["upload"]["href"].removeprefix(BASE)
                assert (
                    self.ask("PUT", href, body=data, kind="application/octet-stream").status == 200
                )

    async def _ask(
        self, method: str, target: str, fields: Mapping[str, str], pieces: list[bytes]
    ) -> Answer:
        raw, _, query = target.partition("?")
        waiting = [*pieces] or [b""]
        came: list[Any] = []

        async def receive():
            if waiting:
                piece = waiting.pop(0)
                return {"type": "http.request", "body": piece, "more_body": bool(waiting)}
            return await asyncio.Event().wait()

        async def send(message):
            came.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw,
            "raw_path": raw.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": [(n.encode(), v.encode("latin-1")) for n, v in fields.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        await self.platform.asgi(scope, receive, send)
        start, *rest = came
        headers = HTTPMessage()
        for name, value in start["headers"]:
            headers[name.decode()] = value.decode("ascii")
        body = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], headers, b"" if method == "HEAD" else body)


def ndjson(*lines: tuple[str, Any]) -> bytes:
    return b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)


def file(path: str, data: bytes) -> tuple[str, dict[str, Any]]:
    """Return a line that puts a regular file."""
    return "file", {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}


def large(path: str, data: bytes) -> tuple[str, dict[str, Any]]:
    """Return a line that puts a large file."""
    oid = hashlib.sha256(data).hexdigest()
    return "lfsFile", {"path": path, "algo": "sha256", "oid": oid, "size": len(data)}


def gone(path: str, key: str = "deletedFile") -> tuple[str, dict[str, Any]]:
    return key, {"path": path}


def _pieces(body: Body) -> list[bytes]:
    match body:
        case None:
            return []
        case bytes():
            return [body]
        case dict():
            return [json.dumps(body).encode()]
        case _:
            return list(body)
