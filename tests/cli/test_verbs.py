"""Every verb, with a server beside it and without one."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Server, jishi, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    data = tmp_path_factory.mktemp("cli") / "data"
    with serving(data, "--no-demo") as server:
        yield data, server


@pytest.fixture(scope="module", params=["beside a server", "alone"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with or without a server; both ways share it, so names differ."""
    if request.param == "beside a server":
        return request.getfixturevalue("served")[0]
    folder = tmp_path_factory.mktemp("alone") / "data"
    jishi("user", "add", "first", "--data", folder)
    return folder


def test_people_tokens_and_organisations_are_made(data: Path) -> None:
    user = jishi("user", "add", "Mei", "--full-name", "林梅", "--email", "m@x.cn", "--data", data)
    link = jishi("user", "link", "mei", "--data", data)
    token = jishi("token", "add", "mei", "--role", "write", "--data", data)
    org = jishi("org", "add", "Acme", "--default-visibility", "private", "--data", data)
    member = jishi("org", "member", "add", "acme", "MEI", "--role", "admin", "--data", data)

    assert [done.code for done in (user, link, token, org, member)] == [0] * 5
    assert re.fullmatch(r"http://\S+/password/\S{43}\n", user.out)
    assert re.fullmatch(r"http://\S+/password/\S{43}\n", link.out)
    assert user.out != link.out
    assert re.fullmatch(r"hf_[A-Za-z]{34}\n", token.out)
    assert token.err == ""
    assert org.out == member.out == ""
    assert "Acme" in org.err
    assert "admin" in member.err


def test_what_is_refused_is_said_on_standard_error_with_status_1(served) -> None:
    data, _ = served
    jishi("user", "add", "bob", "--data", data)

    for arguments, words in (
        (("user", "add", "BOB"), "taken"),
        (("user", "add", "api"), "reserved"),
        (("user", "add", "x"), "not a valid name"),
        (("user", "add", "ann", "--email", "nonsense"), "not a mail address"),
        (("user", "link", "ann"), "no person called ann"),
        (("token", "add", "ann", "--role", "read"), "no person called ann"),
        (("org", "add", "bob"), "taken"),
        (("org", "member", "add", "acme-1", "bob"), "no organisation called acme-1"),
    ):
        done = jishi(*arguments, "--data", data)
        assert (done.code, done.out) == (1, ""), arguments
        assert words in done.err
        assert len(done.err.splitlines()) == 1


def test_a_chinese_terminal_is_answered_in_chinese(data: Path) -> None:
    done = jishi("user", "link", "ann", "--data", data, LC_ALL="zh_CN.UTF-8")

    assert done.err == "没有名为 ann 的用户。\n"


def test_the_doctor_finds_a_new_folder_well(data: Path) -> None:
    told = jishi("doctor", "--data", data)
    report = json.loads(jishi("doctor", "--json", "--data", data).out)

    assert told.code == 0, told.out
    assert report["healthy"]
    checks = {finding["check"] for finding in report["findings"]}
    assert checks >= {"lock", "schema", "database", "keys", "events", "jobs", "git", "disk"}


def test_the_doctor_sees_an_open_key_and_says_what_to_do(served) -> None:
    data, _ = served
    (data / "keys" / "root").chmod(0o644)
    told = jishi("doctor", "--data", data)
    (data / "keys" / "root").chmod(0o600)

    assert told.code == 1
    assert f"chmod go-rwx {data}/keys/root" in told.out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("user",),
        ("nonsense",),
        ("user", "add"),
        ("token", "add", "mei", "--role", "admin"),
        ("org", "add", "acme", "--default-visibility", "secret"),
        ("serve", "--port", "70000"),
        ("serve", "--port", "x"),
        ("serve", "extra"),
        ("doctor", "--js"),
        ("doctor", "--data", ""),
    ],
)
def test_misuse_ends_with_status_2_and_says_how_it_goes(arguments, tmp_path: Path) -> None:
    done = jishi(*arguments, cwd=tmp_path)

    assert (done.code, done.out) == (2, "")
    assert "usage: jishi" in done.err


def test_the_version_is_printed() -> None:
    done = jishi("--version")

    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"jishi \d{4}\.\d+\.\d+\n", done.out)


def test_the_data_folder_is_named_by_option_variable_or_place(tmp_path: Path) -> None:
    jishi("user", "add", "ada", cwd=tmp_path)
    jishi("user", "add", "ben", cwd=tmp_path, JISHI_DATA=str(tmp_path / "by-variable"))
    named = tmp_path / "by-option"
    jishi("user", "add", "cyd", "--data", named, cwd=tmp_path, JISHI_DATA="/nonexistent/x")

    for folder in ("jishi-data", "by-variable", "by-option"):
        assert (tmp_path / folder / "jishi.db").exists()


def test_looking_changes_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path / "nothing", tmp_path):
        done = jishi("doctor", "--data", folder)

        assert done.code == 1
        assert "no data folder" in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_lies_in_the_folder_is_nobody_elses(data: Path) -> None:
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for path in data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_folder_with_a_very_long_name_is_served_too(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / "data"
    folder.parent.mkdir()
    with serving(folder, "--no-demo"):
        done = jishi("user", "add", "mei", "--data", folder)

    assert done.code == 0


def test_verbs_beside_a_server_load_nothing_of_the_platform(served) -> None:
    data, _ = served
    trace = jishi("user", "link", "nobody-here", "--data", data, PYTHONPROFILEIMPORTTIME="1")

    assert "jishi.cli.remote" in trace.err
    for heavy in ("sqlalchemy", "starlette", "numpy", "pygit2", "babel", "jishi.app", "argon2"):
        assert f" {heavy}\n" not in trace.err


def test_only_the_owner_opens_the_socket(served) -> None:
    data, _ = served

    mode = (data / "control.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_nonsense_on_the_socket_is_refused(served) -> None:
    data, _ = served
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(data / "control.sock"))
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answer = wire.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400 ")
