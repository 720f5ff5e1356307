"""Names for things outside the database: 24 hex digits that sort by time."""

from __future__ import annotations

import secrets


def new_id(now: int) -> str:
    """Return a public id: 12 digits of milliseconds, then 12 random ones.

    Rows keep their integer ids; those never leave the platform.

    Args:
        now: Microseconds since 1970 UTC, as ``tx.now``.
    """
    return f"{now // 1000:012x}{secrets.token_hex(6)}"
