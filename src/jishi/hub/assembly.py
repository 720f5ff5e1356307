"""Turn a draft into Git objects and the rows that picture them.  Blocking; no database."""

from __future__ import annotations

import os
from collections.abc import Mapping

from jishi import git
from jishi.core.errors import invariant
from jishi.hub.attributes import ATTRIBUTES_BYTES_MAX, track
from jishi.hub.commits import (
    METADATA_BYTES_MAX,
    Built,
    Change,
    CommitDraft,
    Copy,
    DeletesNothing,
    PathConflict,
    PutFile,
    PutLarge,
    Remove,
)
from jishi.hub.entries import EntryMissing, pointer_text, read_pointer
from jishi.hub.index import Indexed
from jishi.people import Actor
from jishi.storage import Spool

ATTRIBUTES = ".gitattributes"
CARD = "README.md"
CONFIG = "config.json"


class _Plan:
    """What each path shall hold in the end, changes applied in order."""

    def __init__(self, repository: git.Repository | None, head: str | None) -> None:
        self._repository = repository
        self._head = head
        self.puts: dict[str, git.Put] = {}
        self.removes: dict[str, git.Delete] = {}
        self.large: dict[str, tuple[bytes, int]] = {}

    def put(self, path: str, source: git.Put) -> None:
        self.puts[path] = source
        self.large.pop(path, None)

    def remove(self, path: str) -> None:
        below = path + "/"
        added = [p for p in self.puts if p == path or p.startswith(below)]
        for one in added:
            del self.puts[one]
            self.large.pop(one, None)
        if self.find(path) is not None:
            self.removes[path] = git.Delete(path)
        elif not added:
            raise DeletesNothing(path=path)

    def find(self, path: str) -> git.TreeEntry | None:
        """Return what the parent has at ``path``, unless an earlier change removed it."""
        if self._repository is None or self._head is None:
            return None
        steps = path.split("/")
        if any("/".join(steps[: i + 1]) in self.removes for i in range(len(steps))):
            return None
        return git.find_entry(self._repository, self._head, path)

    def find_at(self, revision: str | None, path: str) -> git.TreeEntry:
        """Return a file of another revision.

        Raises:
            EntryMissing: If there is none.
        """
        found = None
        if revision is None:
            found = self.find(path)
        elif self._repository is not None:
            oid = git.find_commit(self._repository, revision)
            found = git.find_entry(self._repository, oid, path) if oid else None
        if found is None or found.is_folder:
            raise EntryMissing(path=path)
        return found

    def read(self, path: str) -> bytes:
        """Return what ``path`` will hold, nothing where it holds nothing."""
        if path in self.puts:
            return _bytes_of(self.puts[path])
        found = self.find(path)
        if found is None or found.is_folder or self._repository is None:
            return b""
        return git.read_blob(self._repository, found.oid)

    def blob(self, oid: str) -> bytes:
        return b"" if self._repository is None else git.read_blob(self._repository, oid)


def assemble(
    repository: git.Repository | None,
    draft: CommitDraft,
    *,
    actor: Actor,
    head: str | None,
    sizes: Mapping[bytes, int],
    now: int,
    spool: Spool | None = None,
) -> Built:
    """Build the commit that ``draft`` asks for on ``head``.

    Args:
        sizes: sha256 -> bytes of the large files named.
        now: Microseconds UTC.

    Raises:
        DeletesNothing: If a path to delete is not there.
        EntryMissing: If a path to copy is not there.
        PathConflict: If a path would be file and folder.
    """
    plan = _Plan(repository, head)
    for change in draft.changes:
        _apply(plan, change, draft, sizes)
    if plan.large:
        text = plan.read(ATTRIBUTES)[:ATTRIBUTES_BYTES_MAX].decode("utf-8", "replace")
        tracked = track(text, plan.large)
        if tracked != text:
            plan.put(ATTRIBUTES, git.Put(ATTRIBUTES, tracked.encode()))
    try:
        new = git.build_commit(
            repository,
            parent=head,
            changes=[*plan.removes.values(), *plan.puts.values()],
            message=draft.message,
            author=author_of(actor),
            when_us=now,
            spool=spool,
        )
    except git.TreeConflict as error:
        raise PathConflict(path=str(error)) from error
    return _to_built(plan, new, draft, actor)


def _apply(plan: _Plan, change: Change, draft: CommitDraft, sizes: Mapping[bytes, int]) -> None:
    match change:
        case PutFile():
            plan.put(change.path, git.Put(change.path, _content(change, draft)))
        case PutLarge():
            size = sizes[change.sha256]
            pointer = pointer_text(change.sha256.hex(), size)
            plan.put(change.path, git.Put(change.path, pointer))
            plan.large[change.path] = (change.sha256, size)
        case Remove():
            plan.remove(change.path)
        case Copy():
            found = plan.find_at(change.revision, change.source)
            plan.put(change.path, git.Put(change.path, None, oid=found.oid))
            pointer_of = read_pointer(plan.blob(found.oid))
            if pointer_of is not None:
                plan.large[change.path] = pointer_of


def _content(change: PutFile, draft: CommitDraft) -> bytes | tuple[int, int, int]:
    if isinstance(change.data, bytes):
        return change.data
    invariant(draft.spool is not None, "a range needs a spool")
    return (draft.spool or 0, *change.data)


def _bytes_of(put: git.Put) -> bytes:
    match put.data:
        case bytes():
            return put.data
        case (fd, start, end):
            return os.pread(fd, min(end - start, METADATA_BYTES_MAX), start)
    return b""


def author_of(actor: Actor) -> git.Author:
    """Return who Git says made a commit: a name, and an address that is nobody's."""
    return git.Author(actor.name, f"{actor.public_id}@users.noreply.invalid")


def _to_built(plan: _Plan, new: git.NewCommit, draft: CommitDraft, actor: Actor) -> Built:
    put, pointers = [], []
    changed: dict[str, bytes | None] = {}
    for item in new.put:
        place = item.path + "/" if item.is_folder else item.path
        large = plan.large.get(item.path) if not item.is_folder else None
        size = 0 if item.is_folder else item.size
        oid = bytes.fromhex(item.oid)
        if large is None:
            put.append(Indexed(place, oid, size))
        else:
            put.append(Indexed(place, oid, large[1], large[0]))
            pointers.append((oid, large[0], large[1]))
        changed[item.path] = None
    gone = [item.path + "/" if item.is_folder else item.path for item in new.gone]
    return Built(
        commit=new,
        title=draft.message.partition("\n")[0],
        author=actor.name,
        put=tuple(put),
        gone=tuple(gone),
        pointers=tuple(pointers),
        card=_metadata(plan, CARD, changed, gone),
        config=_metadata(plan, CONFIG, changed, gone),
    )


def _metadata(
    plan: _Plan, path: str, changed: Mapping[str, object], gone: list[str]
) -> bytes | None:
    """Return the new content of a file that describes the repository; empty when removed."""
    if path in gone:
        return b""
    if path not in changed or path in plan.large:
        return None
    return plan.read(path)[:METADATA_BYTES_MAX]
