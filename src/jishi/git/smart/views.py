"""Git directories for ``git upload-pack``: the refs of one generation, never changed.

A view holds ``HEAD``, ``packed-refs`` and ``config``; its ``objects`` is a link to the
repository's own.  No ref file is ever updated in place, so a child sees one moment.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jishi.core.db import Database, Mode
from jishi.git.cache import Cache
from jishi.git.flows import open_now
from jishi.git.packs import Generations, generations
from jishi.git.refs import Ref, find_head_ref, list_refs

KEPT_SECONDS: Final = 70 * 60
"""Views stay for so long after the next one: longer than the longest answer."""


@dataclass(frozen=True, slots=True)
class View:
    """A view and the moment it shows."""

    folder: Path
    found: Generations


def build_view(db: Database, cache: Cache, git_id: int) -> View:
    """Make the view of now, unless there is one, and bring the packs it needs.  Blocking."""
    with db.begin(Mode.READ) as tx:
        found = generations(tx, git_id)
        refs = list_refs(tx, git_id)
        head_ref = find_head_ref(tx, git_id)
    open_now(db, cache, git_id)  # after the refs: so no ref lacks its pack
    folder = cache.folder(git_id) / f"view-{found.refs}"
    if not (folder / "HEAD").exists():
        _write(folder, refs, head_ref)
        _remove_old(folder)
    return View(folder, found)


def packed_refs(refs: Mapping[str, Ref]) -> str:
    """Return Git's file of refs."""
    lines = ["# pack-refs with: peeled fully-peeled sorted \n"]
    for name, ref in refs.items():
        lines.append(f"{ref.oid} {name}\n")
        if ref.peeled:
            lines.append(f"^{ref.peeled}\n")
    return "".join(lines)


def _write(folder: Path, refs: Mapping[str, Ref], head_ref: str) -> None:
    fresh = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.tmp")
    fresh.mkdir()
    (fresh / "refs").mkdir()
    (fresh / "objects").symlink_to("../objects")
    (fresh / "HEAD").write_text(f"ref: {head_ref}\n")
    (fresh / "config").write_text(CONFIG)
    (fresh / "packed-refs").write_text(packed_refs(refs))
    try:
        fresh.rename(folder)
    except OSError:  # another thread or process was first; an identical one
        shutil.rmtree(fresh, ignore_errors=True)


def _remove_old(newest: Path) -> None:
    now = newest.stat().st_mtime
    for folder in newest.parent.glob("view-*"):
        with suppress(FileNotFoundError):
            if now - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


CONFIG: Final = """\
[core]
\trepositoryformatversion = 0
\tbare = true
\tbigFileThreshold = 16m
\tpackedGitWindowSize = 16m
\tpackedGitLimit = 128m
\thooksPath = /dev/null
[gc]
\tauto = 0
[pack]
\tthreads = 1
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[transfer]
\tfsckObjects = true
"""
