"""Passes to the store of chunks: who, for which repository, to read or to write.

The hub's own token never reaches the store; a pass is sealed, short, and bound to one
repository.  Clients renew theirs half a minute before it ends by their own clock, so one is
accepted some minutes longer than was announced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from jishi import xet
from jishi.core.db import Tx
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.signing import Keys
from jishi.hub.repos import RepoKind, Right, access_repo, still_open
from jishi.people import Actor

BASE_PATH: Final = "/cas/e0"
"""An address of the store without anybody's number; every number answers."""
PASS_SECONDS: Final = 15 * 60
GRACE_SECONDS: Final = 5 * 60
SECOND: Final = 1_000_000
_PURPOSE: Final = "hub.cas-pass"


class PassInvalid(Refusal):
    """The pass was not made here, its time is over, or its repository is gone."""

    code: ClassVar[str] = "hub.cas_pass_invalid"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("This transfer may not go on: its pass is not valid any more.")


class PassReadsOnly(Refusal):
    """The pass is for reading."""

    code: ClassVar[str] = "hub.cas_pass_reads_only"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("This pass is for downloads only.")


@dataclass(frozen=True, slots=True)
class Token:
    """A pass as clients get it.

    Attributes:
        exp: Seconds since 1970 UTC.
        path: Where the store is, below the origin.
    """

    access_token: str
    exp: int
    path: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that was checked.

    Attributes:
        repo: Public id of the repository; ``repo_id`` is its row.
        by: Public id of the person, empty for nobody.
        token: Public id of the access token they came with, empty for a browser session.
    """

    repo_id: int
    repo: str
    by: str
    writes: bool
    token: str


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a pass says, sealed.  ``until`` in seconds since 1970 UTC."""

    repo: str
    by: str
    writes: bool
    until: int
    epoch: int
    token: str


def make_pass(
    tx: Tx, keys: Keys, actor: Actor, kind: RepoKind, path: str, *, writes: bool
) -> Token:
    """Make a pass for a repository.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    repo = access_repo(tx, actor, kind, path, right=Right.WRITE if writes else Right.READ)
    until = tx.now // SECOND + PASS_SECONDS
    epoch = xet.epoch_of(tx, actor.public_id)
    by = actor.public_id
    claims = Claims(repo.public_id, by, writes, until, epoch, actor.token)
    place = keys.derive(f"hub.cas-place/{actor.public_id}")[:4].hex()  # each person's own
    return Token(keys.seal(_PURPOSE, claims), until, f"/cas/e{epoch}-{place}")


def open_pass(tx: Tx, keys: Keys, sealed: str, *, writes: bool = False) -> Pass:
    """Check a pass.

    Args:
        writes: Whether it must allow writing.

    Raises:
        PassInvalid: If it is not good.
        PassReadsOnly: If it is not good for writing.
    """
    claims = keys.unseal(_PURPOSE, sealed, Claims)
    if claims is None or tx.now // SECOND > claims.until + GRACE_SECONDS:
        raise PassInvalid
    whose = (claims.repo, claims.by, claims.token)
    repo_id = still_open(tx, *whose)
    if repo_id is None:
        raise PassInvalid
    if writes and not claims.writes:
        raise PassReadsOnly
    if writes and still_open(tx, *whose, right=Right.WRITE) is None:
        raise PassInvalid
    return Pass(repo_id, claims.repo, claims.by, claims.writes, claims.token)
