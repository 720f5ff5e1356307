"""A Git store on a test's database, driven from threads that need no event loop."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jishi import git
from jishi.core.db import Database, Mode, Tx
from jishi.git.commits import NewCommit
from jishi.git.flows import open_now
from jishi.storage import LocalStore, Spool

MAIN = "refs/heads/main"
ANN = git.Author("Ann Li", "ann@example.org")
SECOND = 1_000_000
WHEN = 1_762_000_000 * SECOND

ENVIRONMENT = {
    "PATH": os.defpath + ":/usr/local/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
}


class Shelf:
    """Everything a node has of Git."""

    def __init__(self, db: Database, root: Path) -> None:
        self.db = db
        self.root = root
        self.store = LocalStore(root / "objects")
        self.spool = Spool(root / "spool")
        self.cache = git.Cache(root / "git", self.store)
        self.pool = ThreadPoolExecutor(4)

    def create(self) -> int:
        with self.db.begin(Mode.WRITE) as tx:
            return git.create_store(tx)

    def open(self, git_id: int) -> git.Repository:
        return open_now(self.db, self.cache, git_id)

    def ref(self, git_id: int, name: str = MAIN) -> str | None:
        with self.db.begin(Mode.READ) as tx:
            return git.get_ref(tx, git_id, name)

    def build(
        self,
        git_id: int,
        parent: str | None,
        *changes: git.Put | git.Delete,
        message: str = "Work.",
        when: int = WHEN,
    ) -> NewCommit:
        return git.build_commit(
            self.open(git_id) if parent else None,
            parent=parent,
            changes=changes,
            message=message,
            author=ANN,
            when_us=when,
            spool=self.spool,
        )

    def put_away(self, new: NewCommit) -> None:
        asyncio.run(git.store_pack(self.db, self.store, self.pool, new.pack))

    def settle(self, git_id: int, old: str | None, new: NewCommit, *, ref: str = MAIN) -> None:
        self.put_away(new)
        with self.db.begin(Mode.WRITE) as tx:
            settle(tx, git_id, old, new, ref)

    def commit(
        self, git_id: int, *changes: git.Put | git.Delete, ref: str = MAIN, **more: object
    ) -> NewCommit:
        old = self.ref(git_id, ref)
        new = self.build(git_id, old, *changes, **more)
        if new.oid != old:
            self.settle(git_id, old, new, ref=ref)
        return new

    def git(self, git_id: int, *words: str) -> bytes:
        """Run Git itself on the cached repository."""
        self.open(git_id)
        command = ["git", "--git-dir", str(self.cache.folder(git_id)), *words]
        return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout

    def close(self) -> None:
        self.pool.shutdown()


def settle(tx: Tx, git_id: int, old: str | None, new: NewCommit, ref: str = MAIN) -> None:
    if new.pack is not None:
        git.add_pack(tx, git_id, new.pack)
    git.move_ref(tx, git_id, ref, old=old, new=new.oid)


def texts(names: Sequence[str]) -> list[git.Put]:
    return [git.Put(name, f"This is {name}.\n".encode()) for name in names]
