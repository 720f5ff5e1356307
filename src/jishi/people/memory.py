"""What was recognised a moment ago, so that a busy client costs one look a few seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from jishi.core.db import Tx
from jishi.people.actors import Actor

KEPT_SECONDS = 5
"""How long a change made by another process may go unnoticed: a revoked token, a new role."""
KEPT_MAX = 10_000


class _Changes:
    """Counts committed changes to people in this process."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        self.count += 1


_changes = _Changes()


def forget_after(tx: Tx) -> None:
    """Let every process-wide memory of actors end when ``tx`` is committed."""
    tx.after_commit.append(_changes.add)


class Memory:
    """Actors by the hash of the credential that stood for them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._actors: OrderedDict[bytes, tuple[Actor, float, int]] = OrderedDict()

    def find(self, key: bytes) -> Actor | None:
        """Return the actor, unless time or a change made it doubtful."""
        kept = self._actors.get(key)
        if kept is None or kept[1] < self._clock() or kept[2] != _changes.count:
            return None
        return kept[0]

    def mark(self) -> int:
        """Return a mark to be taken before the database is asked."""
        return _changes.count

    def keep(self, key: bytes, actor: Actor, mark: int) -> None:
        """Remember ``actor``, as of ``mark``."""
        self._actors[key] = (actor, self._clock() + KEPT_SECONDS, mark)
        self._actors.move_to_end(key)
        while len(self._actors) > KEPT_MAX:
            self._actors.popitem(last=False)
