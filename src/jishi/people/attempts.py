"""How often somebody may try to sign in."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.core.networks import network_of

NAME_TRIES_MAX = 10
"""Failed sign-ins of one name in a window."""
ADDRESS_TRIES_MAX = 50
"""Failed sign-ins from one address in a window: a campus shares few addresses."""
WINDOW_SECONDS = 900
KEYS_MAX = 20_000
"""Names remembered at once, and as many addresses."""

_KEY_BYTES: Final = 16


class TooManyAttempts(Refusal):
    """Somebody is guessing, or forgot."""

    code: ClassVar[str] = "people.too_many_attempts"
    kind: ClassVar[Kind] = Kind.THROTTLED
    text: ClassVar[str] = N_("Too many attempts. Try again in {minutes} minutes.")


class Attempts:
    """Counts failed sign-ins in memory, per name and per address.

    A try counts when it begins, so that many at once gain nothing; a success takes its
    count back.  A try that is refused leaves nothing behind.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._names = _Windows(NAME_TRIES_MAX)
        self._addresses = _Windows(ADDRESS_TRIES_MAX)
        self._lock = threading.Lock()

    def begin(self, name: str, address: str) -> None:
        """Count one try.

        Args:
            address: Empty where the caller proved already who it is.

        Raises:
            TooManyAttempts: If the name or the address has no try left.
        """
        tries = [(self._names, _key(name.lower()))]
        if address:
            tries.insert(0, (self._addresses, _key(network_of(address))))
        now = self._clock()
        with self._lock:
            for windows, key in tries:
                windows.insist(key, now)
            for windows, key in tries:
                windows.count(key, now)

    def succeed(self, name: str, address: str) -> None:
        """Forget the name's tries and take back the one of the address."""
        with self._lock:
            self._names.forget(_key(name.lower()))
            if address:
                self._addresses.take_back(_key(network_of(address)))


@dataclass(slots=True)
class _Window:
    begun: float
    tries: int


class _Windows:
    """Tries per key, the oldest window first."""

    def __init__(self, tries_max: int) -> None:
        self._tries_max = tries_max
        self._windows: dict[bytes, _Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def insist(self, key: bytes, now: float) -> None:
        """Insist on a try that is left, and on room to count it."""
        window = self._windows.get(key)
        if window is not None and now - window.begun >= WINDOW_SECONDS:
            del self._windows[key]
            window = None
        if window is None and len(self._windows) >= KEYS_MAX:
            window = self._make_room(now)
        if window is not None and window.tries >= self._tries_max:
            left = window.begun + WINDOW_SECONDS - now
            raise TooManyAttempts(minutes=max(1, round(left / 60)))

    def count(self, key: bytes, now: float) -> None:
        """Count one try."""
        self._windows.setdefault(key, _Window(now, 0)).tries += 1

    def forget(self, key: bytes) -> None:
        """Forget a key's tries."""
        self._windows.pop(key, None)

    def take_back(self, key: bytes) -> None:
        """Forget one of a key's tries."""
        window = self._windows.get(key)
        if window is not None and window.tries > 0:
            window.tries -= 1

    def _make_room(self, now: float) -> _Window | None:
        """Forget what is over, else the half with the fewest tries.

        So whoever wants a name forgotten has to try half of all others more often.  A window
        without a try left is never forgotten; if there is nothing else, return the oldest.
        """
        live = {k: w for k, w in self._windows.items() if now - w.begun < WINDOW_SECONDS}
        if len(live) >= KEYS_MAX:
            by_tries = sorted(live, key=lambda key: (live[key].tries, live[key].begun))
            for key in by_tries[: KEYS_MAX // 2]:
                if live[key].tries < self._tries_max:
                    del live[key]
        self._windows = live
        return next(iter(live.values())) if len(live) >= KEYS_MAX else None


def _key(text: str) -> bytes:
    """Return what stands for a name or an address, however long somebody makes it."""
    octets = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(octets, digest_size=_KEY_BYTES).digest()
