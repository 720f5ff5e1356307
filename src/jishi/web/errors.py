"""How pages say no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_, translate
from jishi.http import Context, Saying, say
from jishi.hub import RepoElsewhere, RepoKind
from jishi.web.addresses import repo_url
from jishi.web.answers import chrome_of, html, see_other
from jishi.web.pages.errors import ErrorPage

SAYINGS: Final[Mapping[str, Saying]] = {}
"""Our codes that pages answer in their own way: none so far."""

_STATES_OF_CODES: Final[Mapping[str, str]] = {
    "hub.repo_missing": "hidden",
    "people.denied": "no_role",
    "people.link_gone": "gone",
    "web.not_yet": "not_yet",
    "web.set_up_gone": "gone",
}
"""Where a kind says too little for a heading."""
_TEXTS: Final[Mapping[str, str]] = {
    "hub.revision_missing": N_("There is no branch, tag or commit {revision} here."),
    "people.sign_in_needed": N_("This needs an account here."),
}
"""What is said otherwise to readers than to programs."""
_STATES: Final[Mapping[Kind, str]] = {
    Kind.INVALID: "wrong",
    Kind.UNAUTHENTICATED: "sign_in",
    Kind.UNPAID: "wrong",
    Kind.DENIED: "forbidden",
    Kind.MISSING: "missing",
    Kind.CONFLICT: "conflict",
    Kind.TOO_LARGE: "wrong",
    Kind.THROTTLED: "later",
    Kind.UNAVAILABLE: "later",
}


def refuse(refusal: Refusal, context: Context) -> Response:
    """Answer a refusal with a page that says what to do instead."""
    if isinstance(refusal, RepoElsewhere):
        return _moved(refusal, context)
    said = say(SAYINGS, refusal, context)
    state = _STATES_OF_CODES.get(refusal.code) or _STATES[refusal.kind]
    own = _TEXTS.get(refusal.code)
    text = translate(own, context.locale).format_map(refusal.facts) if own else said.text
    page = ErrorPage(chrome_of(context), state, text, "")
    return html("errors/error.html", page, status=said.status)


def broken(context: Context, incident: str) -> Response:
    """Answer 500 with the number that the log has too."""
    page = ErrorPage(chrome_of(context), "broken", "", incident)
    return html("errors/error.html", page, status=500)


def _moved(refusal: RepoElsewhere, context: Context) -> Response:
    """Send the reader of a page to the same page of the repository's new name."""
    path, mark, query = context.target.partition("?")
    segment = path.lstrip("/").partition("/")[0]
    kind = {"datasets": RepoKind.DATASET, "spaces": RepoKind.SPACE}.get(segment, RepoKind.MODEL)
    before = 2 if kind is RepoKind.MODEL else 3
    rest = path.lstrip("/").split("/")[before:]
    address = "/".join([repo_url(kind, str(refusal.facts["path"])), *rest])
    return see_other(address + mark + query)
