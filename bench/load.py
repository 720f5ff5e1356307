"""Many small requests: ``python -m bench.load URL COUNT CONNECTIONS`` prints JSON.

One thread, ``epoll``, kept-alive connections, one request in flight on each.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from urllib.parse import urlsplit


class Caller:
    """One connection that asks the same again and again."""

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._left = b""
        self._asked = 0.0

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self.socket.sendall(self._request)

    def take(self) -> float | None:
        """Return the seconds of an answer that is complete now, else ``None``."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise SystemExit("the server closed")
        self._left += piece
        head, mark, body = self._left.partition(b"\r\n\r\n")
        if not mark:
            return None
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(self._left.decode("latin-1")[:1000])
        if len(body) < int(head.lower().partition(b"content-length:")[2].split()[0]):
            return None
        self._left = b""
        return time.perf_counter() - self._asked


def load(url: str, count: int, connections: int) -> dict[str, float]:
    """Return requests per second, and quantiles of their milliseconds."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    query = f"?{parts.query}" if parts.query else ""
    request = f"GET {parts.path}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    poll = select.epoll()
    callers = {}
    for _ in range(connections):
        caller = Caller(parts.hostname, parts.port or 80, request)
        callers[caller.socket.fileno()] = caller
        poll.register(caller.socket, select.EPOLLIN)
    times: list[float] = []
    started = time.perf_counter()
    for caller in callers.values():
        caller.ask()
    while len(times) < count:
        for number, _ in poll.poll():
            taken = callers[number].take()
            if taken is not None:
                times.append(taken)
                callers[number].ask()
    rate = len(times) / (time.perf_counter() - started)
    times.sort()
    middle, high = times[len(times) // 2], times[len(times) * 99 // 100]
    return {"rate": rate, "p50_ms": middle * 1000, "p99_ms": high * 1000}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(load(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
