"""Bytes out: one answer for files, memory and streams, with ranges, tags and ``HEAD``.

A local file leaves by ``sendfile`` where the server offers it (``http.edge`` does), else by
1 MiB reads in threads.  Everything else leaves as pieces, and stops when the caller leaves.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import aclosing
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from jishi.core.errors import Refusal
from jishi.http.answers import Unsent, until_gone
from jishi.http.context import context_of
from jishi.http.ranges import choose_range, is_match
from jishi.storage import BytesSource, FileSource, Piece, Source, StreamSource

HOP_BYTES: Final = 1 << 20
"""Bytes of one read in a thread; smaller and larger ones were both slower."""


def answer_bytes(
    request: Request,
    source: Source,
    *,
    headers: Mapping[str, str],
    status: int = 200,
) -> Response:
    """Answer with the bytes of ``source``, or the range of them that was asked for.

    ``headers`` decide the type and the entity tag (``ETag``, with its quotes).  An answer
    other than 200 is never cut.  ``HEAD`` gets the headers of the whole, and nothing is
    opened for it.
    """
    head = {"accept-ranges": "bytes", **{name.lower(): text for name, text in headers.items()}}
    if status != 200:  # noqa: PLR2004  (the status of the standard)
        return _Bytes(request, source, (0, source.size), head, status)
    tag = head.get("etag", "")
    if_none_match = request.headers.get("if-none-match")
    if if_none_match is not None and is_match(if_none_match, tag):
        return Response(status_code=304, headers=_without_type(head))
    chosen = None
    wanted = request.headers.get("range")
    if wanted and request.method == "GET" and request.headers.get("if-range", tag) == tag:
        chosen = choose_range(wanted, source.size)
    if chosen is None:
        return _Bytes(request, source, (0, source.size), head, 200)
    start, end = chosen
    if start == end:
        head["content-range"] = f"bytes */{source.size}"
        return Response(status_code=416, headers=_without_type(head))
    head["content-range"] = f"bytes {start}-{end - 1}/{source.size}"
    return _Bytes(request, source, chosen, head, 206)


def _without_type(head: Mapping[str, str]) -> dict[str, str]:
    """Leave out what describes bytes that are not sent."""
    unsent = ("content-type", "content-disposition", "content-length")
    return {name: text for name, text in head.items() if name not in unsent}


class _Bytes(Response):
    def __init__(
        self,
        request: Request,
        source: Source,
        chosen: tuple[int, int],
        head: dict[str, str],
        status: int,
    ) -> None:
        self._source = source
        self._start, self._end = chosen
        self._pool = context_of(request).node.pool
        head["content-length"] = str(self._end - self._start)
        super().__init__(status_code=status, headers=head)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        source, count = self._source, self._end - self._start
        if scope["method"] == "HEAD" or not count:
            await self._begin(send)
            await _finish(send, b"")
        elif isinstance(source, BytesSource):
            await self._begin(send)
            await _finish(send, source.data[self._start : self._end])
        elif isinstance(source, StreamSource):
            await until_gone(receive, self._send_stream(source, send))
        else:
            await self._send_local(source, scope, receive, send)

    async def _send_local(
        self, source: FileSource, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            file = source.path.open("rb", buffering=0)
        except FileNotFoundError:
            if source.otherwise is None:
                raise
            await until_gone(receive, self._send_stream(source.otherwise, send))
            return
        with file:
            if "http.response.zerocopysend" in scope.get("extensions", {}):
                await self._begin(send)
                await send(
                    {
                        "type": "http.response.zerocopysend",
                        "file": file,
                        "offset": source.offset + self._start,
                        "count": self._end - self._start,
                    }
                )
            else:
                await until_gone(receive, self._send_file(source, file, send))

    async def _begin(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )

    async def _send_stream(self, source: StreamSource, send: Send) -> None:
        async with aclosing(source.open(self._start, self._end)) as pieces:
            try:
                first = await anext(pieces)
            except Refusal as refusal:
                raise Unsent(refusal) from refusal
            await self._begin(send)
            await _go_on(send, first)
            async for piece in pieces:
                await _go_on(send, piece)
        await _finish(send, b"")

    async def _send_file(self, source: FileSource, file: BinaryIO, send: Send) -> None:
        loop = asyncio.get_running_loop()
        await self._begin(send)
        for start in range(self._start, self._end, HOP_BYTES):
            count = min(HOP_BYTES, self._end - start)
            offset = source.offset + start
            piece = await loop.run_in_executor(self._pool, os.pread, file.fileno(), count, offset)
            await _go_on(send, piece)
        await _finish(send, b"")


async def _go_on(send: Send, piece: Piece) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _finish(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": False})
