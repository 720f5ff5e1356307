"""A real server around any ASGI application, in a thread, and raw sockets to talk to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from jishi.core.db import Database, utc_micros
from jishi.core.signing import Keys
from jishi.git import Cache
from jishi.http import Context, RawRouter, reply, say
from jishi.http.server import CallerLeft, ConnectionLimit, listen, make_server
from jishi.hub import Node
from jishi.people import NOBODY, Gate
from jishi.storage import LocalStore, Spool


@contextmanager
def open_node(folder: Path, url: str = "", clock: Callable[[], int] = utc_micros) -> Iterator[Node]:
    db = Database(url or f"sqlite:///{folder}/jishi.db", clock=clock)
    store = LocalStore(folder / "objects")
    with ThreadPoolExecutor(4, thread_name_prefix="bytes") as pool:
        yield Node(
            db=db,
            store=store,
            spool=Spool(folder / "spool"),
            keys=Keys(b"k" * 32),
            git=Cache(folder / "git", store),
            folder=folder,
            pool=pool,
            gate=Gate(db, pool),
        )
    db.close()


def context(node: Node, **fields) -> Context:
    about = {
        "actor": NOBODY,
        "locale": "en",
        "base": "http://hub.test",
        "address": "127.0.0.1",
        "request_id": "r",
    }
    return Context(db=node.db, node=node, **(about | fields))


def refuse(refusal, context):
    said = say({}, refusal, context)
    return reply({"code": refusal.code, "text": said.text}, status=said.status)


class Given:
    """A router's requests get this context, with whatever a test wants in it."""

    def __init__(self, routes, node: Node, **fields) -> None:
        self.router = RawRouter(routes, refuse)
        self.context = context(node, **fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["context"] = self.context
        with suppress(CallerLeft, ClientDisconnect):  # as the outermost layer does
            await self.router(scope, receive, send)


@contextmanager
def served(app: ASGIApp, *, limit: ConnectionLimit | None = None) -> Iterator[int]:
    """Run ``app`` on a port of loopback."""
    listener = listen("127.0.0.1", 0)
    server = make_server(app, limit=limit)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(40)
        listener.close()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    interim: list[int] = field(default_factory=list)


class Wire:
    """One connection, byte by byte."""

    def __init__(
        self, port: int, *, timeout: float = 10, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, path: str, *fields: str, method: str = "GET") -> Answer:
        self.send(request(path, *fields, method=method))
        return self.answer(head_only=method == "HEAD")

    def answer(self, *, head_only: bool = False) -> Answer:
        interim = []
        while True:
            head = self.until(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            status = int(first.split(" ")[1])
            if status >= 200:
                break
            interim.append(status)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        answer = Answer(status, headers, interim=interim)
        if head_only or status in (204, 304):
            return answer
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self.until(b"\r\n").strip(), 16):
                answer.body += self.take(size)
                self.take(2)
            self.take(2)
        else:
            answer.body = self.take(int(headers["content-length"]))
        return answer

    def take(self, count: int) -> bytes:
        parts, missing = [self.left[:count]], count - len(self.left)
        self.left = self.left[count:]
        while missing > 0:
            piece = self.socket.recv(min(missing, 1 << 20))
            if not piece:
                raise EOFError
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    def is_closed(self, *, within: float) -> bool:
        """Whether the other side ends the connection in time, whatever it still sends."""
        until = time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def until(self, mark: bytes) -> bytes:
        while mark not in self.left:
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise EOFError
            self.left += piece
        found, _, self.left = self.left.partition(mark)
        return found + mark


def request(path: str, *fields: str, method: str = "GET", host: str = "hub.test") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", "")
    return "\r\n".join(lines).encode()
