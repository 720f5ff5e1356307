"""What a process keeps in mind about people between requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor

from jishi.core.db import Database
from jishi.people.attempts import Attempts
from jishi.people.memory import Memory
from jishi.people.settings import Settings

USES_MAX = 100_000
"""Last uses of tokens that wait to be written; more are left out."""


class Gate:
    """Where people come in: the database, threads for hashing, limits, last uses.

    Attributes:
        pool: Runs password hashing, which takes long and lets other threads run.
        attempts: Limits on sign-ins.
        memory: Actors recognised in the last seconds.
    """

    def __init__(
        self,
        db: Database,
        pool: Executor,
        settings: Settings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.db = db
        self.pool = pool
        self.settings = settings or Settings()
        self.attempts = Attempts(clock)
        self.memory = Memory(clock)
        self._uses: dict[int, int] = {}

    def note_use(self, token_id: int, at: int) -> None:
        """Keep in mind that a token was sent.

        Args:
            at: Microseconds UTC.
        """
        if len(self._uses) < USES_MAX:
            self._uses[token_id] = at

    def take_uses(self) -> dict[int, int]:
        """Hand over what was noted since the last call."""
        taken, self._uses = self._uses, {}
        return taken
