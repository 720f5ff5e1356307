"""``jishi serve``: starts, stops, and what it prints."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
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
from tests.cli.running import environment, jishi, serving, typed
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
    offline: tuple[str, str] = ("", "")
    """Where the server was last, and a link that was made when it was gone."""
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
    added = jishi("user", "add", "ann", "--data", data)
    life.after_kill, life.offline = added.code, (server.url, added.out)
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


def test_it_says_once_that_it_ends(life: Life) -> None:
    assert life.log.count("Shutting down") == len(life.ends)


def test_a_link_made_without_a_server_leads_where_it_served_last(life: Life) -> None:
    url, link = life.offline

    assert link.startswith(f"{url}/password/")


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
    assert "--host 0.0.0.0 --port 8000 --url http://" in done.err
    assert not (tmp_path / "data").exists()


def test_advice_on_a_url_names_a_port_that_can_be_served(tmp_path: Path) -> None:
    done = jishi("serve", "--host", "0.0.0.0", "--port", "0", "--data", tmp_path / "data")

    assert re.search(r"--host 0\.0\.0\.0 --port 8000 --url http://\S+:8000$", done.err.strip())


def test_a_setting_that_does_not_exist_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "jishi.toml").write_text("[people]\nfoo = 1\n")

    in_file = jishi("serve", "--data", tmp_path)
    variable = jishi("serve", "--data", tmp_path / "x", JISHI_APP__FOO="1")

    assert in_file.err == f"There is no setting people.foo. {tmp_path}/jishi.toml states it.\n"
    assert variable.err == "There is no setting foo. JISHI_APP__FOO states it.\n"


def test_make_takes_a_folder_with_a_space(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "jishi").write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    (tmp_path / "bin" / "jishi").chmod(0o755)
    (tmp_path / ".run").touch()
    root = Path(__file__).parents[2]
    serve = ("make", "-s", "-C", str(root), "serve", f"V={tmp_path}")

    bare = subprocess.run(serve, capture_output=True, text=True, check=True, env=environment())
    told = subprocess.run(
        [*serve, "DATA=my 'own' \"data\"", "PORT=0"],
        capture_output=True, text=True, check=True, env=environment(),
    )  # fmt: skip

    assert bare.stdout == "<serve>"
    assert told.stdout == """<serve><--data><my 'own' "data"><--port><0>"""


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
