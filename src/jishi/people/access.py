"""From a credential to the actor it stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.people import tables
from jishi.people.actors import Actor, Role
from jishi.people.persons import PersonInactive
from jishi.people.secret import digest

USE_SECONDS = 60
"""How old the noted last use of a token may become before it is written again."""


@unique
class CredentialKind(StrEnum):
    """How somebody says who they are."""

    TOKEN = "token"  # noqa: S105  (a kind, not a secret)
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request carried: a token from ``Authorization``, or the session cookie."""

    kind: CredentialKind
    secret: str


class TokenUnknown(Refusal):
    """The access token was never issued here.

    The commonest first error: clients send the token saved for the public hub to whatever
    ``HF_ENDPOINT`` names.
    """

    code: ClassVar[str] = "people.token_unknown"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_(
        "This server never issued the access token that was sent; clients send a token saved "
        "for another hub as well. Either sign in here: `hf auth login`, after `unset HF_TOKEN` "
        "if that is set. Or set HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to read without a token."
    )


class TokenAbsent(Refusal):
    """There is an ``Authorization`` header and no token in it, as from an unset variable."""

    code: ClassVar[str] = "people.token_absent"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_(
        "No token was sent: the Authorization header is empty or of a kind that is not known "
        "here. Is the variable set that should hold the token?"
    )


class TokenRevoked(Refusal):
    """The access token was issued here and ended by its owner."""

    code: ClassVar[str] = "people.token_revoked"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("This access token was revoked. Create a new one in your settings.")


class TokenExpired(Refusal):
    """The access token was issued here and its time is over."""

    code: ClassVar[str] = "people.token_expired"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("This access token has expired. Create a new one in your settings.")


class SessionEnded(Refusal):
    """The browser's session is over: time, sign-out, or a new password."""

    code: ClassVar[str] = "people.session_ended"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("You are signed out. Please sign in again.")


def authenticate(tx: Tx, credential: Credential) -> Actor:
    """Return whom ``credential`` stands for.

    Raises:
        TokenUnknown: If the token was never issued here.
        TokenRevoked: If it was revoked.
        TokenExpired: If its time is over.
        PersonInactive: If its owner's account is out of use.
        SessionEnded: If the session is unknown or over.

    Cost: two statements.
    """
    return recognise(tx, credential)[0]


def recognise(tx: Tx, credential: Credential) -> tuple[Actor, bool]:
    """Do the same, and tell whether the token's last use should be written.

    Raises:
        TokenUnknown: As ``authenticate``.
        TokenRevoked: As ``authenticate``.
        TokenExpired: As ``authenticate``.
        PersonInactive: As ``authenticate``.
        SessionEnded: As ``authenticate``.
    """
    key = {"sha256": digest(credential.secret)}
    if credential.kind is CredentialKind.SESSION:
        session = tx.conn.execute(_SESSION, key).one_or_none()
        if session is None or session.expires_at <= tx.now:
            raise SessionEnded
        return _to_actor(tx, session), False
    token = tx.conn.execute(_TOKEN, key).one_or_none()
    if token is None:
        raise TokenUnknown
    if token.revoked_at is not None:
        raise TokenRevoked
    if token.expires_at is not None and token.expires_at <= tx.now:
        raise TokenExpired
    if token.inactive_since is not None:
        raise PersonInactive(name=token.name)
    is_stale = token.used_at is None or tx.now - token.used_at >= USE_SECONDS * 1_000_000
    actor = replace(
        _to_actor(tx, token),
        token_id=token.token_id,
        token=token.token,
        can_write=token.role == "write",
    )
    return actor, is_stale


def find_actor(tx: Tx, public_id: str, token: str = "") -> Actor | None:
    """Return the actor of a person as they are now; ``None`` for nobody or who is inactive.

    For what was sealed earlier in their name: rights may have gone meanwhile.

    Args:
        token: Public id of the access token they came with, empty for a browser session;
            nobody is found where it was revoked.
    """
    key = {"public_id": public_id, "token": token}
    row = tx.conn.execute(_ACTIVE_BY_TOKEN if token else _ACTIVE, key).one_or_none()
    return None if row is None else load_actor(tx, row.id)


def load_actor(tx: Tx, person_id: int) -> Actor | None:
    """Return the actor of a person, as with a session; ``None`` if there is no such row."""
    row = tx.conn.execute(_PERSON, {"id": person_id}).one_or_none()
    return None if row is None else _to_actor(tx, row)


def _to_actor(tx: Tx, row: sa.Row[*tuple[Any, ...]]) -> Actor:
    memberships = tx.conn.execute(_ROLES, {"person_id": row.id})
    roles = {member.name_key: Role(member.role) for member in memberships}
    roles[row.name.lower()] = Role.ADMIN
    return Actor(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        is_admin=row.is_admin,
        roles=roles,
    )


_n, _p, _t, _s, _m = (
    table.c
    for table in (
        tables.namespaces,
        tables.persons,
        tables.tokens,
        tables.sessions,
        tables.members,
    )
)
_WHO: Final = (_n.id, _n.public_id, _n.name, _p.is_admin)
_PEOPLE: Final = tables.persons.join(tables.namespaces, _p.id == _n.id)
_TOKEN: Final = (
    sa.select(
        *_WHO,
        _t.id.label("token_id"),
        _t.public_id.label("token"),
        _t.role,
        _t.used_at,
        _t.expires_at,
        _t.revoked_at,
        _p.inactive_since,
    )
    .select_from(_PEOPLE.join(tables.tokens, _t.person_id == _p.id))
    .where(_t.sha256 == sa.bindparam("sha256"))
)
_SESSION: Final = (
    sa.select(*_WHO, _s.expires_at)
    .select_from(_PEOPLE.join(tables.sessions, _s.person_id == _p.id))
    .where(_s.sha256 == sa.bindparam("sha256"))
)
_PERSON: Final = sa.select(*_WHO).select_from(_PEOPLE).where(_p.id == sa.bindparam("id"))
_ACTIVE: Final = (
    sa.select(_n.id)
    .select_from(_PEOPLE)
    .where(_n.public_id == sa.bindparam("public_id"), _p.inactive_since.is_(None))
)
_ACTIVE_BY_TOKEN: Final = _ACTIVE.join(tables.tokens, _t.person_id == _p.id).where(
    _t.public_id == sa.bindparam("token"), _t.revoked_at.is_(None)
)
_ROLES: Final = (
    sa.select(_n.name_key, _m.role)
    .join_from(tables.members, tables.namespaces, _n.id == _m.org_id)
    .where(_m.person_id == sa.bindparam("person_id"))
)
