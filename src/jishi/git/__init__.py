"""Git objects, refs and the smart protocol, without users.

Hides: packs, indexes, trees, where packs lie, bare repositories on disk, libgit2.
Shows: a repository as a number (``git_id``), refs by name, commits as values.  Object ids
are 40 hex digits, paths are text without a slash at the ends, instants microseconds UTC.

In a transaction::

    create_store(tx) -> git_id
    get_ref(tx, git_id, name) -> oid | None
    find_ref(tx, git_id, name) -> Ref(oid, peeled | None) | None
    list_refs(tx, git_id) -> {name: Ref}
    move_ref(tx, git_id, name, *, old, new, peeled=None)    RefMoved, RefConflict; None: no such ref
    add_pack(tx, git_id, pack)                              PackExpired; call before move_ref

With I/O, awaited::

    open_repository(db, cache, pool, git_id) -> Repository  all packs committed by now
    store_pack(db, store, pool, pack | None)                before add_pack

Blocking, for a pool of threads::

    build_commit(repository | None, *, parent, changes, message, author, when_us, spool=None)
        -> NewCommit(oid, tree, pack | None, put, gone)     TreeConflict
    changes: Put(path, bytes | (fd, start, end) | None, oid=None, executable=None), Delete(path)
    put, gone: items have path, is_folder, oid, size; what lies in folders is named too
    find_commit(repository, revision) -> oid | None         full id or unique start
    read_blob(repository, oid) -> bytes
    find_entry(repository, commit, path) -> TreeEntry | None
        TreeEntry: path, oid, size, mode, is_folder, place (what `after` takes)
    list_tree(repository, commit, folder="", *, recursive, after, limit) -> [TreeEntry] | None
    history(repository, commit, *, path=None, after=None, skip=0, limit=50) -> [Commit]
        Commit: oid, title, message (the rest), author, at, parents, tree
    count_commits(repository, commit) -> int | None         None: more than one walk visits
    last_commits(repository, commit, paths) -> {path: Commit}, within 2 000 commits, 300 ms
    diff(repository, commit, *, files_max, bytes_max) -> (Commit, [Difference(path, kind, text)])
    make_tag(commit, *, name, message, author, when_us) -> NewCommit   annotated: move_ref(peeled=)
    build_orphan(repository | None, *, tree_of: commit | None, message, author, when_us)
        -> NewCommit                                        no parents; same content, or none
"""

from __future__ import annotations

from jishi.git.cache import Cache
from jishi.git.commits import (
    Delete,
    NewCommit,
    Put,
    TreeConflict,
    build_commit,
    build_orphan,
    make_tag,
)
from jishi.git.flows import open_repository, store_pack
from jishi.git.packs import add_pack
from jishi.git.reading import (
    TreeEntry,
    diff,
    find_commit,
    find_entry,
    list_tree,
    read_blob,
)
from jishi.git.refs import Ref, RefMoved, create_store, find_ref, get_ref, list_refs, move_ref
from jishi.git.repository import Repository
from jishi.git.trees import Author, Commit
from jishi.git.walking import count_commits, history, last_commits

__all__ = [
    "Author",
    "Cache",
    "Commit",
    "Delete",
    "NewCommit",
    "Put",
    "Ref",
    "RefMoved",
    "Repository",
    "TreeConflict",
    "TreeEntry",
    "add_pack",
    "build_commit",
    "build_orphan",
    "count_commits",
    "create_store",
    "diff",
    "find_commit",
    "find_entry",
    "find_ref",
    "get_ref",
    "history",
    "last_commits",
    "list_refs",
    "list_tree",
    "make_tag",
    "move_ref",
    "open_repository",
    "read_blob",
    "store_pack",
]
