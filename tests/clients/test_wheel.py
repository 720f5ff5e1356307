"""The wheel alone, on a machine that has never seen the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tools.envs import BARE, python_of

from tests.clients.clients import NEWEST, Client
from tests.clients.contents import hashes, write_folder
from tests.clients.serving import Hub
from tests.clients.visitor import Visitor, choose_password_and_token

ROOT = Path(__file__).parents[2]
MINUTES_MAX = 5


@pytest.fixture(scope="session")
def installed() -> Path:
    """An environment with what our lock says, and the wheel of ``make dist`` in it."""
    _run("make", "--no-print-directory", "dist", cwd=ROOT)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    python = python_of(BARE)
    pip = (str(python), "-m", "pip", "install", "-qq", "--force-reinstall", "--no-deps")
    _run(*pip, str(wheel), cwd=ROOT)
    return python.with_name("jishi")


def _run(*words: str, cwd: Path) -> None:
    subprocess.run(words, check=True, timeout=MINUTES_MAX * 60, cwd=cwd)


def test_j2_a_publisher_uploads_to_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "home" / "jishi-data", program=installed, options=())
    hub.folder.parent.mkdir()
    hub.start()
    sent = write_folder(tmp_path / "model", files=2)
    try:
        token = choose_password_and_token(hub.command("user", "add", "mei"))
        mei = Client(NEWEST, hub.url, tmp_path / "mei")
        mei.shell("hf", "auth", "login", "--token", token).ok()
        mei.shell("hf", "upload", "mei/first", str(tmp_path / "model"), ".").ok()
        mei.shell("hf", "download", "mei/first", "--local-dir", str(tmp_path / "back")).ok()
        page = Visitor(hub.url).open("/mei/first").text
        files = Visitor(hub.url).open("/mei/first/tree/main").text

        assert hashes(tmp_path / "back").items() >= sent.items()
        assert "A folder" in page
        assert "config.json" in files
        assert hub.command("--version").startswith("jishi ")
    finally:
        hub.kill()
