"""A network with nothing in it but loopback: everything works, so nothing calls out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.clients import NEWEST, Client
from tests.clients.contents import hashes, write_folder
from tests.clients.serving import Hub
from tests.clients.visitor import choose_within

HOLD = """
import fcntl, socket, struct, sys
lo = struct.pack("16sH14s", b"lo", 1, b"")
fcntl.ioctl(socket.socket(), 0x8914, lo)  # SIOCSIFFLAGS, IFF_UP
print(*(name for _, name in socket.if_nameindex()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def alone() -> Iterator[tuple[str, ...]]:
    """The words that lead into a network namespace whose only interface is ``lo``."""
    is_root = os.geteuid() == 0
    unshare = ["unshare", "--net"] if is_root else ["unshare", "--net", "--map-root-user"]
    holder = subprocess.Popen(
        [*unshare, sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "lo\n"
    user = () if is_root else ("--user", "--preserve-credentials")
    yield ("nsenter", "--target", str(holder.pid), "--net", *user)
    holder.communicate()


def test_publishing_and_reading_need_no_other_host(alone: tuple[str, ...], tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub" / "data", options=(), within=alone)
    hub.folder.parent.mkdir()
    hub.start()
    sent = write_folder(tmp_path / "model", files=2)
    try:
        token = choose_within(alone, hub.command("user", "add", "mei"))
        mei = Client(NEWEST, hub.url, tmp_path / "mei", within=alone)
        mei.shell("hf", "auth", "login", "--token", token).ok()
        mei.shell("hf", "upload", "mei/first", str(tmp_path / "model"), ".").ok()
        got = mei.call("snapshot", repo="mei/first")
        mei.shell("git", "lfs", "install").ok()
        mei.shell("git", "clone", "-q", f"{hub.url}/open-bazaar/market-tales", "clone").ok()

        assert {name: got[name] for name in sent} == sent
        assert "model.safetensors" in hashes(mei.home / "clone")
        assert not [line for line in hub.said if "Traceback" in line]
    finally:
        hub.kill()
