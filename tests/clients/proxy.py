"""A TCP relay that counts bytes, and breaks a connection when it is told to."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PIECE_BYTES = 1 << 16


@dataclass
class Proxy:
    """Relays every connection to ``target``.

    Attributes:
        up: Bytes from clients, heads included.
        up_at: When the last of them came, seconds on the clock of the machine.
        down: Bytes to clients.
        cut_up: Break the connection that brings this many more bytes from clients; then ``None``.
        cut_down: The same for bytes to clients, within one connection.
        cuts: How many connections were broken.
    """

    listener: socket.socket
    target: tuple[str, int] = ("127.0.0.1", 0)
    up: int = 0
    up_at: float = 0
    down: int = 0
    cut_up: int | None = None
    cut_down: int | None = None
    cuts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def reset(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.up = self.down = self.cuts = 0
            self.cut_up = self.cut_down = None

    def accept(self) -> None:
        """Relay until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        with client, server:
            watch = selectors.DefaultSelector()
            watch.register(client, selectors.EVENT_READ, (server, True))
            watch.register(server, selectors.EVENT_READ, (client, False))
            passed = {True: 0, False: 0}
            try:
                while watch.get_map():
                    for key, _ in watch.select():
                        other, is_up = key.data
                        piece = key.fileobj.recv(PIECE_BYTES)  # type: ignore[union-attr]
                        if not piece:
                            watch.unregister(key.fileobj)
                            other.shutdown(socket.SHUT_WR)
                            continue
                        passed[is_up] += len(piece)
                        if self._note(len(piece), passed[is_up], is_up=is_up):
                            return
                        other.sendall(piece)
            except OSError:
                return
            finally:
                watch.close()

    def _note(self, count: int, passed: int, *, is_up: bool) -> bool:
        """Count, and tell whether this connection is to break now."""
        with self._lock:
            limit = self.cut_up if is_up else self.cut_down
            if is_up:
                self.up += count
                self.up_at = time.monotonic()
            else:
                self.down += count
            if limit is None or passed < limit:
                return False
            self.cut_up = self.cut_down = None
            self.cuts += 1
            return True


@contextmanager
def relaying() -> Iterator[Proxy]:
    """Listen on a free port; set ``target`` before the first connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener)
        threading.Thread(target=proxy.accept, daemon=True).start()
        yield proxy
        listener.close()
