"""The server: uvicorn's HTTP/1.1 protocol with the limits and the zero-copy it lacks.

Adds the ASGI extension ``http.response.zerocopysend`` (plain HTTP only), limits on heads and
on callers who stall, a 400 without ``Host``, and an early "no" to a large body that its
sender can read: the answer, two seconds of listening, the end.

What this knows of uvicorn's private names is written down in ``tests/http/test_uvicorn.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httptools
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from jishi.http.connections import ConnectionLimit
from jishi.http.sendfile import HAS_ZERO_COPY, STALL_SECONDS_MAX, FileSending

HEAD_BYTES_MAX: Final = 64 << 10
"""Request line and fields of one request; more is answered 431."""
HEAD_SECONDS_MAX: Final = 20
"""From connecting, or the first byte of a head, to its end."""
LINGER_SECONDS_MAX: Final = 2
"""How long an early answer waits for its caller to stop sending."""
DRAIN_BYTES_MAX: Final = 256 << 10
"""A refused body is read to its end if no more is missing, to use the connection again."""
PIECE_BYTES_MAX: Final = 256 << 10
"""What the event loop reads at once; behind a head there may be so much of something else."""
Message = MutableMapping[str, Any]
Plain = Callable[[Any], Awaitable[None]]

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 10\r\n"
    b"content-length: 27\r\nconnection: close\r\n\r\nToo many connections. Wait."
)
_ZERO_COPY: Final[dict[str, dict[object, object]]] = {"http.response.zerocopysend": {}}


class CallerLeft(ConnectionError):
    """There is nobody to send to.  Silence here would let endless answers run on."""


class EdgeProtocol(HttpToolsProtocol):
    """One connection."""

    limit: ConnectionLimit
    _peer: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_seen = 0
    _deaf = False
    _moved = 0
    _body_left: int | None = 0
    _problem: tuple[int, str] | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        if not self.limit.enter(peer):  # no lingering: this is the descriptor that is missing
            self._deaf = True
            transport.write(_FULL)
            transport.close()
            return
        self._peer = peer
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._peer is not None:
            self.limit.leave(self._peer)
            self._peer = None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._moved += len(data)
        if self._in_head:
            self._head_seen += len(data)
            if self._head_seen > HEAD_BYTES_MAX + PIECE_BYTES_MAX:  # one field without end
                self._problem = (431, "The head of this request is too large.")
                self.send_400_response("")
                return
        super().data_received(data)
        if self._timer is None and (self._in_head or self._is_between_requests()):
            self._expect_head()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    @override
    def on_headers_complete(self) -> None:
        self._in_head, self._head_seen = False, 0
        self._stop_timer()
        self._body_left = self._check_head()
        super().on_headers_complete()
        cycle = self._latest()
        if cycle is None or cycle.scope is not self.scope:  # becomes a WebSocket
            return
        cycle.send = partial(self._send, cycle, cycle.send)  # type: ignore[method-assign]  # no other seam
        if self.scheme == "http" and HAS_ZERO_COPY:
            cycle.scope["extensions"] = _ZERO_COPY
        if self._body_left != 0:
            self._watch_body(cycle, self._moved, 0)

    @override
    def on_body(self, body: bytes) -> None:
        if self._body_left is not None:
            self._body_left -= len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._timer = self.loop.call_later(STALL_SECONDS_MAX, self.transport.abort)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing(self.transport.get_write_buffer_size(), 0)

    @override
    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():  # took nothing of the last answer
            self.transport.abort()
        super().timeout_keep_alive_handler()

    @override
    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, or not within the limits, and close."""
        status, text = self._problem or (400, msg)
        self._deaf = True
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:  # an earlier request is being answered: let it end
                cycle.keep_alive = False
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
        self._close_with(status, text)

    def _check_head(self) -> int | None:
        """Return the announced length of the body, ``None`` if it comes in chunks.

        What is raised here ends in ``send_400_response``.
        """
        size, hosts, length = len(self.url), 0, 0
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                length = -1
        if size > HEAD_BYTES_MAX:
            self._problem = (431, "The head of this request is too large.")
        elif hosts != 1:
            self._problem = (400, "A request names its Host, once.")
        if self._problem is not None:
            raise httptools.HttpParserError(self._problem[1])
        return length if length >= 0 else None

    def _is_between_requests(self) -> bool:
        cycle = self._latest()
        idle = cycle is None or cycle.response_complete
        return idle and self.timeout_keep_alive_task is None

    def _latest(self) -> RequestResponseCycle | None:
        return self.cycle

    def _expect_head(self) -> None:
        self._timer = self._timer or self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self._moved and not self.transport.is_closing():
            self._close_with(408, "The request did not arrive in time.")
        else:
            self.transport.close()

    def _close_with(self, status: int, text: str) -> None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain\r\n"
            f"content-length: {len(text)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{text}".encode())
        self._linger()

    def _linger(self) -> None:
        """Close, but listen a while: closing over unread bytes can lose the answer."""
        self._deaf = True
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(LINGER_SECONDS_MAX, self.transport.abort)

    def _watch_body(self, cycle: RequestResponseCycle, moved: int, idle: int) -> None:
        """Look twice in ``STALL_SECONDS_MAX`` whether a body still comes."""
        self._timer = None
        if cycle.response_complete and cycle.more_body:
            self._expect_head()
        if not cycle.more_body or cycle.response_complete or cycle.disconnected:
            return
        ours = self.flow.read_paused or cycle.waiting_for_100_continue
        idle = idle + 1 if self._moved == moved and not ours else 0
        if idle > 2:  # noqa: PLR2004  (the first look is at the start)
            self._problem = (408, "The request body did not arrive in time.")
            self.send_400_response("")
            return
        again = partial(self._watch_body, cycle, self._moved, idle)
        self._timer = self.loop.call_later(STALL_SECONDS_MAX / 2, again)

    def _watch_writing(self, waiting: int, idle: int) -> None:
        """Look twice in ``STALL_SECONDS_MAX`` whether the caller takes anything."""
        if self.transport.is_closing() or not self.flow.write_paused:
            return
        now = self.transport.get_write_buffer_size()
        idle = idle + 1 if now == waiting else 0
        if idle > 2:  # noqa: PLR2004  (the first look is at the start)
            self.transport.abort()
            return
        self.loop.call_later(STALL_SECONDS_MAX / 2, self._watch_writing, now, idle)

    async def _send(self, cycle: RequestResponseCycle, plain: Plain, message: Message) -> None:
        kind = message["type"]
        if cycle.disconnected:
            raise CallerLeft
        if kind == "http.response.zerocopysend":
            await self._send_zero_copy(cycle, plain, message)
            return
        if kind == "http.response.start" and cycle.more_body and self._is_body_too_long(cycle):
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            cycle.transport = _Lingering(self, cycle)  # type: ignore[assignment]  # the three methods it uses
        await plain(message)
        if message.get("more_body", False):
            await asyncio.sleep(0)  # others, and the news that the caller left, get their turn

    def _is_body_too_long(self, cycle: RequestResponseCycle) -> bool:
        left = self._body_left
        return cycle.waiting_for_100_continue or left is None or left > DRAIN_BYTES_MAX

    async def _send_zero_copy(
        self, cycle: RequestResponseCycle, plain: Plain, message: Message
    ) -> None:
        count: int = message["count"]
        if cycle.scope["method"] != "HEAD" and count:
            if count > cycle.expected_content_length:
                raise RuntimeError("more file bytes than Content-Length")
            try:
                part = range(message["offset"], message["offset"] + count)
                await FileSending(self.transport, message["file"], part).run()
            except (OSError, EOFError):  # gone, stalled, or the file shrank: never pad
                cycle.disconnected = True
                self.transport.abort()
                return
            cycle.expected_content_length -= count
        if not message.get("more_body", False):
            await plain({"type": "http.response.body", "body": b""})


class _Lingering:
    """The transport of an answer that comes before the end of its request's body."""

    def __init__(self, protocol: EdgeProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        if self._cycle.more_body:
            self._protocol._linger()  # noqa: SLF001  (one thing in two classes)
        else:
            self._protocol.transport.close()
