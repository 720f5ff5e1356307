"""Reading a revision: from SQL where it is the head of the default branch, else from packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from jishi import git, xet
from jishi.core.db import Tx, utc_micros
from jishi.core.hop import hop
from jishi.core.paging import Page
from jishi.hub import content, entries, index
from jishi.hub.attributes import ATTRIBUTES_BYTES_MAX, looks_binary
from jishi.hub.entries import Entry, EntryMissing, Window
from jishi.hub.files.advice import Advice, Asked, advise
from jishi.hub.files.history import CommitDetail, CommitInfo, FileChange
from jishi.hub.node import Node
from jishi.hub.repos import Repo, RepoKind, Right, access_repo
from jishi.hub.revisions import MAIN, RevisionMissing, find_ref
from jishi.people import Actor
from jishi.storage import BytesSource, Source

PAGE_MAX = 1000
FILES_MAX = 100_000
DIFF_FILES_MAX = 100
DIFF_BYTES_MAX = 200_000
FULL_OID: Final = 40
SHORT_OID_MIN: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A revision of a repository that the actor may read.

    Attributes:
        oid: The commit, 40 hex digits; empty for the default branch before its first one.
        ref: The branch or tag that was named, ``None`` for a commit.
        is_head: Whether it is the head of the default branch, which SQL pictures.
    """

    repo: Repo
    revision: str
    oid: str
    ref: str | None

    @property
    def is_head(self) -> bool:
        """Whether SQL pictures this revision."""
        return self.oid == (self.repo.head or "")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and where its bytes come from.

    Attributes:
        is_text: Whether the beginning reads as UTF-8 text; only known of what Git holds.
    """

    entry: Entry
    source: Source
    is_text: bool


async def find_place(node: Node, actor: Actor, kind: RepoKind, path: str, revision: str) -> Place:
    """Find a revision: a full ref, a branch, a tag, a commit, or the start of one.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        RevisionMissing: If there is none.
    """
    place = await node.db.read(_find_place, actor, kind, path, revision)
    return place if place.oid or place.ref else await _find_commit(node, place)


@dataclass(frozen=True, slots=True)
class Overview:
    """A revision and what it holds.

    Attributes:
        entries: Files and folders; empty unless they were wanted.
        used_bytes: Of all large contents of the repository.
    """

    place: Place
    entries: Sequence[Entry]
    used_bytes: int


async def find_with_files(
    node: Node, actor: Actor, kind: RepoKind, path: str, revision: str, *, wanted: bool
) -> Overview:
    """Find a revision and, if ``wanted``, all its files; of the head in one transaction.

    Raises:
        RepoElsewhere: As ``find_place``, like the following.
        RepoMissing: See above.
        RevisionMissing: See above.
    """
    place, found, used = await node.db.read(
        _find_with_files, actor, kind, path, revision, wanted=wanted
    )
    if found is not None:
        return Overview(place, found, used)
    if not place.oid:
        place = await _find_commit(node, place)
    if not wanted:
        return Overview(place, (), used)
    page = await list_folder(node, place, "", recursive=True, limit=FILES_MAX)
    return Overview(place, page.items, used)


async def list_folder(
    node: Node,
    place: Place,
    folder: str,
    *,
    recursive: bool = False,
    after: str | None = None,
    limit: int = PAGE_MAX,
    with_commits: bool = False,
) -> Page[Entry, str]:
    """Return a page of a folder in Git's order.

    Raises:
        EntryMissing: If the folder does not exist.
    """
    if not place.oid:
        return _no_entries(folder)
    window = Window(recursive, after, limit + 1)
    if place.is_head:
        found = await node.db.read(_list_indexed, place, folder, window, with_commits=with_commits)
    else:
        repository = await _open(node, place.repo)
        listed = await hop(node.pool, _list_packed, repository, place, folder, window)
        found = await node.db.read(_complete, place.repo, listed)
        if with_commits:
            found = (
                await hop(node.pool, _add_commits, repository, place, found[:limit]) + found[limit:]
            )
    end = found[limit - 1].place if len(found) > limit else None
    return Page(tuple(found[:limit]), end)


async def find_entries(
    node: Node, place: Place, paths: Sequence[str], *, with_commits: bool = False
) -> list[Entry]:
    """Return those of ``paths`` that exist, files and folders."""
    wanted = [path.strip("/") for path in paths]
    if not place.oid:
        return []
    if place.is_head:
        return await node.db.read(_find_indexed, place.repo, wanted, with_commits=with_commits)
    repository = await _open(node, place.repo)
    listed = await hop(node.pool, _find_packed, repository, place, wanted)
    found = await node.db.read(_complete, place.repo, listed)
    if with_commits:
        found = await hop(node.pool, _add_commits, repository, place, found)
    return found


async def find_entry(node: Node, place: Place, path: str, *, with_commits: bool = False) -> Entry:
    """Return one file or folder.

    Raises:
        EntryMissing: If there is none.
    """
    found = await find_entries(node, place, [path], with_commits=with_commits)
    if not found:
        raise EntryMissing(path=path)
    return found[0]


async def folder_bytes(node: Node, place: Place, folder: str) -> int:
    """Return the bytes of all files below ``folder``.

    Raises:
        EntryMissing: If the folder does not exist.
    """
    page = await list_folder(node, place, folder, recursive=True, limit=FILES_MAX)
    return sum(entry.size for entry in page.items)


async def open_file(node: Node, place: Place, path: str) -> Opened:
    """Return a file with its content, of a large file too.

    Raises:
        EntryMissing: If there is no such file.
        content.ContentMismatch: If its bytes were found to be others than announced.
    """
    entry = await find_entry(node, place, path)
    if entry.is_folder:
        raise EntryMissing(path=path)
    if entry.sha256 is None:
        return await _open_blob(node, place, entry)
    known = await node.db.read(content.find, place.repo.id, bytes.fromhex(entry.sha256))
    if known is None:  # a pointer to what this hub never had: the pointer is all there is
        return await _open_blob(node, place, replace(entry, sha256=None))
    if known.is_blocked:
        raise content.ContentMismatch(sha256=entry.sha256)
    return Opened(entry, await content.source_of(node, known), is_text=False)


async def open_blob(node: Node, place: Place, path: str) -> Opened:
    """Return a file as Git holds it: of a large file the pointer.

    Raises:
        EntryMissing: If there is no such file.
    """
    entry = await find_entry(node, place, path)
    if entry.is_folder:
        raise EntryMissing(path=path)
    return await _open_blob(node, place, entry)


async def read_small(node: Node, place: Place, entry: Entry, *, bytes_max: int) -> bytes:
    """Return at most ``bytes_max`` bytes of what Git holds at ``entry``."""
    repository = await _open(node, place.repo)
    data = await hop(node.pool, git.read_blob, repository, entry.oid)
    return data[:bytes_max]


async def advise_upload(
    node: Node,
    actor: Actor,
    kind: RepoKind,
    path: str,
    revision: str,
    asked: Sequence[Asked],
    *,
    ignore: str | None,
    attributes: str | None,
) -> tuple[Place, list[Advice]]:
    """Say how each file should be uploaded to a branch, and what lies there now.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
        RevisionMissing: If there is no such revision.
        BadPath: If a path may not be stored.
    """
    await node.db.read(access_repo, actor, kind, path, right=Right.WRITE)
    place = await find_place(node, actor, kind, path, revision)
    now = await find_entries(node, place, [one.path for one in asked])
    if attributes is None:
        attributes = await _read_text(node, place, ".gitattributes")
    if ignore is None:
        ignore = await _read_text(node, place, ".gitignore")
    rules = {"attributes": attributes, "ignore": ignore}
    return place, await hop(node.pool, advise, asked, now, **rules)


async def list_commits(
    node: Node,
    place: Place,
    *,
    path: str | None = None,
    after: str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> Page[CommitInfo, str]:
    """Return the history of a revision, newest first, of one path if given.

    Args:
        after: The last commit of the previous page.
    """
    if not place.oid:
        return Page((), None)
    repository = await _open(node, place.repo)
    walked = await hop(
        node.pool,
        git.history,
        repository,
        place.oid,
        path=path,
        after=after,
        skip=skip,
        limit=limit + 1,
    )
    infos = [_to_info(commit) for commit in walked]
    end = infos[limit - 1].oid if len(infos) > limit else None
    return Page(tuple(infos[:limit]), end)


async def read_commit(node: Node, place: Place) -> CommitDetail:
    """Return a commit with what it changed, bounded."""
    repository = await _open(node, place.repo)
    commit, changes = await hop(
        node.pool,
        git.diff,
        repository,
        place.oid,
        files_max=DIFF_FILES_MAX + 1,
        bytes_max=DIFF_BYTES_MAX,
    )
    shown = tuple(FileChange(c.path, c.kind, c.text) for c in changes[:DIFF_FILES_MAX])
    return CommitDetail(_to_info(commit), shown, is_cut=len(changes) > DIFF_FILES_MAX)


def count_download(node: Node, place: Place, entry: Entry, actor: Actor, address: str) -> None:
    """Count a request for a file if it stands for a download of the repository."""
    who = f"p{actor.id}" if actor.id else address
    node.downloads.note(place.repo, entry.path, who, utc_micros())


def _find_place(tx: Tx, actor: Actor, kind: RepoKind, path: str, revision: str) -> Place:
    repo = access_repo(tx, actor, kind, path)
    return _place_in(tx, repo, revision)


def _place_in(tx: Tx, repo: Repo, revision: str) -> Place:
    """Return the place; without ``oid`` and ``ref`` where only packs can tell."""
    if revision in {"main", MAIN}:
        return Place(repo, revision, repo.head or "", MAIN)
    if revision == repo.head:
        return Place(repo, revision, revision, None)
    named = find_ref(tx, repo, revision)
    if named is not None:
        return Place(repo, revision, named.oid, named.ref)
    lowered = revision.lower()
    is_hex = all(c in "0123456789abcdef" for c in lowered)
    if not is_hex or not SHORT_OID_MIN <= len(revision) <= FULL_OID:
        raise RevisionMissing(revision=revision)
    return Place(repo, revision, "", None)


async def _find_commit(node: Node, place: Place) -> Place:
    if place.ref is not None:
        return place
    repository = await _open(node, place.repo)
    oid = await hop(node.pool, git.find_commit, repository, place.revision.lower())
    if oid is None:
        raise RevisionMissing(revision=place.revision)
    return replace(place, oid=oid)


def _find_with_files(
    tx: Tx,
    actor: Actor,
    kind: RepoKind,
    path: str,
    revision: str,
    *,
    wanted: bool,
) -> tuple[Place, list[Entry] | None, int]:
    place = _find_place(tx, actor, kind, path, revision)
    used = content.used_bytes(tx, place.repo.id)
    if place.oid and not wanted:
        return place, [], used
    if not place.is_head or (not place.oid and place.ref is None):
        return place, None, used
    if not place.oid:
        return place, [], used
    window = Window(recursive=True, limit=FILES_MAX)
    return place, entries.list_entries(tx, place.repo, "", window), used


def _list_indexed(
    tx: Tx,
    place: Place,
    folder: str,
    window: Window,
    *,
    with_commits: bool,
) -> list[Entry]:
    found = entries.list_entries(tx, place.repo, folder, window)
    found = _add_xet(tx, place.repo, found)
    return entries.add_last_commits(tx, place.repo, found) if with_commits else found


def _find_indexed(
    tx: Tx,
    repo: Repo,
    paths: Sequence[str],
    *,
    with_commits: bool,
) -> list[Entry]:
    found = _add_xet(tx, repo, entries.find_entries(tx, repo, paths))
    return entries.add_last_commits(tx, repo, found) if with_commits else found


def _complete(tx: Tx, repo: Repo, listed: Sequence[Entry]) -> list[Entry]:
    """Say of blobs that were read from packs which are pointers, and to what."""
    small = [
        bytes.fromhex(e.oid)
        for e in listed
        if not e.is_folder and e.size <= entries.POINTER_BYTES_MAX
    ]
    pointers = index.find_pointers(tx, repo.id, small)
    found = []
    for entry in listed:
        pointer = pointers.get(bytes.fromhex(entry.oid))
        if pointer is not None:
            found.append(replace(entry, sha256=pointer[0].hex(), size=pointer[1]))
        else:
            found.append(entry)
    return _add_xet(tx, repo, found)


def _add_xet(tx: Tx, repo: Repo, found: Sequence[Entry]) -> list[Entry]:
    large = [bytes.fromhex(entry.sha256) for entry in found if entry.sha256]
    if not large:
        return list(found)
    names = {
        sha256.hex(): xet.hash_text(known.xet_hash)
        for sha256, known in content.find_many(tx, repo.id, large).items()
        if known.xet_hash is not None and not known.is_blocked
    }
    return [replace(entry, xet_hash=names.get(entry.sha256 or "")) for entry in found]


def _no_entries(folder: str) -> Page[Entry, str]:
    if folder:
        raise EntryMissing(path=folder)
    return Page((), None)


async def _open(node: Node, repo: Repo) -> git.Repository:
    return await git.open_repository(node.db, node.git, node.pool, repo.git_id)


async def _open_blob(node: Node, place: Place, entry: Entry) -> Opened:
    repository = await _open(node, place.repo)
    data = await hop(node.pool, git.read_blob, repository, entry.oid)
    return Opened(replace(entry, size=len(data)), BytesSource(data), not looks_binary(data[:8192]))


async def _read_text(node: Node, place: Place, path: str) -> str:
    if not place.oid:
        return ""
    try:
        entry = await find_entry(node, place, path)
    except EntryMissing:
        return ""
    if entry.is_folder or entry.sha256 is not None:
        return ""
    data = await read_small(node, place, entry, bytes_max=ATTRIBUTES_BYTES_MAX)
    return data.decode("utf-8", "replace")


def _list_packed(
    repository: git.Repository, place: Place, folder: str, window: Window
) -> list[Entry]:
    listed = git.list_tree(
        repository,
        place.oid,
        folder,
        recursive=window.recursive,
        after=window.after,
        limit=window.limit,
    )
    if listed is None:
        raise EntryMissing(path=folder)
    return [_to_entry(item) for item in listed]


def _find_packed(repository: git.Repository, place: Place, paths: Sequence[str]) -> list[Entry]:
    found = (git.find_entry(repository, place.oid, path) for path in paths if path)
    return [_to_entry(item) for item in found if item is not None]


def _add_commits(repository: git.Repository, place: Place, found: Sequence[Entry]) -> list[Entry]:
    lasts = git.last_commits(repository, place.oid, [entry.path for entry in found])
    return [
        replace(entry, last=_to_last(lasts[entry.path])) if entry.path in lasts else entry
        for entry in found
    ]


def _to_entry(item: git.TreeEntry) -> Entry:
    return Entry(item.path, item.is_folder, item.oid, item.size)


def _to_last(commit: git.Commit) -> entries.LastCommit:
    return entries.LastCommit(commit.oid, commit.title, commit.author, commit.at)


def _to_info(commit: git.Commit) -> CommitInfo:
    return CommitInfo(
        commit.oid, commit.title, commit.message, commit.author, commit.at, commit.parents
    )
