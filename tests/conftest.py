"""Fixtures every suite shares.  Each test gets its own database; none gets a mock."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import hypothesis
import pytest

from jishi.core.db import Database, Mode, Tx
from jishi.core.errors import Refusal
from jishi.core.signing import Keys
from jishi.git import Cache
from jishi.hub import Node
from jishi.migrations import upgrade
from jishi.people import OPERATOR, Actor, Gate, PersonDraft, Role, add_person
from jishi.storage import LocalStore, Spool
from tests.postgres import MEMORY, own_database, running_postgres

NOON = 1_762_000_000_000_000 - 1_762_000_000_000_000 % 86_400_000_000 + 43_200_000_000
"""Noon of 1 November 2025 UTC, microseconds."""
MAY_SKIP = os.environ.get("JISHI_MAY_SKIP", "")
"""Comma-separated first words of skip reasons that are fine on this machine."""

hypothesis.settings.register_profile("house", deadline=None)  # machines are shared
hypothesis.settings.load_profile("house")

SEEN: set[str] = set()
numbers = itertools.count()


class Clock:
    """Stands at noon until somebody moves it.  ``now`` is microseconds UTC."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a server whose database ``house`` has our tables."""
    with running_postgres() as address, own_database(address, "house") as house:
        db = Database(house)
        upgrade(db)
        db.close()
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory):
    """A SQLite file that has our tables and nothing else."""
    file = tmp_path_factory.mktemp("template") / "jishi.db"
    db = Database(f"sqlite:///{file}")
    upgrade(db)
    db.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path) -> Iterator[str]:
    """Address of an empty database; every test that asks runs on both kinds."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres")
        with own_database(address, f"t{next(numbers)}", template="house") as own:
            yield own
        return
    template = request.getfixturevalue("sqlite_template")
    (tmp_path / "jishi.db").write_bytes(template.read_bytes())
    yield f"sqlite:///{tmp_path}/jishi.db"


@pytest.fixture
def db(url: str, clock: Clock) -> Iterator[Database]:
    db = Database(url, clock=clock)
    yield db
    db.close()


@pytest.fixture
def tx(db: Database) -> Iterator[Tx]:
    with db.begin(Mode.WRITE) as tx:
        yield tx


@pytest.fixture
def node(db: Database, tmp_path) -> Iterator[Node]:
    """The resources of a server over an empty data folder."""
    store = LocalStore(tmp_path / "objects")
    with ThreadPoolExecutor(4) as pool:
        yield Node(
            db=db,
            store=store,
            spool=Spool(tmp_path / "spool"),
            keys=Keys(b"k" * 32),
            git=Cache(tmp_path / "git", store),
            folder=tmp_path,
            pool=pool,
            gate=Gate(db, pool),
        )


def _person(db: Database, name: str) -> Actor:
    with db.begin(Mode.WRITE) as tx:
        person = add_person(tx, OPERATOR, PersonDraft(name))
    roles = {name: Role.ADMIN}
    return Actor(id=person.id, public_id=person.public_id, name=name, roles=roles)


@pytest.fixture
def lin(db: Database) -> Actor:
    """A person with repositories of her own."""
    return _person(db, "lin")


@pytest.fixture
def wu(db: Database) -> Actor:
    """A person who has nothing to do with Lin."""
    return _person(db, "wu")


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, where there is such a folder; nothing of it is kept.

    Processes that run tests for another one get their folder from it.
    """
    if config.option.basetemp is None and MEMORY.is_dir() and not hasattr(config, "workerinput"):
        config.option.basetemp = tempfile.mkdtemp(prefix="jishi-tests-", dir=MEMORY)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a full run ask for completeness; single files cannot have it."""
    parser.addoption("--all-refusals", action="store_true")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped, and a full run that left a "no" untried."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["refused"] = sorted(SEEN)
        return
    report = session.config.pluginmanager.get_plugin("terminalreporter")
    faults = [
        f"skipped: {reason}"
        for _, _, reason in (skip.longrepr for skip in report.stats.get("skipped", ()))
        if reason.removeprefix("Skipped: ").partition(":")[0] not in MAY_SKIP.split(",")
    ]
    if session.config.getoption("--all-refusals"):
        faults += [f"never refused: {code}" for code in sorted(set(Refusal.registry) - SEEN)]
    if faults:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("", *faults, sep="\n")  # noqa: T201


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Note what a process that ran tests for this one saw refused."""
    SEEN.update(getattr(node, "workeroutput", {}).get("refused", ()))


@pytest.fixture(autouse=True)
def _note_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    create = Refusal.__init__

    def note(self: Refusal, **facts: str | int) -> None:
        SEEN.add(self.code)
        create(self, **facts)

    monkeypatch.setattr(Refusal, "__init__", note)
