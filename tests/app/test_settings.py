"""Settings: one file, the environment over it, the command line over both."""

from __future__ import annotations

import pytest

from jishi.app.saying import say
from jishi.app.settings import (
    BadSetting,
    FileUnreadable,
    NotTOML,
    UnknownSetting,
    URLNeeded,
    is_loopback,
    load_settings,
)
from jishi.people.settings import ForeignTokens, SignUp


def load(folder, environment=None, **overrides):
    return load_settings(folder, environment or {}, overrides)


def test_a_bare_folder_serves_this_machine_only(tmp_path) -> None:
    settings = load(tmp_path)

    assert settings.url == "http://127.0.0.1:8000"
    assert settings.origins == (
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    )
    assert settings.is_local
    assert settings.parts == ("hub", "serving", "spaces")
    assert settings.database == f"sqlite:///{tmp_path}/jishi.db"
    assert settings.people.foreign_tokens is ForeignTokens.REFUSE
    assert settings.people.sign_up is SignUp.CLOSED


def test_the_command_line_stands_over_the_environment_over_the_file(tmp_path) -> None:
    (tmp_path / "jishi.toml").write_text('port = 1\nurl = "https://a.example/"\nprofile = "bazaar"')
    environment = {"JISHI_APP__PORT": "2", "JISHI_PEOPLE__SIGN_UP": "open", "JISHI_DATA": "x"}

    settings = load(tmp_path, environment, port=3, host=None)

    assert settings.port == 3
    assert load(tmp_path, environment).port == 2
    assert load(tmp_path).port == 1
    assert settings.url == "https://a.example"
    assert "scenarios" in settings.parts
    assert settings.people.sign_up is SignUp.OPEN


def test_lists_are_written_with_commas_in_the_environment(tmp_path) -> None:
    settings = load(
        tmp_path,
        {
            "JISHI_APP__TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
            "JISHI_APP__PARTS": "spaces,hub",
            "JISHI_APP__ORIGINS": "https://b.example",
        },
    )

    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.parts == ("hub", "spaces")
    assert settings.origins[0] == "https://b.example"


def test_addresses_follow_the_port_that_the_system_chose(tmp_path) -> None:
    local = load(tmp_path, port=0).at(4711)
    named = load(tmp_path, port=0, url="https://hub.example").at(4711)

    assert (local.url, local.port) == ("http://127.0.0.1:4711", 4711)
    assert "http://localhost:4711" in local.origins
    assert named.url == "https://hub.example"
    assert named.site.base_of("localhost:4711") == "http://localhost:4711"
    assert named.site.base_of("evil.example") == "https://hub.example"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "hub.example"])
def test_an_address_others_reach_needs_a_url_and_gets_no_local_origins(tmp_path, host) -> None:
    with pytest.raises(URLNeeded) as told:
        load(tmp_path, host=host)
    assert f"--host {host} --port 8000 --url http://" in str(told.value)

    assert load(tmp_path, host=host, url="http://hub.example:8000").origins == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[people]\nforeign_tokens = "perhaps"', "people.foreign_tokens"),
        ("port = 70000", "port"),
        ('port = "x"', "port"),
        ('url = "hub.example"', "url"),
        ('url = "https://hub.example/path"', "url"),
        ('origins = ["ftp://x"]', "origins"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies"),
        ('url = "foo"', "url"),
        ('url = "http://hub.example:70000"', "url"),
        ('parts = ["hub", "theatre"]', "parts"),
        ('profile = "fair"', "profile"),
        ('people = "x"', "people"),
        ('origins = "x"', "origins"),
        ("origins = [5]", "origins"),
        ("host = 5", "host"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path, text, name) -> None:
    (tmp_path / "jishi.toml").write_text(text)

    with pytest.raises(BadSetting) as told:
        load(tmp_path)
    assert told.value.facts["name"] == name


@pytest.mark.parametrize(
    ("text", "name"), [("nonsense = 1", "nonsense"), ("[people]\nnonsense = 1", "people.nonsense")]
)
def test_a_setting_that_does_not_exist_is_named(tmp_path, text, name) -> None:
    (tmp_path / "jishi.toml").write_text(text)

    with pytest.raises(UnknownSetting) as told:
        load(tmp_path)
    assert told.value.facts["name"] == name


@pytest.mark.parametrize(
    ("octets", "line"),
    [(b"port =", 1), (b"port = 1\n\nurl = x", 3), (b"port = 1\nurl = '\xff'", 2)],
)
def test_a_file_that_is_not_toml_is_named_with_its_line(tmp_path, octets, line) -> None:
    (tmp_path / "jishi.toml").write_bytes(octets)

    with pytest.raises(NotTOML) as told:
        load(tmp_path)
    assert told.value.facts == {"file": str(tmp_path / "jishi.toml"), "line": line}


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path) -> None:
    (tmp_path / "jishi.toml").mkdir()

    with pytest.raises(FileUnreadable) as told:
        load(tmp_path)
    assert "目录" in say(told.value, "zh-Hans").error


def test_what_a_setting_takes_is_said_in_both_languages(tmp_path) -> None:
    with pytest.raises(BadSetting) as told:
        load(tmp_path, url="foo")

    assert "https://hub.example" in say(told.value, "en").error
    assert "网址" in say(told.value, "zh-Hans").error


def test_loopback_is_known_by_number_and_by_name() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "")))
