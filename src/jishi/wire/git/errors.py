"""Refusals as Git shows them: a status and plain words, printed after ``remote:``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.http import Context, Saying, header_text, say

UNAUTHENTICATED: Final = 401
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Jishi"'}
RETRY_SECONDS: Final = "30"

SAYINGS: Final[Mapping[str, Saying]] = {
    "hub.repo_missing": Saying(404, "RepoNotFound", anonymous=401),
    "wire.git_no_push": Saying(403),
    "wire.git_too_old": Saying(403),
    "wire.git_media_type": Saying(415),
}
"""Our codes in the dialect's numbers.  401 makes Git ask its user for a name and a token."""


class NoPush(Refusal):
    """Git itself cannot write here; the clients of the hub can."""

    code: ClassVar[str] = "wire.git_no_push"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_(
        "This server does not take git push. Upload the files of this folder with:\n"
        "    HF_ENDPOINT={base} hf upload {words} .\n"
        "That makes one commit of what changed. More: hf upload --help"
    )


class TooOld(Refusal):
    """The client asks for files of a repository, as Git did before 1.6.6."""

    code: ClassVar[str] = "wire.git_too_old"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("Only Git's smart protocol is spoken here. Update your git client.")


class WrongMediaType(Refusal):
    """The body is not announced as a request of the protocol."""

    code: ClassVar[str] = "wire.git_media_type"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The body must be announced as {wanted}.")


def refuse(refusal: Refusal, context: Context) -> Response:
    """Answer a refusal in words that Git prints for its user."""
    if refusal.code == "hub.repo_elsewhere":
        return _redirect(refusal, context)
    said = say(SAYINGS, refusal, context)
    headers = {"X-Error-Message": header_text(refusal)}
    if said.word:
        headers["X-Error-Code"] = said.word
    if said.status == UNAUTHENTICATED:
        headers |= CHALLENGE
    if refusal.code == "git.too_busy":
        headers["Retry-After"] = RETRY_SECONDS
    return PlainTextResponse(said.text + "\n", said.status, headers)


def _redirect(refusal: Refusal, context: Context) -> Response:
    """Send a client to a repository's new name; Git follows and keeps to the new address."""
    path, mark, query = context.target.partition("?")
    parts = path.split("/")
    end = len(parts) - (2 if parts[-1] == "refs" else 1)
    name = quote(str(refusal.facts["path"]))
    parts[end - 2 : end] = [name + ".git" * parts[end - 1].endswith(".git")]
    return Response(
        status_code=307, headers={"Location": "/" + "/".join(parts).lstrip("/") + mark + query}
    )
