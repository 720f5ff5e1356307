"""Query strings as the generations of clients send them."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from starlette.requests import Request

INT_DIGITS_MAX = 9


def flag(request: Request, name: str) -> bool:
    """Whether a switch is on: ``true`` from httpx, ``True`` from requests, ``1`` by hand."""
    return request.query_params.get(name, "").lower() in {"true", "1"}


def number(request: Request, name: str, default: int, *, most: int, least: int = 1) -> int:
    """Return a count between ``least`` and ``most``; nonsense is the default."""
    text = request.query_params.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > INT_DIGITS_MAX:
        return default
    return max(least, min(int(text), most))


def many(request: Request, name: str) -> list[str]:
    """Return a repeated parameter, also when written ``name[]`` or joined with commas."""
    values = request.query_params.getlist(name) + request.query_params.getlist(f"{name}[]")
    return [part for value in values for part in value.split(",") if part]


def next_link(
    request: Request, base: str, cursor: str | None, *, without: Collection[str] = ()
) -> dict[str, str]:
    """Return the header that leads to the next page: absolute, all parameters kept.

    Args:
        without: Parameters that say where to begin in another way.
    """
    if cursor is None:
        return {}
    gone = {"cursor", *without}
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in gone]
    path = request.scope["raw_path"].decode("latin-1")
    return {"Link": f'<{base}{path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'}
