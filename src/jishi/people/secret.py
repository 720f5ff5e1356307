"""Secrets that are shown once and stored as hashes."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Final

TOKEN_PREFIX: Final = "hf_"  # noqa: S105  (clients refuse tokens that begin otherwise)
_LETTERS: Final = string.ascii_letters
_TOKEN_LETTERS = 34
"""As long as the tokens of the public hub; 52**34 is 193 bits."""
_USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; RFC 8628 §6.1."""


def new_token() -> str:
    """Return a fresh access token: 37 characters, ``hf_`` and letters."""
    return TOKEN_PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LETTERS))


def is_ours(token: str) -> bool:
    """Whether ``token`` may be an access token at all; tokens of Xet come the same way."""
    return token.startswith(TOKEN_PREFIX)


def new_secret() -> str:
    """Return 256 random bits for a link, a session or a device."""
    return secrets.token_urlsafe(32)


def new_user_code() -> str:
    """Return eight letters in two groups, to be typed by hand: ``BCDF-GHJK``."""
    letters = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def digest(secret: str) -> bytes:
    """Return the SHA-256 under which a random secret is stored and found.

    A plain hash suffices because the secrets are random; looking the hash up leaks no
    timing about the secret, since whoever measures does not know what hashes near it.
    """
    return hashlib.sha256(secret.encode()).digest()
