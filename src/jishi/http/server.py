"""Start the server on bound sockets."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from jishi.http.connections import ConnectionLimit, raise_files_max
from jishi.http.edge import CallerLeft, EdgeProtocol

__all__ = [
    "CallerLeft",
    "ConnectionLimit",
    "EdgeProtocol",
    "listen",
    "make_server",
    "raise_files_max",
    "run_server",
]

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the 60 s of the usual proxies, else they meet closed connections."""
SHUTDOWN_SECONDS_MAX: Final = 30
"""What running requests get after SIGTERM."""
BACKLOG: Final = 2048


def listen(host: str, port: int) -> socket.socket:
    """Bind a TCP address; port ``0`` lets the system choose, ``getsockname()`` tells.

    Raises:
        OSError: If the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003  (the standard library asks for it so)
    return listener


async def run_server(
    app: ASGIApp, sockets: Sequence[socket.socket], *, tls: tuple[str, str] | None = None
) -> None:
    """Serve ``app`` on bound sockets until SIGINT or SIGTERM, then let requests end.

    Args:
        tls: Files of the certificate chain and of its key; no zero-copy then.
    """
    await make_server(app, tls=tls).serve(sockets=list(sockets))


def make_server(
    app: ASGIApp, *, tls: tuple[str, str] | None = None, limit: ConnectionLimit | None = None
) -> uvicorn.Server:
    """Return a server for ``app``, for whoever ends it by ``should_exit``.

    Args:
        limit: Bounds connections; by default to what this process's files allow.
    """
    edge = type("Edge", (EdgeProtocol,), {"limit": limit or ConnectionLimit()})
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=edge,
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
    )
