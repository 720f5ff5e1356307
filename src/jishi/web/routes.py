"""Every address of a page, in one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.http import Route, speaking
from jishi.hub import RepoKind
from jishi.web.addresses import LISTS, PREFIX
from jishi.web.answers import choose
from jishi.web.errors import refuse
from jishi.web.files import read_icon, read_robots, read_static
from jishi.web.handlers import (
    admin,
    commits,
    doors,
    files,
    home,
    later,
    orgs,
    owners,
    repos,
    settings,
)
from jishi.web.handlers.revisions import KindHandler, with_slashes

Handler = Callable[[Request], Awaitable[Response]]


def page(handler: Handler) -> Handler:
    """Let any page take ``?lang=`` and ``?theme=``, and say no as pages do."""

    async def answer(request: Request) -> Response:
        chosen = choose(request) if request.method == "GET" else None
        return chosen or await handler(request)

    return speaking(refuse, answer)


def _of_kind(kind: RepoKind, handler: KindHandler) -> Handler:
    async def answer(request: Request) -> Response:
        return await handler(request, kind)

    return page(answer)


_REPO: Final[tuple[tuple[str, str, KindHandler], ...]] = (
    ("GET", "", repos.read_card),
    ("POST", "/like", repos.change_like),
    ("GET", "/tree/{rev}", files.read_folder),
    ("GET", "/tree/{rev}/{path...}", with_slashes("tree", files.read_folder)),
    ("GET", "/blob/{rev}/{path...}", with_slashes("blob", files.read_file)),
    ("GET", "/commits/{rev}", commits.read_history),
    ("GET", "/commits/{rev}/{path...}", with_slashes("commits", commits.read_history)),
    ("GET", "/commit/{oid}", commits.show_commit),
    ("GET", "/settings", repos.read_settings),
    ("POST", "/settings/visibility", repos.change_visibility),
    ("POST", "/settings/move", repos.move_repo),
    ("POST", "/settings/delete", repos.delete_repo),
)
_LATER_OF_REPO: Final = ("/discussions", "/discussions/{rest...}", "/community")
_LATER: Final = ("/collections", "/collections/{rest...}", "/jobs", "/jobs/{rest...}")
"""Where clients may send somebody; nothing here links to them."""


def _repo_routes() -> Iterator[Route]:
    for kind in RepoKind:
        yield Route("GET", LISTS[kind], page(partial(home.read_list, kind=kind)))
        for method, rest, handler in _REPO:
            yield Route(method, PREFIX[kind] + "{ns}/{name}" + rest, _of_kind(kind, handler))
        for rest in _LATER_OF_REPO:
            yield Route(
                "GET", PREFIX[kind] + "{ns}/{name}" + rest, _of_kind(kind, later.read_of_repo)
            )


ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/static/{hash}/{name...}", page(read_static)),
    Route("GET", "/favicon.ico", page(read_icon)),
    Route("GET", "/robots.txt", page(read_robots)),
    Route("GET", "/", page(home.read_home)),
    Route("GET", "/sign-in", page(doors.read_sign_in)),
    Route("POST", "/sign-in", page(doors.sign_in)),
    Route("POST", "/sign-out", page(doors.sign_out)),
    Route("GET", "/sign-up", page(doors.read_sign_up)),
    Route("POST", "/sign-up", page(doors.sign_up)),
    Route("GET", "/set-up/{secret}", page(doors.read_set_up)),
    Route("POST", "/set-up/{secret}", page(doors.set_up)),
    Route("GET", "/password/{secret}", page(doors.read_password_link)),
    Route("POST", "/password/{secret}", page(doors.accept_password_link)),
    Route("GET", "/device", page(doors.read_device_page)),
    Route("POST", "/device", page(doors.answer_device)),
    Route("GET", "/settings", page(settings.read_settings)),
    Route("GET", "/settings/profile", page(settings.read_profile)),
    Route("POST", "/settings/profile", page(settings.change_profile)),
    Route("GET", "/settings/tokens", page(settings.read_tokens)),
    Route("POST", "/settings/tokens", page(settings.make_token)),
    Route("POST", "/settings/tokens/{id}/revoke", page(settings.end_token)),
    Route("GET", "/settings/password", page(settings.read_password)),
    Route("POST", "/settings/password", page(settings.change_password)),
    Route("GET", "/settings/organizations", page(settings.read_orgs)),
    Route("GET", "/organizations/new", page(orgs.read_new)),
    Route("POST", "/organizations/new", page(orgs.create)),
    Route("GET", "/organizations/{org}/members", page(orgs.read_members)),
    Route("POST", "/organizations/{org}/members", page(orgs.put_member)),
    Route("POST", "/organizations/{org}/members/{person}/remove", page(orgs.drop_member)),
    Route("GET", "/organizations/{org}/settings", page(orgs.read_settings)),
    Route("POST", "/organizations/{org}/settings", page(orgs.change_settings)),
    Route("GET", "/admin/people", page(admin.read_people)),
    Route("POST", "/admin/people", page(admin.invite_person)),
    Route("POST", "/admin/people/{name}/link", page(admin.make_password_link)),
    Route("POST", "/admin/people/{name}/active", page(admin.change_active)),
    Route("GET", "/new", page(repos.read_new)),
    Route("POST", "/new", page(repos.create_repo)),
    *_repo_routes(),
    *(Route("GET", path, page(later.read)) for path in _LATER),
    Route("GET", "/{owner}", page(owners.read_owner)),
)
