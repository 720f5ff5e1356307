"""How often somebody may try to sign in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import ClassVar

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

NAME_TRIES_MAX = 10
"""Failed sign-ins of one name in a window."""
ADDRESS_TRIES_MAX = 50
"""Failed sign-ins from one address in a window: a campus shares few addresses."""
WINDOW_SECONDS = 900
KEYS_MAX = 10_000
"""Names and addresses remembered at once; the oldest window is forgotten first."""


class TooManyAttempts(Refusal):
    """Somebody is guessing, or forgot."""

    code: ClassVar[str] = "people.too_many_attempts"
    kind: ClassVar[Kind] = Kind.THROTTLED
    text: ClassVar[str] = N_("Too many attempts. Try again in {minutes} minutes.")


@dataclass(slots=True)
class _Window:
    begun: float
    tries: int


class Attempts:
    """Counts failed sign-ins in memory, per name and per address.

    A try counts when it begins, so that many at once gain nothing; a success takes its
    count back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, address: str) -> None:
        """Count one try.

        Raises:
            TooManyAttempts: If the name or the address has no try left.
        """
        limits = {
            f"name {name.lower()}": NAME_TRIES_MAX,
            f"address {_network(address)}": ADDRESS_TRIES_MAX,
        }
        with self._lock:
            windows = [(self._window(key), limit) for key, limit in limits.items()]
            for window, limit in windows:
                if window.tries >= limit:
                    left = window.begun + WINDOW_SECONDS - self._clock()
                    raise TooManyAttempts(minutes=max(1, round(left / 60)))
            for window, _ in windows:
                window.tries += 1

    def succeed(self, name: str, address: str) -> None:
        """Forget the name's tries and take back the one of the address."""
        with self._lock:
            self._windows.pop(f"name {name.lower()}", None)
            window = self._windows.get(f"address {_network(address)}")
            if window is not None and window.tries > 0:
                window.tries -= 1

    def _window(self, key: str) -> _Window:
        now = self._clock()
        window = self._windows.get(key)
        if window is None or now - window.begun >= WINDOW_SECONDS:
            window = _Window(now, 0)
            self._windows[key] = window
            self._windows.move_to_end(key)
            while len(self._windows) > KEYS_MAX:
                self._windows.popitem(last=False)
        return window


def _network(address: str) -> str:
    """Return what one caller has for itself: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a unix socket, or a test
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return address
