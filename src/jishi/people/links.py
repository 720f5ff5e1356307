"""Links that work once: to accept an invitation, to choose a new password, to set up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.people import tables
from jishi.people.actors import Actor
from jishi.people.events import LinkMade
from jishi.people.persons import (
    Person,
    PersonDraft,
    PersonInactive,
    add_person,
    get_person,
    has_admin,
)
from jishi.people.secret import digest, new_secret

__all__ = [
    "LINK_DAYS",
    "Invitation",
    "Link",
    "LinkGone",
    "LinkPurpose",
    "LinkView",
    "invite",
    "make_link",
    "read_link",
    "renew_set_up",
]

LINK_DAYS = 7


@unique
class LinkPurpose(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    """Choose the first password of an account."""
    RESET = "reset"
    """Choose another password."""
    SET_UP = "set_up"
    """Make the first administrator."""


class LinkGone(Refusal):
    """The link was used, replaced, ran out, or never was one."""

    code: ClassVar[str] = "people.link_gone"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_(
        "This link does not work (any more): it works once and for 7 days. Ask an "
        "administrator for a new one."
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made; its secret cannot be read again.

    Attributes:
        expires_at: Microseconds UTC.
    """

    secret: str
    purpose: LinkPurpose
    expires_at: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new account and the link that lets its owner in."""

    person: Person
    link: Link


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a page may say about a link before it is used.

    Attributes:
        name: Whose link it is; ``None`` for the set-up link.
    """

    purpose: LinkPurpose
    name: str | None


def invite(tx: Tx, actor: Actor, draft: PersonDraft) -> Invitation:
    """Make an account and a link for choosing its password.

    Raises:
        SignInNeeded: As ``add_person``, with all that follow.
        ReadOnlyToken: If the token may only read.
        AdminNeeded: If the actor is no administrator.
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
        EmailTaken: If another account has the address.
    """
    person = add_person(tx, actor, draft)
    return Invitation(person, make_link(tx, actor, person.name))


def make_link(tx: Tx, actor: Actor, name: str) -> Link:
    """Make a link for choosing a password; older links of the person stop working.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        AdminNeeded: If the actor is no administrator.
        PersonMissing: If there is no such person.
        PersonInactive: If the account is out of use.
    """
    actor.require_admin()
    person = get_person(tx, name)
    if not person.is_active:
        raise PersonInactive(name=person.name)
    purpose = LinkPurpose.RESET if person.has_password else LinkPurpose.INVITATION
    void_links(tx, person.id)
    link = Link(new_secret(), purpose, tx.now + LINK_DAYS * 86_400_000_000)
    _insert(tx, link.secret, person_id=person.id, purpose=purpose, expires_at=link.expires_at)
    event = LinkMade(purpose=purpose.value)
    record(tx, event, subject=person.public_id, actor_id=max(actor.id, 0))
    return link


def read_link(tx: Tx, secret: str) -> LinkView:
    """Tell what a link is for, without using it.

    Raises:
        LinkGone: If it does not work any more, or never did.
    """
    row = tx.conn.execute(_READ, {"sha256": digest(secret), "now": tx.now}).one_or_none()
    if row is None:
        raise LinkGone
    return LinkView(LinkPurpose(row.purpose), row.name)


def take_link(tx: Tx, secret: str, *, for_set_up: bool) -> int | None:
    """Use a link up and return its person's row, ``None`` for the set-up link.

    Whoever deletes the row has used the link: of two at once, one finds it gone.

    Raises:
        LinkGone: If it does not work any more, or never did, or is of the other sort.
    """
    taken = tx.conn.execute(_TAKE, {"sha256": digest(secret), "now": tx.now}).one_or_none()
    if taken is None or (taken.person_id is None) is not for_set_up:
        raise LinkGone
    person_id: int | None = taken.person_id
    return person_id


def void_links(tx: Tx, person_id: int) -> None:
    """Let no older link of a person work."""
    tx.conn.execute(_VOID, {"person_id": person_id})


def renew_set_up(tx: Tx) -> str | None:
    """Replace the set-up link and return its secret; ``None`` if an administrator exists."""
    tx.conn.execute(_VOID_SET_UP)
    if has_admin(tx):
        return None
    secret = new_secret()
    _insert(tx, secret, person_id=None, purpose=LinkPurpose.SET_UP, expires_at=None)
    return secret


def _insert(
    tx: Tx, secret: str, *, person_id: int | None, purpose: LinkPurpose, expires_at: int | None
) -> None:
    row: dict[str, Any] = {
        "sha256": digest(secret),
        "person_id": person_id,
        "purpose": purpose.value,
        "created_at": tx.now,
        "expires_at": expires_at,
    }
    tx.conn.execute(sa.insert(tables.links), row)


_l = tables.links.c
_WORKS: Final = sa.and_(
    _l.sha256 == sa.bindparam("sha256"),
    sa.or_(_l.expires_at.is_(None), _l.expires_at > sa.bindparam("now")),
)
_READ: Final = (
    sa.select(_l.purpose, tables.namespaces.c.name)
    .select_from(tables.links.outerjoin(tables.namespaces, tables.namespaces.c.id == _l.person_id))
    .where(_WORKS)
)
_TAKE: Final = sa.delete(tables.links).where(_WORKS).returning(_l.person_id)
_VOID: Final = sa.delete(tables.links).where(_l.person_id == sa.bindparam("person_id"))
_VOID_SET_UP: Final = sa.delete(tables.links).where(_l.purpose == "set_up")
