"""A network with nothing in it but loopback, which counts what wanted to leave it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOLD = """
import fcntl, socket, struct, sys
lo = struct.pack("16sH14s", b"lo", 1, b"")
fcntl.ioctl(socket.socket(), 0x8914, lo)  # SIOCSIFFLAGS, IFF_UP
print(*(name for _, name in socket.if_nameindex()), flush=True)
sys.stdin.read()
"""
OUTWARD = ("IpOutNoRoutes", "Ip6OutNoRoutes", "UdpOutDatagrams", "Udp6OutDatagrams")
"""What counts connections and datagrams that found no way out, and questions to a resolver on
loopback: nothing of ours speaks UDP."""


@dataclass(frozen=True)
class Alone:
    """A network namespace whose only interface is ``lo``.

    Attributes:
        words: Those before every command that is to run in it.
        keeper: Process that keeps it.
    """

    words: tuple[str, ...]
    keeper: int

    def attempts(self, *, but: str = "") -> dict[str, int]:
        """Return what tried to reach another host since it began, by counter of the kernel.

        The kernel counts where programs swallow the error.  ``strace -f -e trace=connect``
        before a command names the culprit.

        Args:
            but: A counter that is not looked at.
        """
        counted = _counters(Path(f"/proc/{self.keeper}/net"))
        return {name: counted[name] for name in OUTWARD if counted.get(name) and name != but}


def _counters(folder: Path) -> dict[str, int]:
    lines = (folder / "snmp").read_text().splitlines()
    counted: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        layer, _, rest = names.partition(":")
        told = zip(rest.split(), values.partition(":")[2].split(), strict=True)
        counted |= {layer + name: int(value) for name, value in told}
    if (folder / "snmp6").exists():
        pairs = (line.split() for line in (folder / "snmp6").read_text().splitlines())
        counted |= {name: int(value) for name, value in pairs}
    return counted


@contextmanager
def lonely() -> Iterator[Alone]:
    """Keep such a network for the length of the block."""
    is_root = os.geteuid() == 0
    unshare = ["unshare", "--net"] if is_root else ["unshare", "--net", "--map-root-user"]
    keeper = subprocess.Popen(
        [*unshare, sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == "lo\n"
    user = () if is_root else ("--user", "--preserve-credentials")
    try:
        yield Alone(("nsenter", "--target", str(keeper.pid), "--net", *user), keeper.pid)
    finally:
        keeper.communicate()
