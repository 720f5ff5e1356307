"""How many connections there are, and how many of them one caller has.

Every connection holds a descriptor, and one more while a file leaves by it.  Without a bound
below the system's, whoever opens many takes those that files, children and the database need.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from jishi.core.networks import network_of
from jishi.http.site import Network, is_within

CONNECTIONS_MAX: Final = 10_000
"""However many descriptors the system gives."""
FILES_MAX: Final = 65_536
"""Descriptors that are asked for; more would cost without use."""
RESERVED_FILES: Final = 100
"""Descriptors for the database, children, logs and what comes in between."""
SHARE: Final = 4
"""One address has at most this part of all connections."""
ADDRESS_CONNECTIONS_MIN: Final = 8


class ConnectionLimit:
    """Counts connections.  Used on one event loop."""

    def __init__(
        self, connections_max: int | None = None, *, trusted: Sequence[Network] = ()
    ) -> None:
        """Begin with nobody.

        Args:
            connections_max: By default as many as this process may have files.
            trusted: Proxies: who comes through them is many callers.
        """
        self.connections_max = connections_max or fitting()
        self.address_max = max(ADDRESS_CONNECTIONS_MIN, self.connections_max // SHARE)
        self.count = 0
        self._of: Counter[str] = Counter()
        self._trusted = trusted

    def enter(self, address: str) -> bool:
        """Count a connection if there is room for it."""
        if self.count >= self.connections_max:
            return False
        if not self._is_many(address):
            caller = network_of(address)
            if self._of[caller] >= self.address_max:
                return False
            self._of[caller] += 1
        self.count += 1
        return True

    def leave(self, address: str) -> None:
        """Forget a connection that was counted."""
        self.count -= 1
        if self._is_many(address):
            return
        caller = network_of(address)
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]

    def _is_many(self, address: str) -> bool:
        """Whether others may come from this address: a proxy's, or this machine's."""
        try:
            is_loopback = ip_address(address).is_loopback
        except ValueError:  # a unix socket
            return True
        return is_loopback or is_within(address, self._trusted)


def raise_files_max() -> None:
    """Let this process open as many files as the system allows, up to ``FILES_MAX``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS says "unlimited" and has another limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def fitting() -> int:
    """Return how many connections fit this process's files, each with a file that it sends."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(ADDRESS_CONNECTIONS_MIN, min(CONNECTIONS_MAX, (soft - RESERVED_FILES) // 2))
