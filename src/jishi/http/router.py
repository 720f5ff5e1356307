"""Routes matched on the raw path: split first, then each part unquoted once.

Frameworks that match the decoded path read ``tree/refs%2Fpr%2F1`` as revision ``refs`` and
path ``pr/1``.  Clients quote revisions and paths with no safe characters, so the order of
the two steps is the protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from jishi.core.errors import Kind, Refusal, invariant
from jishi.core.i18n import N_
from jishi.http.answers import Unsent
from jishi.http.context import context_of
from jishi.http.saying import Handler, Refuse, Speaking

PARTS_MAX = 256
"""Parts of a path that are looked at; Git and the dialects need far fewer."""

_PARAMETER: Final = re.compile(r"\{([a-z_0-9]+)\}([^{}]*)\Z")
_REST: Final = re.compile(r"\{([a-z_0-9]+)\.\.\.\}\Z")


class NoRoute(Refusal):
    """No route has this path."""

    code: ClassVar[str] = "http.no_route"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is nothing at this address.")


class WrongMethod(Refusal):
    """The path exists, for other methods."""

    code: ClassVar[str] = "http.wrong_method"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This address takes {allowed}, not {method}.")


@dataclass(frozen=True, slots=True)
class Route:
    """An address and who answers it.

    Attributes:
        methods: One or more, separated by spaces; ``HEAD`` comes with ``GET``.
        path: ``/``-separated parts: fixed text, ``{name}`` (one part, never empty),
            ``{name}.git`` (one part with a fixed ending), or at the end ``{path...}``
            (one part or more, joined with ``/``).
        opens_itself: The handler reads ``Authorization`` on its own, as Xet's storage
            does; what the outermost layer made of it does not matter.
    """

    methods: str
    path: str
    handler: Handler
    opens_itself: bool = False


@dataclass(slots=True)
class _Target:
    """The routes that end at one place of the tree, by method."""

    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Branch:
    """One part further: fixed texts first, then endings, then anything, then all the rest."""

    literals: dict[str, _Branch] = field(default_factory=dict)
    endings: dict[str, _Branch] = field(default_factory=dict)
    any: _Branch | None = None
    here: _Target | None = None
    rest: _Target | None = None


@dataclass(slots=True)
class _Search:
    """One look-up.  ``allowed`` collects the methods of places that lack the wanted one."""

    method: str
    parts: Sequence[str]
    allowed: set[str] = field(default_factory=set)

    def find(
        self, branch: _Branch, index: int, values: tuple[str, ...]
    ) -> tuple[Route, dict[str, str]] | None:
        if index == len(self.parts):
            return self._take(branch.here, values)
        part = self.parts[index]
        found = None
        following = branch.literals.get(part)
        if following is not None:
            found = self.find(following, index + 1, values)
        if found is None and branch.endings:
            found = self._find_ending(branch, index, values)
        if found is None and branch.any is not None and part:
            found = self.find(branch.any, index + 1, (*values, part))
        if found is None and branch.rest is not None:
            found = self._take(branch.rest, (*values, "/".join(self.parts[index:])))
        return found

    def _find_ending(
        self, branch: _Branch, index: int, values: tuple[str, ...]
    ) -> tuple[Route, dict[str, str]] | None:
        part = self.parts[index]
        for ending, following in branch.endings.items():
            if part.endswith(ending) and len(part) > len(ending):
                value = part[: -len(ending)]
                found = self.find(following, index + 1, (*values, value))
                if found is not None:
                    return found
        return None

    def _take(
        self, target: _Target | None, values: tuple[str, ...]
    ) -> tuple[Route, dict[str, str]] | None:
        if target is None:
            return None
        found = target.routes.get(self.method)
        if found is None:
            self.allowed |= target.routes.keys()
            return None
        route, names = found
        return route, dict(zip(names, values, strict=True))


class RawRouter:
    """An ASGI application out of routes.

    Fixed text wins over parameters; where the more fixed way leads nowhere, or not for
    this method, the others are tried.
    """

    def __init__(self, routes: Iterable[Route], refuse: Refuse) -> None:
        """Build the tree.

        Args:
            refuse: Says what is refused where no route's own dialect is known.
        """
        self.routes = tuple(routes)
        self._refuse = refuse
        self._root = _Branch()
        for route in self.routes:
            self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        context = context_of(request)
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        try:
            route, scope["path_params"] = self.match(scope["method"], raw_path)
        except Refusal as refusal:
            response = self._refuse(context.refused or refusal, context)
            if isinstance(refusal, WrongMethod):
                response.headers["Allow"] = str(refusal.facts["allowed"])
            await response(scope, receive, send)
            return
        handler = route.handler
        refuse = handler.refuse if isinstance(handler, Speaking) else self._refuse
        try:
            if context.refused is not None and not route.opens_itself:
                raise context.refused
            response = await handler(request)
        except Refusal as refusal:
            response = refuse(refusal, context)
        try:
            await response(scope, receive, send)
        except Unsent as unsent:
            await refuse(unsent.refusal, context)(scope, receive, send)

    def match(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        """Find the route, and the values of its parameters.

        Raises:
            NoRoute: If no route has this path.
            WrongMethod: If the routes that have it do not take ``method``.
        """
        search = _Search(method, _split(raw_path))
        found = search.find(self._root, 0, ())
        if found is not None:
            return found
        if search.allowed:
            raise WrongMethod(method=method, allowed=", ".join(sorted(search.allowed)))
        raise NoRoute

    def _add(self, route: Route) -> None:
        *parts, last = [part for part in route.path.split("/") if part] or [""]
        names: list[str] = []
        branch = self._root
        rest = _REST.match(last)
        for part in parts if rest or not last else (*parts, last):
            branch = _step(branch, part, names)
        if rest:
            names.append(rest[1])
            target = branch.rest = branch.rest or _Target()
        else:
            target = branch.here = branch.here or _Target()
        methods = route.methods.split()
        for method in (*methods, *(["HEAD"] if "GET" in methods else [])):
            invariant(method not in target.routes, f"{method} {route.path} has two routes")
            target.routes[method] = (route, tuple(names))


def _step(branch: _Branch, part: str, names: list[str]) -> _Branch:
    parameter = _PARAMETER.match(part)
    if parameter is None:
        invariant("{" not in part, f"{part} is neither text nor a parameter")
        return branch.literals.setdefault(part, _Branch())
    names.append(parameter[1])
    if parameter[2]:
        return branch.endings.setdefault(parameter[2], _Branch())
    branch.any = branch.any or _Branch()
    return branch.any


def _split(raw_path: bytes) -> list[str]:
    """Split a raw path into unquoted parts; one slash at the end does not count.

    Clients that join an endpoint with a slash at its end send ``//api``, which is ``/api``.

    Raises:
        NoRoute: If the path is too long or its text is not UTF-8.
    """
    parts = raw_path.decode("latin-1").lstrip("/").split("/")
    if parts[-1] == "":
        parts.pop()
    if len(parts) > PARTS_MAX:
        raise NoRoute
    try:
        return [unquote(part, errors="strict") if "%" in part else part for part in parts]
    except UnicodeDecodeError as error:
        raise NoRoute from error
