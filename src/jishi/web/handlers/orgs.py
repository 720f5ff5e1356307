"""Organisations: starting one, its members, its settings."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import Tx
from jishi.core.errors import Refusal
from jishi.core.paging import Page
from jishi.http import context_of, read_form
from jishi.people import Actor, Namespace, Role
from jishi.people.orgs import (
    Member,
    OrgDraft,
    create_org,
    get_org,
    list_members,
    remove_member,
    set_member,
    update_org,
)
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
from jishi.web.handlers.owners import role_word
from jishi.web.pages.people import MemberRow, MembersPage, NewOrgPage, OrgSettingsPage

_ROLES = {role_word(role): role for role in Role}


async def read_new(request: Request) -> Response:
    """``GET /organizations/new``."""
    context = context_of(request)
    context.actor.require_session()
    page = NewOrgPage(chrome_of(context), "", "", private_by_default=False, problem="")
    return show(request, "people/new_organization.html", page)


async def create(request: Request) -> Response:
    """``POST /organizations/new``."""
    context = context_of(request)
    form = await read_form(request)
    is_private = field(form, "private_by_default") == "1"
    draft = OrgDraft(field(form, "name"), field(form, "full_name"), is_private)
    try:
        org = await context.db.write(create_org, context.actor, draft)
    except Refusal as refusal:
        typed = {"name": draft.name, "full_name": draft.full_name}
        problem, beside = await said_of_fields(request, refusal, **typed)
        page = NewOrgPage(
            chrome=chrome_of(context),
            **typed,
            private_by_default=is_private,
            problem=problem,
            problems=beside,
        )
        status = status_of(refusal, context)
        return show(request, "people/new_organization.html", page, status=status)
    return see_other(f"/organizations/{org.name}/members")


async def read_members(request: Request) -> Response:
    """``GET /organizations/{org}/members``."""
    page = await _members_page(request)
    return show(request, "people/members.html", page)


async def put_member(request: Request) -> Response:
    """``POST /organizations/{org}/members``: somebody new, or another role."""
    context = context_of(request)
    form = await read_form(request)
    org, person = request.path_params["org"], field(form, "person")
    role = _ROLES.get(field(form, "role"), Role.READ)
    try:
        await context.db.write(set_member, context.actor, org, person, role)
    except Refusal as refusal:
        page = await _members_page(request)
        page = replace(page, person=person, role=role_word(role), problem=said(request, refusal))
        return show(request, "people/members.html", page, status=status_of(refusal, context))
    return see_other(f"/organizations/{org}/members?done=saved")


async def drop_member(request: Request) -> Response:
    """``POST /organizations/{org}/members/{person}/remove``."""
    context = context_of(request)
    org, person = request.path_params["org"], request.path_params["person"]
    try:
        await context.db.write(remove_member, context.actor, org, person)
    except Refusal as refusal:
        page = replace(await _members_page(request), problem=said(request, refusal))
        return show(request, "people/members.html", page, status=status_of(refusal, context))
    return see_other(f"/organizations/{org}/members?done=removed")


async def read_settings(request: Request) -> Response:
    """``GET /organizations/{org}/settings``."""
    context = context_of(request)
    org = await context.db.read(_managed, context.actor, request.path_params["org"])
    page = OrgSettingsPage(
        chrome=chrome_of(context),
        name=org.name,
        full_name=org.full_name,
        private_by_default=org.private_by_default,
        problem="",
        is_done=request.query_params.get("done") == "1",
    )
    return show(request, "people/organization_settings.html", page)


async def change_settings(request: Request) -> Response:
    """``POST /organizations/{org}/settings``."""
    context = context_of(request)
    form = await read_form(request)
    org, full_name = request.path_params["org"], field(form, "full_name")
    private = field(form, "private_by_default") == "1"
    try:
        await context.db.write(
            update_org, context.actor, org, full_name=full_name, private_by_default=private
        )
    except Refusal as refusal:
        page = OrgSettingsPage(
            chrome_of(context), org, full_name, private, said(request, refusal), is_done=False
        )
        status = status_of(refusal, context)
        return show(request, "people/organization_settings.html", page, status=status)
    return see_other(f"/organizations/{org}/settings?done=1")


async def _members_page(request: Request) -> MembersPage:
    context = context_of(request)
    asked, actor = request.query_params, context.actor
    name, after = request.path_params["org"], asked.get("after") or None
    org, found = await context.db.read(_gather, name, after)
    here = f"/organizations/{org.name}/members"
    return MembersPage(
        chrome=chrome_of(context, here=here),
        org=org.name,
        full_name=org.full_name,
        members=tuple(
            MemberRow(m.name, m.full_name, role_word(m.role), m.since) for m in found.items
        ),
        may_manage=actor.is_admin or actor.has(Role.ADMIN, org.name),
        person="",
        role=role_word(Role.WRITE),
        next_url=with_query(here, {"after": found.end}) if found.end else "",
        first_url=here if after else "",
        problem="",
        done=asked.get("done", ""),
    )


def _gather(tx: Tx, name: str, after: str | None) -> tuple[Namespace, Page[Member, str]]:
    return get_org(tx, name), list_members(tx, name, after=after)


def _managed(tx: Tx, actor: Actor, name: str) -> Namespace:
    """Return an organisation for whoever may change it."""
    org = get_org(tx, name)
    if not actor.is_admin:
        actor.require(Role.ADMIN, org.name)
    return org
