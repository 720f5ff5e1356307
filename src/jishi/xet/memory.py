"""What a process keeps in mind of xorbs: their indexes, and what it said of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from jishi.core.recent import Recent
from jishi.storage import Store
from jishi.xet.formats import XorbIndex, footer_bytes, keyed_block, read_footer
from jishi.xet.xorbs import Xorb

INDEX_BYTES_MAX: Final = 128 << 20
"""About 200 GB of data; a full xorb's index has 42 KB."""
BLOCK_BYTES_MAX: Final = 32 << 20
ONCE_MAX: Final = 10_000


class Memory:
    """Indexes, blocks of replies, and what was said once.

    Attributes:
        indexes: By row of the xorb.
    """

    def __init__(self, store: Store, *, index_bytes_max: int = INDEX_BYTES_MAX) -> None:
        self._store = store
        self.indexes = Recent[XorbIndex](index_bytes_max, lambda index: index.memory_bytes)
        self._blocks = Recent[bytes](BLOCK_BYTES_MAX, len)
        self._once: OrderedDict[str, None] = OrderedDict()

    def index(self, xorb: Xorb) -> XorbIndex:
        """Return the index of a stored xorb; may read the store.

        Raises:
            ObjectMissing: If the store lost the xorb.
        """
        return self.indexes.get(xorb.id, lambda: self._read_index(xorb))

    def block(self, xorb: Xorb, key: bytes) -> bytes:
        """Return what a reply under ``key`` says of a xorb.

        Raises:
            ObjectMissing: If the store lost the xorb.
        """
        return self._blocks.get((xorb.id, key), lambda: keyed_block(self.index(xorb), key))

    def is_first(self, what: str) -> bool:
        """Whether ``what`` is asked for the first time.  On the event loop only."""
        if what in self._once:
            return False
        self._once[what] = None
        if len(self._once) > ONCE_MAX:
            self._once.popitem(last=False)
        return True

    def _read_index(self, xorb: Xorb) -> XorbIndex:
        end = xorb.packed + footer_bytes(xorb.chunks)
        return read_footer(self._store.read(xorb.key, xorb.packed, end))
