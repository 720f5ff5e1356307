"""Files of a revision: resolve, raw, tree, paths-info."""

from __future__ import annotations

from typing import ClassVar, Final
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Kind, Refusal
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.http import (
    BadBody,
    answer_bytes,
    context_of,
    read_body,
    reply,
    user_content,
)
from jishi.hub import Entry, EntryMissing, cas, files
from jishi.hub.files import Located, Place
from jishi.wire.hf.addresses import api, kind_of, path_of, web
from jishi.wire.hf.query import flag, next_link, number
from jishi.wire.hf.shapes import PLURAL, entry_shape, quote_rev

TREE_MAX = 1000
TREE_EXPANDED_MAX = 100
PATHS_MAX = 2000
PATHS_BODY_BYTES_MAX = 10 << 20
OTHER_FIELDS_MAX = 10
"""Fields of the form beside the paths."""
QUICK_BODY_BYTES_MAX = 64 << 10
"""A longer body is read in a thread: the loop serves everybody."""
FILE_INFO: Final = "application/vnd.xet-fileinfo+json"


class TooManyPaths(Refusal):
    """More paths than one question may ask for."""

    code: ClassVar[str] = "wire.too_many_paths"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_("Ask for at most {paths_max} paths at once.")


async def resolve(request: Request) -> Response:
    """``GET|HEAD /{id}/resolve/{rev}/{path}``: the bytes, or what a client must know of them."""
    context = context_of(request)
    located = await _locate(request)
    place = located.place
    try:
        found = await files.open_located(context.node, located)
    except EntryMissing:
        return _missing(request, place)
    files.count_download(context.node, place, found.entry, context.actor, context.address)
    headers = _headers(request, place, found.entry)
    if FILE_INFO in request.headers.get("accept", "") and found.entry.xet_hash:
        shape = {
            "hash": found.entry.xet_hash,
            "size": found.entry.size,
            "etag": found.entry.sha256,
            "refreshUrl": _token_url(context.base, place),
            "reconstructionUrl": _reconstruction_url(context.base, found.entry),
        }
        return Response(msgspec.json.encode(shape), 200, headers, media_type=FILE_INFO)
    name = request.path_params["path"].rpartition("/")[2]
    headers |= user_content(
        name,
        download=flag(request, "download"),
        public=not place.repo.private,
        text=found.entry.sha256 is None and found.is_text,
    )
    return answer_bytes(request, found.source, headers=headers)


async def raw(request: Request) -> Response:
    """``GET /{id}/raw/{rev}/{path}``: the Git blob itself, a pointer for a large file."""
    context = context_of(request)
    located = await _locate(request)
    place = located.place
    try:
        found = await files.open_pointer(context.node, located)
    except EntryMissing:
        return _missing(request, place)
    headers = {"X-Repo-Commit": place.oid, "ETag": f'"{found.entry.oid}"'}
    name = request.path_params["path"].rpartition("/")[2]
    headers |= user_content(name, public=not place.repo.private, text=found.is_text)
    return answer_bytes(request, found.source, headers=headers)


async def tree(request: Request) -> Response:
    """``GET /api/{T}/{id}/tree/{rev}[/{path}]``."""
    context = context_of(request)
    expand = flag(request, "expand")
    place = await files.find_place(
        context.node, context.actor, kind_of(request), path_of(request), request.path_params["rev"]
    )
    most = TREE_EXPANDED_MAX if expand else TREE_MAX
    page = await files.list_folder(
        context.node,
        place,
        request.path_params.get("path", "").strip("/"),
        recursive=flag(request, "recursive"),
        after=request.query_params.get("cursor"),
        limit=number(request, "limit", most, most=most),
        with_commits=expand,
    )
    body = [entry_shape(entry, expand=expand) for entry in page.items]
    return reply(body, headers=next_link(request, context.base, page.end))


async def paths_info(request: Request) -> Response:
    """``POST /api/{T}/{id}/paths-info/{rev}``: form-encoded from Python, JSON from JavaScript."""
    context = context_of(request)
    # Rights before the body: who may see nothing has nothing read.
    place = await files.find_place(
        context.node, context.actor, kind_of(request), path_of(request), request.path_params["rev"]
    )
    body = await read_body(request, bytes_max=PATHS_BODY_BYTES_MAX)
    is_json = request.headers.get("content-type", "").startswith("application/json")
    read = _read_json if is_json else _read_form
    if len(body) > QUICK_BODY_BYTES_MAX:
        paths, expand = await hop(context.node.pool, read, body)
    else:
        paths, expand = read(body)
    if len(paths) > PATHS_MAX:
        raise TooManyPaths(paths_max=PATHS_MAX)
    entries = await files.find_entries(context.node, place, paths, with_commits=expand)
    return reply([entry_shape(entry, expand=expand) for entry in entries])


async def tree_size(request: Request) -> Response:
    """``GET /api/{T}/{id}/treesize/{rev}/{path}``."""
    context = context_of(request)
    place = await files.find_place(
        context.node, context.actor, kind_of(request), path_of(request), request.path_params["rev"]
    )
    path = request.path_params.get("path", "").strip("/")
    return reply({"path": path, "size": await files.folder_bytes(context.node, place, path)})


async def _locate(request: Request) -> Located:
    context = context_of(request)
    rev, path = request.path_params["rev"], request.path_params["path"]
    return await files.locate(
        context.node, context.actor, kind_of(request), path_of(request), rev, path
    )


def _missing(request: Request, place: Place) -> Response:
    """Say that a path is missing so that clients remember it: with the commit."""
    headers = {
        "X-Error-Code": "EntryNotFound",
        "X-Error-Message": "Entry not found",
        "X-Repo-Commit": place.oid,
    }
    body = {"error": f"Entry not found: {request.path_params['path']}"}
    return reply(body, status=404, headers=headers)


def _headers(request: Request, place: Place, entry: Entry) -> dict[str, str]:
    etag = entry.sha256 or entry.oid
    headers = {
        "X-Repo-Commit": place.oid,
        "ETag": f'"{etag}"',
        "Vary": "Origin, Accept",
        "Cache-Control": (
            "public, max-age=31536000, immutable"
            if request.path_params["rev"] == place.oid and not place.repo.private
            else "no-cache"
        ),
    }
    if entry.sha256 is not None:
        headers |= {"X-Linked-Etag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
    if entry.xet_hash is not None:
        base = context_of(request).base
        headers |= {
            "X-Xet-Hash": entry.xet_hash,
            "Link": f'<{_token_url(base, place)}>; rel="xet-auth", '
            f'<{_reconstruction_url(base, entry)}>; rel="xet-reconstruction-info"',
        }
    return headers


def _token_url(base: str, place: Place) -> str:
    repo = place.repo
    return f"{base}/api/{PLURAL[repo.kind]}/{repo.path}/xet-read-token/{quote_rev(place.oid)}"


def _reconstruction_url(base: str, entry: Entry) -> str:
    return f"{base}{cas.BASE_PATH}/v1/reconstructions/{entry.xet_hash}"


def _read_json(body: bytes) -> tuple[list[str], bool]:
    try:
        asked = msgspec.json.decode(body, type=_PathsBody)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadBody(problem=str(error)) from error
    return asked.paths, asked.expand


def _read_form(body: bytes) -> tuple[list[str], bool]:
    text = body.decode("utf-8", "replace")
    if text.count("&") > PATHS_MAX + OTHER_FIELDS_MAX:  # before parsing, which takes seconds
        raise TooManyPaths(paths_max=PATHS_MAX)
    form = parse_qs(text, keep_blank_values=True)
    return form.get("paths", []), form.get("expand", [""])[-1].lower() == "true"


class _PathsBody(msgspec.Struct):
    paths: list[str]
    expand: bool = False


ROUTES: Final = (
    *web("GET", "/resolve/{rev}/{path...}", resolve),
    *web("GET", "/raw/{rev}/{path...}", raw),
    *api("GET", "/tree/{rev}", tree),
    *api("GET", "/tree/{rev}/{path...}", tree),
    *api("POST", "/paths-info/{rev}", paths_info),
    *api("GET", "/treesize/{rev}", tree_size),
    *api("GET", "/treesize/{rev}/{path...}", tree_size),
)
