"""Every verb, with a server beside it and without one."""

from __future__ import annotations

import json
import re
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Done, jishi, typed


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A folder with settings, made an installation by its first administrator."""
    folder = tmp_path_factory.mktemp("alone") / "data"
    folder.mkdir(mode=0o700)
    (folder / "jishi.toml").write_text('url = "http://hub.example"\n')
    (folder / "jishi.toml").chmod(0o600)
    return folder, jishi("user", "add", "first", "--admin", "--data", folder)


@pytest.fixture(scope="module", params=["beside a server", "alone"])
def data(request: pytest.FixtureRequest) -> Path:
    """A data folder with or without a server; tests share both, so names differ."""
    if request.param == "beside a server":
        return request.getfixturevalue("served").data
    return request.getfixturevalue("begun")[0]


@pytest.fixture(scope="module")
def examined(data: Path) -> tuple[Done, Any]:
    """What the doctor says, to people and to programs."""
    told = jishi("doctor", "--data", data)
    return told, json.loads(jishi("doctor", "--json", "--data", data).out)


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
    assert "new installation" not in user.err
    assert re.fullmatch(r"hf_[A-Za-z]{34}\n", token.out)
    assert token.err == ""
    assert org.out == member.out == ""
    assert "Acme" in org.err
    assert "admin" in member.err


def test_what_is_refused_is_said_on_standard_error_with_status_1(served) -> None:
    data = served.data
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


def test_the_doctor_finds_a_new_folder_well(examined) -> None:
    told, report = examined

    assert told.code == 0, told.out
    assert report["healthy"]
    checks = {finding["check"] for finding in report["findings"]}
    assert checks >= {"lock", "schema", "database", "keys", "events", "jobs", "git", "disk"}


def test_the_doctor_knows_who_serves(data: Path, examined, served) -> None:
    (lock,) = (found for found in examined[1]["findings"] if found["check"] == "lock")

    if data == served.data:
        assert lock["facts"]["process"] == served.process.pid
    else:
        assert "process" not in lock["facts"]
        assert "No server" in lock["text"]


def test_sizes_are_bytes_for_programs_and_short_for_people(data: Path, examined) -> None:
    told, report = examined
    sized = [found for found in report["findings"] if "bytes" in found["facts"]]

    assert {found["check"] for found in sized} == {"database", "disk", "folder"}
    keys = next(found for found in sized if found["facts"].get("name") == "keys")
    assert keys["facts"]["bytes"] == (data / "keys" / "root").stat().st_size
    assert f"keys/ ({keys['facts']['bytes']} B)" in told.out
    assert re.search(r"\d [KMGT]B are free", told.out)


def test_the_doctor_sees_an_open_key_and_says_what_to_do(served) -> None:
    data = served.data
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


def test_a_port_and_a_folder_that_cannot_be_are_said_in_words(tmp_path: Path) -> None:
    for arguments in (("--port", "abc"), ("--port", "70000"), ("--data", "")):
        done = jishi("serve", *arguments, cwd=tmp_path)
        said = done.err.splitlines()[-1]

        assert done.code == 2
        assert "_" not in said
        assert said.startswith(f"jishi serve: error: argument {arguments[0]}: ")
        assert ("0 to 65535" if arguments[0] == "--port" else "empty") in said


def test_the_version_is_printed() -> None:
    done = jishi("--version")

    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"jishi \d{4}\.\d+\.\d+\n", done.out)


def test_the_data_folder_is_named_by_option_variable_or_place(served, tmp_path: Path) -> None:
    data = served.data
    by_variable = {"JISHI_DATA": str(data)}
    (tmp_path / "jishi-data").symlink_to(data)

    assert jishi("user", "add", "ada", cwd=tmp_path).code == 0
    assert jishi("user", "add", "ben", cwd=data.parent, **by_variable).code == 0
    by_variable["JISHI_DATA"] = "/nonexistent/x"
    assert jishi("user", "add", "cyd", "--data", data, cwd=tmp_path, **by_variable).code == 0


WITHOUT = [
    ("doctor",),
    ("user", "add", "mei"),
    ("user", "link", "mei"),
    ("token", "add", "mei"),
    ("org", "add", "acme"),
    ("org", "member", "add", "acme", "mei"),
]


@pytest.mark.parametrize("arguments", WITHOUT, ids=" ".join)
def test_a_verb_in_a_wrong_folder_makes_nothing_and_says_what_to_do(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "nothing"

    done = jishi(*arguments, "--data", folder)

    assert (done.code, done.out) == (1, "")
    assert f"no installation in {folder}" in done.err
    assert "--data" in done.err
    assert f"jishi serve --data {folder}\n" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_administrator_in_a_folder_nobody_named_is_not_a_new_installation(
    tmp_path: Path,
) -> None:
    done = jishi("user", "add", "boss", "--admin", cwd=tmp_path)

    assert done.code == 1
    assert f"no installation in {tmp_path}/jishi-data" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_administrator_in_a_named_folder_begins_an_installation(begun) -> None:
    folder, done = begun

    assert done.code == 0
    assert done.out.startswith("http://hub.example/password/")
    assert f"Made a new installation in {folder}." in done.err


def test_a_folder_of_something_else_never_becomes_an_installation(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("no data of ours")

    done = jishi("user", "add", "boss", "--admin", "--data", tmp_path)

    assert done.code == 1
    assert f"no installation in {tmp_path}" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_installation_whose_first_person_is_refused_is_not_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    done = jishi("user", "add", "api", "--admin", "--data", folder)

    assert done.code == 1
    assert "reserved" in done.err
    assert list(tmp_path.iterdir()) == []


def test_commands_to_type_next_can_be_typed(served, tmp_path: Path) -> None:
    data = served.data
    done = jishi("org", "add", "Quay", "--data", data)

    command = done.err.partition(": ")[2].strip()
    told = typed(command.replace("NAME", "nobody-here"), tmp_path)

    assert told.err == "There is no person called nobody-here.\n"


def test_what_lies_in_the_folder_is_nobody_elses(data: Path) -> None:
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for path in data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_verbs_beside_a_server_load_nothing_of_the_platform(served) -> None:
    data = served.data
    trace = jishi("user", "link", "nobody-here", "--data", data, PYTHONPROFILEIMPORTTIME="1")

    assert "jishi.cli.remote" in trace.err
    for heavy in ("sqlalchemy", "starlette", "numpy", "pygit2", "babel", "jishi.app", "argon2"):
        assert f" {heavy}\n" not in trace.err


def test_only_the_owner_opens_the_socket(served) -> None:
    data = served.data

    mode = (data / "control.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_nonsense_on_the_socket_is_refused(served) -> None:
    data = served.data
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(data / "control.sock"))
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answer = wire.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("inside", ["", "/below"])
def test_a_file_is_no_data_folder_and_nothing_is_begun_in_it(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "hostname"
    file.write_text("x")

    done = jishi("user", "add", "mei", "--data", f"{file}{inside}")

    assert (done.code, done.out) == (1, "")
    assert done.err == f"{file}{inside} cannot be a data folder: {file} is a file.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add", ""),
        ("user", "link", ""),
        ("token", "add", ""),
        ("org", "add", ""),
        ("org", "member", "add", "", "x"),
        ("org", "member", "add", "acme", ""),
        ("serve", "--port", "1" * 5000),
    ],
)
def test_an_empty_name_and_an_endless_port_are_said_in_words(arguments, tmp_path: Path) -> None:
    done = jishi(*arguments, cwd=tmp_path)
    said = done.err.splitlines()[-1]

    assert (done.code, done.out) == (2, "")
    assert "the name is empty" in said or "is no port" in said
    assert len(said) < 200
    assert "_" not in said
