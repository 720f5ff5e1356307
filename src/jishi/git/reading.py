"""Read trees, files, history and differences of any commit from packs.  Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pygit2

from jishi.git.repository import Repository
from jishi.git.trees import FOLDER, SUBMODULE, Commit, parse_commit, parse_tree, sort_key
from jishi.git.writing import COMMIT, TAG

OID_DIGITS: Final = 40
PREFIX_DIGITS_MIN: Final = 4
TAG_DEPTH_MAX: Final = 10
"""Tags of tags that are followed."""
_SNIFF_BYTES: Final = 8000
"""Git looks for a zero byte in so much of a file to tell text from binary."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder of a commit.

    Attributes:
        path: From the root, no slash at the end.
        oid: Blob or tree, 40 hex digits.
        size: Bytes of a file, 0 for a folder.
        mode: As Git has it.
    """

    path: str
    oid: str
    size: int
    mode: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; a submodule counts as one without content."""
        return self.mode in {FOLDER, SUBMODULE}

    @property
    def place(self) -> str:
        """Where it sorts: its path, with ``/`` at the end of a folder."""
        return self.path + "/" if self.is_folder else self.path


@dataclass(frozen=True, slots=True)
class Difference:
    """What a commit did to one file.

    Attributes:
        kind: ``add``, ``change`` or ``delete``.
        text: Unified diff; ``None`` for what is no text or too long.
    """

    path: str
    kind: str
    text: str | None


def find_commit(repository: Repository, revision: str) -> str | None:
    """Return the commit with this id, or the only one whose id begins so, else ``None``.

    The id of an annotated tag finds its commit.

    Args:
        revision: 4 to 40 hex digits; anything else finds nothing.
    """
    if not PREFIX_DIGITS_MIN <= len(revision) <= OID_DIGITS:
        return None
    try:
        padded = bytes.fromhex(revision.ljust(OID_DIGITS, "0"))
    except ValueError:
        return None
    oid = padded if len(revision) == OID_DIGITS else repository.expand(revision)
    for _ in range(TAG_DEPTH_MAX):
        kind = None if oid is None else repository.kind(oid)
        if oid is None or kind not in {COMMIT, TAG}:
            return None
        if kind == COMMIT:
            return oid.hex()
        line = repository.read(oid)[1].partition(b"\n")[0]
        oid = bytes.fromhex(line.removeprefix(b"object ").decode("ascii"))
    return None


def read_commit(repository: Repository, oid: str) -> Commit:
    """Return a commit by its full id."""
    return parse_commit(oid, repository.read_commit(bytes.fromhex(oid)))


def read_blob(repository: Repository, oid: str) -> bytes:
    """Return the content of a blob by its full id."""
    return repository.read_blob(bytes.fromhex(oid))


def find_entry(repository: Repository, oid: str, path: str) -> TreeEntry | None:
    """Return the file or folder at ``path`` of commit ``oid``; the empty path is the root."""
    tree = _root(repository, oid)
    if not path:
        return TreeEntry("", tree.hex(), 0, FOLDER)
    mode, found = FOLDER, tree
    for step in path.encode("utf-8", "replace").split(b"/"):
        if mode != FOLDER:
            return None
        entries = {n: (m, o) for n, m, o in parse_tree(repository.read_tree(found))}
        if step not in entries:
            return None
        mode, found = entries[step]
    return _to_entry(repository, path, mode, found)


def list_tree(
    repository: Repository,
    oid: str,
    folder: str = "",
    *,
    recursive: bool = False,
    after: str | None = None,
    limit: int = 1000,
) -> list[TreeEntry] | None:
    """Return what a folder of commit ``oid`` holds, in Git's byte order, folders too.

    Args:
        after: ``place`` of the last entry of the previous page.

    Returns:
        At most ``limit`` entries; ``None`` if there is no such folder.
    """
    top = find_entry(repository, oid, folder)
    if top is None or not top.is_folder:
        return None
    if top.mode == SUBMODULE:
        return []
    start = (after or "").encode("utf-8", "replace")
    prefix = folder.encode() + b"/" if folder else b""
    found: list[TreeEntry] = []
    walk = _walk(repository, bytes.fromhex(top.oid), prefix, start, recursive=recursive)
    for path, mode, entry in walk:
        found.append(_to_entry(repository, path.decode("utf-8", "replace"), mode, entry))
        if len(found) >= limit:
            break
    return found


def walk_tree(repository: Repository, oid: str) -> Iterator[TreeEntry]:
    """Yield everything commit ``oid`` holds, folders too, in Git's byte order."""
    for path, mode, entry in _walk(repository, _root(repository, oid), b"", b"", recursive=True):
        yield _to_entry(repository, path.decode("utf-8", "replace"), mode, entry)


def diff(
    repository: Repository, oid: str, *, files_max: int = 100, bytes_max: int = 200_000
) -> tuple[Commit, list[Difference]]:
    """Return a commit and what it changed against its first parent, by path.

    Args:
        bytes_max: A file whose two versions together are longer gets no text.
    """
    commit = read_commit(repository, oid)
    before = b""
    if commit.parents:
        before = bytes.fromhex(read_commit(repository, commit.parents[0]).tree)
    changes: list[Difference] = []
    for path, old, new in compare(repository, before, bytes.fromhex(commit.tree)):
        if len(changes) >= files_max:
            break
        kind = "add" if old is None else "delete" if new is None else "change"
        text = _diff_text(repository, path, old, new, bytes_max)
        changes.append(Difference(path.decode("utf-8", "replace"), kind, text))
    return commit, changes


def compare(
    repository: Repository, old: bytes, new: bytes, prefix: bytes = b""
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Yield ``(path, old blob, new blob)`` of files that differ between two trees.

    Args:
        old: A tree, 20 bytes; empty for none.
        new: Likewise.
    """
    before = {sort_key(e): e for e in _entries(repository, old)}
    after = {sort_key(e): e for e in _entries(repository, new)}
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None and was[1:] == now[1:]:
            continue
        path = prefix + key
        if key.endswith(b"/"):
            yield from compare(repository, was[2] if was else b"", now[2] if now else b"", path)
        elif (was or now or (b"", SUBMODULE))[1] != SUBMODULE:
            yield path, was[2] if was else None, now[2] if now else None


def _diff_text(
    repository: Repository, path: bytes, old: bytes | None, new: bytes | None, bytes_max: int
) -> str | None:
    sizes = [repository.size(oid) for oid in (old, new) if oid is not None]
    if sum(sizes) > bytes_max:
        return None
    before = None if old is None else repository.read_blob(old)
    after = None if new is None else repository.read_blob(new)
    if any(b"\0" in (data or b"")[:_SNIFF_BYTES] for data in (before, after)):
        return None
    name = path.decode("utf-8", "replace")
    patch = pygit2.Patch.create_from(before, after, old_as_path=name, new_as_path=name)
    return patch.data.decode("utf-8", "replace")


def _entries(repository: Repository, tree: bytes) -> list[tuple[bytes, int, bytes]]:
    return parse_tree(repository.read_tree(tree)) if tree else []


def _walk(
    repository: Repository, tree: bytes, prefix: bytes, after: bytes, *, recursive: bool
) -> Iterator[tuple[bytes, int, bytes]]:
    for name, mode, oid in parse_tree(repository.read_tree(tree)):
        path = prefix + name
        place = path + b"/" if mode in {FOLDER, SUBMODULE} else path
        if place > after:
            yield path, mode, oid
        elif mode != FOLDER or not after.startswith(place):
            continue
        if recursive and mode == FOLDER:
            yield from _walk(repository, oid, place, after, recursive=True)


def _root(repository: Repository, oid: str) -> bytes:
    return bytes.fromhex(read_commit(repository, oid).tree)


def _to_entry(repository: Repository, path: str, mode: int, oid: bytes) -> TreeEntry:
    size = 0 if mode in {FOLDER, SUBMODULE} else repository.size(oid)
    return TreeEntry(path, oid.hex(), size, mode)
