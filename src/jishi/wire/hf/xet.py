"""Tokens for the content store: the values travel as headers for Python, as JSON for Rust."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.http import context_of, reply
from jishi.hub import cas
from jishi.wire.hf.addresses import api, kind_of, path_of
from jishi.wire.hf.commits import refuse_pull_request


async def read_token(request: Request) -> Response:
    """``GET /api/{T}/{id}/xet-read-token/{rev}``."""
    return await _token(request, writes=False)


async def write_token(request: Request) -> Response:
    """``GET /api/{T}/{id}/xet-write-token/{rev}``."""
    refuse_pull_request(request)
    return await _token(request, writes=True)


async def _token(request: Request, *, writes: bool) -> Response:
    context = context_of(request)
    token = await cas.issue_token(
        context.node, context.actor, kind_of(request), path_of(request), writes=writes
    )
    url = context.base + token.path
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": token.access_token,
        "X-Xet-Token-Expiration": str(token.exp),
        "Cache-Control": "no-store",
    }
    body = {"casUrl": url, "accessToken": token.access_token, "exp": token.exp}
    return reply(body, headers=headers)


ROUTES: Final = (
    *api("GET", "/xet-read-token/{rev...}", read_token),
    *api("GET", "/xet-write-token/{rev...}", write_token),
)
