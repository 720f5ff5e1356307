"""Organisations and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.core.paging import PAGE_MAX, Page
from jishi.core.sql import upsert
from jishi.people import tables
from jishi.people.actors import Actor, ReadOnlyToken, Role, SignInNeeded
from jishi.people.events import MemberRemoved, MemberSet, OrgCreated
from jishi.people.memory import forget_after
from jishi.people.names import (
    COLUMNS,
    SOURCE,
    Namespace,
    NamespaceKind,
    check_full_name,
    find_namespace,
    take_name,
    to_namespace,
)
from jishi.people.persons import get_person

__all__ = [
    "LastAdmin",
    "Member",
    "MemberMissing",
    "Membership",
    "OrgDraft",
    "OrgMissing",
    "count_members",
    "create_org",
    "get_org",
    "list_members",
    "list_orgs",
    "remove_member",
    "set_member",
    "update_org",
]


ORGS_MAX = 1000
"""Organisations of one person that are shown."""


class OrgMissing(Refusal):
    """No organisation has this name."""

    code: ClassVar[str] = "people.org_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("There is no organisation called {name}.")


class MemberMissing(Refusal):
    """The person does not belong to the organisation."""

    code: ClassVar[str] = "people.member_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("{person} is no member of {org}.")


class LastAdmin(Refusal):
    """Nobody would be left to manage the organisation."""

    code: ClassVar[str] = "people.last_admin"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("{person} is the last one to manage {org}. Make another one first.")


@dataclass(frozen=True, slots=True)
class OrgDraft:
    """An organisation to be created.

    Attributes:
        private_by_default: Whether its new repositories are private unless somebody says
            otherwise.
    """

    name: str
    full_name: str = ""
    private_by_default: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an organisation.

    Attributes:
        since: Microseconds UTC.
    """

    public_id: str
    name: str
    full_name: str
    role: Role
    since: int


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation somebody belongs to."""

    org: Namespace
    role: Role


def create_org(tx: Tx, actor: Actor, draft: OrgDraft) -> Namespace:
    """Create an organisation that the actor manages; the operator adds no member.

    Raises:
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
    """
    if actor.is_anonymous:
        raise SignInNeeded
    if not actor.can_write:
        raise ReadOnlyToken
    taken = take_name(tx, draft.name, full_name=draft.full_name, kind=NamespaceKind.ORGANISATION)
    row = {"id": taken.id, "private_by_default": draft.private_by_default}
    tx.conn.execute(sa.insert(tables.orgs), row)
    if actor.id > 0:
        _set(tx, taken.id, actor.id, actor.name, Role.ADMIN)
    record(tx, OrgCreated(), subject=taken.public_id, actor_id=max(actor.id, 0))
    return get_org(tx, draft.name)


def get_org(tx: Tx, name: str) -> Namespace:
    """Return the organisation called ``name``, compared without case.

    Raises:
        OrgMissing: If there is none.
    """
    found = find_namespace(tx, name)
    if found is None or found.is_person:
        raise OrgMissing(name=name)
    return found


def update_org(
    tx: Tx, actor: Actor, org: str, *, full_name: str, private_by_default: bool
) -> Namespace:
    """Change what an organisation says of itself and how its repositories begin.

    Raises:
        OrgMissing: If there is no such organisation.
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor does not manage it.
        BadFullName: If the full name is not one line.
    """
    found = get_org(tx, org)
    actor.require(Role.ADMIN, found.name)
    check_full_name(full_name)
    names = sa.update(tables.namespaces).where(tables.namespaces.c.id == found.id)
    tx.conn.execute(names.values(full_name=full_name.strip()))
    own = sa.update(tables.orgs).where(tables.orgs.c.id == found.id)
    tx.conn.execute(own.values(private_by_default=private_by_default))
    return get_org(tx, org)


def set_member(tx: Tx, actor: Actor, org: str, person: str, role: Role) -> None:
    """Add somebody to an organisation, or change the role.

    Administrators of the installation may do this everywhere: ``jishi org add`` makes
    organisations without members.  The event tells who did it.

    Raises:
        OrgMissing: If there is no such organisation.
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor does not manage it.
        SessionNeeded: If they came with an access token.
        PersonMissing: If there is no such person.
        LastAdmin: If nobody would be left to manage it.
    """
    found = _access_org(tx, actor, org)
    member = get_person(tx, person)
    if role is not Role.ADMIN:
        _keep_an_admin(tx, actor, found, member.id, member.name)
    _set(tx, found.id, member.id, member.name, role)
    event = MemberSet(person_id=member.public_id, role=role.value)
    record(tx, event, subject=found.public_id, actor_id=max(actor.id, 0))


def remove_member(tx: Tx, actor: Actor, org: str, person: str) -> None:
    """Let somebody leave an organisation; everybody may leave on their own.

    Raises:
        OrgMissing: If there is no such organisation.
        PersonMissing: If there is no such person.
        SignInNeeded: If nobody said who is asking.
        ReadOnlyToken: If the token may only read.
        Denied: If the actor does not manage it and wants somebody else to leave.
        SessionNeeded: If they came with an access token and want the same.
        LastAdmin: If nobody would be left to manage it.
        MemberMissing: If the person is no member.
    """
    found = get_org(tx, org)
    member = get_person(tx, person)
    if member.id != actor.id or not actor.can_write:
        found = _access_org(tx, actor, org)
    _keep_an_admin(tx, actor, found, member.id, member.name)
    one = {"org_id": found.id, "person_id": member.id}
    if tx.conn.execute(_REMOVE, one).rowcount != 1:
        raise MemberMissing(person=member.name, org=found.name)
    forget_after(tx)
    event = MemberRemoved(person_id=member.public_id)
    record(tx, event, subject=found.public_id, actor_id=max(actor.id, 0))


def list_members(
    tx: Tx, org: str, *, after: str | None = None, limit: int = 50
) -> Page[Member, str]:
    """Return who belongs to an organisation, by name.  Everybody may know.

    Args:
        after: ``end`` of the page before.
        limit: At most ``PAGE_MAX``.

    Raises:
        OrgMissing: If there is no such organisation.
    """
    found = get_org(tx, org)
    limit = min(limit, PAGE_MAX)
    values = {"org_id": found.id, "after": (after or "").lower(), "limit": limit + 1}
    rows = tx.conn.execute(LIST, values).all()
    items = tuple(
        Member(row.public_id, row.name, row.full_name, Role(row.role), row.since)
        for row in rows[:limit]
    )
    return Page(items, items[-1].name.lower() if len(rows) > limit else None)


def list_orgs(tx: Tx, person_id: int) -> tuple[Membership, ...]:
    """Return the organisations of a person, by name."""
    rows = tx.conn.execute(_OF_PERSON, {"person_id": person_id, "limit": ORGS_MAX})
    found = [Membership(to_namespace(row), Role(row.role)) for row in rows]
    return tuple(sorted(found, key=lambda membership: membership.org.name.lower()))


def count_members(tx: Tx, org_id: int) -> int:
    """Return how many people belong to an organisation."""
    return int(tx.conn.execute(_COUNT, {"org_id": org_id}).scalar_one())


def _access_org(tx: Tx, actor: Actor, name: str) -> Namespace:
    """Return an organisation whose members the actor may change, locked until the end."""
    found = get_org(tx, name)
    if not (actor.is_admin and actor.can_write):
        actor.require(Role.ADMIN, found.name)
    actor.require_session()
    return found


def _keep_an_admin(tx: Tx, actor: Actor, org: Namespace, person_id: int, name: str) -> None:
    """Refuse to take the last ``ADMIN`` away, unless the operator does.

    The organisation's row is locked first: two admins who demote each other at once would
    both count two.
    """
    tx.conn.execute(_LOCK, {"org_id": org.id})
    admins = set(tx.conn.execute(_ADMINS, {"org_id": org.id}).scalars())
    if admins == {person_id} and actor.id > 0:
        raise LastAdmin(person=name, org=org.name)


def _set(tx: Tx, org_id: int, person_id: int, name: str, role: Role) -> None:
    row = {
        "org_id": org_id,
        "person_id": person_id,
        "person_key": name.lower(),
        "role": role.value,
        "since": tx.now,
    }
    upsert(tx.conn, tables.members, [row], update=["role"])
    forget_after(tx)


_m, _n = tables.members.c, tables.namespaces.c
_LOCK: Final = (
    sa.select(tables.orgs.c.id).where(tables.orgs.c.id == sa.bindparam("org_id")).with_for_update()
)
_ADMINS: Final = (
    sa.select(_m.person_id)
    .where(_m.org_id == sa.bindparam("org_id"), _m.role == Role.ADMIN.value)
    .limit(2)
)
_REMOVE: Final = sa.delete(tables.members).where(
    _m.org_id == sa.bindparam("org_id"), _m.person_id == sa.bindparam("person_id")
)
_COUNT: Final = (
    sa.select(sa.func.count())
    .select_from(tables.members)
    .where(_m.org_id == sa.bindparam("org_id"))
)
LIST: Final = (
    sa.select(_n.public_id, _n.name, _n.full_name, _m.role, _m.since)
    .join_from(tables.members, tables.namespaces, _n.id == _m.person_id)
    .where(_m.org_id == sa.bindparam("org_id"), _m.person_key > sa.bindparam("after"))
    .order_by(_m.person_key)
    .limit(sa.bindparam("limit"))
)
_OF_PERSON: Final = (
    sa.select(*COLUMNS, _m.role)
    .select_from(SOURCE.join(tables.members, _m.org_id == _n.id))
    .where(_m.person_id == sa.bindparam("person_id"))
    .limit(sa.bindparam("limit"))
)
