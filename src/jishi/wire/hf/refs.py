"""Branches and tags."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from jishi.http import BadBody, context_of, read_body, read_json, reply
from jishi.hub import refs
from jishi.wire.hf.addresses import api, kind_of, path_of

BRANCH_BODY_BYTES_MAX = 1 << 16


class _Branch(msgspec.Struct, rename="camel"):
    starting_point: str | None = None
    empty_branch: bool = False
    overwrite: bool = False


class _Tag(msgspec.Struct):
    tag: str
    message: str | None = None


class _Squash(msgspec.Struct):
    message: str | None = None


async def list_refs(request: Request) -> Response:
    """``GET /api/{T}/{id}/refs``."""
    context = context_of(request)
    found = await context.db.read(refs.list_refs, context.actor, kind_of(request), path_of(request))
    body: dict[str, Any] = {
        "branches": [_shape(ref) for ref in found.branches],
        "tags": [_shape(ref) for ref in found.tags],
        "converts": [],
    }
    if request.query_params.get("include_prs"):
        body["pullRequests"] = []
    return reply(body)


async def create_branch(request: Request) -> Response:
    """``POST /api/{T}/{id}/branch/{name}``."""
    context = context_of(request)
    body = _Branch()
    raw = await read_body(request, bytes_max=BRANCH_BODY_BYTES_MAX)
    if raw.strip():
        try:
            body = msgspec.json.decode(raw, type=_Branch)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadBody(problem=str(error)) from error
    await refs.create_branch(
        context.node,
        context.actor,
        kind_of(request),
        path_of(request),
        request.path_params["branch"],
        start=body.starting_point,
        is_empty=body.empty_branch,
        overwrite=body.overwrite,
    )
    return reply({})


async def delete_branch(request: Request) -> Response:
    """``DELETE /api/{T}/{id}/branch/{name}``."""
    context = context_of(request)
    await context.db.write(
        refs.delete_branch,
        context.actor,
        kind_of(request),
        path_of(request),
        request.path_params["branch"],
    )
    return reply({})


async def create_tag(request: Request) -> Response:
    """``POST /api/{T}/{id}/tag/{rev}``."""
    context = context_of(request)
    body = await read_json(request, _Tag)
    await refs.create_tag(
        context.node,
        context.actor,
        kind_of(request),
        path_of(request),
        body.tag,
        revision=request.path_params["rev"],
        message=body.message,
    )
    return reply({})


async def delete_tag(request: Request) -> Response:
    """``DELETE /api/{T}/{id}/tag/{tag}``."""
    context = context_of(request)
    await context.db.write(
        refs.delete_tag,
        context.actor,
        kind_of(request),
        path_of(request),
        request.path_params["rev"],
    )
    return reply({})


async def super_squash(request: Request) -> Response:
    """``POST /api/{T}/{id}/super-squash/{branch}``: one parentless commit."""
    context = context_of(request)
    body = await read_json(request, _Squash)
    await refs.squash(
        context.node,
        context.actor,
        kind_of(request),
        path_of(request),
        request.path_params["branch"],
        message=body.message or "",
    )
    return reply({})


def _shape(ref: refs.Named) -> dict[str, str]:
    return {"name": ref.name, "ref": ref.ref, "targetCommit": ref.oid}


ROUTES: Final = (
    *api("GET", "/refs", list_refs),
    *api("POST", "/branch/{branch...}", create_branch),
    *api("DELETE", "/branch/{branch...}", delete_branch),
    *api("POST", "/tag/{rev...}", create_tag),
    *api("DELETE", "/tag/{rev...}", delete_tag),
    *api("POST", "/super-squash/{branch...}", super_squash),
)
