"""Branches and tags of a repository.

Hides: how refs are kept, how a name is told from a commit.
Shows: lists, creation and removal, each checked against the acting party.
"""

from __future__ import annotations

from jishi.hub.refs.flows import MessageTooLong, create_branch, create_tag, squash
from jishi.hub.refs.names import (
    BadRefName,
    MainStays,
    RefExists,
    Refs,
    TooManyRefs,
    delete_branch,
    delete_tag,
    list_refs,
    refs_of,
)
from jishi.hub.revisions import TAG_PREFIX, Named, RevisionMissing, find_ref

__all__ = [
    "TAG_PREFIX",
    "BadRefName",
    "MainStays",
    "MessageTooLong",
    "Named",
    "RefExists",
    "Refs",
    "RevisionMissing",
    "TooManyRefs",
    "create_branch",
    "create_tag",
    "delete_branch",
    "delete_tag",
    "find_ref",
    "list_refs",
    "refs_of",
    "squash",
]
