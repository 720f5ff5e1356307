"""People, for administrators: accounts, invitations, new passwords."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Refusal
from jishi.http import context_of, read_form
from jishi.people import Person, PersonDraft, list_people
from jishi.people.links import invite, make_link
from jishi.people.persons import OwnAccount, PersonInactive, set_active
from jishi.web.addresses import with_query
from jishi.web.answers import (
    chrome_of,
    field,
    said,
    said_of_fields,
    see_other,
    show,
    status_of,
)
from jishi.web.pages.people import PeoplePage, PersonRow

HERE = "/admin/people"


async def read_people(request: Request) -> Response:
    """``GET /admin/people``."""
    page = await _people_page(request)
    return show(request, "people/people.html", page)


async def invite_person(request: Request) -> Response:
    """``POST /admin/people``: the answer shows the link, this once."""
    context = context_of(request)
    form = await read_form(request)
    draft = PersonDraft(
        field(form, "name"),
        field(form, "full_name"),
        field(form, "email"),
        is_admin=field(form, "as_admin") == "1",
    )
    try:
        made = await context.db.write(invite, context.actor, draft)
    except Refusal as refusal:
        typed = {"name": draft.name, "full_name": draft.full_name, "email": draft.email}
        problem, beside = await said_of_fields(request, refusal, **typed)
        page = replace(
            await _people_page(request),
            name=draft.name,
            full_name=draft.full_name,
            email=draft.email,
            as_admin=draft.is_admin,
            problem=problem,
            problem_of="invite",
            problems=beside,
        )
        return show(request, "people/people.html", page, status=status_of(refusal, context))
    return await _show_link(request, made.person.name, made.link.secret, made.link.expires_at)


async def make_password_link(request: Request) -> Response:
    """``POST /admin/people/{name}/link``: the answer shows the link, this once."""
    context = context_of(request)
    name = request.path_params["name"]
    try:
        link = await context.db.write(make_link, context.actor, name)
    except PersonInactive as refusal:
        return await _refused(request, refusal)
    return await _show_link(request, name, link.secret, link.expires_at)


async def change_active(request: Request) -> Response:
    """``POST /admin/people/{name}/active``: put an account out of use, or back."""
    context = context_of(request)
    form = await read_form(request)
    active, name = field(form, "active") == "1", request.path_params["name"]
    try:
        await context.db.write(set_active, context.actor, name, active=active)
    except OwnAccount as refusal:
        return await _refused(request, refusal)
    return see_other(HERE)


async def _refused(request: Request, refusal: Refusal) -> Response:
    page = await _people_page(request)
    page = replace(page, problem=said(request, refusal), problem_of="list")
    status = status_of(refusal, context_of(request))
    return show(request, "people/people.html", page, status=status)


async def _show_link(request: Request, name: str, secret: str, expires_at: int) -> Response:
    url = f"{context_of(request).base}/password/{secret}"
    page = await _people_page(request)
    page = replace(page, link=url, link_name=name, link_expires_at=expires_at)
    return show(request, "people/people.html", page, secret=True)


async def _people_page(request: Request) -> PeoplePage:
    context = context_of(request)
    after = request.query_params.get("after") or None
    found = await context.db.read(list_people, context.actor, after=after)
    return PeoplePage(
        chrome=chrome_of(context, here=HERE),
        people=tuple(_row(person) for person in found.items),
        first_url=HERE if after else "",
        next_url=with_query(HERE, {"after": found.end}) if found.end else "",
        link="",
        link_name="",
        link_expires_at=0,
        name="",
        full_name="",
        email="",
        as_admin=False,
        problem="",
        problem_of="",
    )


def _row(person: Person) -> PersonRow:
    return PersonRow(
        name=person.name,
        full_name=person.full_name,
        email=person.email,
        is_admin=person.is_admin,
        has_password=person.has_password,
        is_active=person.is_active,
        created_at=person.created_at,
    )
