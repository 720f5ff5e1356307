"""What a process keeps in mind because it was needed a moment ago."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key, at most ``room`` of their weight together; used by many threads.

    For values that never change under their key: nothing here is ever corrected.

    Attributes:
        taken: Their weight now.
    """

    def __init__(self, room: int, weigh: Callable[[T], int]) -> None:
        self._room = room
        self._weigh = weigh
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self.taken = 0
        self._turn = threading.Lock()

    def find(self, key: Hashable) -> T | None:
        """Return the value of ``key``, ``None`` where it is not kept."""
        with self._turn:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value; the longest unused make room."""
        with self._turn:
            if key not in self._values:
                self._values[key] = value
                self.taken += self._weigh(value)
            while self.taken > self._room:
                _, old = self._values.popitem(last=False)
                self.taken -= self._weigh(old)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``; two threads may both make it."""
        value = self.find(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value
