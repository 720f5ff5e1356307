"""Headers every answer gets unless its handler said otherwise: safe by default."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "PREFLIGHT",
    "is_cross_origin",
    "with_defaults",
]

_RESOLVE: Final = re.compile(rb"/(?:datasets/|spaces/)?[^/]+/[^/]+/resolve/")
"""Where files are; a folder of this name does not open the pages about it."""

Fields = list[tuple[bytes, bytes]]

_EVERYWHERE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)
_DATA: Final = ((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),)
_PAGE_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"media-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; "
    b"worker-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types jishi"
)
_PAGE: Final = (
    (b"content-security-policy", _PAGE_POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cache-control", b"private, no-cache"),
)
_EXPOSED: Final = (
    b"Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Link, Location, "
    b"X-Error-Code, X-Error-Message, X-Linked-Etag, X-Linked-Size, X-Repo-Commit, X-Request-Id, "
    b"X-Xet-Hash, X-Xet-Refresh-Route"
)
_CROSS_ORIGIN: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", _EXPOSED),
    (b"vary", b"Origin, Accept"),
)
"""For files read by scripts of other sites.

``*`` never goes with cookies: what is private there takes a token that the script has.
"""
PREFLIGHT: Final = (
    *_CROSS_ORIGIN,
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Authorization, Range, If-None-Match, X-Request-Id"),
    (b"access-control-max-age", b"86400"),
)


def is_cross_origin(raw_path: bytes) -> bool:
    """Whether scripts of other sites may read what is at this address."""
    return _RESOLVE.match(raw_path) is not None


def with_defaults(fields: Fields, raw_path: bytes, request_id: str) -> Fields:
    """Return ``fields`` with the defaults for what they leave open."""
    named = dict(fields)
    is_page = named.get(b"content-type", b"").startswith(b"text/html")
    defaults = _EVERYWHERE + (_PAGE if is_page else _DATA)
    if is_cross_origin(raw_path):
        defaults += _CROSS_ORIGIN
    missing = [field for field in defaults if field[0] not in named]
    return [*fields, *missing, (b"x-request-id", request_id.encode("latin-1"))]
