"""Download and throw away: ``python -m bench.drain URL CONNECTIONS [TOKEN]`` prints seconds.

One thread, ``epoll``, ``recv_into`` a buffer of 1 MiB: as little client as there can be.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from urllib.parse import urlsplit

BUFFER = bytearray(1 << 20)


class Download:
    """One connection and the bytes it still waits for."""

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(1 << 16)
        head, _, body = head.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(head.decode("latin-1"))
        length = head.lower().partition(b"content-length:")[2].split()[0]
        self.left = int(length) - len(body)
        self.size = int(length)
        self.socket.setblocking(False)  # noqa: FBT003  (the standard library asks for it so)

    def read(self) -> bool:
        """Take what there is; return whether all has come."""
        got = self.socket.recv_into(BUFFER)
        if not got:
            raise SystemExit("the answer ended early")
        self.left -= got
        return not self.left


def drain(url: str, connections: int, token: str = "") -> tuple[float, int]:
    """Return the seconds from the first request to the last byte, and all bytes."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    more = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{more}\r\n"
    started = time.perf_counter()
    downloads = [
        Download(parts.hostname, parts.port or 80, head.encode()) for _ in range(connections)
    ]
    poll = select.epoll()
    by_number = {download.socket.fileno(): download for download in downloads}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while by_number:
        for number, _ in poll.poll():
            if by_number[number].read():
                poll.unregister(number)
                del by_number[number]
    return time.perf_counter() - started, sum(download.size for download in downloads)


if __name__ == "__main__":
    taken, _ = drain(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
    sys.stdout.write(f"{taken}\n")
