"""Cards and other documents, rendered once for each of their versions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request

from jishi.core.hop import hop
from jishi.http import context_of
from jishi.http.markdown import Place as MarkdownPlace
from jishi.http.markdown import render_markdown
from jishi.hub import Entry
from jishi.hub.files import Place, read_small
from jishi.web.addresses import at_revision, repo_url

DOCUMENT_BYTES_MAX: Final = 1_000_000
HERE_BYTES_MAX: Final = 32 << 10
"""Longer documents are rendered by a thread; shorter ones take less than a hop costs twice."""
KEPT_CHARS_MAX: Final = 16_000_000


class _Kept:
    """The HTML of documents, the least used goes first; a name of a blob never changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._html: OrderedDict[tuple[str, ...], Markup] = OrderedDict()
        self._chars = 0

    def find(self, key: tuple[str, ...]) -> Markup | None:
        with self._lock:
            if key in self._html:
                self._html.move_to_end(key)
            return self._html.get(key)

    def keep(self, key: tuple[str, ...], html: Markup) -> None:
        with self._lock:
            if key not in self._html:
                self._chars += len(html)
            self._html[key] = html
            while self._chars > KEPT_CHARS_MAX:
                _, gone = self._html.popitem(last=False)
                self._chars -= len(gone)


_kept = _Kept()


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
        if len(data) > HERE_BYTES_MAX:
            html = await hop(node.pool, render_markdown, text, at, locale)
        else:
            html = render_markdown(text, at, locale)
        html = html.strip()
        _kept.keep(key, html)
    return html
