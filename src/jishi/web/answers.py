"""From a request to the frame of its page, and from a page to an answer."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from importlib import metadata
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.db import utc_micros
from jishi.core.errors import Refusal
from jishi.http import Context, context_of, say
from jishi.people.persons import find_faults
from jishi.web.pages.chrome import Chrome
from jishi.web.templating import PageLike, render

RELEASE: Final = metadata.version("jishi")
ZIP_BYTES_MIN: Final = 1024
"""Shorter pages are sent as they are."""
TARGET_CHARS_MAX: Final = 2_000
"""Longer addresses are not repeated in links of the frame."""
LANGUAGES: Final = {"en": "en", "zh": "zh-Hans"}
"""By the first part of a tag: ``zh``, ``zh-CN`` and ``zh_Hans`` all mean our Chinese."""
THEMES: Final = ("light", "dark")
_FIELDS: Final = {
    "hub.already_yours": "name",
    "hub.bad_name": "name",
    "hub.repo_exists": "name",
    "people.anothers_name": "owner",
    "people.denied": "owner",
    "people.email_taken": "email",
    "people.password_too_long": "new",
    "people.password_too_short": "new",
    "people.wrong_password": "old",
}
"""Fields that refusals are about, where the refusal itself is all that is known."""
CHOICES: Final = frozenset(("lang", "theme"))
"""Parameters any page takes, kept in cookies of the same name."""
CHOICE_SECONDS: Final = 365 * 86_400


def chrome_of(context: Context, *, way: str = "", here: str = "") -> Chrome:
    """Return the frame of the page that is being answered.

    Args:
        here: Its address for GET, where a form was sent to another one.
    """
    here = here or context.target
    here = here if len(here) <= TARGET_CHARS_MAX else "/"
    other = "zh-Hans" if context.locale == "en" else "en"
    theme = "light" if context.theme == "dark" else "dark"
    return Chrome(
        locale=context.locale,
        theme=context.theme,
        now=utc_micros(),
        base=context.base,
        release=RELEASE,
        ways=context.navigation,
        way=way,
        here=here,
        language_url=_choosing(here, "lang", other),
        theme_url=_choosing(here, "theme", theme),
        name=context.actor.name,
        is_admin=context.actor.is_admin,
    )


def show(
    request: Request, template: str, page: PageLike, *, status: int = 200, secret: bool = False
) -> Response:
    """Answer with a page.

    Args:
        secret: Whether it shows something once; then nobody may keep it, and it is not
            compressed, so that its length tells nothing.
    """
    response = html(template, page, status=status)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    elif "gzip" in request.headers.get("accept-encoding", ""):
        _zip(response)
    return response


def html(template: str, page: PageLike, *, status: int = 200) -> Response:
    """Answer with a page where the request is not at hand."""
    headers = {"Vary": "Cookie, Accept-Language, Accept-Encoding"}
    return Response(render(template, page), status, headers, media_type="text/html")


def see_other(url: str) -> Response:
    """Send the browser on with GET, after something was done."""
    return Response(status_code=303, headers={"Location": url})


def said(request: Request, refusal: Refusal) -> str:
    """Return what a form says about why it was not taken."""
    return say({}, refusal, context_of(request)).text


async def said_of_fields(
    request: Request, refusal: Refusal, **typed: str
) -> tuple[str, dict[str, str]]:
    """Return what a form says of itself and beside its fields, all of them at once.

    Args:
        typed: Fields that ``people`` has rules for, by name.

    Returns:
        As ``beside``.
    """
    faults = await context_of(request).db.read(find_faults, **typed)
    wrong = {name: said(request, fault) if typed[name] else "" for name, fault in faults.items()}
    if any(fault.code == refusal.code for fault in faults.values()):
        return "", wrong
    problem, own = beside(request, refusal, *typed)
    return problem, wrong | own


def beside(request: Request, refusal: Refusal, *fields: str) -> tuple[str, dict[str, str]]:
    """Return what a form says of itself and beside the field that a refusal is about.

    Args:
        fields: Those of the form.

    Returns:
        What concerns no field, else empty; and by field what is wrong with it, empty where
        nothing was typed.
    """
    text, field_name = said(request, refusal), _FIELDS.get(refusal.code, "")
    return ("", {field_name: text}) if field_name in fields else (text, {})


def status_of(refusal: Refusal, context: Context) -> int:
    """Return the status of a form that was not taken."""
    return say({}, refusal, context).status


def field(form: Mapping[str, list[str]], name: str) -> str:
    """Return what a field of a form holds, without space around; empty if it is not there."""
    return next(iter(form.get(name, ())), "").strip()


def secret_field(form: Mapping[str, list[str]], name: str) -> str:
    """Return what a field holds as it was typed: a space may be part of a password."""
    return next(iter(form.get(name, ())), "")


def choose(request: Request) -> Response | None:
    """Keep a language or theme that the address asks for, and go on without the wish."""
    asked = request.query_params
    theme = asked.get("theme", "")
    wishes = {
        "lang": LANGUAGES.get(asked.get("lang", "").replace("_", "-").lower().partition("-")[0]),
        "theme": theme if theme in THEMES else None,
    }
    # An image in somebody's card is no wish of the reader's.
    if not any(wishes.values()) or request.headers.get("sec-fetch-dest", "document") != "document":
        return None
    path, _, query = context_of(request).target.partition("?")
    rest = urlencode(
        [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in CHOICES]
    )
    # Two slashes at the beginning would be another host.
    response = see_other("/" + path.lstrip("/") + (f"?{rest}" if rest else ""))
    for name, value in wishes.items():
        if value:
            response.set_cookie(name, value, max_age=CHOICE_SECONDS, path="/", samesite="lax")
    return response


def _choosing(here: str, name: str, value: str) -> str:
    path, _, query = here.partition("?")
    path = "/" + path.lstrip("/\\")  # two slashes at the beginning would be another host
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in CHOICES]
    return f"{path}?{urlencode([*kept, (name, value)])}"


def _zip(response: Response) -> None:
    if len(response.body) < ZIP_BYTES_MIN:
        return
    response.body = gzip.compress(response.body, 6, mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
