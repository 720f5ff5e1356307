"""Smart HTTP (gitprotocol-http(5)): discovery, fetches, and words for those who push."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi import hub
from jishi.core.hop import hop
from jishi.core.networks import network_of
from jishi.git.smart import VERSION_2, BadRequest, TooSlow, is_listing
from jishi.http import BadBody, Context, Route, context_of, pieces, speaking, stream, unzipped
from jishi.http.server import CallerLeft
from jishi.hub import Repo, RepoKind
from jishi.storage import Spool, SpoolFile
from jishi.wire.git.errors import NoPush, TooOld, WrongMediaType, refuse

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 16 << 20
"""A request of ``git fetch``, as it comes and after it is unzipped."""
LISTING_BYTES_MAX: Final = 1 << 20
"""A question about refs."""
UPLOAD_PACK, RECEIVE_PACK = "git-upload-pack", "git-receive-pack"
REQUEST_TYPE: Final = "application/x-git-upload-pack-request"
RESULT_TYPE: Final = "application/x-git-upload-pack-result"
ADVERTISEMENT_TYPE: Final = "application/x-git-upload-pack-advertisement"
NOT_CACHED: Final = {
    "Expires": "Fri, 01 Jan 1980 00:00:00 GMT",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache, max-age=0, must-revalidate",
}
PREFIX: Final = {RepoKind.MODEL: "", RepoKind.DATASET: "datasets/", RepoKind.SPACE: "spaces/"}

Handler = Callable[[Request], Awaitable[Response]]


async def discover(request: Request) -> Response:
    """``GET …/info/refs?service=…``."""
    context = context_of(request)
    repo = await _repo(request)
    service = request.query_params.get("service", "")
    if service == RECEIVE_PACK:
        raise _no_push(context, repo)
    if service != UPLOAD_PACK:
        raise TooOld
    fetches = context.node.fetches
    body = await fetches.advertise(
        repo.git_id,
        protocol=_protocol(request),
        caller=_caller(context),
        is_known=not context.actor.is_anonymous,
    )
    return Response(body, headers=NOT_CACHED, media_type=ADVERTISEMENT_TYPE)


async def upload_pack(request: Request) -> Response:
    """``POST …/git-upload-pack``: refs of version 2, or a pack."""
    context = context_of(request)
    repo = await _repo(request)
    if request.headers.get("content-type") != REQUEST_TYPE:
        raise WrongMediaType(wanted=REQUEST_TYPE)
    protocol = _protocol(request)
    body = await _body(request)
    fetches = context.node.fetches
    if protocol == VERSION_2 and is_listing(body):
        if len(body) > LISTING_BYTES_MAX:
            raise BadRequest(problem="ls-refs asks for too much")
        listed = await fetches.list_refs(repo.git_id, body)
        return Response(listed, headers=NOT_CACHED, media_type=RESULT_TYPE)
    packs = _packs(context, repo, body, protocol)
    return stream(packs, media_type=RESULT_TYPE, headers=NOT_CACHED)


async def receive_pack(request: Request) -> Response:
    """``POST …/git-receive-pack``: not offered."""
    raise _no_push(context_of(request), await _repo(request))


async def _packs(context: Context, repo: Repo, body: bytes, protocol: str) -> AsyncGenerator[bytes]:
    """Yield what ``git upload-pack`` says to ``body``."""
    node = context.node
    with await hop(node.pool, _spooled, node.spool, body) as file:
        del body  # it may wait for a child, and others with it
        fetched = node.fetches.fetch(
            repo.git_id,
            file.file,
            protocol=protocol,
            caller=_caller(context),
            is_known=not context.actor.is_anonymous,
        )
        try:
            async with aclosing(fetched):
                async for piece in fetched:
                    yield piece
        except TooSlow as error:
            raise CallerLeft from error


def _spooled(spool: Spool, body: bytes) -> SpoolFile:
    """Write ``body`` where a child reads it without anybody feeding it."""
    file = spool.new()
    file.write(body)
    return file


async def _body(request: Request) -> bytes:
    """Read a body, zipped or not.

    Raises:
        BodyTooLarge: If it is too large, as it comes or unzipped.
        BadBody: If it is zipped in a way we do not know, or badly.
    """
    encoding = request.headers.get("content-encoding", "identity")
    body = pieces(request, bytes_max=BODY_BYTES_MAX)
    if encoding in {"gzip", "x-gzip"}:
        body = unzipped(body, bytes_max=BODY_BYTES_MAX)
    elif encoding != "identity":
        raise BadBody(problem=f"the encoding {encoding} is not known")
    whole = io.BytesIO()
    async with aclosing(body):
        async for piece in body:
            whole.write(piece)
    return whole.getvalue()


async def _repo(request: Request) -> Repo:
    context = context_of(request)
    kind: RepoKind = request.scope["repo_kind"]
    path = f"{request.path_params['ns']}/{request.path_params['name']}"
    return await context.db.read(hub.access_repo, context.actor, kind, path)


def _no_push(context: Context, repo: Repo) -> NoPush:
    kind = "" if repo.kind is RepoKind.MODEL else f" --repo-type {repo.kind.value}"
    return NoPush(base=context.base, words=repo.path + kind)


def _protocol(request: Request) -> str:
    return request.headers.get("git-protocol", "")


def _caller(context: Context) -> str:
    """Return whose children count together."""
    actor = context.actor
    return network_of(context.address) if actor.is_anonymous else f"p{actor.id}"


def _routes() -> Iterator[Route]:
    for kind in RepoKind:
        for name in ("{name}.git", "{name}"):
            root = f"/{PREFIX[kind]}{{ns}}/{name}"
            for methods, rest, handler in (
                ("GET", "/info/refs", discover),
                ("POST", f"/{UPLOAD_PACK}", upload_pack),
                ("POST", f"/{RECEIVE_PACK}", receive_pack),
            ):
                yield Route(methods, root + rest, speaking(refuse, _of(kind, handler)))


def _of(kind: RepoKind, handler: Handler) -> Handler:
    """Tell ``handler`` whose address it answers."""

    async def answer(request: Request) -> Response:
        request.scope["repo_kind"] = kind
        return await handler(request)

    return answer


ROUTES: Final = tuple(_routes())
