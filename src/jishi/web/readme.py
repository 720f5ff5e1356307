"""Cards and other documents, rendered once for each of their versions."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request

from jishi.core.recent import Recent
from jishi.http import context_of
from jishi.http.markdown import Place as MarkdownPlace
from jishi.http.rendering import colour_lines, render_card
from jishi.hub import Entry
from jishi.hub.files import Place, read_small
from jishi.web.addresses import at_revision, repo_url

DOCUMENT_BYTES_MAX: Final = 1_000_000
KEPT_CHARS_MAX: Final = 16_000_000


_kept: Final = Recent[Markup](KEPT_CHARS_MAX, len)
"""The HTML of documents: a name of a blob never changes."""
_lines: Final = Recent[tuple[Markup, ...]](KEPT_CHARS_MAX, lambda lines: sum(map(len, lines)))
"""Coloured code, by blob and language."""


async def read_document(request: Request, place: Place, entry: Entry) -> Markup | None:
    """Return a Markdown file of a revision as HTML; ``None`` for one that Git does not hold.

    Cost: nothing the second time in the same language.
    """
    if entry.is_folder or entry.sha256 is not None:
        return None
    context = context_of(request)
    node, locale = context.node, context.locale
    repo = repo_url(place.repo.kind, place.repo.path)
    at = MarkdownPlace(
        pages=at_revision(repo, "blob", place.revision),
        files=at_revision(repo, "resolve", place.revision),
        folder=quote(entry.path.rpartition("/")[0]),
    )
    key = (entry.oid, at.pages, at.folder, locale)
    html = _kept.find(key)
    if html is None:
        data = await read_small(node, place, entry, bytes_max=DOCUMENT_BYTES_MAX)
        text = data.decode("utf-8", "replace")
        html, is_final = await render_card(text, at, locale)
        html = html.strip()
        if is_final:
            _kept.put(key, html)
    return html


async def read_code(entry: Entry, text: str, language: str) -> tuple[Markup, ...]:
    """Return the lines of a file, coloured if ``language`` is one we know."""
    key = (entry.oid, language)
    lines = _lines.find(key)
    if lines is None:
        lines, is_final = await colour_lines(text, language)
        if is_final:
            _lines.put(key, lines)
    return lines
