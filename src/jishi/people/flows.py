"""Steps that wait: passwords are hashed between two transactions, never inside one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.events import record
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.people import tables
from jishi.people.access import (
    Credential,
    CredentialKind,
    TokenAbsent,
    TokenUnknown,
    recognise,
)
from jishi.people.actors import NOBODY, Actor
from jishi.people.events import PasswordChanged
from jishi.people.gate import Gate
from jishi.people.links import LinkGone, read_link, take_link, void_links
from jishi.people.passwords import (
    NOT_A_PASSWORD,
    check_password,
    hash_password,
    is_outdated,
    is_password,
)
from jishi.people.persons import (
    EMAIL_CHARS_MAX,
    PersonDraft,
    find_login,
    find_password,
    find_person_by_id,
    has_admin,
    insert_person,
)
from jishi.people.secret import digest, is_ours
from jishi.people.sessions import Opened, end_all_sessions, open_session
from jishi.people.settings import ForeignTokens, SignUp
from jishi.people.tokens import write_uses

__all__ = [
    "BadSignIn",
    "Identity",
    "SignUpClosed",
    "WrongPassword",
    "accept_link",
    "change_password",
    "flush_uses",
    "identify",
    "set_up",
    "sign_in",
    "sign_up",
]


class BadSignIn(Refusal):
    """Name and password do not belong together; which of the two is nobody's business."""

    code: ClassVar[str] = "people.bad_sign_in"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("Wrong name or password.")


class WrongPassword(Refusal):
    """Whoever wants another password does not know the one so far."""

    code: ClassVar[str] = "people.wrong_password"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("This is not your password so far.")


class SignUpClosed(Refusal):
    """Accounts are made by administrators here."""

    code: ClassVar[str] = "people.sign_up_closed"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("Ask an administrator for an invitation: sign-up is closed here.")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking.

    Attributes:
        foreign: A token of another installation came along and was passed over.
    """

    actor: Actor
    foreign: bool = False


async def identify(gate: Gate, credential: Credential | None, *, reads_only: bool) -> Identity:
    """Find out who is asking, once per request.

    Args:
        reads_only: The request changes nothing, so a foreign token may be passed over if
            the operator says so.

    Raises:
        TokenAbsent: If there should be a token and is none.
        TokenUnknown: If the token was never issued here.
        TokenRevoked: If it was revoked.
        TokenExpired: If its time is over.
        PersonInactive: If its owner's account is out of use.
        SessionEnded: If the session is over.
    """
    if credential is None:
        return Identity(NOBODY)
    key = digest(f"{credential.kind} {credential.secret}")
    kept = gate.memory.find(key)
    if kept is not None:
        return Identity(kept)
    mark = gate.memory.mark()
    try:
        if credential.kind is CredentialKind.TOKEN and not is_ours(credential.secret):
            # answered as one that the database does not know
            raise TokenUnknown if credential.secret else TokenAbsent
        actor, used_at = await gate.db.read(_recognise, credential)
    except (TokenAbsent, TokenUnknown):
        if reads_only and gate.settings.foreign_tokens is ForeignTokens.ANONYMOUS:
            return Identity(NOBODY, foreign=True)
        raise
    if used_at is not None:
        gate.note_use(actor.token_id, used_at)
    gate.memory.keep(key, actor, mark)
    return Identity(actor)


async def flush_uses(gate: Gate) -> None:
    """Write down when tokens were last sent; called about once a second."""
    uses = gate.take_uses()
    if uses:
        await gate.db.write_lazily(write_uses, uses)


async def sign_in(gate: Gate, name: str, password: str, *, address: str) -> Opened:
    """Begin a session for whoever knows the password.

    Args:
        name: Of the account, or its mail address.
        address: Of the caller; tries are limited by name and by address.

    Raises:
        TooManyAttempts: If the name or the address has no try left.
        BadSignIn: If name and password do not belong together.
        PersonInactive: If they do, and the account is out of use.
    """
    login = name[: EMAIL_CHARS_MAX + 1]  # what is longer leads nowhere, with as much work
    name = await gate.db.read(find_login, login)
    gate.attempts.begin(name, address)
    person_id, stored = await _prove(gate, name, password)
    fresh = await hop(gate.pool, hash_password, password) if is_outdated(stored) else None
    opened = await gate.db.write(_settle_sign_in, person_id, stored, fresh)
    gate.attempts.succeed(name, address)
    return opened


async def change_password(gate: Gate, actor: Actor, *, old: str, new: str) -> Opened:
    """Choose another password: every session ends, and a new one begins.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        PasswordTooShort: If the new one is.
        PasswordTooLong: If the new one is.
        TooManyAttempts: If the old one was guessed at too often.
        WrongPassword: If the old one is wrong.
    """
    actor.require_session()
    check_password(new)
    gate.attempts.begin(actor.name, "")
    try:
        person_id, stored = await _prove(gate, actor.name, old)
        fresh = await hop(gate.pool, hash_password, new)
        opened = await gate.db.write(_settle_change, person_id, stored, fresh)
    except BadSignIn as error:
        raise WrongPassword from error
    gate.attempts.succeed(actor.name, "")
    return opened


async def accept_link(gate: Gate, secret: str, password: str) -> Opened:
    """Choose a password by an invitation or reset link: other sessions end, one begins.

    Raises:
        PasswordTooShort: If the password is.
        PasswordTooLong: If the password is.
        LinkGone: If the link does not work any more, or never did.
    """
    check_password(password)
    await gate.db.read(read_link, secret)  # nobody makes us hash by sending made-up links
    fresh = await hop(gate.pool, hash_password, password)
    return await gate.db.write(_settle_link, secret, fresh)


async def set_up(gate: Gate, secret: str, draft: PersonDraft, password: str) -> Opened:
    """Make the first administrator by the set-up link.

    Raises:
        PasswordTooShort: If the password is.
        PasswordTooLong: If the password is.
        LinkGone: If there is an administrator already, or the link is not the latest.
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
        EmailTaken: If another account has the address.
    """
    check_password(password)
    await gate.db.read(read_link, secret)
    fresh = await hop(gate.pool, hash_password, password)
    ready = replace(draft, is_admin=True, password_hash=fresh)
    return await gate.db.write(_settle_set_up, secret, ready)


async def sign_up(gate: Gate, draft: PersonDraft, password: str, *, address: str) -> Opened:
    """Make an account for whoever comes, where the operator allows it.

    Raises:
        SignUpClosed: If ``people.sign_up`` is not ``open``.
        PasswordTooShort: If the password is.
        PasswordTooLong: If the password is.
        TooManyAttempts: If the address has no try left.
        BadEmail: If the address cannot be one.
        BadName: If the name breaks the rule.
        NameReserved: If the name may become an address.
        BadFullName: If the full name is not one line.
        NameTaken: If somebody has the name.
        EmailTaken: If another account has the address.
    """
    if gate.settings.sign_up is not SignUp.OPEN:
        raise SignUpClosed
    check_password(password)
    gate.attempts.begin(draft.name, address)
    fresh = await hop(gate.pool, hash_password, password)
    return await gate.db.write(_settle_sign_up, replace(draft, is_admin=False, password_hash=fresh))


def _recognise(tx: Tx, credential: Credential) -> tuple[Actor, int | None]:
    """Return the actor, and the instant if the token's last use should be written."""
    actor, is_stale = recognise(tx, credential)
    return actor, tx.now if is_stale else None


async def _prove(gate: Gate, name: str, password: str) -> tuple[int, str]:
    """Return the row and the stored hash of whoever has name and password.

    An unknown name takes as long as a wrong password.
    """
    found = await gate.db.read(find_password, name)
    stored = None if found is None else found[1]
    fits = await hop(gate.pool, is_password, stored or NOT_A_PASSWORD, password)
    if found is None or stored is None or not fits:
        raise BadSignIn
    return found[0], stored


def _settle_sign_in(tx: Tx, person_id: int, stored: str, fresh: str | None) -> Opened:
    if fresh is not None:
        _replace_password(tx, person_id, stored, fresh)
    return _open(tx, person_id, fresh or stored)


def _settle_change(tx: Tx, person_id: int, stored: str, fresh: str) -> Opened:
    _replace_password(tx, person_id, stored, fresh)
    return _begin_anew(tx, person_id)


def _settle_link(tx: Tx, secret: str, fresh: str) -> Opened:
    person_id = take_link(tx, secret, for_set_up=False)
    assert person_id is not None
    own = sa.update(tables.persons).where(tables.persons.c.id == person_id)
    tx.conn.execute(own.values(password=fresh))
    return _begin_anew(tx, person_id)


def _settle_set_up(tx: Tx, secret: str, draft: PersonDraft) -> Opened:
    take_link(tx, secret, for_set_up=True)
    if has_admin(tx):
        raise LinkGone
    return open_session(tx, insert_person(tx, draft))


def _settle_sign_up(tx: Tx, draft: PersonDraft) -> Opened:
    return open_session(tx, insert_person(tx, draft))


def _begin_anew(tx: Tx, person_id: int) -> Opened:
    """End what an older password opened, and begin a session."""
    void_links(tx, person_id)
    end_all_sessions(tx, person_id)
    person = find_person_by_id(tx, person_id)
    assert person is not None
    opened = open_session(tx, person)
    record(tx, PasswordChanged(), subject=person.public_id, actor_id=person_id)
    return opened


def _replace_password(tx: Tx, person_id: int, stored: str, fresh: str) -> None:
    """Store another hash unless somebody was faster; then what was proved is out of date."""
    own = sa.update(tables.persons).where(
        tables.persons.c.id == person_id, tables.persons.c.password == stored
    )
    if tx.conn.execute(own.values(password=fresh)).rowcount != 1:
        raise BadSignIn


def _open(tx: Tx, person_id: int, stored: str) -> Opened:
    """Begin a session if the password that was proved still is the password."""
    same = (
        sa.select(tables.persons.c.id)
        .where(tables.persons.c.id == person_id, tables.persons.c.password == stored)
        .with_for_update()
    )
    if tx.conn.execute(same).first() is None:
        raise BadSignIn
    person = find_person_by_id(tx, person_id)
    assert person is not None
    return open_session(tx, person)
