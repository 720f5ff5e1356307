"""``jishi serve``: starts, stops, and what it prints."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from jishi.core.db import Database, Mode
from jishi.core.signing import load_keys
from jishi.migrations.runner import run_once, scripts
from jishi.people import OPERATOR, PersonDraft, add_person
from tests.cli.running import jishi, serving, typed
from tests.postgres import own_database


def get(url: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_it_prints_where_it_serves_how_to_begin_and_what_to_try(served) -> None:
    assert get(f"{served.url}/healthz")[0] == 200
    assert served.port != 0
    assert served.set_up() is not None
    assert served.set_up().startswith(served.url)
    assert f"HF_ENDPOINT={served.url} hf " in served.banner


def test_what_it_says_to_try_can_be_typed_anywhere(served, tmp_path: Path) -> None:
    (command,) = (line for line in served.banner.splitlines() if " user add NAME" in line)

    told = typed(command.replace("NAME", "x"), tmp_path)

    assert "x is not a valid name" in told.err


@dataclass
class Life:
    """What was seen of one folder over three starts."""

    data: Path
    links: list[str | None] = field(default_factory=list)
    """Set-up links, by start."""
    ends: list[tuple[int, bool]] = field(default_factory=list)
    """Status, and whether the socket is left, of those that were told to end."""
    last_seconds: float = 0.0
    me: tuple[int, bytes] = (0, b"")
    foreign: tuple[int, bytes] = (0, b"")
    after_kill: int | None = None
    log: str = ""


FOREIGN = {"Authorization": "Bearer hf_" + "x" * 34}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Start, end, start, add an administrator, kill, add somebody, start, end."""
    life = Life(tmp_path_factory.mktemp("life") / "data")
    data = life.data
    with serving(data, "--no-demo") as server:
        life.links.append(server.set_up())
        life.ends.append((server.stop(signal.SIGTERM), (data / "control.sock").exists()))
    life.log = (data.parent / "data.log").read_text()
    with serving(data, "--no-demo") as server:
        life.links.append(server.set_up())
        jishi("user", "add", "mei", "--admin", "--data", data)
        token = jishi("token", "add", "mei", "--role", "read", "--data", data).out.strip()
        server.stop(signal.SIGKILL)
    life.after_kill = jishi("user", "add", "ann", "--data", data).code
    begun = time.monotonic()
    with serving(data, JISHI_PEOPLE__FOREIGN_TOKENS="anonymous") as server:
        life.last_seconds = time.monotonic() - begun
        life.links.append(server.set_up())
        life.me = get(f"{server.url}/api/whoami-v2", Authorization=f"Bearer {token}")
        life.foreign = get(f"{server.url}/api/models", **FOREIGN)
        life.ends.append((server.stop(signal.SIGINT), (data / "control.sock").exists()))
    life.log += (data.parent / "data.log").read_text()
    return life


def test_it_ends_cleanly_when_told(life: Life) -> None:
    assert life.ends == [(0, False), (0, False)]
    assert "Traceback" not in life.log


def test_everything_is_there_after_a_kill(life: Life) -> None:
    assert life.me[0] == 200
    assert b'"mei"' in life.me[1]
    assert life.last_seconds < 10  # 3 on an idle machine


def names_in(data: Path) -> list[str]:
    """Return everybody and every organisation of a folder that nobody serves."""
    with closing(sqlite3.connect(data / "jishi.db")) as conn:
        return [name for (name,) in conn.execute("SELECT name FROM people_namespace ORDER BY name")]


def test_a_folder_that_has_people_gets_no_demo(life: Life) -> None:
    """Its last start could have loaded one."""
    assert names_in(life.data) == ["ann", "mei"]


def test_the_set_up_link_is_renewed_at_each_start_until_it_is_used(life: Life) -> None:
    first, second, third = life.links
    assert first is not None
    assert second is not None
    assert first.rpartition("/")[2] != second.rpartition("/")[2]
    assert third is None


def test_a_killed_server_leaves_the_folder_free(life: Life) -> None:
    assert life.after_kill == 0


def test_foreign_tokens_are_passed_over_where_the_operator_says_so(life: Life, served) -> None:
    assert get(f"{served.url}/api/models", **FOREIGN)[0] == 401
    assert life.foreign == (200, b"[]")


def test_a_second_server_and_a_taken_port_are_refused_by_name(served, tmp_path: Path) -> None:
    second = jishi("serve", "--port", "0", "--data", served.data)
    other = jishi("serve", "--port", served.port, "--data", tmp_path / "other")

    assert (second.code, second.out) == (1, "")
    assert f"in use by process {served.process.pid}" in second.err
    assert other.code == 1
    assert "--port" in other.err


def test_an_address_others_reach_needs_a_url(tmp_path: Path) -> None:
    done = jishi("serve", "--host", "0.0.0.0", "--data", tmp_path / "data")

    assert (done.code, done.out) == (1, "")
    assert "--host 0.0.0.0 --url http://" in done.err
    assert not (tmp_path / "data").exists()


def test_with_a_url_links_name_it_in_a_folder_with_a_very_long_name_too(tmp_path: Path) -> None:
    data = tmp_path / ("x" * 120) / "data"
    data.parent.mkdir()
    with serving(data, "--host", "0.0.0.0", "--url", "https://hub.example") as server:
        link = jishi("user", "add", "mei", "--data", data)

    assert link.out.startswith("https://hub.example/password/")
    assert names_in(data) == ["mei"], "beyond loopback there is no demo"
    assert "https://hub.example/set-up/" in server.banner


def test_a_url_that_is_no_address_is_refused_in_the_language_of_the_terminal(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    done = jishi("serve", "--url", "foo", "--data", folder, LC_ALL="zh_CN.UTF-8")

    assert (done.code, done.out) == (1, "")
    assert "foo" in done.err
    assert "网址" in done.err
    assert not (tmp_path / "data").exists()


def test_it_serves_from_postgresql_as_well(tmp_path: Path, postgres: str) -> None:
    data = tmp_path / "data"
    with own_database(postgres, "served") as address:
        database = {"JISHI_APP__DATABASE": address}
        with serving(data, "--no-demo", **database) as server:
            jishi("user", "add", "mei", "--data", data)
            token = jishi("token", "add", "mei", "--data", data).out.strip()
            answer = get(f"{server.url}/api/whoami-v2", Authorization=f"Bearer {token}")
            ready = get(f"{server.url}/readyz")
            assert server.stop() == 0
        examined = jishi("doctor", "--data", data, **database)

    assert (answer[0], ready[0], examined.code) == (200, 200, 0)
    assert not (data / "jishi.db").exists()
    assert "PostgreSQL answers" in examined.out


def test_an_upgrade_keeps_a_copy_of_what_was_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    db = Database(f"sqlite:///{data / 'jishi.db'}")
    for name, digest in scripts()[:2]:  # as a folder of an older release has it
        with db.begin(Mode.WRITE) as tx:
            run_once(tx, name, digest)
    with db.begin(Mode.WRITE) as tx:
        add_person(tx, OPERATOR, PersonDraft("mei"))
    db.close()
    load_keys(data / "keys")
    examined = jishi("doctor", "--data", data)
    assert examined.code == 1
    assert scripts()[2][0] in examined.out

    with serving(data, "--no-demo"):
        assert jishi("doctor", "--data", data).code == 0

    copies = list(data.glob("jishi.db.before-*"))
    assert [copy.name for copy in copies] == [f"jishi.db.before-{scripts()[2][0][:4]}"]
    with closing(sqlite3.connect(copies[0])) as conn:
        assert conn.execute("SELECT name FROM people_namespace").fetchall() == [("mei",)]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "evil.example"])
def test_links_name_the_address_a_caller_used_if_it_is_ours(served, name: str) -> None:
    ours = name if name != "evil.example" else "127.0.0.1"
    connection = HTTPConnection("127.0.0.1", served.port, timeout=10)
    head = {"Host": f"{name}:{served.port}", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/oauth/device", "client_id=x", head)

    begun = json.load(connection.getresponse())

    assert begun["verification_uri"] == f"http://{ours}:{served.port}/device"
    connection.close()
