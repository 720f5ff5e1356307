"""The home page, and what a search over all kinds finds."""

from __future__ import annotations

from dataclasses import dataclass

from jishi.web.pages.chrome import Chrome
from jishi.web.pages.lists import Row


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some repositories of one kind.

    Attributes:
        kind: ``model``, ``dataset`` or ``space``.
        all_url: Where the others are; empty if these are all.
    """

    kind: str
    rows: tuple[Row, ...]
    all_url: str


@dataclass(frozen=True, slots=True)
class HomePage:
    """``home/home.html``.

    Attributes:
        shelves: Only those that are not empty.
        mine: The visitor's own latest repositories, of any kind.
        is_new: Whether there is nothing here that anybody could see.
    """

    chrome: Chrome
    shelves: tuple[Shelf, ...]
    mine: tuple[Row, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose name holds what was looked for.

    Attributes:
        is_organisation: Else a person.
    """

    name: str
    full_name: str
    is_organisation: bool


@dataclass(frozen=True, slots=True)
class SearchPage:
    """``home/search.html``.

    Attributes:
        text: What was looked for.
        owners: The first of them.
        shelves: Only those that are not empty.
    """

    chrome: Chrome
    text: str
    owners: tuple[Owner, ...]
    shelves: tuple[Shelf, ...]
