"""The frame around every page: head, navigation, who is signed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chrome:
    """What ``base.html`` shows around a page.

    Attributes:
        theme: ``light``, ``dark``, or empty where the system decides.
        now: Microseconds UTC, for "two hours ago".
        base: Origin of this installation, for commands people copy.
        release: Version of the software.
        ways: Addresses in the main navigation.
        way: The one of them that this page belongs to, else empty.
        here: This page's own address, where signing in comes back to.
        language_url: This page in the other language.
        theme_url: This page in the other theme, for browsers without scripts.
        name: Who is signed in, empty for a visitor.
    """

    locale: str
    theme: str
    now: int
    base: str
    release: str
    ways: tuple[str, ...]
    way: str
    here: str
    language_url: str
    theme_url: str
    name: str
    is_admin: bool
