"""What keeps a server from starting, said before anything is opened."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from jishi.app.folder import FolderLocked, FolderUnusable, locked
from jishi.app.offline import answer_offline
from jishi.app.serve import AddressTaken, AddressUnusable, Options, serve
from jishi.app.settings import Settings, load_settings


def settings(folder: Path, **more: object) -> Settings:
    return load_settings(folder, {}, {"host": "127.0.0.1", "port": 0, **more})


def start(told: Settings) -> None:
    serve(told, Options(demo=False, locale="en", say=lambda _: None))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(AddressTaken) as caught:
            start(settings(tmp_path, port=port))

    assert caught.value.facts["port"] == port


def test_an_address_of_another_machine_cannot_be_listened_on(tmp_path: Path) -> None:
    told = settings(tmp_path, host="192.0.2.1", url="http://hub.example")

    with pytest.raises(AddressUnusable):
        start(told)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(FolderUnusable):
            start(settings(folder))


def test_a_folder_in_use_is_refused_with_its_process(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(FolderLocked) as caught:
        start(settings(tmp_path))

    assert str(caught.value.facts["process"]).isdigit()


def test_whoever_only_looks_makes_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    body = json.dumps({"type": "doctor", "as_json": False}).encode()

    status, answer = answer_offline(folder, {}, body, locale="en")

    assert (status, json.loads(answer)["code"]) == (409, "app.folder_missing")
    assert not folder.exists()
