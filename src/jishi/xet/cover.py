"""Whether some runs of chunks lie within what some files show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jishi.xet.terms import Ints, Terms
from jishi.xet.xorbs import Xorb


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of chunks as somebody names them: nothing says that there are such chunks.

    Attributes:
        xorbs: Row of each run's xorb, ascending.
        firsts: First chunk of each; ``ends``: the end (exclusive).
    """

    xorbs: Ints
    firsts: Ints
    ends: Ints

    def of(self, xorb_id: int) -> slice:
        """Return where the runs of one xorb are."""
        first, end = np.searchsorted(self.xorbs, [xorb_id, xorb_id + 1]).tolist()
        return slice(first, end)

    def cut(self, first: int, last: int) -> Runs:
        """Return the runs of the xorbs whose rows are ``first`` to ``last``."""
        here = slice(*np.searchsorted(self.xorbs, [first, last + 1]).tolist())
        return Runs(self.xorbs[here], self.firsts[here], self.ends[here])


class Cover:
    """What files show of some xorbs, file by file, against the runs that are wanted."""

    def __init__(self, xorbs: Sequence[Xorb], runs: Runs) -> None:
        """Begin with nothing shown.

        Args:
            xorbs: All that ``runs`` name; a chunk of them takes four bytes here.
        """
        ordered = sorted(xorbs, key=lambda xorb: xorb.id)
        self.ids: list[int] = [xorb.id for xorb in ordered]
        self._rows = np.array(self.ids, np.int64)
        room = np.array([xorb.chunks + 1 for xorb in ordered], np.int64)
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(room)])
        self._steps = np.zeros(int(self._starts[-1]), np.int32)  # +1 where shown runs begin
        self._runs = runs

    def add(self, terms: Terms) -> None:
        """Let a file with these terms show its chunks."""
        rows = terms["xorb"].astype(np.int64)
        at = np.searchsorted(self._rows, rows)
        here = at < len(self._rows)
        here[here] = self._rows[at[here]] == rows[here]
        base = self._starts[at[here]]
        np.add.at(self._steps, base + terms["first"][here], 1)
        np.add.at(self._steps, base + terms["end"][here], -1)

    def lacks(self, xorb_id: int) -> bool:
        """Whether something wanted of this xorb is not shown, or does not exist."""
        wanted = self._runs.of(xorb_id)
        firsts, ends = self._runs.firsts[wanted], self._runs.ends[wanted]
        at = int(np.searchsorted(self._rows, xorb_id))
        shown = np.cumsum(self._steps[self._starts[at] : self._starts[at + 1] - 1]) > 0
        if bool((ends > len(shown)).any()):
            return True
        hidden = np.concatenate([np.zeros(1, np.int64), np.cumsum(~shown)])
        return bool((hidden[ends] > hidden[firsts]).any())
