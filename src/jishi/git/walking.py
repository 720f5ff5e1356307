"""Walk history: pages of it, of one path, and which commit changed a path last.  Blocking.

Merges are simplified as ``git log`` does by default: where a parent has the same content
at a path, only that parent is followed.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from jishi.git.repository import Repository
from jishi.git.trees import FOLDER, Commit, parse_commit, parse_tree

COMMITS_MAX: Final = 2000
"""Commits one search for last changes visits."""
SECONDS_MAX: Final = 0.3
"""How long it may take."""
WALK_COMMITS_MAX: Final = 100_000
"""Commits a page of history visits."""
_TREES_KEPT: Final = 2000


def history(
    repository: Repository,
    oid: str,
    *,
    path: str | None = None,
    after: str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> list[Commit]:
    """Return commits from ``oid`` backwards, newest first.

    Args:
        path: Only those that changed what is there.
        after: The last commit of the previous page.
        skip: How many to leave out, after ``after``.
    """
    walk = _Walk(repository)
    found = walk.all_from(oid) if path is None else walk.changes_of(oid, path)
    if after is not None:
        for commit in found:
            if commit.oid == after:
                break
    return list(islice(found, skip, skip + limit))


def count_commits(repository: Repository, oid: str, *, path: str | None = None) -> int | None:
    """Return how many commits ``history`` has; ``None`` where the walk ends before it does."""
    walk = _Walk(repository)
    found = walk.all_from(oid) if path is None else walk.changes_of(oid, path)
    count = sum(1 for _ in found)
    return None if walk.is_cut else count


def last_commits(
    repository: Repository,
    oid: str,
    paths: Iterable[str],
    *,
    commits_max: int = COMMITS_MAX,
    seconds_max: float = SECONDS_MAX,
) -> dict[str, Commit]:
    """Return for each path the commit that changed it last, as far as the bounds let see."""
    walk = _Walk(repository)
    wanted = frozenset(paths)
    waiting = {oid: wanted}
    queue = [walk.key(oid)]
    found: dict[str, Commit] = {}
    until = time.perf_counter() + seconds_max
    for _ in range(commits_max):
        if not queue or time.perf_counter() > until:
            break
        here = heapq.heappop(queue)[2]
        commit = walk.commit(here)
        left = waiting.pop(here) - found.keys()
        for parent in commit.parents:
            same = frozenset(walk.same(commit, walk.commit(parent), left)) if left else left
            if same:
                if parent not in waiting:
                    heapq.heappush(queue, walk.key(parent))
                waiting[parent] = waiting.get(parent, frozenset()) | same
                left -= same
        found.update(dict.fromkeys(left, commit))
    return found


class _Walk:
    """Commits and trees seen on the way.

    Attributes:
        is_cut: Whether the last walk ended before the history did.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._commits: dict[str, Commit] = {}
        self._trees: dict[bytes, dict[bytes, tuple[int, bytes]]] = {}
        self._order = 0
        self.is_cut = False

    def commit(self, oid: str) -> Commit:
        known = self._commits.get(oid)
        if known is None:
            known = parse_commit(oid, self._repository.read_commit(bytes.fromhex(oid)))
            self._commits[oid] = known
        return known

    def key(self, oid: str) -> tuple[int, int, str]:
        """Return what puts a commit in its place: the latest first, then as it was met."""
        self._order += 1
        return -self.commit(oid).committed_at, self._order, oid

    def all_from(self, oid: str) -> Iterator[Commit]:
        seen = {oid}
        queue = [self.key(oid)]
        while queue and len(seen) <= WALK_COMMITS_MAX:
            commit = self._commits.pop(heapq.heappop(queue)[2])
            yield commit
            for parent in commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    heapq.heappush(queue, self.key(parent))
        self.is_cut = bool(queue)

    def changes_of(self, oid: str, path: str) -> Iterator[Commit]:
        seen = {oid}
        queue = [self.key(oid)]
        while queue and len(seen) <= WALK_COMMITS_MAX:
            commit = self.commit(heapq.heappop(queue)[2])
            here = self.entry(commit, path)
            same = [p for p in commit.parents if self.entry(self.commit(p), path) == here]
            if not same and (here is not None or commit.parents):
                yield commit
            for parent in same[:1] or commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    heapq.heappush(queue, self.key(parent))
        self.is_cut = bool(queue)

    def same(self, commit: Commit, parent: Commit, paths: Iterable[str]) -> Iterator[str]:
        """Yield those of ``paths`` that both commits have, with the same content."""
        if commit.tree == parent.tree:
            yield from paths
            return
        for path in paths:
            here = self.entry(commit, path)
            if here is not None and here == self.entry(parent, path):
                yield path

    def entry(self, commit: Commit, path: str) -> tuple[int, bytes] | None:
        """Return mode and id at ``path``, ``None`` if there is nothing."""
        found: tuple[int, bytes] | None = (FOLDER, bytes.fromhex(commit.tree))
        for step in path.encode("utf-8", "replace").split(b"/"):
            if found is None or found[0] != FOLDER:
                return None
            found = self._tree(found[1]).get(step)
        return found

    def _tree(self, oid: bytes) -> dict[bytes, tuple[int, bytes]]:
        known = self._trees.get(oid)
        if known is None:
            if len(self._trees) >= _TREES_KEPT:
                self._trees.clear()
            entries = parse_tree(self._repository.read_tree(oid))
            known = self._trees[oid] = {name: (mode, inner) for name, mode, inner in entries}
        return known
