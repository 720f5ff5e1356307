"""Signed claims and derived keys: one root secret, a key of its own for each purpose.

A sealed string is ``<base64url claims>.<base64url HMAC-SHA-256>``; it is readable by
whoever holds it and cannot be changed.  Claims that must end carry their own expiry.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

ROOT_BYTES = 32


class Keys:
    """Keys derived from the installation's one root secret (32 bytes)."""

    def __init__(self, root: bytes) -> None:
        self._root = root

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for ``purpose``; other purposes cannot be computed from them."""
        return hmac.digest(self._root, b"jishi/" + purpose.encode(), hashlib.sha256)

    def seal(self, purpose: str, claims: msgspec.Struct) -> str:
        """Return ``claims`` as URL-safe text that only this installation can make."""
        body = _text(msgspec.msgpack.encode(claims))
        return f"{body}.{_text(self._mac(purpose, body))}"

    def unseal(self, purpose: str, sealed: str, shape: type[T]) -> T | None:
        """Return the claims, or ``None`` if they were not sealed here for ``purpose``."""
        body, _, mac = sealed.partition(".")
        if not hmac.compare_digest(_text(self._mac(purpose, body)).encode(), mac.encode()):
            return None
        try:
            return msgspec.msgpack.decode(_bytes(body), type=shape)
        except (msgspec.MsgspecError, ValueError):  # sealed by an older release
            return None

    def _mac(self, purpose: str, body: str) -> bytes:
        return hmac.digest(self.derive(purpose), body.encode(), hashlib.sha256)[:20]


def load_keys(folder: Path) -> Keys:
    """Read the root secret ``folder/root``, made on first use with mode 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "root"
    if not file.exists():
        fresh = folder / f"root.{secrets.token_hex(4)}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(ROOT_BYTES))
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(file)
    return Keys(file.read_bytes())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
