"""Git objects, refs and the smart protocol, without users."""

from __future__ import annotations

from jishi.git.cache import Cache

__all__ = ["Cache"]
