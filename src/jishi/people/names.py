"""The names in front of the slash: one table for people and organisations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.ids import new_id
from jishi.core.paging import PAGE_MAX
from jishi.core.sql import insert_once
from jishi.people import tables
from jishi.people.actors import Actor, AnothersName, Denied, Role
from jishi.people.reserved import RESERVED

__all__ = [
    "BadFullName",
    "BadName",
    "NameReserved",
    "NameTaken",
    "Namespace",
    "NamespaceKind",
    "check_name",
    "find_namespace",
    "require_role",
    "search_namespaces",
]

NAME_CHARS_MAX = 42
FULL_NAME_CHARS_MAX = 100
WORDS_MAX = 8

_RULE: Final = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])+")
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")


@unique
class NamespaceKind(StrEnum):
    """Whose name it is."""

    PERSON = "person"
    ORGANISATION = "organisation"


class BadName(Refusal):
    """The name breaks the naming rule."""

    code: ClassVar[str] = "people.bad_name"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "{name} is not a valid name: 2 to 42 letters, digits and single dashes between them, "
        "not digits alone."
    )


class NameReserved(Refusal):
    """The name is, or may become, a part of an address."""

    code: ClassVar[str] = "people.name_reserved"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The name {name} is reserved. Choose another one.")


class NameTaken(Refusal):
    """A person or an organisation has the name, in some spelling."""

    code: ClassVar[str] = "people.name_taken"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("The name {name} is taken.")


class BadFullName(Refusal):
    """The full name is too long or holds control characters."""

    code: ClassVar[str] = "people.bad_full_name"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("A full name is one line of at most {chars_max} characters.")


@dataclass(frozen=True, slots=True)
class Namespace:
    """A name that is taken, and by what.

    Attributes:
        id: The row, also of the person or organisation.
        name: In the spelling it was given.
        private_by_default: Whether new repositories are private if nobody says otherwise.
        created_at: Microseconds UTC.
    """

    id: int
    public_id: str
    name: str
    full_name: str
    kind: NamespaceKind
    private_by_default: bool
    created_at: int

    @property
    def is_person(self) -> bool:
        """Whether it is a person's own."""
        return self.kind is NamespaceKind.PERSON


def check_name(name: str) -> None:
    """Insist on the naming rule.

    Raises:
        BadName: If the name breaks it.
        NameReserved: If it may become an address.
    """
    fits = len(name) <= NAME_CHARS_MAX and _RULE.fullmatch(name) is not None
    if not fits or name.isdigit() or _OBJECT_ID.fullmatch(name.lower()) is not None:
        raise BadName(name=name[: NAME_CHARS_MAX + 1])
    if name.lower() in RESERVED:
        raise NameReserved(name=name)


def check_full_name(full_name: str) -> None:
    """Insist on one printable line.

    Raises:
        BadFullName: If it is something else.
    """
    if len(full_name) > FULL_NAME_CHARS_MAX or not full_name.isprintable():
        raise BadFullName(chars_max=FULL_NAME_CHARS_MAX)


def find_namespace(tx: Tx, name: str) -> Namespace | None:
    """Return who has ``name``, compared without case."""
    row = tx.conn.execute(_BY_NAME, {"name_key": name.lower()}).one_or_none()
    return None if row is None else to_namespace(row)


def search_namespaces(tx: Tx, words: Sequence[str], *, limit: int) -> tuple[Namespace, ...]:
    """Return people and organisations, by name, whose name and full name hold all ``words``.

    Args:
        words: Compared without case; at most ``WORDS_MAX`` of them.
        limit: At most ``PAGE_MAX``.
    """
    statement = SEARCH
    for word in words[:WORDS_MAX]:
        lowered = word.lower()
        statement = statement.where(
            _n.name_key.contains(lowered, autoescape=True)
            | _n.full_name.contains(word, autoescape=True)
            | sa.func.lower(_n.full_name).contains(lowered, autoescape=True)
        )
    rows = tx.conn.execute(statement.limit(min(limit, PAGE_MAX)))
    return tuple(to_namespace(row) for row in rows)


def require_role(tx: Tx, actor: Actor, role: Role, namespace: str) -> None:
    """Insist on ``role`` for something that changes ``namespace``; ``Actor.require`` in words.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        AnothersName: If the namespace is another person's.
        Denied: If the role is missing.
    """
    try:
        actor.require(role, namespace)
    except Denied as denied:
        found = find_namespace(tx, namespace)
        if found is not None and found.is_person:
            raise AnothersName(namespace=found.name) from denied
        raise


def take_name(tx: Tx, name: str, *, full_name: str, kind: NamespaceKind) -> Namespace:
    """Take ``name`` for a new person or organisation, whose row the caller adds.

    Raises:
        BadName: If the name breaks the rule.
        NameReserved: If it may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has it.
    """
    check_name(name)
    check_full_name(full_name)
    row = {
        "public_id": new_id(tx.now),
        "name": name,
        "name_key": name.lower(),
        "kind": kind.value,
        "full_name": full_name.strip(),
        "created_at": tx.now,
    }
    row_id = insert_once(tx.conn, tables.namespaces, row)
    if row_id is None:
        raise NameTaken(name=name)
    return Namespace(
        id=int(row_id),
        public_id=str(row["public_id"]),
        name=name,
        full_name=full_name.strip(),
        kind=kind,
        private_by_default=False,
        created_at=tx.now,
    )


def to_namespace(row: sa.Row[*tuple[Any, ...]]) -> Namespace:
    """Make a value of a row that has ``COLUMNS``."""
    return Namespace(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        full_name=row.full_name,
        kind=NamespaceKind(row.kind),
        private_by_default=bool(row.private_by_default),
        created_at=row.created_at,
    )


_n = tables.namespaces.c
COLUMNS: Final = (
    *(_n.id, _n.public_id, _n.name, _n.full_name, _n.kind, _n.created_at),
    tables.orgs.c.private_by_default,
)
SOURCE: Final = tables.namespaces.outerjoin(tables.orgs, tables.orgs.c.id == _n.id)
_BY_NAME: Final = (
    sa.select(*COLUMNS).select_from(SOURCE).where(_n.name_key == sa.bindparam("name_key"))
)
SEARCH: Final = sa.select(*COLUMNS).select_from(SOURCE).order_by(_n.name_key)
