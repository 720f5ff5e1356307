"""The way in for the command line: HTTP on ``DIR/control.sock``, which only the owner may
open.  Whoever may open the socket may also read the database, so nobody is asked who they are.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from jishi.app.commands import Command, run_command
from jishi.app.saying import Said, say
from jishi.app.settings import Settings
from jishi.core.errors import Refusal
from jishi.core.i18n import N_, choose_locale, translate
from jishi.hub import Node

SOCKET: Final = "control.sock"
OTHER_RELEASE = N_("The server is of another release and does not know this command.")
PATH_BYTES_MAX: Final = 100
"""Longest path a unix socket may have everywhere; longer ones go by an open folder."""


class Control:
    """The ASGI application behind the socket."""

    def __init__(self, node: Node, settings: Settings) -> None:
        self._node = node
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``POST`` of a command, on any path."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        locale = choose_locale(request.headers.get("accept-language", ""))
        status, answer = await answer_command(
            self._node, self._settings, await request.body(), locale=locale, is_server=True
        )
        response = Response(answer, status, media_type="application/json")
        await response(scope, receive, send)


async def answer_command(
    node: Node, settings: Settings, body: bytes, *, locale: str, is_server: bool
) -> tuple[int, bytes]:
    """Run the command in ``body`` and return a status and its outcome, both in JSON."""
    try:
        command = msgspec.json.decode(body, type=Command)
        outcome = await run_command(node, settings, command, locale=locale, is_server=is_server)
    except msgspec.MsgspecError:
        said = Said("app.bad_command", translate(OTHER_RELEASE, locale))
        return 400, msgspec.json.encode(said)
    except Refusal as refusal:
        return 409, msgspec.json.encode(say(refusal, locale))
    return 200, msgspec.json.encode(outcome)


@asynccontextmanager
async def controlled(node: Node, settings: Settings) -> AsyncIterator[None]:
    """Answer the command line while the block runs."""
    listener = _listen(settings.folder / SOCKET)
    config = uvicorn.Config(
        Control(node, settings), lifespan="off", log_config=None, access_log=False, ws="none"
    )
    server = _Quiet(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup([listener])
    try:
        yield
    finally:
        (settings.folder / SOCKET).unlink(missing_ok=True)
        # The first server has said that it ends; this one would say so once more.
        logger = logging.getLogger("uvicorn.error")
        level = logger.level
        logger.setLevel(logging.WARNING)
        await server.shutdown([listener])
        logger.setLevel(level)


class _Quiet(uvicorn.Server):
    """A second server of this process: signals belong to the first."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(path: Path) -> socket.socket:
    """Bind ``path`` with mode 0600; what lies there is left over, since we hold the lock."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(stat.S_IXUSR | stat.S_IRWXG | stat.S_IRWXO)
    try:
        with _short(path) as short:
            listener.bind(short)
    finally:
        os.umask(before)
    listener.listen()
    listener.setblocking(False)  # noqa: FBT003  (the standard library asks for it so)
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
