"""Lists of repositories and what belongs to one owner."""

from __future__ import annotations

from dataclasses import dataclass

from jishi.web.pages.chrome import Chrome


@dataclass(frozen=True, slots=True)
class Parent:
    """A model this one says it was made from.

    Attributes:
        relation: ``finetune``, ``adapter``, ``quantized``, ``merge``, or empty.
        url: Its page, empty if the visitor sees none here or nobody has looked.
    """

    path: str
    relation: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A repository in a list.

    Attributes:
        task: A word of its card, empty if it says none; as ``licence`` and ``library``.
        updated_at: Microseconds UTC.
    """

    kind: str
    owner: str
    name: str
    url: str
    private: bool
    task: str
    licence: str
    library: str
    parents: tuple[Parent, ...]
    downloads_30d: int
    likes: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A link of which one is chosen.

    Attributes:
        word: What the template has a word for.
    """

    word: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that is on, and the list without it.

    Attributes:
        field: ``owner`` or ``tag``.
    """

    field: str
    text: str
    without_url: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """``hub/list.html``.

    Attributes:
        kind: ``model``, ``dataset`` or ``space``.
        text: What was looked for.
        hidden: Name and value of what the search form must keep.
        first_url: The first page, where this is another; else empty.
        next_url: The following page, empty at the end.
    """

    chrome: Chrome
    kind: str
    text: str
    hidden: tuple[tuple[str, str], ...]
    sorts: tuple[Choice, ...]
    filters: tuple[Filter, ...]
    rows: tuple[Row, ...]
    first_url: str
    next_url: str
    plain_url: str


@dataclass(frozen=True, slots=True)
class Stock:
    """How many repositories of a kind an owner has, and the latest of them."""

    kind: str
    count: int
    rows: tuple[Row, ...]
    all_url: str


@dataclass(frozen=True, slots=True)
class Tie:
    """A member of an organisation, or an organisation of a person.

    Attributes:
        role: ``read``, ``contributor``, ``write`` or ``admin``.
    """

    name: str
    full_name: str
    role: str


@dataclass(frozen=True, slots=True)
class OwnerPage:
    """``hub/owner.html``.

    Attributes:
        ties: Members of an organisation, organisations of a person; the first of them.
        more_ties: Whether there are more.
        may_create: Whether the visitor may make a repository here.
        may_manage: Whether the visitor may change the organisation and its members.
        since: Microseconds UTC.
        done: ``deleted`` where a repository just was, else empty.
    """

    chrome: Chrome
    name: str
    full_name: str
    is_organisation: bool
    since: int
    stocks: tuple[Stock, ...]
    ties: tuple[Tie, ...]
    more_ties: bool
    may_create: bool
    may_manage: bool
    done: str
