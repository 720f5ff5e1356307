"""What people announce.  Opaque ids only: no name, no address."""

from __future__ import annotations

from typing import ClassVar

from jishi.core.events import Event


class PersonAdded(Event, frozen=True):
    """An account exists.  Subject: the person."""

    name: ClassVar[str] = "people.PersonAdded"
    is_admin: bool


class PersonDeactivated(Event, frozen=True):
    """An account was put out of use."""

    name: ClassVar[str] = "people.PersonDeactivated"


class PersonActivated(Event, frozen=True):
    """An account is in use again."""

    name: ClassVar[str] = "people.PersonActivated"


class PasswordChanged(Event, frozen=True):
    """A person chose a password; every session before it has ended."""

    name: ClassVar[str] = "people.PasswordChanged"


class LinkMade(Event, frozen=True):
    """Somebody made a link that lets the person choose a password."""

    name: ClassVar[str] = "people.LinkMade"
    purpose: str


class TokenCreated(Event, frozen=True):
    """An access token was issued.  Subject: its owner."""

    name: ClassVar[str] = "people.TokenCreated"
    token_id: str
    role: str


class TokenRevoked(Event, frozen=True):
    """An access token stopped working.  Subject: its owner."""

    name: ClassVar[str] = "people.TokenRevoked"
    token_id: str


class OrgCreated(Event, frozen=True):
    """An organisation exists.  Subject: the organisation."""

    name: ClassVar[str] = "people.OrgCreated"


class MemberSet(Event, frozen=True):
    """Somebody joined an organisation or got another role.  Subject: the organisation."""

    name: ClassVar[str] = "people.MemberSet"
    person_id: str
    role: int


class MemberRemoved(Event, frozen=True):
    """Somebody left an organisation.  Subject: the organisation."""

    name: ClassVar[str] = "people.MemberRemoved"
    person_id: str
