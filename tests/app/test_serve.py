"""What keeps a server from starting, said before anything is opened."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from jishi.app.folder import FolderLocked, FolderUnusable, locked
from jishi.app.installation import refuse_missing
from jishi.app.offline import answer_offline
from jishi.app.saying import say
from jishi.app.serve import AddressTaken, AddressUnusable, Options, serve
from jishi.app.settings import Settings, load_settings


def settings(folder: Path, **more: object) -> Settings:
    return load_settings(folder, {}, {"host": "127.0.0.1", "port": 0, **more})


def start(told: Settings) -> None:
    serve(told, Options(demo=False, locale="en", program="jishi", say=lambda _: None))


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


def test_a_port_that_is_taken_leaves_no_folder_behind(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(AddressTaken):
            start(settings(tmp_path / "data", port=other.getsockname()[1]))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_named_before_its_port(tmp_path: Path) -> None:
    with socket.socket() as other, locked(tmp_path), pytest.raises(FolderLocked):
        other.bind(("127.0.0.1", 0))
        other.listen()
        start(settings(tmp_path, port=other.getsockname()[1]))


def refused(folder: Path, *, may_begin: bool = True) -> str | None:
    """Return the code, if work on ``folder`` is refused."""
    answer = refuse_missing(folder, program="jishi", locale="en", may_begin=may_begin)
    assert answer is None or answer[0] == 409
    return None if answer is None else json.loads(answer[1])["code"]


def test_an_installation_is_begun_only_where_nothing_else_lies(tmp_path: Path) -> None:
    (tmp_path / "jishi.toml").touch()
    (tmp_path / "file").touch()
    (tmp_path / "vacant").mkdir()
    (tmp_path / "vacant" / "jishi.toml").touch()

    for vacant in (tmp_path / "none", tmp_path / "vacant"):
        assert refused(vacant) is None
        assert refused(vacant, may_begin=False) == "app.folder_missing"
    assert refused(tmp_path) == "app.folder_missing"
    for other in (tmp_path / "file", tmp_path / "file" / "below"):
        assert refused(other) == "app.no_folder"


def test_a_first_person_who_is_refused_begins_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    command = {"type": "user_add", "name": "api", "admin": True}

    status, answer = answer_offline(folder, {}, json.dumps(command).encode(), locale="en")

    assert (status, json.loads(answer)["code"]) == (409, "people.name_reserved")
    assert not folder.exists()


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_why_the_system_said_no_is_said_in_the_callers_language(
    locale: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusable) as caught:
        start(settings(tmp_path / "file"))

    reason = {"en": "a file is in the way", "zh-Hans": "该位置已有文件"}
    assert reason[locale] in say(caught.value, locale).error
