"""The session cookie: one name over https, one over plain http.

Over https it is ``__Host-``: no other host can set it.  Over plain http, localhost included,
that name needs ``Secure``, and Safari stores no such cookie there; nothing is lost, for ports
of one host share their cookies under either name.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.http.context import Context, context_of

__all__ = [
    "drop_session_cookie",
    "give_session_cookie",
    "session_cookie_name",
    "session_secret",
]

SECURE_NAME: Final = "__Host-jishi"
PLAIN_NAME: Final = "jishi"


def session_cookie_name(base: str) -> str:
    """Return the cookie's name at the origin ``base``."""
    return SECURE_NAME if base.startswith("https:") else PLAIN_NAME


def session_secret(request: Request) -> str:
    """Return what the session cookie holds, empty if there is none."""
    return request.cookies.get(session_cookie_name(context_of(request).base), "")


def give_session_cookie(response: Response, context: Context, secret: str, *, max_age: int) -> None:
    """Sign the browser in.

    Args:
        max_age: Seconds.
    """
    name = session_cookie_name(context.base)
    response.set_cookie(
        name,
        secret,
        max_age=max_age,
        path="/",
        secure=name == SECURE_NAME,
        httponly=True,
        samesite="lax",
    )


def drop_session_cookie(response: Response, context: Context) -> None:
    """Sign the browser out."""
    give_session_cookie(response, context, "", max_age=0)
