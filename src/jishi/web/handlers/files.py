"""Folders and files of a revision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import Tx
from jishi.core.paging import Page
from jishi.http import context_of
from jishi.http.markdown import language_of
from jishi.hub import Entry, LastCommit, Node, RepoKind, content
from jishi.hub.files import (
    CommitInfo,
    Place,
    find_entry,
    find_place,
    list_commits,
    list_folder,
    read_small,
)
from jishi.hub.refs import Refs, refs_of
from jishi.web.addresses import LISTS, at_revision, repo_url, with_query
from jishi.web.answers import chrome_of, see_other, show
from jishi.web.handlers.repos import read_head, repo_path
from jishi.web.pages.files import (
    Change,
    Crumb,
    EntryRow,
    FilePage,
    FolderPage,
    LargeFacts,
    Revisions,
)
from jishi.web.readme import read_code, read_document

FOLDER_ROWS: Final = 200
COLOURED_BYTES_MAX: Final = 64 << 10
"""Longer text is shown without colours."""
SHOWN_BYTES_MAX: Final = 512 << 10
"""Longer text is not shown at all."""
SHOWN_LINES_MAX: Final = 10_000
REFS_SHOWN: Final = 200
_MEDIA: Final = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "bmp", "ico"), "image"),
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "m4a"), "audio"),
    **dict.fromkeys(("mp4", "webm"), "video"),
}
_DOCUMENTS: Final = frozenset(("md", "markdown"))


async def read_folder(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/tree/{rev}[/{path...}]``."""
    node, folder = context_of(request).node, request.path_params.get("path", "").rstrip("/")
    place = await _find_place(request, kind)
    own = await find_entry(node, place, folder, with_commits=True) if folder else None
    if own is not None and not own.is_folder:
        return see_other(_url(place, "blob", folder))
    page = await _folder_page(request, place, folder, own)
    return show(request, "hub/folder.html", page)


async def read_file(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/blob/{rev}/{path...}``."""
    node, path = context_of(request).node, request.path_params["path"]
    place = await _find_place(request, kind)
    entry = await find_entry(node, place, path, with_commits=True)
    if entry.is_folder:
        return see_other(_url(place, "tree", entry.path))
    return show(request, "hub/file.html", await _file_page(request, place, entry))


async def _folder_page(
    request: Request, place: Place, folder: str, own: Entry | None
) -> FolderPage:
    context = context_of(request)
    node, after = context.node, request.query_params.get("after") or None
    listed = await list_folder(
        node, place, folder, after=after, limit=FOLDER_ROWS, with_commits=True
    )
    readme = next((e for e in listed.items if folder and e.path == f"{folder}/README.md"), None)
    here = _url(place, "tree", folder)
    return FolderPage(
        chrome=chrome_of(context, way=LISTS[place.repo.kind]),
        head=await read_head(request, place, "files"),
        revisions=await read_revisions(request, place, "tree", folder),
        crumbs=_crumbs(place, folder),
        latest=await _latest(node, place, own),
        entries=await _rows(node, place, _folders_first(listed, after)),
        first_url=here if after else "",
        next_url=with_query(here, {"after": listed.end}) if listed.end else "",
        readme_html=await read_document(request, place, readme) if readme else None,
    )


async def _file_page(request: Request, place: Place, entry: Entry) -> FilePage:
    context = context_of(request)
    large, is_blocked = await _large(context.node, place, entry)
    plain = request.query_params.get("plain") == "1"
    seen = await _look(request, place, entry, plain=plain, is_blocked=is_blocked)
    bytes_url = _url(place, "resolve", entry.path)
    return FilePage(
        chrome=chrome_of(context, way=LISTS[place.repo.kind]),
        head=await read_head(request, place, "files"),
        revisions=await read_revisions(request, place, "blob", entry.path),
        crumbs=_crumbs(place, entry.path),
        name=entry.path.rpartition("/")[2],
        size=entry.size,
        last=change_of(place, entry.last),
        raw_url=bytes_url,
        download_url=f"{bytes_url}?download=true",
        history_url=_url(place, "commits", entry.path),
        other_view_url=_other_view(place, entry, seen.view),
        view=seen.view,
        lines=seen.lines,
        html=seen.html,
        large=large,
    )


async def read_revisions(request: Request, place: Place, view: str, path: str) -> Revisions:
    """Return the menu of branches and tags, each with the address of this page there."""
    refs = await context_of(request).db.read(_refs, place)

    def at(name: str) -> tuple[str, str]:
        return name, at_revision(repo_url(place.repo.kind, place.repo.path), view, name, path)

    return Revisions(
        chosen=place.revision,
        is_commit=place.ref is None,
        branches=tuple(at(each.name) for each in refs.branches[:REFS_SHOWN]),
        tags=tuple(at(each.name) for each in refs.tags[:REFS_SHOWN]),
    )


def change_of(place: Place, info: CommitInfo | LastCommit | None) -> Change | None:
    """Return a commit in one line."""
    if info is None:
        return None
    url = f"{repo_url(place.repo.kind, place.repo.path)}/commit/{info.oid}"
    return Change(info.oid, url, info.title or info.oid[:7], info.author, info.at)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a file is shown."""

    view: str
    lines: tuple[Markup, ...] = ()
    html: Markup | None = None


async def _look(
    request: Request, place: Place, entry: Entry, *, plain: bool, is_blocked: bool
) -> _Seen:
    ending = entry.path.rpartition(".")[2].lower()
    if is_blocked:
        return _Seen("blocked")
    if ending in _MEDIA and not plain:
        return _Seen(_MEDIA[ending])
    if entry.sha256 is not None:
        return _Seen("binary")
    if ending in _DOCUMENTS and not plain:
        return _Seen("rendered", html=await read_document(request, place, entry))
    return await _read(context_of(request).node, place, entry)


async def _read(node: Node, place: Place, entry: Entry) -> _Seen:
    if entry.size > SHOWN_BYTES_MAX:
        return _Seen("large")
    data = await read_small(node, place, entry, bytes_max=SHOWN_BYTES_MAX)
    text = _text_of(data)
    if text is None:
        return _Seen("binary")
    if text.count("\n") > SHOWN_LINES_MAX:
        return _Seen("large")
    language = language_of(entry.path) if len(data) <= COLOURED_BYTES_MAX else ""
    return _Seen("code", lines=await read_code(entry, text, language))


def _text_of(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _other_view(place: Place, entry: Entry, view: str) -> str:
    ending = entry.path.rpartition(".")[2].lower()
    here = _url(place, "blob", entry.path)
    if view == "rendered" or (view == "image" and ending == "svg" and entry.sha256 is None):
        return f"{here}?plain=1"
    is_twofold = ending in _DOCUMENTS or ending == "svg"
    return here if view == "code" and is_twofold else ""


async def _large(node: Node, place: Place, entry: Entry) -> tuple[LargeFacts | None, bool]:
    if entry.sha256 is None:
        return None, False
    known = await node.db.read(content.find, place.repo.id, bytes.fromhex(entry.sha256))
    if known is None:
        return LargeFacts(entry.sha256, "", is_verified=False), False
    stored_as = "chunks" if known.xet_file_id is not None else "plain"
    return LargeFacts(entry.sha256, stored_as, known.is_verified), known.is_blocked


def _folders_first(listed: Page[Entry, str], after: str | None) -> Sequence[Entry]:
    """Return a whole folder with its folders first; one of several pages keeps Git's order."""
    if after or listed.end:
        return listed.items
    return sorted(listed.items, key=lambda entry: not entry.is_folder)


async def _rows(node: Node, place: Place, entries: Sequence[Entry]) -> tuple[EntryRow, ...]:
    large = [bytes.fromhex(entry.sha256) for entry in entries if entry.sha256]
    known = await node.db.read(content.find_many, place.repo.id, large) if large else {}
    blocked = {digest.hex() for digest, each in known.items() if each.is_blocked}
    return tuple(
        EntryRow(
            name=entry.path.rpartition("/")[2],
            url=_url(place, "tree" if entry.is_folder else "blob", entry.path),
            is_folder=entry.is_folder,
            size=None if entry.is_folder else entry.size,
            is_large=entry.sha256 is not None,
            is_blocked=entry.sha256 in blocked,
            last=change_of(place, entry.last),
        )
        for entry in entries
    )


async def _latest(node: Node, place: Place, own: Entry | None) -> Change | None:
    if own is not None:
        return change_of(place, own.last)
    newest = await list_commits(node, place, limit=1)
    return change_of(place, next(iter(newest.items), None))


async def _find_place(request: Request, kind: RepoKind) -> Place:
    context = context_of(request)
    revision = request.path_params["rev"]
    return await find_place(context.node, context.actor, kind, repo_path(request), revision)


def _crumbs(place: Place, path: str) -> tuple[Crumb, ...]:
    parts = path.split("/") if path else []
    above = [
        Crumb(name, _url(place, "tree", "/".join(parts[: depth + 1])))
        for depth, name in enumerate(parts[:-1])
    ]
    top = Crumb(place.repo.name, _url(place, "tree") if parts else "")
    return (top, *above, *(Crumb(name, "") for name in parts[-1:]))


def _url(place: Place, view: str, path: str = "") -> str:
    repo = repo_url(place.repo.kind, place.repo.path)
    return at_revision(repo, view, place.revision, path)


def _refs(tx: Tx, place: Place) -> Refs:
    return refs_of(tx, place.repo)
