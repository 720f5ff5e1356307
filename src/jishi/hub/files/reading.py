"""What a revision holds: from SQL where it is the head, from packs else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from jishi import git, xet
from jishi.core.db import Tx
from jishi.core.recent import Recent
from jishi.hub import content, entries, index
from jishi.hub.entries import FILES_MAX, Entry, EntryMissing, Window
from jishi.hub.files.places import Located, Overview, Place, find_place_in
from jishi.hub.repos import Repo, RepoKind
from jishi.people import Actor

LISTING_MAX: Final = 5_000
"""A longer listing is not kept in mind."""


def find_with_files(
    tx: Tx,
    actor: Actor,
    kind: RepoKind,
    path: str,
    revision: str,
    listings: Recent[tuple[Entry, ...]],
    *,
    wanted: bool,
) -> tuple[Overview, bool]:
    """Return a place with its files, and whether that is all: some are known to packs only."""
    place = find_place_in(tx, actor, kind, path, revision)
    used = content.used_bytes(tx, place.repo.id)
    overview = Overview(place, (), used, bool(entries.find_apps(tx, [place.repo])))
    if place.oid and not wanted:
        return overview, True
    if not place.is_head or (not place.oid and place.ref is None):
        return overview, False
    if not place.oid:
        return overview, True
    key = (place.repo.id, place.oid)
    found = listings.find(key)
    if found is None:
        window = Window(recursive=True, limit=FILES_MAX)
        found = tuple(entries.list_entries(tx, place.repo, "", window))
        if len(found) <= LISTING_MAX:
            listings.put(key, found)
    return replace(overview, entries=found), True


def locate(
    tx: Tx, actor: Actor, kind: RepoKind, path: str, revision: str, file: str
) -> Located | Place:
    """Return a path of the head with its content, or the place where only packs know paths."""
    place = find_place_in(tx, actor, kind, path, revision)
    if not place.is_head or not place.oid:
        return place
    found = entries.find_entries(tx, place.repo, [file])
    if not found:
        return Located(place, file, None)
    return complete_file(tx, place, found[0])


def complete_file(tx: Tx, place: Place, entry: Entry) -> Located:
    """Add the content of a large file."""
    if entry.sha256 is None:
        return Located(place, entry.path, entry)
    known = content.find(tx, place.repo.id, bytes.fromhex(entry.sha256))
    if known is not None and known.xet_hash is not None and not known.is_blocked:
        entry = replace(entry, xet_hash=xet.hash_text(known.xet_hash))
    return Located(place, entry.path, entry, known)


def list_indexed(
    tx: Tx,
    place: Place,
    folder: str,
    window: Window,
    *,
    with_commits: bool,
) -> list[Entry]:
    """Return a window of a folder of the head.

    Raises:
        EntryMissing: If the folder does not exist.
    """
    found = entries.list_entries(tx, place.repo, folder, window)
    found = _add_xet(tx, place.repo, found)
    return entries.add_last_commits(tx, place.repo, found) if with_commits else found


def find_indexed(
    tx: Tx,
    repo: Repo,
    paths: Sequence[str],
    *,
    with_commits: bool,
) -> list[Entry]:
    """Return those of ``paths`` that the head has."""
    found = _add_xet(tx, repo, entries.find_entries(tx, repo, paths))
    return entries.add_last_commits(tx, repo, found) if with_commits else found


def complete(tx: Tx, repo: Repo, listed: Sequence[Entry]) -> list[Entry]:
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


def list_packed(
    repository: git.Repository, place: Place, folder: str, window: Window
) -> list[Entry]:
    """Return a window of a folder of any commit.

    Raises:
        EntryMissing: If the folder does not exist.
    """
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


def find_packed(repository: git.Repository, place: Place, paths: Sequence[str]) -> list[Entry]:
    """Return those of ``paths`` that any commit has."""
    found = (git.find_entry(repository, place.oid, path) for path in paths if path)
    return [_to_entry(item) for item in found if item is not None]


def add_commits(repository: git.Repository, place: Place, found: Sequence[Entry]) -> list[Entry]:
    """Say of each entry which commit changed it last, as far as the walk goes."""
    lasts = git.last_commits(repository, place.oid, [entry.path for entry in found])
    return [
        replace(entry, last=_to_last(lasts[entry.path])) if entry.path in lasts else entry
        for entry in found
    ]


def _to_entry(item: git.TreeEntry) -> Entry:
    return Entry(item.path, item.is_folder, item.oid, item.size)


def _to_last(commit: git.Commit) -> entries.LastCommit:
    return entries.LastCommit(commit.oid, commit.title, commit.author, commit.at)
