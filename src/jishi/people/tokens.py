"""Access tokens: ``hf_…``, shown once, stored as hashes, ended at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.i18n import N_
from jishi.core.ids import new_id
from jishi.people import tables
from jishi.people.actors import OPERATOR, Actor
from jishi.people.events import TokenCreated, TokenRevoked
from jishi.people.memory import forget_after
from jishi.people.persons import get_people, get_person
from jishi.people.secret import digest, new_token

__all__ = [
    "TOKENS_MAX",
    "BadTokenName",
    "Minted",
    "Token",
    "TokenMissing",
    "TokenRole",
    "TooManyTokens",
    "create_token",
    "get_token",
    "list_tokens",
    "revoke_token",
]

TOKENS_MAX = 100
"""Living tokens of one person."""
TOKEN_NAME_CHARS_MAX = 80


@unique
class TokenRole(StrEnum):
    """What a token may do at most."""

    READ = "read"
    WRITE = "write"


class TokenMissing(Refusal):
    """The actor has no such token."""

    code: ClassVar[str] = "people.token_missing"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("You have no such access token.")


class TooManyTokens(Refusal):
    """The person has as many tokens as anybody may."""

    code: ClassVar[str] = "people.too_many_tokens"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("There are {tokens_max} access tokens already. Revoke one first.")


class BadTokenName(Refusal):
    """The token's name is not a line of text."""

    code: ClassVar[str] = "people.bad_token_name"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("A token's name is one line of 1 to {chars_max} characters.")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as its owner sees it afterwards.

    Attributes:
        tail: Its last four letters.
        created_at: Microseconds UTC, as ``used_at`` and ``expires_at``.
        used_at: When it was last sent, to the minute; ``None`` before the first time.
        expires_at: ``None`` if it lasts until it is revoked.
    """

    public_id: str
    name: str
    role: TokenRole
    tail: str
    created_at: int
    used_at: int | None
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Minted:
    """A new token and its secret, which nobody can read again."""

    secret: str
    token: Token


def create_token(
    tx: Tx, actor: Actor, *, name: str, role: TokenRole, owner: str | None = None
) -> Minted:
    """Issue an access token to the actor, or to ``owner`` if the operator asks.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        PersonMissing: If there is no ``owner``.
        BadTokenName: If the name is not one line.
        TooManyTokens: If the person has ``TOKENS_MAX`` already.
    """
    actor.require_session()
    if actor is OPERATOR:
        return mint(tx, get_person(tx, owner or "").id, name=name, role=role)
    return mint(tx, actor.id, name=name, role=role, actor_id=actor.id)


def mint(
    tx: Tx,
    person_id: int,
    *,
    name: str,
    role: TokenRole,
    seconds: int | None = None,
    actor_id: int = 0,
) -> Minted:
    """Issue an access token, whoever asks.

    Args:
        seconds: How long it works; ``None``: until it is revoked.

    Raises:
        BadTokenName: If the name is not one line.
        TooManyTokens: If the person has ``TOKENS_MAX`` already.
    """
    name = name.strip()
    if not (0 < len(name) <= TOKEN_NAME_CHARS_MAX and name.isprintable()):
        raise BadTokenName(chars_max=TOKEN_NAME_CHARS_MAX)
    tx.conn.execute(_LOCK_OWNER, {"person_id": person_id})
    if tx.conn.execute(_COUNT, {"owner": person_id, "now": tx.now}).scalar_one() >= TOKENS_MAX:
        raise TooManyTokens(tokens_max=TOKENS_MAX)
    secret = new_token()
    row = {
        "public_id": new_id(tx.now),
        "sha256": digest(secret),
        "person_id": person_id,
        "name": name,
        "role": role.value,
        "tail": secret[-4:],
        "created_at": tx.now,
        "expires_at": None if seconds is None else tx.now + seconds * 1_000_000,
    }
    tx.conn.execute(sa.insert(tables.tokens), row)
    _announce(tx, TokenCreated(str(row["public_id"]), role.value), person_id, actor_id)
    return Minted(secret, _to_token({**row, "used_at": None}))


def list_tokens(tx: Tx, actor: Actor) -> tuple[Token, ...]:
    """Return the actor's living tokens, newest first; never more than ``TOKENS_MAX``.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
    """
    actor.require_session()
    rows = tx.conn.execute(LIST, {"owner": actor.id, "now": tx.now, "limit": TOKENS_MAX})
    return tuple(_to_token(row) for row in rows.mappings())


def get_token(tx: Tx, token_id: int) -> Token:
    """Return the token of a row: the one an actor came with.

    Raises:
        TokenMissing: If it is gone.
    """
    row = tx.conn.execute(_BY_ID, {"id": token_id}).mappings().one_or_none()
    if row is None:
        raise TokenMissing
    return _to_token(row)


def revoke_token(tx: Tx, actor: Actor, public_id: str) -> None:
    """End one of the actor's tokens, for good.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        TokenMissing: If the actor has no such living token.
    """
    actor.require_session()
    own = {"owner": actor.id, "token": public_id, "now": tx.now}
    if tx.conn.execute(_REVOKE, own).rowcount != 1:
        raise TokenMissing
    forget_after(tx)
    _announce(tx, TokenRevoked(public_id), actor.id, actor.id)


def end_token(tx: Tx, token_id: int) -> None:
    """End the token of a row because a fresh one takes its place."""
    ended = sa.update(tables.tokens).where(_t.id == token_id, _t.revoked_at.is_(None))
    tx.conn.execute(ended.values(revoked_at=tx.now))
    forget_after(tx)


def write_uses(tx: Tx, uses: Mapping[int, int]) -> None:
    """Note when tokens were last sent.

    Args:
        uses: Row of the token -> microseconds UTC.
    """
    rows = [{"row": token_id, "used": used} for token_id, used in sorted(uses.items())]
    tx.conn.execute(_USED, rows)


def _announce(tx: Tx, event: TokenCreated | TokenRevoked, person_id: int, actor_id: int) -> None:
    record(tx, event, subject=get_people(tx, [person_id])[person_id].public_id, actor_id=actor_id)


def _to_token(row: Mapping[Any, Any]) -> Token:
    return Token(
        public_id=row["public_id"],
        name=row["name"],
        role=TokenRole(row["role"]),
        tail=row["tail"],
        created_at=row["created_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
    )


_t = tables.tokens.c
_COLUMNS: Final = (
    *(_t.id, _t.public_id, _t.name, _t.role, _t.tail),
    *(_t.created_at, _t.used_at, _t.expires_at),
)
_ALIVE: Final = sa.and_(
    _t.person_id == sa.bindparam("owner"),
    _t.revoked_at.is_(None),
    sa.or_(_t.expires_at.is_(None), _t.expires_at > sa.bindparam("now")),
)
_LOCK_OWNER: Final = (
    sa.select(tables.persons.c.id)
    .where(tables.persons.c.id == sa.bindparam("person_id"))
    .with_for_update()
)
_COUNT: Final = sa.select(sa.func.count()).select_from(tables.tokens).where(_ALIVE)
LIST: Final = sa.select(*_COLUMNS).where(_ALIVE).order_by(_t.id.desc()).limit(sa.bindparam("limit"))
_BY_ID: Final = sa.select(*_COLUMNS).where(_t.id == sa.bindparam("id"))
_REVOKE: Final = (
    sa.update(tables.tokens)
    .where(_ALIVE, _t.public_id == sa.bindparam("token"))
    .values(revoked_at=sa.bindparam("now"))
)
_USED: Final = (
    sa.update(tables.tokens)
    .where(_t.id == sa.bindparam("row"))
    .values(used_at=sa.bindparam("used"))
)
