"""Passwords: what is one, how it is hashed, how it is compared."""

from __future__ import annotations

from typing import ClassVar, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 256

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)
"""argon2id, 46 MiB: OWASP's first choice with one more pass, some 60 ms.  One lane, so a
burst of sign-ins takes no more threads than the pool that runs them has."""

NOT_A_PASSWORD: Final = f"$argon2id$v=19$m=47104,t=2,p=1$ZXy0Dq8c2nV3WPxuDh+29w${'A' * 43}"
"""Compared with when the name is unknown, so that answer takes as long as the others.  No
password has this hash."""


class PasswordTooShort(Refusal):
    """The password is easy to guess by trying."""

    code: ClassVar[str] = "people.password_too_short"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("A password has at least {chars_min} characters.")


class PasswordTooLong(Refusal):
    """The password is longer than anybody types."""

    code: ClassVar[str] = "people.password_too_long"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("A password has at most {chars_max} characters.")


def check_password(password: str) -> None:
    """Insist on a password that is worth its name.

    Raises:
        PasswordTooShort: If it has fewer than ``PASSWORD_CHARS_MIN`` characters.
        PasswordTooLong: If it has more than ``PASSWORD_CHARS_MAX``.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        raise PasswordTooShort(chars_min=PASSWORD_CHARS_MIN)
    if len(password) > PASSWORD_CHARS_MAX:
        raise PasswordTooLong(chars_max=PASSWORD_CHARS_MAX)


def hash_password(password: str) -> str:
    """Return what is stored of ``password``.  Slow on purpose: never in a transaction."""
    return _HASHER.hash(password)


def is_password(stored: str, password: str) -> bool:
    """Whether ``stored`` was made of ``password``.  As slow as hashing, in constant time."""
    if len(password) > PASSWORD_CHARS_MAX:
        return False
    try:
        return _HASHER.verify(stored, password)
    except VerificationError:
        return False


def is_outdated(stored: str) -> bool:
    """Whether ``stored`` was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
