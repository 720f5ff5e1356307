"""Style sheet, scripts and pictures: read once, served under a name that changes with them.

The style sheets in ``static/css`` are one file for browsers, in the order of their names.
Scripts are served as written; they import each other by relative path, which the hash in
the folder's name makes immutable too.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
HASH_CHARS: Final = 12


class NoStaticFile(Refusal):
    """There is no such file, or it belongs to another release."""

    code: ClassVar[str] = "web.no_static_file"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("This file belongs to another release. Please reload the page.")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served.

    Attributes:
        zipped: The same with gzip at its best.
    """

    media_type: str
    plain: bytes
    zipped: bytes


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All of them.

    Attributes:
        folder: ``/static/<hash>``, before the names in ``by_name``.
    """

    folder: str
    by_name: Mapping[str, StaticFile]


@cache
def static_files() -> StaticFiles:
    """Read the files; later calls cost nothing."""
    root = files("jishi.web") / "static"
    sheets = sorted((root / "css").iterdir(), key=lambda file: file.name)
    plain = {"jishi.css": b"\n".join(file.read_bytes() for file in sheets)}
    plain |= {f"js/{file.name}": file.read_bytes() for file in (root / "js").iterdir()}
    plain |= {file.name: file.read_bytes() for file in root.iterdir() if _is_picture(file)}
    digest = hashlib.sha256()
    for name in sorted(plain):
        digest.update(name.encode() + b"\0" + plain[name] + b"\0")
    found = {name: _prepare(name, data) for name, data in plain.items()}
    return StaticFiles(f"/static/{digest.hexdigest()[:HASH_CHARS]}", found)


async def read_static(request: Request) -> Response:
    """``GET /static/{hash}/{name...}``."""
    known = static_files()
    name = request.path_params["name"]
    file = known.by_name.get(name)
    if file is None or f"/static/{request.path_params['hash']}" != known.folder:
        raise NoStaticFile
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.zipped, headers=headers, media_type=file.media_type)
    return Response(file.plain, headers=headers, media_type=file.media_type)


async def read_icon(_request: Request) -> Response:
    """``GET /favicon.ico``: for those who do not read that pages name another one."""
    return Response(status_code=302, headers={"Location": f"{static_files().folder}/seal.svg"})


async def read_robots(_request: Request) -> Response:
    """``GET /robots.txt``: a hub of one's own is not for search engines."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


def _is_picture(file: Traversable) -> bool:
    return file.name.endswith(".svg")


def _prepare(name: str, data: bytes) -> StaticFile:
    ending = name.rpartition(".")[2]
    return StaticFile(_TYPES[ending], data, gzip.compress(data, 9, mtime=0))
