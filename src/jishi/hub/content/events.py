"""Facts about large contents."""

from __future__ import annotations

from typing import ClassVar

from jishi.core.events import Event


class ContentVerified(Event, frozen=True):
    """We hashed a content that until then only its uploader had hashed."""

    name: ClassVar[str] = "hub.ContentVerified"

    repo: str
    sha256: str


class ContentBlocked(Event, frozen=True):
    """A content has another digest than its uploader said; it is not answered any more."""

    name: ClassVar[str] = "hub.ContentBlocked"

    repo: str
    sha256: str
