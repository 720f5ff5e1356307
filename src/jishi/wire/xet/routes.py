"""Every address of the store of chunks, for all generations of clients.

They differ in plural and version (``xet.md`` §3); what they send and expect does not.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Refusal
from jishi.core.hop import hop
from jishi.http import (
    BytesSource,
    Context,
    Route,
    answer_bytes,
    context_of,
    groups,
    read_body,
    reply,
    speaking,
    spool_body,
    stream,
)
from jishi.hub import cas
from jishi.storage import SpoolFile
from jishi.wire.xet import shapes
from jishi.wire.xet.errors import refuse
from jishi.xet import hash_bytes
from jishi.xet.formats import SHARD_BYTES_MAX, XORB_BYTES_MAX

SMALL_BYTES_MAX: Final = 64 << 10
"""Bodies that are JSON: telemetry, questions."""
NO_STORE: Final = {"Cache-Control": "no-store"}
BINARY: Final = {"Content-Type": "application/octet-stream", **NO_STORE}
TELEMETRY: Final = "/v1/telemetry"
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)

Handler = Callable[[Request], Awaitable[Response]]


async def ask_chunk(request: Request) -> Response:
    """``GET …/chunks/{prefix}/{hash}``: which stored xorbs help with this file?"""
    node = context_of(request).node
    session = request.headers.get("x-xet-session-id", "")[:100]
    data = await cas.ask_chunk(node, _seal(request), _name(request), session=session)
    return answer_bytes(request, BytesSource(data), headers=BINARY)


async def ask_xorb(request: Request) -> Response:
    """``POST …/xorb-grants/{prefix}/{hash}``: must it be sent?  404 says: yes, by ``POST``."""
    await read_body(request, bytes_max=SMALL_BYTES_MAX)
    needed = await cas.needs_xorb(context_of(request).node, _seal(request), _name(request))
    return Response(status_code=404 if needed else 200, headers=NO_STORE)


async def put_xorb(request: Request) -> Response:
    """``POST …/xorbs/{prefix}/{hash}``."""
    node = context_of(request).node
    opened = await cas.open_pass(node, _seal(request), writes=True)
    async with aclosing(groups(request, bytes_max=XORB_BYTES_MAX)) as body:
        await cas.put_xorb(node, opened, _name(request), body)
    # Whether somebody else has these bytes is nobody's business; clients do not ask.
    return reply(shapes.XorbStored(was_inserted=True))


async def put_shard(request: Request) -> Response:
    """``POST …/shards``, first version: one answer at the end."""
    node = context_of(request).node
    opened = await cas.open_pass(node, _seal(request), writes=True)
    shard = await _read_shard(request)
    async with aclosing(cas.register_shard(node, opened, shard)) as steps:
        async for _ in steps:
            pass
    return reply(shapes.ShardStored(1))


async def put_shard_v2(request: Request) -> Response:
    """``POST /v2/shards``: lines that tell how far it is, the last one how it ended."""
    context = context_of(request)
    opened = await cas.open_pass(context.node, _seal(request), writes=True)
    shard = await _read_shard(request)
    lines = _lines(context, opened, shard)
    return stream(lines, media_type="application/x-ndjson", headers=NO_STORE)


async def reconstruct(request: Request) -> Response:
    """``GET …/reconstructions/{file}``, first version."""
    return await _reconstruct(request, shapes.encode_v1)


async def reconstruct_v2(request: Request) -> Response:
    """``GET /v2/reconstructions/{file}``."""
    return await _reconstruct(request, shapes.encode_v2)


async def get_data(request: Request) -> Response:
    """``GET`` of bytes of a xorb from a link of ours; no token comes with it."""
    start, stop = _range(request) or (0, None)
    if stop is None:
        raise cas.DataLinkInvalid
    node = context_of(request).node
    source = await cas.open_data(node, request.path_params["seal"], start, stop)
    headers = {**BINARY, "Content-Range": f"bytes {start}-{stop - 1}/*"}
    return answer_bytes(request, source, headers=headers, status=206)


async def take_telemetry(request: Request) -> Response:
    """``POST /v1/telemetry``: the client waits for the answer at the end of each transfer.

    hf_xet 1.8.0 asks at the root of the store's host, with the pass of the store.
    """
    await read_body(request, bytes_max=SMALL_BYTES_MAX)
    return Response(status_code=200)


async def _reconstruct(
    request: Request, encode: Callable[[cas.Reconstruction, shapes.Link], bytes]
) -> Response:
    context = context_of(request)
    base = f"{context.base}/cas/{request.path_params['epoch']}/data/"
    found = await cas.reconstruct(context.node, _seal(request), _name(request), _range(request))
    body = await hop(context.node.pool, encode, found, lambda seal: base + seal)
    return Response(body, headers=NO_STORE, media_type="application/json")


async def _read_shard(request: Request) -> memoryview:
    """Take a shard in by way of a file: it may be large, and most of it is never looked at."""
    node = context_of(request).node
    with await spool_body(request, node.spool, bytes_max=SHARD_BYTES_MAX) as body:
        return _mapped(body.file)


def _mapped(file: SpoolFile) -> memoryview:
    if not file.size:
        return memoryview(b"")
    return memoryview(mmap.mmap(file.file.fileno(), 0, access=mmap.ACCESS_READ))


async def _lines(context: Context, opened: cas.Pass, shard: memoryview) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(cas.register_shard(context.node, opened, shard)) as steps:
            async for progress in steps:
                yield shapes.to_line(shapes.to_frame(progress))
    except Refusal as refusal:
        yield shapes.to_line(shapes.Failure(str(refusal), retryable=False))
    else:
        yield shapes.to_line(shapes.Result())


def _seal(request: Request) -> str:
    """Return the pass: the bearer token of the store, not of the hub."""
    scheme, _, sealed = request.headers.get("authorization", "").partition(" ")
    return sealed.strip() if scheme.lower() == "bearer" else ""


def _name(request: Request) -> bytes:
    return hash_bytes(request.path_params["hash"])


def _range(request: Request) -> tuple[int, int | None] | None:
    """Return first byte and end (exclusive) of a ``Range``; what is none is ignored."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None:
        return None
    return int(match[1]), int(match[2]) + 1 if match[2] else None


PREFIXES: Final = ("default", "default-merkledb")
"""What clients send as the kind of hash, and what the published interface says."""


def _aliases() -> Iterator[tuple[str, str, Handler]]:
    for version in ("", "/v1"):
        for prefix in PREFIXES:
            for plural in ("", "s"):
                yield "GET", f"{version}/chunk{plural}/{prefix}/{{hash}}", ask_chunk
                yield "POST", f"{version}/xorb{plural}/{prefix}/{{hash}}", put_xorb
                yield "POST", f"{version}/shard{plural}/{prefix}/{{hash}}", put_shard
        for plural in ("", "s"):
            yield "POST", f"{version}/shard{plural}", put_shard
            yield "GET", f"{version}/reconstruction{plural}/{{hash}}", reconstruct


def _routes() -> Iterator[Route]:
    grants = [("POST", f"/v1/xorb-grants/{prefix}/{{hash}}", ask_xorb) for prefix in PREFIXES]
    for methods, path, handler in (
        *_aliases(),
        *grants,
        ("POST", "/v2/shards", put_shard_v2),
        ("GET", "/v2/reconstructions/{hash}", reconstruct_v2),
        ("GET", "/data/{seal}", get_data),
        ("POST", TELEMETRY, take_telemetry),
    ):
        where = f"/cas/{{epoch}}{path}"
        yield Route(methods, where, speaking(refuse, handler), opens_itself=True)
    yield Route("POST", TELEMETRY, speaking(refuse, take_telemetry), opens_itself=True)


ROUTES: Final = tuple(_routes())
