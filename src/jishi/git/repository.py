"""A local bare repository, read through libgit2, that repairs itself when it was deleted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import pygit2

from jishi.core.errors import Broken
from jishi.git.writing import BLOB, COMMIT, TAG, TREE

A = TypeVar("A")
R = TypeVar("R")

REPAIRS_MAX: Final = 5
"""How often the folder may be deleted under one call."""
_TROUBLE: Final = (KeyError, OSError, pygit2.GitError)
"""What libgit2 raises for an object that is not there, or whose pack is not."""


class Repository:
    """One repository of a node's cache.  May be used from several threads.

    libgit2 runs under the interpreter lock in every call made here, so one handle serves
    all threads.  Reading does not look at refs: those are in SQL.

    Args:
        folder: The bare repository.
        restore: Puts packs back that went missing; returns whether there were any.
    """

    def __init__(self, folder: Path, restore: Callable[[], bool]) -> None:
        self._folder = folder
        self._restore = restore
        self.reopen()

    def read(self, oid: bytes) -> tuple[int, bytes]:
        """Return kind and content of an object.

        Raises:
            Broken: If it is not there: somebody named an object before adding its pack.
        """
        try:
            return self._repairing(self._read, oid)
        except KeyError as error:
            raise Broken(f"git object {oid.hex()} is missing") from error

    def size(self, oid: bytes) -> int:
        """Return the bytes of an object's content, without reading it where possible.

        Raises:
            Broken: If it is not there.
        """
        try:
            return self._repairing(self._header, oid)[1]
        except KeyError as error:
            raise Broken(f"git object {oid.hex()} is missing") from error

    def kind(self, oid: bytes) -> int | None:
        """Return what an object is, ``None`` if there is no such object."""
        try:
            return self._repairing(self._header, oid)[0]
        except KeyError:
            return None

    def expand(self, prefix: str) -> bytes | None:
        """Return the one commit whose id begins with ``prefix``, if there is exactly one."""
        try:
            found = self._repairing(self._expand, prefix)
        except ValueError:  # several objects; perhaps one commit among them
            return self._expand_slowly(prefix)
        except KeyError:
            return None
        return found if self.kind(found) in {COMMIT, TAG} else None

    def read_tree(self, oid: bytes) -> bytes:
        """Return the content of a tree."""
        return self._read_as(oid, TREE)

    def read_blob(self, oid: bytes) -> bytes:
        """Return the content of a blob."""
        return self._read_as(oid, BLOB)

    def read_commit(self, oid: bytes) -> bytes:
        """Return the content of a commit."""
        return self._read_as(oid, COMMIT)

    def _read_as(self, oid: bytes, wanted: int) -> bytes:
        kind, data = self.read(oid)
        if kind != wanted:
            raise Broken(f"git object {oid.hex()} is of kind {kind}, not {wanted}")
        return data

    def _expand_slowly(self, prefix: str) -> bytes | None:
        low = bytes.fromhex(prefix.ljust(40, "0"))
        high = bytes.fromhex(prefix.ljust(40, "f"))
        near = {oid.raw for oid in self._odb if low <= oid.raw <= high}
        commits = [oid for oid in near if self.kind(oid) == COMMIT]
        return commits[0] if len(commits) == 1 else None

    def reopen(self) -> None:
        """Look at the folder afresh; libgit2 sees new packs only when it misses an object."""
        self._handle = pygit2.Repository(str(self._folder), pygit2.enums.RepositoryOpenFlag.BARE)
        self._odb = self._handle.odb

    def _repairing(self, work: Callable[[A], R], argument: A) -> R:
        """Run ``work``; if it fails, put back what is missing, look afresh and run it again."""
        for attempt in range(REPAIRS_MAX):
            odb = self._odb
            try:
                return work(argument)
            except _TROUBLE:
                # another thread may have put the packs back between our miss and our look
                if not self._restore() and self._odb is odb and attempt:
                    raise
            with suppress(pygit2.GitError):  # deleted once more; the next round restores it
                self.reopen()
        return work(argument)

    def _read(self, oid: bytes) -> tuple[int, bytes]:
        kind, data = self._odb.read(pygit2.Oid(raw=oid))
        return int(kind), data

    def _header(self, oid: bytes) -> tuple[int, int]:
        kind, size = self._odb.read_header(pygit2.Oid(raw=oid))
        return int(kind), int(size)

    def _expand(self, prefix: str) -> bytes:
        return bytes(self._handle.expand_id(prefix).raw)
