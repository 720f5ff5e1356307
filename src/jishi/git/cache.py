"""Bare repositories of this node: a cache that may be deleted at any time.

A repository's folder is ``<root>/<git id>/``: ``objects/pack`` holds its packs, and each
``view-<refs generation>`` is a Git directory with the refs of that generation, made for
``git upload-pack`` and never changed.  Packs are hard links to the object store, or files
written from it or from SQL.  The index of a pack comes last: it makes the pack visible.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pygit2

from jishi.core.errors import invariant
from jishi.git.packs import Generations, Members, StoredPack, key_of
from jishi.git.repository import REPAIRS_MAX, Repository
from jishi.storage import Store

HANDLES_MAX: Final = 128
"""Repositories kept open."""
OPEN_PACKS_MAX: Final = 256
"""Pack files libgit2 keeps open, all repositories together."""
_PIECE_BYTES: Final = 4 << 20
_SHA_BYTES: Final = 20

Fetch = Callable[[frozenset[str]], Members]
"""Reads a repository's packs from SQL, inline bytes only of those not named."""


@dataclass(slots=True)
class _Entry:
    """What this process knows about one repository."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    packs_gen: int = -1
    repository: Repository | None = None
    names: frozenset[str] = frozenset()


class Cache:
    """Repositories below ``root``, rebuilt from packs on demand.

    One builder per repository and process; others wait for it.
    """

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        pygit2.settings.mwindow_file_limit = OPEN_PACKS_MAX

    def folder(self, git_id: int) -> Path:
        """Return where a repository lies, if it does."""
        return self._root / str(git_id)

    def peek(self, git_id: int, found: Generations) -> Repository | None:
        """Return the repository if it is open, up to date and still on disk."""
        with self._lock:
            entry = self._entries.get(git_id)
            if entry is None or entry.packs_gen != found.packs:
                return None
            self._entries.move_to_end(git_id)
        return entry.repository if self._has_all(git_id, entry.names) else None

    def open(self, git_id: int, fetch: Fetch) -> Repository:
        """Bring a repository up to date and return it.  Blocking.

        Raises:
            storage.ObjectMissing: If the object store lost a pack.
        """
        entry = self._entry(git_id)
        with entry.lock:
            for _ in range(REPAIRS_MAX):
                with suppress(FileNotFoundError, pygit2.GitError):  # deleted under our hands
                    return self._open(git_id, entry, fetch)
            return self._open(git_id, entry, fetch)

    def restore(self, git_id: int, fetch: Fetch) -> bool:
        """Put back what was deleted; return whether anything was missing.  Blocking."""
        entry = self._entry(git_id)
        with entry.lock:
            whole = self._has_all(git_id, entry.names)
            if whole and fetch(entry.names).found.packs == entry.packs_gen:
                return False
            for _ in range(REPAIRS_MAX):
                with suppress(FileNotFoundError):
                    self._synchronise(git_id, entry, fetch)
                    return True
            self._synchronise(git_id, entry, fetch)
            return True

    def forget(self, git_id: int) -> None:
        """Remove a repository's folder; it comes back when somebody opens it."""
        with self._lock:
            entry = self._entries.pop(git_id, None)
        with entry.lock if entry else threading.Lock():
            shutil.rmtree(self.folder(git_id), ignore_errors=True)

    def _entry(self, git_id: int) -> _Entry:
        with self._lock:
            entry = self._entries.get(git_id)
            if entry is None:
                entry = self._entries[git_id] = _Entry()
            self._entries.move_to_end(git_id)
            while len(self._entries) > HANDLES_MAX:
                self._entries.popitem(last=False)
        return entry

    def _open(self, git_id: int, entry: _Entry, fetch: Fetch) -> Repository:
        brought = self._synchronise(git_id, entry, fetch)
        if entry.repository is None:
            restore = _Restore(self, git_id, fetch)
            entry.repository = Repository(self.folder(git_id), restore)
        elif brought:
            entry.repository.reopen()
        return entry.repository

    def _synchronise(self, git_id: int, entry: _Entry, fetch: Fetch) -> int:
        """Bring the packs that are not here and return how many those were."""
        folder = self._prepare(git_id)
        local = _packs_in(folder)
        members = fetch(local)
        missing = [pack for pack in members.packs if pack.id not in local]
        for pack in missing:
            self._bring(folder, pack)
        for pack_id in members.dropped & local:  # those who read them look again and find
            for suffix in ("idx", "pack"):  # what replaced them, as after git gc
                (folder / f"pack-{pack_id}.{suffix}").unlink(missing_ok=True)
        entry.packs_gen = members.found.packs
        entry.names = frozenset(pack.id for pack in members.packs)
        return len(missing)

    def _prepare(self, git_id: int) -> Path:
        """Make an empty bare repository unless there is one; return its pack folder."""
        top = self.folder(git_id)
        packs = top / "objects" / "pack"
        packs.mkdir(parents=True, exist_ok=True)
        (top / "refs").mkdir(exist_ok=True)
        for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", _CONFIG)):
            if not (top / name).exists():
                write_whole(top / name, text.encode())
        return packs

    def _bring(self, folder: Path, pack: StoredPack) -> None:
        name = f"pack-{pack.id}"
        if pack.inline is not None:
            invariant(pack.inline[0][-_SHA_BYTES:] == pack.sha, f"{name} is what was stored")
            write_whole(folder / f"{name}.pack", pack.inline[0])
            write_whole(folder / f"{name}.idx", pack.inline[1])
            return
        self._link(folder / f"{name}.pack", key_of(pack.id, "pack"), pack.sha)
        self._link(folder / f"{name}.idx", key_of(pack.id, "idx"))

    def _link(self, target: Path, key: str, sha: bytes | None = None) -> None:
        source = self._store.path(key)
        if source is not None:
            try:
                target.hardlink_to(source)
            except FileExistsError:
                return
            except OSError:  # another file system
                source = None
            else:
                return
        fresh = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            self._download(fresh, key, sha)
            fresh.rename(target)
        finally:
            fresh.unlink(missing_ok=True)

    def _download(self, target: Path, key: str, sha: bytes | None) -> None:
        size, start = self._store.size(key), 0
        digest = hashlib.sha1(usedforsecurity=False)
        with target.open("wb") as file:
            while start < size:
                piece = self._store.read(key, start, min(start + _PIECE_BYTES, size))
                file.write(piece)
                start += len(piece)
                body = len(piece) - max(0, start - (size - _SHA_BYTES))
                digest.update(piece[: max(body, 0)])
        invariant(sha is None or digest.digest() == sha, f"{key} is what was stored")

    def _has_all(self, git_id: int, names: frozenset[str]) -> bool:
        return names <= _packs_in(self.folder(git_id) / "objects" / "pack")


def _packs_in(folder: Path) -> frozenset[str]:
    """Return the packs that are whole in ``folder``: ``pack-<id>.pack`` and ``.idx``."""
    try:
        with os.scandir(folder) as files:
            names = {file.name for file in files}
    except FileNotFoundError:
        return frozenset()
    return frozenset(
        name[5:45] for name in names if name.endswith(".idx") and f"{name[:-4]}.pack" in names
    )


@dataclass(frozen=True, slots=True)
class _Restore:
    """Lets an open repository repair itself."""

    cache: Cache
    git_id: int
    fetch: Fetch

    def __call__(self) -> bool:
        return self.cache.restore(self.git_id, self.fetch)


def write_whole(target: Path, data: bytes) -> None:
    """Write a file that is there completely or not at all; not synced, it is a cache."""
    fresh = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
    fresh.write_bytes(data)
    fresh.rename(target)


_CONFIG: Final = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
