"""Repositories of models, datasets and Spaces.

Hides: how names, refs, files and large objects are stored and found.
Shows: operations on repositories, each checked against the acting party.  Wider nouns have
doors of their own: ``hub.files``, ``hub.refs``, ``hub.commits``, ``hub.content``, ``hub.cas``,
``hub.lists``, ``hub.stats``, ``hub.card``.
"""

from __future__ import annotations

from jishi.hub.entries import Entry, EntryMissing, LastCommit
from jishi.hub.flows import commit, create
from jishi.hub.lifecycle import (
    AlreadyYours,
    Draft,
    NotEnforced,
    delete_repo,
    move_repo,
    set_visibility,
)
from jishi.hub.node import Node
from jishi.hub.paths import BadPath, check_path
from jishi.hub.repos import (
    BadName,
    Repo,
    RepoElsewhere,
    RepoExists,
    RepoKind,
    RepoMissing,
    Right,
    access_repo,
    may_write,
)

__all__ = [
    "AlreadyYours",
    "BadName",
    "BadPath",
    "Draft",
    "Entry",
    "EntryMissing",
    "LastCommit",
    "Node",
    "NotEnforced",
    "Repo",
    "RepoElsewhere",
    "RepoExists",
    "RepoKind",
    "RepoMissing",
    "Right",
    "access_repo",
    "check_path",
    "commit",
    "create",
    "delete_repo",
    "may_write",
    "move_repo",
    "set_visibility",
]
