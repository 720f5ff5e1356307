"""Settings: one file, the environment over it, the command line over both."""

from __future__ import annotations

import pytest

from jishi.app.settings import BadSetting, URLNeeded, is_loopback, load_settings
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
    assert f"--host {host} --url http://" in str(told.value)

    assert load(tmp_path, host=host, url="http://hub.example:8000").origins == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nonsense = 1", "?"),
        ("[people]\nnonsense = 1", "people"),
        ('[people]\nforeign_tokens = "perhaps"', "people.foreign_tokens"),
        ("port = 70000", "port"),
        ('port = "x"', "port"),
        ('url = "hub.example"', "url"),
        ('url = "https://hub.example/path"', "url"),
        ('origins = ["ftp://x"]', "origins"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies"),
        ('parts = ["hub", "theatre"]', "parts"),
        ('people = "x"', "people"),
        ("port =", "jishi.toml"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path, text, name) -> None:
    (tmp_path / "jishi.toml").write_text(text)

    with pytest.raises(BadSetting) as told:
        load(tmp_path)
    assert name in str(told.value.facts["name"])


def test_loopback_is_known_by_number_and_by_name() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "")))
