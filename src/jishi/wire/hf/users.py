"""People and organisations, and who the caller is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import Tx
from jishi.http import context_of, reply
from jishi.hub import RepoKind
from jishi.hub.lists import count_liked, count_repos
from jishi.people import Actor, Namespace, SignInNeeded
from jishi.people.orgs import Membership, count_members, get_org, list_members, list_orgs
from jishi.people.persons import get_person
from jishi.people.tokens import Token, get_token
from jishi.wire.hf.addresses import single
from jishi.wire.hf.query import next_link, number
from jishi.wire.hf.shapes import date_text

MEMBERS_MAX: Final = 200


async def whoami(request: Request) -> Response:
    """``GET /api/whoami-v2``: what ``hf auth login`` and ``hf auth whoami`` read."""
    context = context_of(request)
    return reply(await context.db.read(_whoami, context.actor))


async def user_overview(request: Request) -> Response:
    """``GET /api/users/{user}/overview``."""
    context = context_of(request)
    name = request.path_params["user"]
    return reply(await context.db.read(_user_overview, context.actor, name))


async def org_overview(request: Request) -> Response:
    """``GET /api/organizations/{org}/overview``."""
    context = context_of(request)
    name = request.path_params["org"]
    return reply(await context.db.read(_org_overview, context.actor, name))


async def members(request: Request) -> Response:
    """``GET /api/organizations/{org}/members``."""
    context = context_of(request)
    page = await context.db.read(
        list_members,
        request.path_params["org"],
        after=request.query_params.get("cursor"),
        limit=number(request, "limit", MEMBERS_MAX, most=MEMBERS_MAX),
    )
    shapes = [
        {**_user(member.name, member.full_name), "role": member.role.name.lower()}
        for member in page.items
    ]
    return reply(shapes, headers=next_link(request, context.base, page.end))


async def user_followers(request: Request) -> Response:
    """``GET /api/users/{user}/followers`` and ``/following``: nobody follows anybody yet."""
    await context_of(request).db.read(get_person, request.path_params["user"])
    return reply([])


async def org_followers(request: Request) -> Response:
    """``GET /api/organizations/{org}/followers``: nobody follows anybody yet."""
    await context_of(request).db.read(get_org, request.path_params["org"])
    return reply([])


def _whoami(tx: Tx, actor: Actor) -> dict[str, Any]:
    if actor.is_anonymous:
        raise SignInNeeded
    person = get_person(tx, actor.name)
    token = get_token(tx, actor.token_id) if actor.token_id else None
    return {
        "type": "user",
        "id": person.public_id,
        "name": person.name,
        "fullname": person.full_name or person.name,
        "email": person.email or None,
        "emailVerified": False,
        "isPro": False,
        "canPay": False,
        "periodEnd": None,
        "avatarUrl": "",
        "orgs": [_org_of(membership) for membership in list_orgs(tx, person.id)],
        "auth": {"type": "session"} if token is None else _auth(token),
    }


def _auth(token: Token) -> dict[str, Any]:
    shape = {
        "displayName": token.name,
        "role": token.role.value,
        "createdAt": date_text(token.created_at),
    }
    return {"type": "access_token", "accessToken": shape}


def _org_of(membership: Membership) -> dict[str, Any]:
    org = membership.org
    return {
        "type": "org",
        "id": org.public_id,
        "name": org.name,
        "fullname": org.full_name or org.name,
        "email": None,
        "canPay": False,
        "periodEnd": None,
        "avatarUrl": "",
        "roleInOrg": membership.role.name.lower(),
        "isEnterprise": False,
    }


def _user_overview(tx: Tx, actor: Actor, name: str) -> dict[str, Any]:
    person = get_person(tx, name)
    orgs = [_org(membership.org) for membership in list_orgs(tx, person.id)]
    counts = count_repos(tx, actor, person.name)
    return {
        **_user(person.name, person.full_name),
        **_counts(counts),
        "numLikes": count_liked(tx, actor, person.id),
        "createdAt": date_text(person.created_at),
        "orgs": orgs,
    }


def _org_overview(tx: Tx, actor: Actor, name: str) -> dict[str, Any]:
    org = get_org(tx, name)
    counts = count_repos(tx, actor, org.name)
    users = {"numUsers": count_members(tx, org.id), "isVerified": False}
    return {**_org(org), **_counts(counts), **users, "createdAt": date_text(org.created_at)}


def _user(name: str, full_name: str) -> dict[str, Any]:
    return {
        "user": name,
        "fullname": full_name or name,
        "avatarUrl": "",
        "type": "user",
        "isPro": False,
        "isFollowing": False,
    }


def _org(org: Namespace) -> dict[str, Any]:
    return {
        "name": org.name,
        "fullname": org.full_name or org.name,
        "avatarUrl": "",
        "type": "org",
        "isFollowing": False,
    }


def _counts(counts: Mapping[RepoKind, int]) -> dict[str, int]:
    return {
        "numModels": counts.get(RepoKind.MODEL, 0),
        "numDatasets": counts.get(RepoKind.DATASET, 0),
        "numSpaces": counts.get(RepoKind.SPACE, 0),
        "numFollowers": 0,
    }


ROUTES: Final = (
    single("GET", "/api/whoami-v2", whoami),
    single("GET", "/api/users/{user}/overview", user_overview),
    single("GET", "/api/users/{user}/followers", user_followers),
    single("GET", "/api/users/{user}/following", user_followers),
    single("GET", "/api/organizations/{org}/overview", org_overview),
    single("GET", "/api/organizations/{org}/members", members),
    single("GET", "/api/organizations/{org}/followers", org_followers),
)
