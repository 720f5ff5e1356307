"""Reading a revision: from SQL where it is the head of the default branch, else from packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from jishi import git
from jishi.core.db import utc_micros
from jishi.core.hop import hop
from jishi.core.paging import Page
from jishi.hub import content
from jishi.hub.attributes import ATTRIBUTES_BYTES_MAX, looks_binary
from jishi.hub.cursors import BadCursor
from jishi.hub.entries import FILES_MAX, Entry, EntryMissing, Window
from jishi.hub.files import reading
from jishi.hub.files.advice import Advice, Asked, advise
from jishi.hub.files.history import CommitDetail, CommitInfo, FileChange
from jishi.hub.files.places import Located, Opened, Overview, Place, find_place_in
from jishi.hub.node import Node
from jishi.hub.repos import Repo, RepoKind, Right, access_repo
from jishi.hub.revisions import RevisionMissing
from jishi.people import Actor
from jishi.storage import BytesSource

PAGE_MAX = 1000
DIFF_FILES_MAX = 100
DIFF_BYTES_MAX = 200_000
BLOB_KEPT_MAX: Final = 256 << 10
"""A larger blob is kept in mind only while somebody gets it."""


async def find_place(node: Node, actor: Actor, kind: RepoKind, path: str, revision: str) -> Place:
    """Find a revision: a full ref, a branch, a tag, a commit, or the start of one.

    Raises:
        RepoElsewhere: As ``access_repo``, like the following.
        RepoMissing: See above.
        RevisionMissing: If there is none.
    """
    place = await node.db.read(find_place_in, actor, kind, path, revision)
    return place if place.oid or place.ref else await _find_commit(node, place)


async def find_with_files(
    node: Node, actor: Actor, kind: RepoKind, path: str, revision: str, *, wanted: bool
) -> Overview:
    """Find a revision and, if ``wanted``, all its files; of the head in one transaction.

    Raises:
        RepoElsewhere: As ``find_place``, like the following.
        RepoMissing: See above.
        RevisionMissing: See above.
    """
    found, is_whole = await node.db.read(
        reading.find_with_files, actor, kind, path, revision, node.listings, wanted=wanted
    )
    if is_whole:
        return found
    place = found.place if found.place.oid else await _find_commit(node, found.place)
    if not wanted:
        return replace(found, place=place)
    page = await list_folder(node, place, "", recursive=True, limit=FILES_MAX)
    return replace(found, place=place, entries=page.items)


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
        found = await node.db.read(
            reading.list_indexed, place, folder, window, with_commits=with_commits
        )
    else:
        repository = await _open(node, place.repo)
        listed = await hop(node.pool, reading.list_packed, repository, place, folder, window)
        found = await node.db.read(reading.complete, place.repo, listed)
        if with_commits:
            found = (
                await hop(node.pool, reading.add_commits, repository, place, found[:limit])
                + found[limit:]
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
        return await node.db.read(
            reading.find_indexed, place.repo, wanted, with_commits=with_commits
        )
    repository = await _open(node, place.repo)
    listed = await hop(node.pool, reading.find_packed, repository, place, wanted)
    found = await node.db.read(reading.complete, place.repo, listed)
    if with_commits:
        found = await hop(node.pool, reading.add_commits, repository, place, found)
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


async def locate(
    node: Node, actor: Actor, kind: RepoKind, path: str, revision: str, file: str
) -> Located:
    """Find a path of a revision; of the head in one transaction, hit or miss.

    Raises:
        RepoElsewhere: As ``find_place``, like the following.
        RepoMissing: See above.
        RevisionMissing: See above.
    """
    name = file.strip("/")
    found = await node.db.read(reading.locate, actor, kind, path, revision, name)
    if isinstance(found, Located):
        return found
    place = found if found.oid or found.ref else await _find_commit(node, found)
    listed = await find_entries(node, place, [name])
    if not listed:
        return Located(place, name, None)
    return await node.db.read(reading.complete_file, place, listed[0])


async def open_located(node: Node, located: Located) -> Opened:
    """Return a file with its content, of a large file too.

    Raises:
        EntryMissing: If there is no such file.
        content.ContentMismatch: If its bytes were found to be others than announced.
    """
    entry = _file_of(located)
    if entry.sha256 is None:
        return await _open_blob(node, located.place, entry)
    if located.known is None:  # a pointer to what this hub never had is all there is
        return await _open_blob(node, located.place, replace(entry, sha256=None))
    if located.known.is_blocked:
        raise content.ContentMismatch(sha256=entry.sha256)
    return Opened(entry, await content.source_of(node, located.known), is_text=False)


async def open_pointer(node: Node, located: Located) -> Opened:
    """Return a file as Git holds it: of a large file the pointer.

    Raises:
        EntryMissing: If there is no such file.
    """
    return await _open_blob(node, located.place, _file_of(located))


async def read_small(node: Node, place: Place, entry: Entry, *, bytes_max: int) -> bytes:
    """Return at most ``bytes_max`` bytes of what Git holds at ``entry``."""
    return (await _read_blob(node, place, entry)).data[:bytes_max]


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

    Raises:
        BadCursor: If no page of this history ended there.
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
    if after is not None and not walked:
        raise BadCursor
    infos = [_to_info(commit) for commit in walked]
    end = infos[limit - 1].oid if len(infos) > limit else None
    return Page(tuple(infos[:limit]), end)


async def count_commits(node: Node, place: Place) -> int | None:
    """Return how long the history of a revision is; ``None`` where it is too long to tell."""
    if place.is_head:
        return place.repo.commits
    key = (place.repo.git_id, place.oid)
    count = node.lengths.find(key)
    if count is None:
        repository = await _open(node, place.repo)
        count = await hop(node.pool, git.count_commits, repository, place.oid)
        if count is not None:
            node.lengths.put(key, count)
    return count


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


async def _find_commit(node: Node, place: Place) -> Place:
    if place.ref is not None:
        return place
    repository = await _open(node, place.repo)
    oid = await hop(node.pool, git.find_commit, repository, place.revision.lower())
    if oid is None:
        raise RevisionMissing(revision=place.revision)
    return replace(place, oid=oid)


def _no_entries(folder: str) -> Page[Entry, str]:
    if folder:
        raise EntryMissing(path=folder)
    return Page((), None)


async def _open(node: Node, repo: Repo) -> git.Repository:
    return await git.open_repository(node.db, node.git, node.pool, repo.git_id)


async def _open_blob(node: Node, place: Place, entry: Entry) -> Opened:
    source = await _read_blob(node, place, entry)
    is_text = not looks_binary(source.data[:8192])
    return Opened(replace(entry, size=source.size), source, is_text)


async def _read_blob(node: Node, place: Place, entry: Entry) -> BytesSource:
    key = (place.repo.git_id, entry.oid)
    data = node.blobs.find(key)
    if data is not None:
        return BytesSource(data)
    if (source := node.sending.get(key)) is not None:
        return source
    repository = await _open(node, place.repo)
    data = await hop(node.pool, git.read_blob, repository, entry.oid)
    if len(data) <= BLOB_KEPT_MAX:
        node.blobs.put(key, data)
        return BytesSource(data)
    return node.sending.setdefault(key, BytesSource(data))


def _file_of(located: Located) -> Entry:
    """Return the entry of a file; a folder is none."""
    entry = located.entry
    if entry is None or entry.is_folder:
        raise EntryMissing(path=located.path)
    return entry


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


def _to_info(commit: git.Commit) -> CommitInfo:
    return CommitInfo(
        commit.oid, commit.title, commit.message, commit.author, commit.at, commit.parents
    )
