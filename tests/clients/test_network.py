"""A network with nothing in it but loopback: everything works, and nothing tries to call out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.alone import Alone
from tests.clients.clients import NEWEST, Client
from tests.clients.contents import hashes, write_folder
from tests.clients.serving import Hub
from tests.clients.visitor import choose_within

SWALLOWED = {
    "a connection": "socket.create_connection(('192.0.2.1', 443), 1)",
    "a connection by IPv6": "socket.create_connection(('2001:db8::1', 443), 1)",
    "a name that is looked up": "socket.getaddrinfo('hub.example', 443)",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a question to a resolver on loopback": (
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.53', 53))"
    ),
}


@pytest.mark.parametrize("name", SWALLOWED)
def test_what_is_tried_and_swallowed_is_counted(alone: Alone, name: str) -> None:
    program = f"import contextlib, socket\nwith contextlib.suppress(OSError): {SWALLOWED[name]}\n"

    subprocess.run([*alone.words, sys.executable, "-c", program], check=True)

    assert alone.attempts()


def test_publishing_and_reading_need_no_other_host(alone: Alone, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub" / "data", options=(), within=alone.words)
    hub.folder.parent.mkdir()
    hub.start()
    sent = write_folder(tmp_path / "model", files=2)
    try:
        token = choose_within(alone.words, hub.command("user", "add", "mei"))
        mei = Client(NEWEST, hub.url, tmp_path / "mei", within=alone.words)
        mei.shell("hf", "auth", "login", "--token", token).ok()
        mei.shell("hf", "upload", "mei/first", str(tmp_path / "model"), ".").ok()
        got = mei.call("snapshot", repo="mei/first")
        mei.shell("git", "lfs", "install").ok()
        mei.shell("git", "clone", "-q", f"{hub.url}/open-bazaar/market-tales", "clone").ok()

        assert {name: got[name] for name in sent} == sent
        assert "model.safetensors" in hashes(mei.home / "clone")
        assert not [line for line in hub.said if "Traceback" in line]
        assert alone.attempts() == {}
    finally:
        hub.kill()
