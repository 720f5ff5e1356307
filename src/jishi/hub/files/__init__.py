"""Files of a revision: where they are, what they hold, how they came about.

Hides: the SQL picture of the head, packs, pointers, and which of them answers.
Shows: ``find_place`` and what one can ask of a place; sources of bytes for answers.
"""

from __future__ import annotations

from jishi.hub.files.advice import Advice, Asked
from jishi.hub.files.flows import (
    advise_upload,
    count_commits,
    count_download,
    find_entries,
    find_entry,
    find_place,
    find_with_files,
    folder_bytes,
    list_commits,
    list_folder,
    locate,
    open_located,
    open_pointer,
    read_commit,
    read_small,
)
from jishi.hub.files.history import CommitDetail, CommitInfo, FileChange
from jishi.hub.files.places import Located, Opened, Place

__all__ = [
    "Advice",
    "Asked",
    "CommitDetail",
    "CommitInfo",
    "FileChange",
    "Located",
    "Opened",
    "Place",
    "advise_upload",
    "count_commits",
    "count_download",
    "find_entries",
    "find_entry",
    "find_place",
    "find_with_files",
    "folder_bytes",
    "list_commits",
    "list_folder",
    "locate",
    "open_located",
    "open_pointer",
    "read_commit",
    "read_small",
]
