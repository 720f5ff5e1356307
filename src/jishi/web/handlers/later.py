"""Addresses that clients print and other hubs have, for things this one does not do yet."""

from __future__ import annotations

from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.http import context_of
from jishi.hub import RepoKind, access_repo
from jishi.web.handlers.repos import repo_path


class NotYet(Refusal):
    """Other hubs have something at this address; here it is still to come."""

    code: ClassVar[str] = "web.not_yet"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_(
        "This hub has no discussions, pull requests, collections or jobs yet. Repositories, "
        "their files and their history are all there."
    )


async def read_of_repo(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/discussions`` and the like; whoever may not see it learns nothing."""
    context = context_of(request)
    await context.db.read(access_repo, context.actor, kind, repo_path(request))
    raise NotYet


async def read(_request: Request) -> Response:
    """``GET /jobs`` and the like."""
    raise NotYet
