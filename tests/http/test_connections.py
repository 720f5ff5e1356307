"""How many connections there may be, and how many of one caller."""

from __future__ import annotations

import resource
import subprocess
import sys
from ipaddress import ip_network

import pytest

from jishi.http.connections import ADDRESS_CONNECTIONS_MIN, CONNECTIONS_MAX, ConnectionLimit


def entered(limit: ConnectionLimit, address: str, times: int) -> int:
    return sum(limit.enter(address) for _ in range(times))


def test_one_address_leaves_room_for_others() -> None:
    limit = ConnectionLimit(100)

    assert entered(limit, "192.0.2.1", 100) == 25
    assert entered(limit, "192.0.2.2", 100) == 25
    limit.leave("192.0.2.1")
    assert entered(limit, "192.0.2.1", 100) == 1


def test_a_network_of_ipv6_is_one_address() -> None:
    limit = ConnectionLimit(40)

    assert [entered(limit, f"2001:db8::{n:x}", 5) for n in range(3)] == [5, 5, 0]
    assert entered(limit, "2001:db8:0:1::1", 5) == 5


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", ""])
def test_who_comes_through_a_proxy_counts_for_all_only(address: str) -> None:
    limit = ConnectionLimit(50, trusted=[ip_network("10.0.0.0/8")])

    assert entered(limit, address, 60) == 50
    assert entered(limit, "192.0.2.1", 1) == 0
    for _ in range(50):
        limit.leave(address)
    assert limit.count == 0
    assert entered(limit, "192.0.2.1", 60) == 12


def test_all_that_left_are_forgotten() -> None:
    limit = ConnectionLimit(100)
    entered(limit, "192.0.2.1", 9)

    for _ in range(9):
        limit.leave("192.0.2.1")

    assert (limit.count, dict(limit._of)) == (0, {})  # noqa: SLF001  (nothing else shows it)


PROGRAM = """
import resource
from jishi.http.server import ConnectionLimit, raise_files_max
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
raise_files_max()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], ConnectionLimit().connections_max)
"""


@pytest.mark.parametrize(
    ("soft", "hard", "files", "limit"),
    [(64, 300, 300, 100), (64, 64, 64, ADDRESS_CONNECTIONS_MIN), (256, 4096, 4096, 1998)],
)
def test_connections_stay_below_what_the_system_gives(soft, hard, files, limit) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        hard = soft = files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = min(CONNECTIONS_MAX, (files - 100) // 2)
    program = PROGRAM.format(soft=soft, hard=hard)

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == [str(files), str(limit)]
