"""Pages of people and organisations."""

from __future__ import annotations

from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.http import context_of
from jishi.hub import RepoKind
from jishi.hub.lists import Query, count_repos, list_repos
from jishi.people import Actor, Namespace, Role, find_namespace
from jishi.people.orgs import list_members, list_orgs
from jishi.web.addresses import LISTS, with_query
from jishi.web.answers import chrome_of, show
from jishi.web.cards import row_of
from jishi.web.handlers.home import is_organisation
from jishi.web.pages.lists import OwnerPage, Stock, Tie

STOCK_ROWS: Final = 10
TIES: Final = 12


class OwnerMissing(Refusal):
    """Nobody has this name."""

    code: ClassVar[str] = "web.owner_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("Nobody here is called {name}.")


async def read_owner(request: Request) -> Response:
    """``GET /{owner}``."""
    context = context_of(request)
    actor, name = context.actor, request.path_params["owner"]
    owner, stocks, ties, more = await context.db.read(_gather, actor, name)
    is_org = is_organisation(owner)
    page = OwnerPage(
        chrome=chrome_of(context),
        name=owner.name,
        full_name=owner.full_name,
        is_organisation=is_org,
        since=owner.created_at,
        stocks=stocks,
        ties=ties,
        more_ties=more,
        may_create=actor.has(Role.CONTRIBUTOR, owner.name),
        may_manage=is_org and (actor.is_admin or actor.has(Role.ADMIN, owner.name)),
        done=request.query_params.get("done", ""),
    )
    return show(request, "hub/owner.html", page)


def _gather(
    tx: Tx, actor: Actor, name: str
) -> tuple[Namespace, tuple[Stock, ...], tuple[Tie, ...], bool]:
    owner = find_namespace(tx, name)
    if owner is None:
        raise OwnerMissing(name=name[:100])
    counts = count_repos(tx, actor, owner.name)
    stocks = tuple(_stock(tx, actor, owner.name, kind, counts[kind]) for kind in RepoKind)
    ties, more = _ties(tx, owner)
    return owner, stocks, ties, more


def _stock(tx: Tx, actor: Actor, owner: str, kind: RepoKind, count: int) -> Stock:
    url = with_query(LISTS[kind], {"owner": owner})
    if not count:
        return Stock(kind.value, 0, (), url)
    found = list_repos(tx, actor, Query(kind=kind, author=owner, limit=STOCK_ROWS))
    return Stock(kind.value, count, tuple(row_of(repo) for repo in found.items), url)


def _ties(tx: Tx, owner: Namespace) -> tuple[tuple[Tie, ...], bool]:
    if is_organisation(owner):
        found = list_members(tx, owner.name, limit=TIES)
        members = [Tie(m.name, m.full_name, role_word(m.role)) for m in found.items]
        return tuple(members), found.end is not None
    orgs = [Tie(m.org.name, m.org.full_name, role_word(m.role)) for m in list_orgs(tx, owner.id)]
    return tuple(orgs), False


def role_word(role: Role) -> str:
    """Return a role as templates and forms spell it."""
    return role.name.lower()
