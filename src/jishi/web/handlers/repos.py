"""The card of a repository, liking it, making, renaming and deleting one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi import hub
from jishi.core.db import Tx
from jishi.core.errors import Refusal
from jishi.http import context_of, read_form
from jishi.hub import Draft, Repo, RepoKind, Right
from jishi.hub.files import Place, count_commits, find_place, list_folder
from jishi.hub.stats import has_liked, like, unlike
from jishi.people import Actor, Role
from jishi.people.orgs import list_orgs
from jishi.web.addresses import LISTS, repo_url
from jishi.web.answers import beside, chrome_of, field, said, see_other, show, status_of
from jishi.web.cards import facts_of, head_of, language_of, parents_of, uses_of
from jishi.web.pages.lists import Parent
from jishi.web.pages.repos import CardPage, NewRepoPage, RepoHead, RepoSettingsPage
from jishi.web.readme import read_document

LOOK_AT: Final = 100
"""Entries of the top folder in which a card and a file to show in a command are sought."""
_SAMPLES: Final = ("config.json", "README.md")
_MADE_BY_US: Final = frozenset((".gitattributes",))


def repo_path(request: Request) -> str:
    """Return ``namespace/name`` of the address."""
    return "{ns}/{name}".format_map(request.path_params)


async def read_card(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}``."""
    context = context_of(request)
    place = await find_place(context.node, context.actor, kind, repo_path(request), "main")
    head = await read_head(request, place, "card")
    listed = await list_folder(context.node, place, "", limit=LOOK_AT)
    names = [entry.path for entry in listed.items if not entry.is_folder]
    parents = await context.db.read(_find_parents, context.actor, parents_of(place.repo))
    readme = next((entry for entry in listed.items if entry.path == "README.md"), None)
    card = await read_document(request, place, readme) if readme else None
    if not card:  # a README.md may hold nothing but metadata
        card = None
    page = CardPage(
        chrome=chrome_of(context, way=LISTS[kind]),
        head=head,
        uses=uses_of(place.repo, _sample(names), context.base),
        facts=facts_of(place.repo, parents),
        card_html=card,
        card_lang=language_of(place.repo),
        is_empty={entry.path for entry in listed.items} <= _MADE_BY_US,
    )
    return show(request, "hub/card.html", page)


async def read_head(request: Request, place: Place, tab: str) -> RepoHead:
    """Return what stands above every page of a repository, for whoever asks."""
    context = context_of(request)
    is_liked = False
    if not context.actor.is_anonymous:
        is_liked = await context.db.read(has_liked, context.actor, place.repo)
    return head_of(
        place.repo,
        tab,
        revision=place.revision,
        commits=await count_commits(context.node, place),
        is_liked=is_liked,
        may_write=hub.may_write(context.actor, place.repo),
    )


async def change_like(request: Request, kind: RepoKind) -> Response:
    """``POST /{ns}/{name}/like``."""
    context = context_of(request)
    form = await read_form(request)
    wants = field(form, "like") == "1"
    repo = await context.db.write(_like, context.actor, kind, repo_path(request), wants=wants)
    return see_other(repo_url(kind, repo.path))


async def read_new(request: Request) -> Response:
    """``GET /new``."""
    context = context_of(request)
    owners = await context.db.read(_owners, context.actor)
    asked = request.query_params
    page = NewRepoPage(
        chrome=chrome_of(context),
        kind=_kind(asked.get("kind", "")).value,
        owners=owners,
        owner=asked.get("owner", context.actor.name),
        name="",
        visibility="",
        problem="",
    )
    return show(request, "hub/new.html", page)


async def create_repo(request: Request) -> Response:
    """``POST /new``."""
    context = context_of(request)
    form = await read_form(request)
    kind, visibility = _kind(field(form, "kind")), field(form, "visibility")
    private = {"private": True, "public": False}.get(visibility)
    draft = Draft(kind, field(form, "owner"), field(form, "name"), private)
    try:
        repo = await hub.create(context.node, context.actor, draft)
    except Refusal as refusal:
        owners = await context.db.read(_owners, context.actor)
        problem, wrong = beside(request, refusal, "owner", "name")
        page = NewRepoPage(
            chrome=chrome_of(context),
            kind=kind.value,
            owners=owners,
            owner=draft.namespace,
            name=draft.name,
            visibility=visibility,
            problem=problem,
            problems=wrong if draft.name else {"name": ""},
        )
        return show(request, "hub/new.html", page, status=status_of(refusal, context))
    return see_other(repo_url(kind, repo.path))


async def read_settings(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/settings``."""
    page = await _settings_page(request, kind)
    return show(request, "hub/settings.html", page)


async def change_visibility(request: Request, kind: RepoKind) -> Response:
    """``POST /{ns}/{name}/settings/visibility``."""
    context = context_of(request)
    form = await read_form(request)
    private = field(form, "visibility") == "private"
    path = repo_path(request)
    repo = await context.db.write(hub.set_visibility, context.actor, kind, path, private=private)
    return see_other(f"{repo_url(kind, repo.path)}/settings?done=visibility")


async def move_repo(request: Request, kind: RepoKind) -> Response:
    """``POST /{ns}/{name}/settings/move``."""
    context = context_of(request)
    form = await read_form(request)
    to = {"namespace": field(form, "owner"), "name": field(form, "name")}
    try:
        repo = await context.db.write(hub.move_repo, context.actor, kind, repo_path(request), **to)
    except Refusal as refusal:
        page = await _settings_page(request, kind)
        page = replace(page, problem_of="move", problem=said(request, refusal))
        page = replace(page, new_owner=to["namespace"], new_name=to["name"])
        return show(request, "hub/settings.html", page, status=status_of(refusal, context))
    return see_other(f"{repo_url(kind, repo.path)}/settings?done=move")


async def delete_repo(request: Request, kind: RepoKind) -> Response:
    """``POST /{ns}/{name}/settings/delete``: only if its full name was typed."""
    context = context_of(request)
    form = await read_form(request)
    typed = field(form, "typed")
    page = await _settings_page(request, kind)
    if typed.lower() != page.head.path.lower():
        wrong = replace(page, problem_of="delete", typed=typed)
        return show(request, "hub/settings.html", wrong, status=400)
    await context.db.write(hub.delete_repo, context.actor, kind, repo_path(request))
    return see_other(f"/{page.head.owner}?done=deleted")


async def _settings_page(request: Request, kind: RepoKind) -> RepoSettingsPage:
    context = context_of(request)
    path = repo_path(request)
    repo, is_liked, owners = await context.db.read(_gather_settings, context.actor, kind, path)
    here = f"{repo_url(kind, repo.path)}/settings"
    return RepoSettingsPage(
        chrome=chrome_of(context, way=LISTS[kind], here=here),
        head=head_of(repo, "settings", commits=repo.commits, is_liked=is_liked, may_write=True),
        owners=owners,
        new_owner=repo.namespace,
        new_name=repo.name,
        typed="",
        problem="",
        problem_of="",
        done=request.query_params.get("done", ""),
    )


def _gather_settings(
    tx: Tx, actor: Actor, kind: RepoKind, path: str
) -> tuple[Repo, bool, tuple[str, ...]]:
    repo = hub.access_repo(tx, actor, kind, path, right=Right.WRITE)
    owners = dict.fromkeys((repo.namespace, *_owners(tx, actor)))
    return repo, has_liked(tx, actor, repo), tuple(owners)


def _owners(tx: Tx, actor: Actor) -> tuple[str, ...]:
    """Return the namespaces somebody may create in, the own one first."""
    actor.require(Role.CONTRIBUTOR, actor.name)
    orgs = [m.org.name for m in list_orgs(tx, actor.id) if m.role >= Role.CONTRIBUTOR]
    return (actor.name, *orgs)


def _find_parents(tx: Tx, actor: Actor, parents: tuple[Parent, ...]) -> tuple[Parent, ...]:
    """Return parents with the addresses of those that the actor sees here."""
    return tuple(replace(each, url=_url_of_parent(tx, actor, each.path)) for each in parents)


def _url_of_parent(tx: Tx, actor: Actor, path: str) -> str:
    try:
        return repo_url(RepoKind.MODEL, hub.access_repo(tx, actor, RepoKind.MODEL, path).path)
    except hub.RepoElsewhere as moved:
        return repo_url(RepoKind.MODEL, str(moved.facts["path"]))
    except hub.RepoMissing:
        return ""


def _like(tx: Tx, actor: Actor, kind: RepoKind, path: str, *, wants: bool) -> Repo:
    repo = hub.access_repo(tx, actor, kind, path)
    (like if wants else unlike)(tx, actor, repo)
    return repo


def _sample(names: list[str]) -> str:
    wished = [name for name in _SAMPLES if name in names]
    rest = [name for name in names if name not in _MADE_BY_US]
    return next(iter(wished + rest), "")


def _kind(word: str) -> RepoKind:
    return RepoKind(word) if word in set(RepoKind) else RepoKind.MODEL
