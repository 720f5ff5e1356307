"""Home, search over everything, and the three lists."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import Tx
from jishi.core.paging import Page
from jishi.http import context_of
from jishi.hub import Repo, RepoKind
from jishi.hub.lists import Query, Sort, list_repos
from jishi.people import Actor, Namespace, find_namespace
from jishi.people.names import search_namespaces
from jishi.web.addresses import LISTS, with_query
from jishi.web.answers import chrome_of, show
from jishi.web.cards import row_of
from jishi.web.pages.home import HomePage, Owner, SearchPage, Shelf
from jishi.web.pages.lists import Choice, Filter, ListPage, Row

SHELF_ROWS: Final = {RepoKind.MODEL: 8, RepoKind.DATASET: 5, RepoKind.SPACE: 5}
FOUND_ROWS: Final = 5
MINE_ROWS: Final = 5
LIST_ROWS: Final = 30
TEXT_CHARS_MAX: Final = 200
WORDS_MAX: Final = 8

SORTS: Final = {
    "updated": Sort.UPDATED,
    "downloads": Sort.DOWNLOADS,
    "likes": Sort.LIKES,
    "created": Sort.CREATED,
}
_FILTERS: Final = ("owner", "tag")


async def read_home(request: Request) -> Response:
    """``GET /``: what is new; with ``?q=`` what has this in its name."""
    text = " ".join(request.query_params.get("q", "").split())[:TEXT_CHARS_MAX]
    if text:
        return await _search(request, text)
    context = context_of(request)
    shelves, mine = await context.db.read(_gather_home, context.actor)
    page = HomePage(chrome_of(context), shelves, mine, is_new=not shelves)
    return show(request, "home/home.html", page)


async def read_list(request: Request, kind: RepoKind) -> Response:
    """``GET /models`` and the like."""
    context = context_of(request)
    asked = dict(request.query_params)
    word = asked.get("sort") if asked.get("sort") in SORTS else "updated"
    text = " ".join(asked.get("q", "").split())[:TEXT_CHARS_MAX]
    query = Query(
        kind=kind,
        search=tuple(text.split()[:WORDS_MAX]),
        author=asked.get("owner") or None,
        tags=(asked["tag"],) if asked.get("tag") else (),
        sort=SORTS[word or "updated"],
        limit=LIST_ROWS,
        after=asked.get("after") or None,
    )
    found = await context.db.read(list_repos, context.actor, query)
    page = _list_page(request, kind, text, word or "updated", found)
    return show(request, "hub/list.html", page)


def _list_page(
    request: Request, kind: RepoKind, text: str, word: str, found: Page[Repo, str]
) -> ListPage:
    url = LISTS[kind]
    asked = request.query_params
    filters = {name: asked[name][:TEXT_CHARS_MAX] for name in _FILTERS if asked.get(name)}
    sort = "" if word == "updated" else word
    kept = {"q": text, **filters}
    here = {**kept, "sort": sort}
    return ListPage(
        chrome=chrome_of(context_of(request), way=url),
        kind=kind.value,
        text=text,
        hidden=tuple((name, value) for name, value in {**filters, "sort": sort}.items() if value),
        sorts=tuple(
            Choice(each, with_query(url, {**kept, "sort": _spoken(each)}), each == word)
            for each in SORTS
        ),
        filters=tuple(
            Filter(name, value, with_query(url, {**here, name: ""}))
            for name, value in filters.items()
        ),
        rows=tuple(row_of(repo) for repo in found.items),
        first_url=with_query(url, here) if asked.get("after") else "",
        next_url=with_query(url, {**here, "after": found.end}) if found.end else "",
        plain_url=url,
    )


async def _search(request: Request, text: str) -> Response:
    context = context_of(request)
    shelves, owners = await context.db.read(_gather_found, context.actor, text)
    page = SearchPage(chrome_of(context), text, owners, shelves)
    return show(request, "home/search.html", page)


def _gather_home(tx: Tx, actor: Actor) -> tuple[tuple[Shelf, ...], tuple[Row, ...]]:
    shelves = [_shelf(tx, actor, kind, (), limit) for kind, limit in SHELF_ROWS.items()]
    mine: tuple[Repo, ...] = ()
    if not actor.is_anonymous:
        mine = list_repos(tx, actor, Query(author=actor.name, limit=MINE_ROWS)).items
    return tuple(shelf for shelf in shelves if shelf.rows), tuple(row_of(repo) for repo in mine)


def _gather_found(tx: Tx, actor: Actor, text: str) -> tuple[tuple[Shelf, ...], tuple[Owner, ...]]:
    words = tuple(text.split()[:WORDS_MAX])
    shelves = [_shelf(tx, actor, kind, words, FOUND_ROWS) for kind in RepoKind]
    exact = find_namespace(tx, text)
    alike = search_namespaces(tx, words, limit=FOUND_ROWS)
    found = {each.id: _owner(each) for each in (*([exact] if exact else []), *alike)}
    owners = tuple(found.values())[:FOUND_ROWS]
    return tuple(shelf for shelf in shelves if shelf.rows), owners


def _shelf(tx: Tx, actor: Actor, kind: RepoKind, words: tuple[str, ...], limit: int) -> Shelf:
    found = list_repos(tx, actor, Query(kind=kind, search=words, limit=limit))
    more = with_query(LISTS[kind], {"q": " ".join(words)}) if found.end or not words else ""
    return Shelf(kind.value, tuple(row_of(repo) for repo in found.items), more)


def _owner(namespace: Namespace) -> Owner:
    return Owner(namespace.name, namespace.full_name, is_organisation(namespace))


def is_organisation(namespace: Namespace) -> bool:
    """Whether a name stands for several people."""
    return namespace.kind.value == "organisation"


def _spoken(sort: str) -> str:
    return "" if sort == "updated" else sort
