"""One's own settings: profile, access tokens, password, organisations."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from jishi import people
from jishi.core.db import Tx
from jishi.core.errors import Refusal
from jishi.http import context_of, give_session_cookie, read_form
from jishi.people import Actor
from jishi.people.orgs import Membership, list_orgs
from jishi.people.persons import Person, get_people, update_profile
from jishi.people.tokens import Token, TokenRole, create_token, list_tokens, revoke_token
from jishi.web.answers import (
    beside,
    chrome_of,
    field,
    said,
    said_of_fields,
    secret_field,
    see_other,
    show,
    status_of,
)
from jishi.web.handlers.doors import SESSION_SECONDS
from jishi.web.handlers.owners import role_word
from jishi.web.pages.people import (
    ChangePasswordPage,
    MyOrgsPage,
    OrgRow,
    ProfilePage,
    TokenRow,
    TokensPage,
)


async def read_settings(_request: Request) -> Response:
    """``GET /settings``: the first of them."""
    return see_other("/settings/profile")


async def read_profile(request: Request) -> Response:
    """``GET /settings/profile``."""
    context = context_of(request)
    person = await context.db.read(_me, context.actor)
    is_done = request.query_params.get("done") == "1"
    page = ProfilePage(chrome_of(context), person.full_name, person.email, "", is_done)
    return show(request, "people/profile.html", page)


async def change_profile(request: Request) -> Response:
    """``POST /settings/profile``."""
    context = context_of(request)
    form = await read_form(request)
    typed = {"full_name": field(form, "full_name"), "email": field(form, "email")}
    try:
        await context.db.write(update_profile, context.actor, **typed)
    except Refusal as refusal:
        problem, wrong = await said_of_fields(request, refusal, **typed)
        page = ProfilePage(
            chrome=chrome_of(context), **typed, problem=problem, is_done=False, problems=wrong
        )
        return show(request, "people/profile.html", page, status=status_of(refusal, context))
    return see_other("/settings/profile?done=1")


async def read_tokens(request: Request) -> Response:
    """``GET /settings/tokens``."""
    page = await _tokens_page(request)
    return show(request, "people/tokens.html", page)


async def make_token(request: Request) -> Response:
    """``POST /settings/tokens``: the answer shows the token, this once."""
    context = context_of(request)
    form = await read_form(request)
    name = field(form, "name")
    role = TokenRole.WRITE if field(form, "role") == "write" else TokenRole.READ
    try:
        minted = await context.db.write(create_token, context.actor, name=name, role=role)
    except Refusal as refusal:
        page = await _tokens_page(request)
        page = replace(page, new_name=name, new_role=role.value, problem=said(request, refusal))
        return show(request, "people/tokens.html", page, status=status_of(refusal, context))
    page = replace(await _tokens_page(request), secret=minted.secret)
    return show(request, "people/tokens.html", page, secret=True)


async def end_token(request: Request) -> Response:
    """``POST /settings/tokens/{id}/revoke``."""
    context = context_of(request)
    await context.db.write(revoke_token, context.actor, request.path_params["id"])
    return see_other("/settings/tokens?done=revoked")


async def read_password(request: Request) -> Response:
    """``GET /settings/password``."""
    context = context_of(request)
    context.actor.require_session()
    is_done = request.query_params.get("done") == "1"
    page = ChangePasswordPage(chrome_of(context), "", is_done)
    return show(request, "people/change_password.html", page)


async def change_password(request: Request) -> Response:
    """``POST /settings/password``: other browsers are signed out, this one stays."""
    context = context_of(request)
    form = await read_form(request)
    old, new = secret_field(form, "old"), secret_field(form, "new")
    try:
        opened = await people.change_password(context.node.gate, context.actor, old=old, new=new)
    except Refusal as refusal:
        problem, wrong = beside(request, refusal, "old", "new")
        page = ChangePasswordPage(chrome_of(context), problem, is_done=False, problems=wrong)
        status = status_of(refusal, context)
        return show(request, "people/change_password.html", page, status=status)
    response = see_other("/settings/password?done=1")
    give_session_cookie(response, context, opened.secret, max_age=SESSION_SECONDS)
    return response


async def read_orgs(request: Request) -> Response:
    """``GET /settings/organizations``."""
    context = context_of(request)
    memberships = await context.db.read(_my_orgs, context.actor)
    rows = [OrgRow(m.org.name, m.org.full_name, role_word(m.role)) for m in memberships]
    page = MyOrgsPage(chrome_of(context), tuple(rows))
    return show(request, "people/organizations.html", page)


async def _tokens_page(request: Request) -> TokensPage:
    context = context_of(request)
    found = await context.db.read(list_tokens, context.actor)
    rows = tuple(_row(token) for token in found)
    return TokensPage(
        chrome=chrome_of(context, here="/settings/tokens"),
        tokens=rows,
        secret="",
        new_name="",
        new_role=TokenRole.READ.value,
        problem="",
        done=request.query_params.get("done", ""),
    )


def _row(token: Token) -> TokenRow:
    return TokenRow(
        public_id=token.public_id,
        name=token.name,
        role=token.role.value,
        tail=token.tail,
        created_at=token.created_at,
        used_at=token.used_at,
        expires_at=token.expires_at,
    )


def _me(tx: Tx, actor: Actor) -> Person:
    actor.require_session()
    return get_people(tx, [actor.id])[actor.id]


def _my_orgs(tx: Tx, actor: Actor) -> tuple[Membership, ...]:
    actor.require_session()
    return list_orgs(tx, actor.id)
