"""``jishi serve``: from a data folder to a running platform, and down again."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ClassVar

import uvicorn
import uvloop

from jishi.app.banner import Banner, Login
from jishi.app.build import build
from jishi.app.control import controlled
from jishi.app.demo import DEMO_MODEL, is_due, load_demo
from jishi.app.folder import LOCK, locked, note_url, opened
from jishi.app.running import Runner
from jishi.app.saying import reason_of
from jishi.app.settings import Settings
from jishi.core import jobs
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.memory import keep_freed
from jishi.http.server import ConnectionLimit, listen, make_server, raise_files_max
from jishi.hub import Node
from jishi.people.links import renew_set_up


class AddressTaken(Refusal):
    """Something else listens there."""

    code: ClassVar[str] = "app.address_taken"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("{host}:{port} is taken. Choose another port with --port.")


class AddressUnusable(Refusal):
    """This machine does not have the address, or the port is not ours."""

    code: ClassVar[str] = "app.address_unusable"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("Cannot listen on {host}:{port}: {problem}.")


@dataclass(frozen=True, slots=True)
class Options:
    """What only a start decides.

    Attributes:
        demo: Load the demo into an empty folder that is bound to loopback.
        program: How the command was started, quoted.
        say: Prints one line.
    """

    demo: bool
    locale: str
    program: str
    say: Callable[[str], None]


def serve(settings: Settings, options: Options) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        FolderUnusable: If the data folder cannot be made or written to.
        FolderLocked: If another process has it.
        AddressTaken: If something else listens there.
        AddressUnusable: If the address is not ours.
        ScriptChanged: If another release upgraded the data.
    """
    keep_freed()
    raise_files_max()
    with ExitStack() as stack:
        if (settings.folder / LOCK).exists():
            stack.enter_context(locked(settings.folder))
            listener = stack.enter_context(_listen(settings))
        else:  # an address that is refused leaves no folder behind
            listener = stack.enter_context(_listen(settings))
            stack.enter_context(locked(settings.folder))
        bound = settings.at(listener.getsockname()[1])
        with opened(bound) as node:
            note_url(bound)
            uvloop.run(_serve(bound, node, listener, options))


async def _serve(settings: Settings, node: Node, listener: socket.socket, options: Options) -> None:
    platform = build(settings, node)
    await node.db.write(_revive, alone=node.db.is_sqlite)
    set_up = await node.db.write(renew_set_up)
    logins = await _demo(settings, node, options)
    model = DEMO_MODEL if logins else None
    banner = Banner(settings, options.program, set_up, logins, model)
    runner = Runner(node, platform.consumers, platform.jobs, platform.repeated)
    server = make_server(platform.asgi, limit=ConnectionLimit(trusted=settings.trusted_proxies))
    async with asyncio.TaskGroup() as group, controlled(node, settings):
        group.create_task(runner.run())
        try:
            _let_end(server)
            for line in banner.lines(options.locale):
                options.say(line)
            await server.serve(sockets=[listener])
        finally:
            runner.stop()


async def _demo(settings: Settings, node: Node, options: Options) -> Sequence[Login]:
    wanted = options.demo and settings.is_local
    if not wanted or not await is_due(node):
        return ()
    return await load_demo(node)


def _revive(tx: Tx, *, alone: bool) -> None:
    if alone:
        jobs.revive_all(tx)


def _listen(settings: Settings) -> socket.socket:
    facts: dict[str, str | int] = {"host": settings.host, "port": settings.port}
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(**facts) from error
        raise AddressUnusable(**facts, problem=reason_of(error)) from error


def _let_end(server: uvicorn.Server) -> None:
    """Let SIGINT and SIGTERM end ``server`` and nothing else, from now on.

    It takes them itself while it runs, and afterwards puts back what was there and raises
    them again: with the default there the process would die before the database is closed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
