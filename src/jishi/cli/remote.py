"""Ask the running server, over HTTP on its unix socket."""

from __future__ import annotations

import os
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from typing_extensions import override

CONNECT_SECONDS = 5
ANSWER_SECONDS = 3600
"""``doctor`` reads the whole database."""
PATH_BYTES_MAX = 100


class NoServer(Exception):
    """Nobody answers at the socket."""


class _Unix(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_SECONDS)
        if len(os.fsencode(self._path)) <= PATH_BYTES_MAX:
            self.sock.connect(str(self._path))
        else:  # longer than a socket's address may be
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
            finally:
                os.close(folder)
        self.sock.settimeout(ANSWER_SECONDS)


def ask(folder: Path, body: bytes, *, locale: str) -> tuple[int, bytes]:
    """Send a command to the server of ``folder`` and return its answer.

    Raises:
        NoServer: If none runs there, or it ended meanwhile.
    """
    connection = _Unix(folder / "control.sock")
    headers = {"Content-Type": "application/json", "Accept-Language": locale}
    try:
        connection.request("POST", "/command", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        raise NoServer from error
    finally:
        connection.close()
