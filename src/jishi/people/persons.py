"""Accounts of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.core.paging import PAGE_MAX, Page
from jishi.core.sql import insert_once
from jishi.people import tables
from jishi.people.actors import Actor
from jishi.people.events import PersonActivated, PersonAdded, PersonDeactivated
from jishi.people.memory import forget_after
from jishi.people.names import (
    NamespaceKind,
    NameTaken,
    check_full_name,
    check_name,
    find_namespace,
    take_name,
)
from jishi.people.passwords import check_password

__all__ = [
    "BadEmail",
    "EmailTaken",
    "OwnAccount",
    "Person",
    "PersonDraft",
    "PersonInactive",
    "PersonMissing",
    "add_person",
    "check_draft",
    "find_faults",
    "find_person",
    "get_people",
    "get_person",
    "has_people",
    "list_people",
    "set_active",
    "update_profile",
]

EMAIL_CHARS_MAX = 254


class PersonMissing(Refusal):
    """No person has this name."""

    code: ClassVar[str] = "people.person_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is no person called {name}.")


class PersonInactive(Refusal):
    """The account was put out of use by an administrator."""

    code: ClassVar[str] = "people.person_inactive"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("The account {name} is deactivated. Ask an administrator.")


class OwnAccount(Refusal):
    """Administrators do not lock themselves out."""

    code: ClassVar[str] = "people.own_account"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("You cannot deactivate your own account.")


class BadEmail(Refusal):
    """The mail address cannot be one."""

    code: ClassVar[str] = "people.bad_email"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{email} is not a mail address.")


class EmailTaken(Refusal):
    """Another account has the mail address, in some spelling."""

    code: ClassVar[str] = "people.email_taken"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("The address {email} belongs to another account.")


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """A person to be added.

    Attributes:
        email: Empty if not known.
        password_hash: From ``hash_password``, or ``None``: the person gets a link.
    """

    name: str
    full_name: str = ""
    email: str = ""
    is_admin: bool = False
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: The row; never leaves the platform.
        email: Empty if not known; shown to the person and to administrators only.
        has_password: Whether the invitation was accepted.
        is_active: Whether the person may come in.
        created_at: Microseconds UTC.
    """

    id: int
    public_id: str
    name: str
    full_name: str
    email: str
    is_admin: bool
    has_password: bool
    is_active: bool
    created_at: int


def add_person(tx: Tx, actor: Actor, draft: PersonDraft) -> Person:
    """Make an account.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        AdminNeeded: If the actor is no administrator.
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
        EmailTaken: If another account has the address.
    """
    actor.require_admin()
    return insert_person(tx, draft, actor_id=max(actor.id, 0))


def insert_person(tx: Tx, draft: PersonDraft, *, actor_id: int = 0) -> Person:
    """Make an account, whoever asks.

    Raises:
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
        EmailTaken: If another account has the address.
    """
    check_draft(draft)
    taken = take_name(tx, draft.name, full_name=draft.full_name, kind=NamespaceKind.PERSON)
    row = {
        "id": taken.id,
        "email": draft.email,
        "email_key": _email_key(draft.email),
        "password": draft.password_hash,
        "is_admin": draft.is_admin,
    }
    if insert_once(tx.conn, tables.persons, row) is None:
        raise EmailTaken(email=draft.email)
    if draft.is_admin:  # there is an administrator now: nobody needs to become the first one
        tx.conn.execute(_VOID_SET_UP)
    record(tx, PersonAdded(is_admin=draft.is_admin), subject=taken.public_id, actor_id=actor_id)
    return Person(
        id=taken.id,
        public_id=taken.public_id,
        name=taken.name,
        full_name=taken.full_name,
        email=draft.email,
        is_admin=draft.is_admin,
        has_password=draft.password_hash is not None,
        is_active=True,
        created_at=tx.now,
    )


def check_draft(draft: PersonDraft) -> None:
    """Refuse what no installation takes, whoever lives there.

    Raises:
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
    """
    check_email(draft.email)
    check_name(draft.name)
    check_full_name(draft.full_name)


def check_email(email: str) -> None:
    """Insist on something that may be a mail address, or on nothing at all.

    Raises:
        BadEmail: If it is something else.
    """
    user, at, host = email.rpartition("@")
    fits = bool(user and at and host) and len(email) <= EMAIL_CHARS_MAX
    if email and not (fits and email.isprintable() and " " not in email):
        raise BadEmail(email=email[:EMAIL_CHARS_MAX])


def find_faults(
    tx: Tx,
    *,
    name: str | None = None,
    full_name: str | None = None,
    email: str | None = None,
    password: str | None = None,
) -> dict[str, Refusal]:
    """Return why each of the fields that are given would be refused, by its name.

    For forms, whose readers mend all of it at once; whoever makes the account or the
    organisation checks again.  Whether an address belongs to another account is not told:
    a form that is filled in badly is no way to ask.
    """
    checks: tuple[tuple[str, str | None, Callable[[str], None]], ...] = (
        ("name", name, lambda text: _check_free(tx, text)),
        ("full_name", full_name, check_full_name),
        ("email", email, check_email),
        ("password", password, check_password),
    )
    faults: dict[str, Refusal] = {}
    for field, text, check in checks:
        try:
            if text is not None:
                check(text)
        except Refusal as refusal:
            faults[field] = refusal
    return faults


def find_person(tx: Tx, name: str) -> Person | None:
    """Return the person called ``name``, compared without case."""
    row = tx.conn.execute(_BY_NAME, {"name_key": name.lower()}).one_or_none()
    return None if row is None else _to_person(row)


def get_person(tx: Tx, name: str) -> Person:
    """Return the person called ``name``, compared without case.

    Raises:
        PersonMissing: If there is none.
    """
    person = find_person(tx, name)
    if person is None:
        raise PersonMissing(name=name)
    return person


def get_people(tx: Tx, ids: Iterable[int]) -> dict[int, Person]:
    """Return people by their rows, in one statement; unknown rows are left out."""
    rows = tx.conn.execute(_BY_IDS, {"ids": sorted(set(ids))})
    return {row.id: _to_person(row) for row in rows}


def list_people(
    tx: Tx, actor: Actor, *, after: str | None = None, limit: int = 50
) -> Page[Person, str]:
    """Return accounts by name, for administrators.

    Args:
        after: ``end`` of the page before.
        limit: At most ``PAGE_MAX``.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        AdminNeeded: If the actor is no administrator.
    """
    actor.require_admin()
    limit = min(limit, PAGE_MAX)
    rows = tx.conn.execute(LIST, {"after": (after or "").lower(), "limit": limit + 1}).all()
    items = tuple(_to_person(row) for row in rows[:limit])
    return Page(items, items[-1].name.lower() if len(rows) > limit else None)


def update_profile(tx: Tx, actor: Actor, *, full_name: str, email: str) -> None:
    """Change what the actor's own account says.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        BadFullName: If the full name is not one line.
        BadEmail: If the address cannot be one.
        EmailTaken: If another account has the address.
    """
    actor.require_session()
    check_full_name(full_name)
    check_email(email)
    names = sa.update(tables.namespaces).where(tables.namespaces.c.id == actor.id)
    tx.conn.execute(names.values(full_name=full_name.strip()))
    own = sa.update(tables.persons).where(tables.persons.c.id == actor.id)
    try:
        tx.conn.execute(own.values(email=email, email_key=_email_key(email)))
    except sa.exc.IntegrityError as error:  # whoever asked before could be overtaken
        raise EmailTaken(email=email) from error


def set_active(tx: Tx, actor: Actor, name: str, *, active: bool) -> None:
    """Put an account out of use, or back: sessions end, tokens stop, nothing is deleted.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        AdminNeeded: If the actor is no administrator.
        PersonMissing: If there is no such person.
        OwnAccount: If it is the actor's own.
    """
    actor.require_admin()
    person = get_person(tx, name)
    if person.id == actor.id:
        raise OwnAccount
    own = sa.update(tables.persons).where(tables.persons.c.id == person.id)
    tx.conn.execute(own.values(inactive_since=None if active else tx.now))
    for table in () if active else (tables.sessions, tables.links):
        tx.conn.execute(sa.delete(table).where(table.c.person_id == person.id))
    forget_after(tx)
    event = PersonActivated() if active else PersonDeactivated()
    record(tx, event, subject=person.public_id, actor_id=max(actor.id, 0))


def has_admin(tx: Tx) -> bool:
    """Whether somebody administers this installation."""
    return tx.conn.execute(_ANY_ADMIN).first() is not None


def has_people(tx: Tx) -> bool:
    """Whether anybody has an account."""
    return tx.conn.execute(_ANYBODY).first() is not None


def find_login(tx: Tx, login: str) -> str:
    """Return the name of the account that a name or a mail address leads to.

    What leads nowhere is returned as it is: tries are counted by it all the same.
    """
    if "@" not in login:  # which no name holds
        return login
    name: str | None = tx.conn.execute(
        _NAME_BY_EMAIL, {"email_key": login.casefold()}
    ).scalar_one_or_none()
    return login if name is None else name


def find_password(tx: Tx, name: str) -> tuple[int, str | None] | None:
    """Return ``(row, stored hash)`` of the person called ``name``."""
    row = tx.conn.execute(_PASSWORD, {"name_key": name.lower()}).one_or_none()
    return None if row is None else (row.id, row.password)


def find_person_by_id(tx: Tx, person_id: int) -> Person | None:
    """Return the person of a row."""
    return get_people(tx, [person_id]).get(person_id)


def _email_key(email: str) -> str | None:
    return email.casefold() or None


def _check_free(tx: Tx, name: str) -> None:
    check_name(name)
    if find_namespace(tx, name) is not None:
        raise NameTaken(name=name)


def _to_person(row: sa.Row[*tuple[Any, ...]]) -> Person:
    return Person(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        full_name=row.full_name,
        email=row.email,
        is_admin=row.is_admin,
        has_password=bool(row.has_password),
        is_active=row.inactive_since is None,
        created_at=row.created_at,
    )


_n, _p = tables.namespaces.c, tables.persons.c
_PERSON: Final = sa.select(
    *(_n.id, _n.public_id, _n.name, _n.full_name, _n.created_at, _p.email, _p.is_admin),
    _p.inactive_since,
    _p.password.is_not(None).label("has_password"),
).join_from(tables.namespaces, tables.persons, _p.id == _n.id)
_BY_NAME: Final = _PERSON.where(_n.name_key == sa.bindparam("name_key"))
_BY_IDS: Final = _PERSON.where(_n.id.in_(sa.bindparam("ids", expanding=True)))
LIST: Final = (
    _PERSON.where(_n.kind == "person", _n.name_key > sa.bindparam("after"))
    .order_by(_n.name_key)
    .limit(sa.bindparam("limit"))
)
_PASSWORD: Final = (
    sa.select(_p.id, _p.password)
    .join_from(tables.persons, tables.namespaces, _p.id == _n.id)
    .where(_n.name_key == sa.bindparam("name_key"))
)
_NAME_BY_EMAIL: Final = (
    sa.select(_n.name)
    .join_from(tables.persons, tables.namespaces, _p.id == _n.id)
    .where(_p.email_key == sa.bindparam("email_key"))
)
_ANY_ADMIN: Final = sa.select(_p.id).where(_p.is_admin.is_(sa.true())).limit(1)
_ANYBODY: Final = sa.select(_p.id).limit(1)
_VOID_SET_UP: Final = sa.delete(tables.links).where(tables.links.c.purpose == "set_up")
