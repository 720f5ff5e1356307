"""Addresses the dialect repeats for each kind of repository."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from jishi.http import Route, speaking
from jishi.hub import RepoKind
from jishi.wire.hf.errors import refuse
from jishi.wire.hf.shapes import PLURAL, PREFIX

Handler = Callable[[Request], Awaitable[Response]]


def _of(kind: RepoKind, handler: Handler) -> Handler:
    """Tell ``handler`` whose address it answers."""

    async def answer(request: Request) -> Response:
        request.scope["repo_kind"] = kind
        return await handler(request)

    return speaking(refuse, answer)


def api(methods: str, rest: str, handler: Handler) -> Iterator[Route]:
    """Yield ``/api/{models|datasets|spaces}/{ns}/{name}`` + ``rest`` for every kind."""
    for kind in RepoKind:
        path = f"/api/{PLURAL[kind]}/{{ns}}/{{name}}{rest}"
        yield Route(methods, path, _of(kind, handler))


def web(methods: str, rest: str, handler: Handler) -> Iterator[Route]:
    """Yield ``/{ns}/{name}`` + ``rest``, with the prefix of each kind in front."""
    for kind in RepoKind:
        path = f"/{PREFIX[kind]}{{ns}}/{{name}}{rest}"
        yield Route(methods, path, _of(kind, handler))


def listing(methods: str, rest: str, handler: Handler) -> Iterator[Route]:
    """Yield ``/api/{models|datasets|spaces}`` + ``rest`` for every kind."""
    for kind in RepoKind:
        path = f"/api/{PLURAL[kind]}{rest}"
        yield Route(methods, path, _of(kind, handler))


def single(methods: str, path: str, handler: Handler) -> Route:
    """Return a route that belongs to no kind."""
    return Route(methods, path, speaking(refuse, handler))


def kind_of(request: Request) -> RepoKind:
    """Return the kind of repository whose address was called."""
    kind: RepoKind = request.scope["repo_kind"]
    return kind


def path_of(request: Request) -> str:
    """Return ``namespace/name`` of the address."""
    return f"{request.path_params['ns']}/{request.path_params['name']}"
