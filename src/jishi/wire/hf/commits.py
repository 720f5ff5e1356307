"""Writing: preupload, commit, and the history."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi import hub
from jishi.core.errors import Kind, Refusal
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.http import Context, context_of, groups, read_json, reply
from jishi.hub import files
from jishi.hub.commits import CommitDraft
from jishi.hub.files import Asked
from jishi.wire.hf.addresses import api, kind_of, path_of
from jishi.wire.hf.ndjson import CommitReader
from jishi.wire.hf.query import flag, next_link, number
from jishi.wire.hf.shapes import Preupload, committed_shape, date_text

PREUPLOAD_BYTES_MAX = 8 << 20
PREUPLOAD_FILES_MAX = 1000
COMMIT_BYTES_MAX = 2 << 30
COMMITS_PAGE_MAX = 1000
COMMITS_PAGE = 50


class NoPullRequests(Refusal):
    """Pull requests come with a later part."""

    code: ClassVar[str] = "wire.no_pull_requests"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_(
        "Pull requests (create_pr) are not available yet. Commit to a branch you may write to."
    )


class TooManyFiles(Refusal):
    """More files than one preupload may name."""

    code: ClassVar[str] = "wire.too_many_files"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("Ask for at most {files_max} files at once.")


async def preupload(request: Request) -> Response:
    """``POST /api/{T}/{id}/preupload/{rev}``: regular or large, and what is there now."""
    context = context_of(request)
    refuse_pull_request(request)
    kind, path = kind_of(request), path_of(request)
    await context.db.read(hub.access_repo, context.actor, kind, path, right=hub.Right.WRITE)
    body = await read_json(request, Preupload, bytes_max=PREUPLOAD_BYTES_MAX)
    if len(body.files) > PREUPLOAD_FILES_MAX:
        raise TooManyFiles(files_max=PREUPLOAD_FILES_MAX)
    asked = [Asked(file.path, file.size, _sample(file.sample)) for file in body.files]
    place, advice = await files.advise_upload(
        context.node,
        context.actor,
        kind,
        path,
        request.path_params["rev"],
        asked,
        ignore=body.git_ignore,
        attributes=body.git_attributes,
    )
    shapes = []
    for one in advice:
        shape: dict[str, Any] = {
            "path": one.path,
            "uploadMode": "lfs" if one.is_large else "regular",
            "shouldIgnore": one.is_ignored,
        }
        if one.oid is not None:
            shape["oid"] = one.oid
        shapes.append(shape)
    answer: dict[str, Any] = {"files": shapes}
    if place.oid:
        answer["commitOid"] = place.oid
    return reply(answer)


async def commit(request: Request) -> Response:
    """``POST /api/{T}/{id}/commit/{rev}``: NDJSON, or one JSON object from older tools."""
    context = context_of(request)
    refuse_pull_request(request)
    kind, path = kind_of(request), path_of(request)
    # Rights before the body: the first read makes a waiting client send all of it.
    await context.db.read(hub.access_repo, context.actor, kind, path, right=hub.Right.WRITE)
    with context.node.spool.new() as spool:
        is_whole = request.headers.get("content-type", "").startswith("application/json")
        reader = CommitReader(spool, is_whole=is_whole)
        draft = await _read_draft(request, context, reader)
        done = await hub.commit(
            context.node, context.actor, kind, path, request.path_params["rev"], draft
        )
    return reply(committed_shape(context.base, done))


async def history(request: Request) -> Response:
    """``GET /api/{T}/{id}/commits/{rev}``: newest first."""
    context = context_of(request)
    place = await files.find_place(
        context.node, context.actor, kind_of(request), path_of(request), request.path_params["rev"]
    )
    limit = number(request, "limit", COMMITS_PAGE, most=COMMITS_PAGE_MAX)
    cursor = request.query_params.get("cursor")
    page_number = 0 if cursor else number(request, "p", 0, most=10**6, least=0)
    page = await files.list_commits(
        context.node,
        place,
        after=cursor,
        skip=page_number * limit,
        limit=limit,
    )
    total = await files.count_commits(context.node, place)
    headers = {} if total is None else {"X-Total-Count": str(total)}
    headers |= next_link(request, context.base, page.end, without=("p",))
    return reply([_commit_shape(info) for info in page.items], headers=headers)


def _commit_shape(info: files.CommitInfo) -> dict[str, Any]:
    return {
        "id": info.oid,
        "title": info.title,
        "message": info.message,
        "date": date_text(info.at),
        "authors": [{"user": info.author, "avatar": ""}],
        "formatted": {"title": info.title, "message": info.message},
    }


async def _read_draft(request: Request, context: Context, reader: CommitReader) -> CommitDraft:
    async for group in groups(request, bytes_max=COMMIT_BYTES_MAX):
        await hop(context.node.pool, reader.feed, b"".join(group))
    return await hop(context.node.pool, reader.finish)


def refuse_pull_request(request: Request) -> None:
    """Say that there are no pull requests yet, if the caller asks for one.

    Raises:
        NoPullRequests: If ``create_pr`` is set.
    """
    if flag(request, "create_pr"):
        raise NoPullRequests


def _sample(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b"\0"


ROUTES: Final = (
    *api("POST", "/preupload/{rev}", preupload),
    *api("POST", "/commit/{rev}", commit),
    *api("GET", "/commits/{rev}", history),
)
