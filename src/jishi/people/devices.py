"""Log-in of a device without a browser, RFC 8628: ``hf auth login``.

The device asks for two codes, shows the short one, and polls with the long one; a person
who is signed in types the short one on a page and approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.networks import network_of
from jishi.core.sql import insert_once
from jishi.people import tables
from jishi.people.actors import Actor
from jishi.people.secret import digest, new_secret, new_user_code
from jishi.people.tokens import Minted, TokenRole, end_token, mint

__all__ = [
    "DeviceGone",
    "DeviceStart",
    "DeviceView",
    "Grant",
    "PollAnswer",
    "PollState",
    "TooManyDevices",
    "approve_device",
    "deny_device",
    "poll_device",
    "read_device",
    "refresh_grant",
    "start_device",
]

DEVICE_SECONDS = 900
"""How long a person has for approving."""
INTERVAL_SECONDS = 5
"""How long a device waits between two polls."""
TOKEN_SECONDS = 30 * 86_400
"""How long the access token of a device works before it must be refreshed."""
REFRESH_SECONDS = 90 * 86_400
"""How long a device may stay away."""
DEVICES_MAX = 2000
"""Log-ins under way at once; anybody may begin one."""
ADDRESS_DEVICES_MAX = 50
"""Log-ins under way from one address: a class shares few addresses."""
CLIENT_ID_CHARS_MAX = 100
_POLL_MICROS_MIN: Final = 1_000_000
"""Faster than this is told to slow down; clients add seconds for each such answer."""


class DeviceGone(Refusal):
    """No device waits with this code: mistyped, out of time, or answered already."""

    code: ClassVar[str] = "people.device_gone"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("No program is waiting with this code. Start again in the program.")


class TooManyDevices(Refusal):
    """More log-ins are under way from one address than a class needs."""

    code: ClassVar[str] = "people.too_many_devices"
    kind: ClassVar[Kind] = Kind.THROTTLED
    text: ClassVar[str] = N_("Too many programs are waiting for approval. Try again later.")


@unique
class PollState(StrEnum):
    """What a polling device learns; the values are the protocol's words."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    GRANTED = "granted"


@dataclass(frozen=True, slots=True)
class DeviceStart:
    """What a device gets at the start.

    Attributes:
        device_code: Secret of the device.
        user_code: To be typed by a person.
    """

    device_code: str
    user_code: str
    expires_seconds: int
    interval_seconds: int


@dataclass(frozen=True, slots=True)
class DeviceView:
    """What the person who approves gets to see.

    Attributes:
        started_at: Microseconds UTC, as ``expires_at``.
    """

    user_code: str
    client_id: str
    started_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens handed to a device.

    Attributes:
        access_token: Begins with ``hf_``.
        expires_seconds: How long it works.
    """

    access_token: str
    refresh_token: str
    expires_seconds: int


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """Answer to a poll; ``grant`` comes with ``GRANTED`` only.

    A value, not a refusal: that a device polled is written down whatever it is told.
    """

    state: PollState
    grant: Grant | None = None


def start_device(tx: Tx, client_id: str, *, address: str) -> DeviceStart:
    """Begin a log-in; anybody may.

    Where there is no room, a log-in goes whose device never asked how it stands: whoever
    begins many does not keep the others out.

    Args:
        address: Of the caller.

    Raises:
        TooManyDevices: If ``ADDRESS_DEVICES_MAX`` devices wait at this address and ask; or
            ``DEVICES_MAX`` were approved and do not.
    """
    tx.conn.execute(_SWEEP, {"now": tx.now})
    network = digest(network_of(address))
    if tx.conn.execute(_COUNT_NEAR, {"network": network}).scalar_one() >= ADDRESS_DEVICES_MAX:
        _drop(tx, _DROP_SILENT_NEAR, network=network)
    elif tx.conn.execute(_COUNT).scalar_one() >= DEVICES_MAX:
        _drop(tx, _DROP_OLDEST)
    device_code = new_secret()
    row: dict[str, Any] = {
        "sha256": digest(device_code),
        "client_id": client_id[:CLIENT_ID_CHARS_MAX],
        "state": "pending",
        "network": network,
        "created_at": tx.now,
        "expires_at": tx.now + DEVICE_SECONDS * 1_000_000,
    }
    while True:  # 20**8 codes: the second round is a curiosity
        user_code = new_user_code()
        if insert_once(tx.conn, tables.devices, {**row, "user_code": user_code}) is not None:
            return DeviceStart(device_code, user_code, DEVICE_SECONDS, INTERVAL_SECONDS)


def read_device(tx: Tx, actor: Actor, user_code: str) -> DeviceView:
    """Show which device waits with a code.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        DeviceGone: If none does.
    """
    actor.require_session()
    key = {"user_code": plain_code(user_code), "now": tx.now}
    row = tx.conn.execute(_BY_CODE, key).one_or_none()
    if row is None:
        raise DeviceGone
    return DeviceView(row.user_code, row.client_id, row.created_at, row.expires_at)


def approve_device(tx: Tx, actor: Actor, user_code: str, *, role: TokenRole) -> None:
    """Let the waiting device act for the actor.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        DeviceGone: If no device waits with this code.
    """
    _answer(tx, actor, user_code, {"state": "approved", "role": role.value})


def deny_device(tx: Tx, actor: Actor, user_code: str) -> None:
    """Turn the waiting device away.

    Raises:
        SignInNeeded: If nobody said who is asking.
        SessionNeeded: If the actor came with an access token.
        DeviceGone: If no device waits with this code.
    """
    _answer(tx, actor, user_code, {"state": "denied"})


def poll_device(tx: Tx, device_code: str, client_id: str) -> PollAnswer:
    """Answer a device that asks whether it was approved; the tokens are given once."""
    key = {"sha256": digest(device_code)}
    row = tx.conn.execute(_BY_SECRET, key).one_or_none()
    known = row is not None and row.client_id == client_id[:CLIENT_ID_CHARS_MAX]
    if row is None or not known or row.expires_at <= tx.now:
        return PollAnswer(PollState.EXPIRED)
    if row.state == "pending":
        tx.conn.execute(_POLLED, {"key": key["sha256"], "now": tx.now})
        too_soon = row.polled_at is not None and tx.now - row.polled_at < _POLL_MICROS_MIN
        return PollAnswer(PollState.SLOW_DOWN if too_soon else PollState.PENDING)
    tx.conn.execute(_END, key)
    if row.state == "denied":
        return PollAnswer(PollState.DENIED)
    name = f"hf auth login, {row.user_code}"
    return PollAnswer(PollState.GRANTED, _grant(tx, row.person_id, name, TokenRole(row.role)))


def refresh_grant(tx: Tx, refresh_token: str) -> Grant | None:
    """Trade a refresh token for fresh ones; the access token it came with ends.

    Returns:
        ``None`` if the refresh token was used, ran out, never was one, or its access token
        was revoked by its owner.
    """
    traded = tx.conn.execute(_TRADE, {"sha256": digest(refresh_token), "now": tx.now})
    row = traded.one_or_none()
    token = None if row is None else tx.conn.execute(_TOKEN, {"id": row.token_id}).one()
    if token is None or token.revoked_at is not None:
        return None
    end_token(tx, token.id)
    return _grant(tx, token.person_id, token.name, TokenRole(token.role))


def plain_code(user_code: str) -> str:
    """Return a code as it was shown, however it was typed."""
    letters = "".join(c for c in user_code.upper() if c.isalnum())
    return f"{letters[:4]}-{letters[4:]}"


def _drop(tx: Tx, one: sa.Delete, **facts: bytes) -> None:
    if tx.conn.execute(one, facts).rowcount != 1:
        raise TooManyDevices


def _grant(tx: Tx, person_id: int, name: str, role: TokenRole) -> Grant:
    minted: Minted = mint(
        tx, person_id, name=name, role=role, seconds=TOKEN_SECONDS, actor_id=person_id
    )
    refresh_token = new_secret()
    row_id = tx.conn.execute(_TOKEN_ROW, {"sha256": digest(minted.secret)}).scalar_one()
    row = {
        "sha256": digest(refresh_token),
        "token_id": row_id,
        "expires_at": tx.now + REFRESH_SECONDS * 1_000_000,
    }
    tx.conn.execute(sa.insert(tables.refreshes), row)
    return Grant(minted.secret, refresh_token, TOKEN_SECONDS)


def _answer(tx: Tx, actor: Actor, user_code: str, values: dict[str, str]) -> None:
    actor.require_session()
    waiting = sa.update(tables.devices).where(
        _d.user_code == plain_code(user_code), _d.state == "pending", _d.expires_at > tx.now
    )
    if tx.conn.execute(waiting.values(**values, person_id=actor.id)).rowcount != 1:
        raise DeviceGone


_d, _r, _t = tables.devices.c, tables.refreshes.c, tables.tokens.c
_SWEEP: Final = sa.delete(tables.devices).where(_d.expires_at <= sa.bindparam("now"))
_COUNT: Final = sa.select(sa.func.count()).select_from(tables.devices)
_COUNT_NEAR: Final = _COUNT.where(_d.network == sa.bindparam("network"))
_PENDING: Final = sa.select(_d.sha256).where(_d.state == "pending").limit(1)
_SILENT_FIRST: Final = (_d.polled_at.isnot(None), _d.created_at, _d.sha256)
_DROP_OLDEST: Final = sa.delete(tables.devices).where(
    _d.sha256 == _PENDING.order_by(*_SILENT_FIRST).scalar_subquery()
)
_DROP_SILENT_NEAR: Final = sa.delete(tables.devices).where(
    _d.sha256
    == _PENDING.where(_d.polled_at.is_(None), _d.network == sa.bindparam("network"))
    .order_by(_d.created_at, _d.sha256)
    .scalar_subquery()
)
_BY_CODE: Final = sa.select(_d.user_code, _d.client_id, _d.created_at, _d.expires_at).where(
    _d.user_code == sa.bindparam("user_code"),
    _d.state == "pending",
    _d.expires_at > sa.bindparam("now"),
)
_BY_SECRET: Final = (
    sa.select(
        *(_d.client_id, _d.user_code, _d.state, _d.role),
        *(_d.person_id, _d.expires_at, _d.polled_at),
    )
    .where(_d.sha256 == sa.bindparam("sha256"))
    .with_for_update()
)
_POLLED: Final = (
    sa.update(tables.devices)
    .where(_d.sha256 == sa.bindparam("key"))
    .values(polled_at=sa.bindparam("now"))
)
_END: Final = sa.delete(tables.devices).where(_d.sha256 == sa.bindparam("sha256"))
_TRADE: Final = (
    sa.delete(tables.refreshes)
    .where(_r.sha256 == sa.bindparam("sha256"), _r.expires_at > sa.bindparam("now"))
    .returning(_r.token_id)
)
_TOKEN: Final = (
    sa.select(_t.id, _t.person_id, _t.name, _t.role, _t.revoked_at)
    .where(_t.id == sa.bindparam("id"))
    .with_for_update()
)
_TOKEN_ROW: Final = sa.select(_t.id).where(_t.sha256 == sa.bindparam("sha256"))
