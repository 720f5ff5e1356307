"""What a process keeps in mind of xorbs: their indexes, and what it said of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from jishi.storage import Store
from jishi.xet.formats import XorbIndex, footer_bytes, keyed_block, read_footer
from jishi.xet.xorbs import Xorb

INDEX_BYTES_MAX: Final = 128 << 20
"""About 200 GB of data; a full xorb's index has 42 KB."""
BLOCK_BYTES_MAX: Final = 32 << 20
ONCE_MAX: Final = 10_000

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key, at most ``bytes_max`` of them together; used by many threads.

    Attributes:
        taken: Bytes they have now.
    """

    def __init__(self, bytes_max: int, bytes_of: Callable[[T], int]) -> None:
        self._bytes_max = bytes_max
        self._bytes_of = bytes_of
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self.taken = 0
        self._turn = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``; two threads may both make it."""
        with self._turn:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._turn:
            if key not in self._values:
                self._values[key] = value
                self.taken += self._bytes_of(value)
            while self.taken > self._bytes_max:
                _, old = self._values.popitem(last=False)
                self.taken -= self._bytes_of(old)
        return value


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
