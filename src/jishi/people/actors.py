"""The party on whose behalf code runs, and its roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_


@unique
class Role(IntEnum):
    """What a member may do in a namespace; each role includes those below it."""

    READ = 1
    """See private repositories."""
    CONTRIBUTOR = 2
    """Create repositories, and write to those one created."""
    WRITE = 3
    """Write to, rename and delete every repository."""
    ADMIN = 4
    """Manage members and settings."""


class Denied(Refusal):
    """The actor is known but lacks the right."""

    code: ClassVar[str] = "people.denied"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("You need the role {role} in {namespace} for this.")


class AnothersName(Denied):
    """The name in front of the slash is another person's: nobody gives out roles in it."""

    code: ClassVar[str] = "people.anothers_name"
    text: ClassVar[str] = N_(
        "{namespace} is another person. Use your own name, or an organisation that you belong to."
    )


class ReadOnlyToken(Refusal):
    """The token may only read, whatever its owner may do."""

    code: ClassVar[str] = "people.read_only_token"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("This token may only read. Create one with the role write.")


class SignInNeeded(Refusal):
    """Nobody said who is asking, and nobody may do this."""

    code: ClassVar[str] = "people.sign_in_needed"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    text: ClassVar[str] = N_("Please sign in or send an access token.")


class AdminNeeded(Refusal):
    """Only administrators of the installation may do this."""

    code: ClassVar[str] = "people.admin_needed"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("Only an administrator of this installation may do this.")


class SessionNeeded(Refusal):
    """A token may not make or end credentials: a stolen one would outlive its revocation."""

    code: ClassVar[str] = "people.session_needed"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_("An access token may not do this. Sign in with a browser.")


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated party, or nobody.

    Attributes:
        id: The person's row; ``0`` is the anonymous visitor, ``-1`` the operator.
        public_id: 24 hex digits for the outside; empty for nobody.
        name: The namespace that is the actor's own; empty for nobody.
        is_admin: Administers the installation: people and settings, not other people's
            repositories.
        can_write: False for a token that may only read.
        roles: Lower-cased namespace -> role, the actor's own name included (``ADMIN``).
        token_id: Row of the access token that was shown, ``0`` for a browser session.
        token: Public id of the same token, empty for a browser session.
    """

    id: int
    public_id: str
    name: str
    is_admin: bool = False
    can_write: bool = True
    roles: Mapping[str, Role] = field(default_factory=dict)
    token_id: int = 0
    token: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody said who this is."""
        return self.id == 0

    def role_in(self, namespace: str) -> Role | None:
        """Return the actor's role in ``namespace``, compared without case."""
        return self.roles.get(namespace.lower())

    def has(self, role: Role, namespace: str) -> bool:
        """Whether the actor's role in ``namespace`` is ``role`` or higher."""
        own = self.role_in(namespace)
        return own is not None and own >= role

    def require(self, role: Role, namespace: str) -> None:
        """Insist on ``role`` for something that changes ``namespace``.

        Raises:
            SignInNeeded: If nobody said who is asking.
            ReadOnlyToken: If the token may only read.
            Denied: If the role is missing.
        """
        if self.is_anonymous:
            raise SignInNeeded
        if not self.can_write:
            raise ReadOnlyToken
        if not self.has(role, namespace):
            raise Denied(role=role.name.lower(), namespace=namespace)

    def require_admin(self) -> None:
        """Insist on the right to administer the installation.

        Raises:
            SignInNeeded: If nobody said who is asking.
            ReadOnlyToken: If the token may only read.
            AdminNeeded: If the person is no administrator.
            SessionNeeded: If they came with an access token: what administers people makes
                credentials.
        """
        if self.is_anonymous:
            raise SignInNeeded
        if not self.can_write:
            raise ReadOnlyToken
        if not self.is_admin:
            raise AdminNeeded
        self.require_session()

    def require_session(self) -> None:
        """Insist on a person at a browser, not a token.

        Raises:
            SignInNeeded: If nobody said who is asking.
            SessionNeeded: If the actor came with an access token.
        """
        if self.is_anonymous:
            raise SignInNeeded
        if self.token_id:
            raise SessionNeeded


NOBODY: Final = Actor(id=0, public_id="", name="")
"""The anonymous visitor."""

OPERATOR: Final = Actor(id=-1, public_id="", name="", is_admin=True)
"""Whoever can open the data folder: the command line and the platform itself."""
