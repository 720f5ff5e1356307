"""What an operator decides about people."""

from __future__ import annotations

from enum import StrEnum, unique

import msgspec

__all__ = [
    "ForeignTokens",
    "Settings",
    "SignUp",
]


@unique
class ForeignTokens(StrEnum):
    """What to do with an access token that this installation never issued."""

    REFUSE = "refuse"
    """Say 401 and how to get out of it."""
    ANONYMOUS = "anonymous"
    """Treat whoever only reads as nobody, with a warning."""


@unique
class SignUp(StrEnum):
    """Who may make an account."""

    CLOSED = "closed"
    """Administrators invite."""
    OPEN = "open"
    """Everybody who reaches the page."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of people."""

    foreign_tokens: ForeignTokens = ForeignTokens.REFUSE
    sign_up: SignUp = SignUp.CLOSED
