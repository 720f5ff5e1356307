"""What a shard may build on: xorbs its sender sent whole, chunks they may read anyway.

The verification of a term is no right by itself.  It proves that somebody knows the names of
chunks, and a xorb with one chunk bears its chunk's name, which plans, replies and logs tell.
So whatever is out of reach is answered like what is not here, before a word of it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from jishi import xet
from jishi.core.db import Tx
from jishi.hub import content
from jishi.hub.cas.passes import Pass
from jishi.hub.repos import seen_by
from jishi.people import NOBODY, find_actor
from jishi.xet import proofs

XORBS_MAX: Final = 256
"""Xorbs looked at by one transaction."""
USERS_MAX: Final = 500
"""Files with a xorb that are looked at together, newest first."""
PAGES_MAX: Final = 20
FILE_COST: Final = 2_048
LOOKED_BYTES_MAX: Final = 64 << 20
"""Terms of files that are looked at by one transaction, and ``FILE_COST`` for each file."""


def covers(
    runs: proofs.Runs, sent: set[int], xorbs: Mapping[int, xet.Xorb]
) -> Iterator[proofs.Cover]:
    """Yield what has to be known to the sender otherwise than by sending, in slices.

    Args:
        sent: Rows of the xorbs that the sender sent whole.
        xorbs: By row, all that ``runs`` name.
    """
    rows = [row for row in np.unique(runs.xorbs).tolist() if row not in sent]
    for start in range(0, len(rows), XORBS_MAX):
        some = rows[start : start + XORBS_MAX]
        yield proofs.Cover([xorbs[row] for row in some], runs.cut(some[0], some[-1]))


def require_reach(tx: Tx, opened: Pass, cover: proofs.Cover) -> None:
    """Insist that the pass's holder may read all that a cover wants.

    Raises:
        XorbMissing: If some of it is out of reach, or does not exist.
    """
    looking = _Looking(tx, opened, cover)
    for xorb in cover.ids:
        if cover.lacks(xorb) and not looking.finds(xorb):
            raise xet.XorbMissing


class _Looking:
    """Adds files to a cover, each once, as long as that is work of a bounded size."""

    def __init__(self, tx: Tx, opened: Pass, cover: proofs.Cover) -> None:
        self._tx = tx
        self._repo_id = opened.repo_id
        actor = find_actor(tx, opened.by) if opened.by else None
        self._namespaces = seen_by(actor or NOBODY)
        self._cover = cover
        self._seen: set[int] = set()
        self._left = LOOKED_BYTES_MAX

    def finds(self, xorb: int) -> bool:
        """Whether files that may be read show all that is wanted of a xorb."""
        before: int | None = None
        for _ in range(PAGES_MAX):
            users = xet.find_users(self._tx, xorb, limit=USERS_MAX, before=before)
            readable = content.readable_files(self._tx, self._repo_id, self._namespaces, users)
            if self._adds(xorb, readable):
                return True
            if len(users) < USERS_MAX or self._left < 0:
                return False
            before = users[-1]
        return False

    def _adds(self, xorb: int, files: Sequence[int]) -> bool:
        for file in files:
            if file in self._seen:
                continue
            if self._left < 0:
                return False
            self._seen.add(file)
            terms = proofs.load_terms(self._tx, file)
            self._left -= terms.nbytes + FILE_COST
            self._cover.add(terms)
            if not self._cover.lacks(xorb):
                return True
        return False
