"""What every store of objects promises."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_


class DiskFull(Refusal):
    """There is no room for the bytes; nothing of them was kept."""

    code: ClassVar[str] = "storage.full"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    text: ClassVar[str] = N_("The disk of this server is full. Nothing was stored.")


class ObjectMissing(Exception):
    """No object has this key.  Below the domain: whoever asks knows what it means."""


class Store(Protocol):
    """Immutable objects.  A key is ASCII, ``/``-separated, and names the same bytes for ever."""

    def put(self, key: str, source: Path) -> None:
        """Make the file ``source`` the object ``key``; durable on return.

        ``source`` is used up.  If the object exists the first one stays.

        Raises:
            DiskFull: If there is no room.
        """

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store ``data`` under ``key``; durable on return.

        Raises:
            DiskFull: If there is no room.
        """

    def path(self, key: str) -> Path | None:
        """Return the local file of the object, ``None`` where objects are not files.

        Raises:
            ObjectMissing: If there is none.
        """

    def size(self, key: str) -> int:
        """Return the object's bytes.

        Raises:
            ObjectMissing: If there is none.
        """

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive; ``None``: the end).

        Raises:
            ObjectMissing: If there is none.
        """

    def delete(self, key: str) -> None:
        """Remove the object; no object is fine."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Return the keys below ``prefix`` in no particular order."""


@contextmanager
def no_space() -> Iterator[None]:
    """Turn the operating system's "no space left" into ``DiskFull``."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        raise
