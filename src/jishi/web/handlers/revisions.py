"""Addresses in which a branch's slashes were typed as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from jishi.http import context_of
from jishi.hub import RepoKind
from jishi.hub.refs import RevisionMissing, list_refs
from jishi.web.addresses import at_revision, repo_url, with_query
from jishi.web.answers import see_other
from jishi.web.handlers.repos import repo_path

KindHandler = Callable[[Request, RepoKind], Awaitable[Response]]


def with_slashes(view: str, handler: KindHandler) -> KindHandler:
    """Let ``/tree/feature/x/folder`` lead to ``/tree/feature%2Fx/folder``.

    Only where the first part names no revision: those who link quote, those who type do not.

    Args:
        view: As of ``at_revision``.
    """

    async def answer(request: Request, kind: RepoKind) -> Response:
        try:
            return await handler(request, kind)
        except RevisionMissing:
            address = await _find(request, kind, view)
            if address is None:
                raise
            return see_other(address)

    return answer


async def _find(request: Request, kind: RepoKind, view: str) -> str | None:
    """Return this page's address at the longest branch or tag that it begins with."""
    context, path = context_of(request), repo_path(request)
    whole = "/".join((request.path_params["rev"], request.path_params.get("path", ""))) + "/"
    refs = await context.db.read(list_refs, context.actor, kind, path)
    names = [ref.name for ref in (*refs.branches, *refs.tags) if whole.startswith(f"{ref.name}/")]
    if not names:
        return None
    name = max(names, key=len)
    rest = whole.removeprefix(f"{name}/").strip("/")
    address = at_revision(repo_url(kind, path), view, name, rest)
    return with_query(address, dict(request.query_params))
