"""Build a commit: only the folders that change are rebuilt, and one pack holds all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from jishi.core.errors import invariant
from jishi.git.repository import Repository
from jishi.git.trees import (
    EXECUTABLE,
    FILE,
    FOLDER,
    SUBMODULE,
    Author,
    format_commit,
    format_tag,
    format_tree,
    parse_commit,
    parse_tree,
)
from jishi.git.writing import BLOB, COMMIT, TAG, TREE, NewPack, PackWriter
from jishi.storage import Spool


class TreeConflict(Exception):
    """A path would be a file and a folder at once; the message is the path."""


@dataclass(frozen=True, slots=True)
class Put:
    """A file that the commit holds at ``path``.

    Attributes:
        data: The content, or where it lies: descriptor of an open file, start, end
            (exclusive); ``None`` for a blob the repository has.
        oid: That blob, 40 hex digits.
        executable: ``None`` leaves it as it is.
    """

    path: str
    data: bytes | tuple[int, int, int] | None
    oid: str | None = None
    executable: bool | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """A file or folder the commit no longer holds; no such path is fine."""

    path: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A file or folder that differs between parent and commit.

    Attributes:
        oid: Blob or tree, 40 hex digits: of the commit, or of the parent if it is gone.
        size: Bytes of a file that was put, else 0.
    """

    path: str
    is_folder: bool
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that is built and not stored.

    Attributes:
        pack: ``None`` if nothing changed: then ``oid`` is the parent.
        put: Files and folders that are new or changed, a folder before what it holds.
        gone: Files and folders that are no more, each by itself.
    """

    oid: str
    tree: str
    pack: NewPack | None
    put: tuple[Changed, ...] = ()
    gone: tuple[Changed, ...] = ()


@dataclass(slots=True)
class _Folder:
    """A folder being changed.  ``old`` is what the parent has there."""

    old: dict[bytes, tuple[int, bytes]]
    now: dict[bytes, tuple[int, bytes]]
    open: dict[bytes, _Folder] = field(default_factory=dict)


def build_commit(
    repository: Repository | None,
    *,
    parent: str | None,
    changes: Sequence[Put | Delete],
    message: str,
    author: Author,
    when_us: int,
    spool: Spool | None = None,
) -> NewCommit:
    """Apply ``changes`` in order to ``parent`` and build what results.

    Blocking; about 10 000 small files a third of a second.  A folder that holds nothing
    any more is left out, as Git does.

    Args:
        repository: May be ``None`` if there is no parent and no known blob.
        parent: 40 hex digits; ``None`` builds a first commit, even an empty one.
        when_us: Microseconds UTC.
        spool: Takes a pack that is too large for memory; the caller closes it, or lets
            ``store_pack`` take it.

    Raises:
        TreeConflict: If a path would be file and folder.
        DiskFull: If there is no room for a large pack.
    """
    with ExitStack() as undo:
        writer = PackWriter(spool)
        undo.callback(writer.close)
        build = _Build(repository, writer)
        before = b"" if parent is None else build.tree_of(parent)
        root = build.open_folder(before)
        for change in changes:
            build.apply(root, change)
        after = build.write_folder(root, "") or writer.add(TREE, b"")
        if after == before and parent is not None:
            return NewCommit(parent, after.hex(), None)
        parents = () if parent is None else (parent,)
        data = format_commit(
            tree=after.hex(), parents=parents, author=author, message=message, at=when_us
        )
        oid = writer.add(COMMIT, data)
        pack = writer.finish()
        undo.pop_all()
    return NewCommit(oid.hex(), after.hex(), pack, tuple(build.put[::-1]), tuple(build.gone))


def build_orphan(
    repository: Repository | None,
    *,
    tree_of: str | None,
    message: str,
    author: Author,
    when_us: int,
) -> NewCommit:
    """Build a commit without parents that holds what commit ``tree_of`` holds, or nothing.

    Args:
        repository: May be ``None`` if ``tree_of`` is.
        when_us: Microseconds UTC.
    """
    writer = PackWriter()
    build = _Build(repository, writer)
    tree = writer.add(TREE, b"") if tree_of is None else build.tree_of(tree_of)
    data = format_commit(tree=tree.hex(), parents=(), author=author, message=message, at=when_us)
    return NewCommit(writer.add(COMMIT, data).hex(), tree.hex(), writer.finish())


def make_tag(oid: str, *, name: str, message: str, author: Author, when_us: int) -> NewCommit:
    """Build an annotated tag of commit ``oid``; the result's ``oid`` is the tag's."""
    writer = PackWriter()
    data = format_tag(oid=oid, name=name, author=author, message=message, at=when_us)
    return NewCommit(writer.add(TAG, data).hex(), "", writer.finish())


class _Build:
    """Folders being changed, and what changed in them."""

    def __init__(self, repository: Repository | None, writer: PackWriter) -> None:
        self._repository = repository
        self._writer = writer
        self._sizes: dict[bytes, int] = {}
        self.put: list[Changed] = []
        self.gone: list[Changed] = []

    def tree_of(self, commit: str) -> bytes:
        data = self._git().read_commit(bytes.fromhex(commit))
        return bytes.fromhex(parse_commit(commit, data).tree)

    def open_folder(self, oid: bytes) -> _Folder:
        entries = parse_tree(self._git().read_tree(oid)) if oid else ()
        old = {name: (mode, oid) for name, mode, oid in entries}
        return _Folder(old, dict(old))

    def apply(self, root: _Folder, change: Put | Delete) -> None:
        *above, name = change.path.encode().split(b"/")
        invariant(bool(name) and all(above), "a path has no empty step")
        if isinstance(change, Delete):
            self._delete(root, above, name)
            return
        folder = root
        for step in above:
            folder = self._enter(folder, step, change.path)
        mode, known = folder.now.get(name, (FILE, None))
        if _is_folder(mode) and (name not in folder.open or _holds(folder.open[name])):
            raise TreeConflict(change.path)
        if name not in folder.now and name in folder.open and _holds(folder.open[name]):
            raise TreeConflict(change.path)
        executable = mode == EXECUTABLE if change.executable is None else change.executable
        folder.now[name] = (EXECUTABLE if executable else FILE, self._blob(change, known))

    def write_folder(self, folder: _Folder, prefix: str) -> bytes | None:
        """Write what ``folder`` holds now; ``None`` if that is nothing.

        ``self.put`` is filled from the end: what a folder holds comes before the folder.
        """
        for name, inner in folder.open.items():
            oid = self.write_folder(inner, f"{prefix}{name.decode()}/")
            if oid is None:
                if folder.now.get(name, (FOLDER, b""))[0] == FOLDER:
                    folder.now.pop(name, None)
            else:
                folder.now[name] = (FOLDER, oid)
        self._compare(folder, prefix)
        if not folder.now:
            return None
        return self._writer.add(TREE, format_tree((n, m, o) for n, (m, o) in folder.now.items()))

    def _compare(self, folder: _Folder, prefix: str) -> None:
        """Note what changed right in ``folder``; what lies below noted itself before."""
        for name, (mode, oid) in folder.old.items():
            path = prefix + name.decode("utf-8", "replace")
            kept = folder.now.get(name)
            if kept is not None and _is_folder(kept[0]) == _is_folder(mode):
                continue
            self.gone.append(Changed(path, _is_folder(mode), oid.hex(), 0))
            if mode == FOLDER and name not in folder.open:
                self.gone += self._all_below(oid, path + "/")
        for name, (mode, oid) in folder.now.items():
            if folder.old.get(name) != (mode, oid):
                path = prefix + name.decode("utf-8", "replace")
                is_folder = _is_folder(mode)
                size = 0 if is_folder else self._sizes.get(oid, 0)
                self.put.append(Changed(path, is_folder, oid.hex(), size))

    def _all_below(self, oid: bytes, prefix: str) -> Iterator[Changed]:
        for name, mode, inner in parse_tree(self._git().read_tree(oid)):
            path = prefix + name.decode("utf-8", "replace")
            yield Changed(path, _is_folder(mode), inner.hex(), 0)
            if mode == FOLDER:
                yield from self._all_below(inner, path + "/")

    def _enter(self, folder: _Folder, name: bytes, path: str) -> _Folder:
        mode, oid = folder.now.get(name, (FOLDER, b""))
        if mode != FOLDER:
            raise TreeConflict(path)
        if name not in folder.open:
            folder.open[name] = self.open_folder(oid)
        return folder.open[name]

    def _delete(self, root: _Folder, above: list[bytes], name: bytes) -> None:
        folder = root
        for step in above:
            if not _has_folder(folder, step):
                return
            folder = self._enter(folder, step, "")
        if _has_folder(folder, name):
            self._clear(self._enter(folder, name, ""))
        else:
            folder.now.pop(name, None)

    def _clear(self, folder: _Folder) -> None:
        """Empty a folder; all below is entered, so that each part of it is noted as gone."""
        for name, (mode, _) in list(folder.now.items()):
            if mode == FOLDER:
                self._enter(folder, name, "")
        folder.now.clear()
        for inner in folder.open.values():
            self._clear(inner)

    def _blob(self, put: Put, known: bytes | None) -> bytes:
        if put.data is None:
            invariant(put.oid is not None, "a file has content or names a blob")
            oid = bytes.fromhex(put.oid or "")
            self._sizes[oid] = self._git().size(oid)
            return oid
        data = put.data if isinstance(put.data, bytes) else _read_span(*put.data)
        oid = self._writer.add(BLOB, data, known=known)
        self._sizes[oid] = len(data)
        return oid

    def _git(self) -> Repository:
        invariant(self._repository is not None, "a parent or known blob needs its repository")
        assert self._repository is not None
        return self._repository


def _is_folder(mode: int) -> bool:
    return mode in {FOLDER, SUBMODULE}


def _has_folder(folder: _Folder, name: bytes) -> bool:
    mode = folder.now.get(name, (None, b""))[0]
    return mode == FOLDER or (mode is None and name in folder.open)


def _holds(folder: _Folder) -> bool:
    """Whether there is a file in or below ``folder``."""
    if any(mode != FOLDER or name not in folder.open for name, (mode, _) in folder.now.items()):
        return True
    return any(_holds(inner) for inner in folder.open.values())


def _read_span(fd: int, start: int, end: int) -> bytes:
    data = os.pread(fd, end - start, start)
    invariant(len(data) == end - start, "the file holds the span")
    return data
