"""Bare repositories of this node: a cache that may be deleted at any time."""

from __future__ import annotations

from pathlib import Path

from jishi.storage import Store


class Cache:
    """Repositories below ``root``, rebuilt from packs on demand."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
