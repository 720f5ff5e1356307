"""Addresses of pages and files, quoted as the router unquotes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from jishi.hub import RepoKind

PREFIX: Final[Mapping[RepoKind, str]] = {
    RepoKind.MODEL: "/",
    RepoKind.DATASET: "/datasets/",
    RepoKind.SPACE: "/spaces/",
}
LISTS: Final[Mapping[RepoKind, str]] = {
    RepoKind.MODEL: "/models",
    RepoKind.DATASET: "/datasets",
    RepoKind.SPACE: "/spaces",
}


def repo_url(kind: RepoKind, path: str) -> str:
    """Return the page of the repository ``namespace/name``."""
    return PREFIX[kind] + quote(path)


def at_revision(repo: str, view: str, revision: str, path: str = "") -> str:
    """Return the address of a view of a revision, of a file or folder in it.

    Args:
        repo: ``repo_url``.
        view: ``tree``, ``blob``, ``raw``, ``resolve`` or ``commits``.
    """
    base = f"{repo}/{view}/{quote(revision, safe='')}"
    return f"{base}/{quote(path)}" if path else base


def with_query(path: str, query: Mapping[str, str]) -> str:
    """Return ``path`` with those of ``query`` that are not empty."""
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path
