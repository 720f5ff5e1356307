"""Lists of repositories, tags by type, likes."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi import hub, people
from jishi.core.db import Tx
from jishi.core.paging import Page
from jishi.http import context_of, reply
from jishi.hub import Repo, RepoKind, lists, stats
from jishi.hub.lists import Detail, Listed, Query, Sort
from jishi.people import Actor
from jishi.wire.hf.addresses import api, kind_of, listing, path_of, single
from jishi.wire.hf.query import flag, many, next_link, number
from jishi.wire.hf.repos import UnknownField
from jishi.wire.hf.shapes import EXPANDABLE, LIST_FIELDS, date_text, info_shape, pick

LIMIT: Final = 1000
_SORTS: Final = {
    "lastModified": Sort.UPDATED,
    "last_modified": Sort.UPDATED,
    "createdAt": Sort.CREATED,
    "created_at": Sort.CREATED,
    "downloads": Sort.DOWNLOADS,
    "likes": Sort.LIKES,
    "likes30d": Sort.LIKES,
    "trendingScore": Sort.LIKES,
    "trending_score": Sort.LIKES,
}
_DETAILS: Final = {
    "siblings": Detail.FILES,
    "usedStorage": Detail.STORAGE,
    "runtime": Detail.APP,
}
_UNKNOWN: Final = ("apps", "inference", "inference_provider", "num_parameters")
"""Filters of models by what is known of none."""


async def list_repos(request: Request) -> Response:
    """``GET /api/models|datasets|spaces``."""
    context = context_of(request)
    kind = kind_of(request)
    params = request.query_params
    expand = many(request, "expand")
    if set(expand) - EXPANDABLE[kind]:
        raise UnknownField(known="|".join(f'"{name}"' for name in sorted(EXPANDABLE[kind])))
    if _wants_what_nothing_has(request, kind):
        return reply([])
    query = Query(
        kind=kind,
        search=tuple(w for text in params.getlist("search") for w in text.split()),
        author=params.get("author") or None,
        tags=tuple(_filters(request)),
        uses=tuple(_uses(request, kind)),
        is_linked=kind is RepoKind.SPACE and flag(request, "linked"),
        sort=_SORTS.get(params.get("sort", ""), Sort.UPDATED),
        limit=number(request, "limit", LIMIT, most=LIMIT),
        after=params.get("cursor"),
    )
    named = expand or (["siblings"] if flag(request, "full") else [])
    details = {_DETAILS[name] for name in named if name in _DETAILS}
    page = await context.db.read(lists.list_detailed, context.actor, query, details)
    items = [_item(request, listed, expand) for listed in page.items]
    return reply(items, headers=next_link(request, context.base, page.end))


async def tags_by_type(request: Request) -> Response:
    """``GET /api/models-tags-by-type`` and ``/api/datasets-tags-by-type``."""
    context = context_of(request)
    kind = RepoKind.DATASET if "datasets" in request.url.path else RepoKind.MODEL
    tags = await context.db.read(lists.count_tags, context.actor, kind)
    grouped: dict[str, list[dict[str, str]]] = {}
    for tag in tags:
        prefix, colon, label = tag.partition(":")
        group = prefix if colon else "other"
        entry = {"id": tag, "label": label or tag, "type": group}
        grouped.setdefault(group, []).append(entry)
    return reply(grouped)


async def like(request: Request) -> Response:
    """``POST /api/{T}/{id}/like``."""
    await _change_like(request, stats.like)
    return reply({})


async def unlike(request: Request) -> Response:
    """``DELETE /api/{T}/{id}/like``."""
    await _change_like(request, stats.unlike)
    return reply({})


async def likers(request: Request) -> Response:
    """``GET /api/{T}/{id}/likers``."""
    context = context_of(request)
    found, end = await context.db.read(
        _likers,
        context.actor,
        kind_of(request),
        path_of(request),
        after=request.query_params.get("cursor"),
        limit=number(request, "limit", LIMIT, most=LIMIT),
    )
    shapes = [{"user": p.name, "fullname": p.full_name, "avatarUrl": ""} for p in found]
    return reply(shapes, headers=next_link(request, context.base, end))


async def user_likes(request: Request) -> Response:
    """``GET /api/users/{u}/likes``: what the caller may see of it."""
    context = context_of(request)
    page = await context.db.read(
        _liked,
        context.actor,
        request.path_params["user"],
        after=request.query_params.get("cursor"),
        limit=number(request, "limit", LIMIT, most=LIMIT),
    )
    shapes = [
        {"repo": {"name": repo.path, "type": repo.kind.value}, "createdAt": date_text(at)}
        for repo, at in page.items
    ]
    return reply(shapes, headers=next_link(request, context.base, page.end))


async def own_repositories(request: Request) -> Response:
    """``GET /api/settings/repositories``."""
    context = context_of(request)
    if context.actor.is_anonymous:
        raise people.SignInNeeded
    return await _repositories(request, context.actor.name)


async def org_repositories(request: Request) -> Response:
    """``GET /api/organizations/{o}/settings/repositories``."""
    return await _repositories(request, request.path_params["org"])


async def _repositories(request: Request, namespace: str) -> Response:
    context = context_of(request)
    found = await context.db.read(lists.list_storage, context.actor, namespace)
    total = sum(size for _, size in found) or 1
    return reply(
        [
            {
                "id": repo.path,
                "type": repo.kind.value,
                "updatedAt": date_text(repo.updated_at),
                "visibility": "private" if repo.private else "public",
                "storage": size,
                "storagePercent": round(100 * size / total, 2),
            }
            for repo, size in found
        ]
    )


async def _change_like(request: Request, change: Any) -> None:  # noqa: ANN401  (an operation)
    context = context_of(request)

    def run(tx: Tx, actor: Actor) -> None:
        change(tx, actor, hub.access_repo(tx, actor, kind_of(request), path_of(request)))

    await context.db.write(run, context.actor)


def _liked(
    tx: Tx, actor: Actor, name: str, *, after: str | None, limit: int
) -> Page[tuple[Repo, int], str]:
    person = people.get_person(tx, name)
    return lists.list_liked(tx, actor, person.id, after=after, limit=limit)


def _likers(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, *, after: str | None, limit: int
) -> tuple[list[people.Person], str | None]:
    repo = hub.access_repo(tx, actor, kind, path)
    page = stats.list_likers(tx, repo, after=after, limit=limit)
    known = people.get_people(tx, page.items)
    return [known[i] for i in page.items if i in known], page.end


def _item(request: Request, listed: Listed, expand: list[str]) -> dict[str, Any]:
    repo, files = listed.repo, listed.files
    shape = info_shape(
        repo,
        repo.head,
        siblings=None if files is None else [{"rfilename": path} for path in files],
        used_bytes=listed.used_bytes,
        has_app=listed.has_app,
    )
    if expand:
        return pick(shape, expand)
    kept = set(LIST_FIELDS)
    is_full = flag(request, "full")
    if is_full:
        kept |= {"lastModified", "sha", "author", "disabled", "siblings"}
    if flag(request, "cardData") or (is_full and repo.kind is not RepoKind.MODEL):
        kept.add("cardData")
    if flag(request, "config"):
        kept.add("config")
    return {name: value for name, value in shape.items() if name in kept}


def _wants_what_nothing_has(request: Request, kind: RepoKind) -> bool:
    """Whether a filter asks for what no repository has, or none is known to have.

    Nothing is gated, nothing is served, and nobody has counted parameters yet.
    """
    if kind is RepoKind.SPACE:
        return False
    gated = request.query_params.get("gated", "").lower()
    asked = [many(request, name) for name in _UNKNOWN] if kind is RepoKind.MODEL else []
    return gated not in {"", "false", "0"} or any(asked)


def _uses(request: Request, kind: RepoKind) -> list[tuple[RepoKind, str]]:
    if kind is not RepoKind.SPACE:
        return []
    of = ((RepoKind.MODEL, "models"), (RepoKind.DATASET, "datasets"))
    return [(used, path) for used, name in of for path in many(request, name)]


def _filters(request: Request) -> list[str]:
    named = many(request, "filter")
    for parameter in ("pipeline_tag", "library", "language", "tags"):
        named += many(request, parameter)
    named += [f"dataset:{name}" for name in many(request, "trained_dataset")]
    return named


ROUTES: Final = (
    *listing("GET", "", list_repos),
    single("GET", "/api/models-tags-by-type", tags_by_type),
    single("GET", "/api/datasets-tags-by-type", tags_by_type),
    *api("POST", "/like", like),
    *api("DELETE", "/like", unlike),
    *api("GET", "/likers", likers),
    single("GET", "/api/users/{user}/likes", user_likes),
    single("GET", "/api/settings/repositories", own_repositories),
    single("GET", "/api/organizations/{org}/settings/repositories", org_repositories),
)
