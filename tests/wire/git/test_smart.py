"""Git itself clones and fetches what the hub committed, and is told how to push instead."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from jishi import hub
from jishi.git import children
from jishi.git.smart import Slots, TooBusy, ahead, service
from jishi.hub import Draft, Node, RepoKind
from jishi.hub.commits import CommitDraft, PutFile
from jishi.hub.refs.flows import create_branch, create_tag
from jishi.people import NOBODY
from jishi.wire.git import smart
from jishi.wire.git.routes import ROUTES
from tests.git.shelf import ENVIRONMENT
from tests.http.serving import Given, Wire, open_node, served
from tests.hub.content.conftest import LIN, MAYA

REQUEST = {"Content-Type": smart.REQUEST_TYPE, "Git-Protocol": "version=2"}
PATH = "lin/books"
LONG = os.urandom(9 << 20)
"""Twice this is more than sockets and pipes hold."""


@dataclass
class Hub:
    """A served hub.

    Attributes:
        base: Its address.
        folder: Where clones go.
    """

    node: Node
    app: Given
    base: str
    port: int
    folder: Path

    def ask(self, actor) -> None:
        """Let all requests from now on come from ``actor``."""
        self.app.context = replace(self.app.context, actor=actor)

    def create(self, name: str = "books", **more) -> None:
        draft = Draft(more.pop("kind", RepoKind.MODEL), "lin", name, more.pop("private", False))
        asyncio.run(hub.create(self.node, LIN, draft))

    def commit(self, files: dict[str, bytes], *, path: str = PATH, branch: str = "main") -> str:
        changes = tuple(PutFile(name, data) for name, data in files.items())
        draft = CommitDraft("Work.", changes=changes)
        work = hub.commit(self.node, LIN, RepoKind.MODEL, path, branch, draft)
        return asyncio.run(work).oid

    def git(self, *words: str, check: bool = True, version: int = 2, **more: str) -> str:
        command = ["git", "-c", f"protocol.version={version}", *words]
        done = subprocess.run(
            command,
            env=ENVIRONMENT | more,
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def clone(self, *options: str, path: str = PATH, into: str = "clone", **more) -> Path:
        self.git("clone", "-q", *options, f"{self.base}/{path}", into, **more)
        return self.folder / into


class Pointed(Given):
    """Requests know their own address, as the outermost layer lets them."""

    async def __call__(self, scope, receive, send) -> None:
        target = scope["raw_path"] + b"?" * bool(scope["query_string"]) + scope["query_string"]
        self.context = replace(self.context, target=target.decode())
        await super().__call__(scope, receive, send)


@pytest.fixture
def served_hub(url: str, tmp_path) -> Iterator[Hub]:
    (tmp_path / "data").mkdir()
    (tmp_path / "clones").mkdir()
    with open_node(tmp_path / "data", url) as node:
        app = Pointed(ROUTES, node, actor=LIN)
        with served(app) as port:
            base = f"http://127.0.0.1:{port}"
            yield Hub(node, app, base, port, tmp_path / "clones")
        assert node.fetches.slots.running == 0
        assert node.fetches.slots.waiting == 0


@pytest.fixture
def books(served_hub: Hub) -> Hub:
    served_hub.create()
    served_hub.commit({"README.md": b"# Books\n", "a/b/c.txt": b"deep\n"})
    return served_hub


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("address", [PATH, PATH + ".git", "LIN/Books.git"])
def test_a_clone_holds_what_was_committed(books: Hub, version, address) -> None:
    clone = books.clone(path=address, version=version)

    found = files_of(clone)
    assert found["a/b/c.txt"] == b"deep\n"
    assert found["README.md"] == b"# Books\n"
    assert ".gitattributes" in found
    assert books.git("-C", str(clone), "fsck", "--full", "--strict") == ""
    assert len(books.git("-C", str(clone), "log", "--format=%H").split()) == 2


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize(
    "options", [["--depth=1"], ["--filter=blob:none"], ["--filter=blob:none", "--depth=1"]]
)
def test_shallow_and_partial_clones_work(books: Hub, version, options) -> None:
    clone = books.clone("--no-tags", *options, version=version)

    assert files_of(clone)["a/b/c.txt"] == b"deep\n"


def test_a_shallow_clone_can_be_completed(books: Hub) -> None:
    clone = books.clone("--depth=1")

    books.git("-C", str(clone), "fetch", "-q", "--unshallow")

    assert len(books.git("-C", str(clone), "log", "--format=%H").split()) == 2


@pytest.mark.parametrize("version", [0, 2])
def test_a_fetch_brings_what_was_committed_since(books: Hub, version) -> None:
    clone = books.clone(version=version)
    for n in range(3):
        oid = books.commit({"a/new.txt": b"%d" % n, "big": LONG[: n * 100_000]})

        books.git("-C", str(clone), "pull", "-q", version=version)

        assert books.git("-C", str(clone), "rev-parse", "HEAD").strip() == oid
        assert files_of(clone)["a/new.txt"] == b"%d" % n


def test_every_kind_of_repository_has_its_addresses(served_hub: Hub) -> None:
    for kind, prefix in smart.PREFIX.items():
        served_hub.create(kind=kind)

        clone = served_hub.clone(path=f"{prefix}lin/books.git", into=kind.value)

        assert list(files_of(clone)) == [".gitattributes"]


@pytest.mark.parametrize("version", [0, 2])
def test_refs_are_listed_as_git_lists_them(books: Hub, version) -> None:
    place = (books.node, LIN, RepoKind.MODEL, PATH)
    asyncio.run(create_branch(*place, "dev", start=None, is_empty=False, overwrite=False))
    asyncio.run(create_tag(*place, "v1", revision="main", message=None))
    oid = books.commit({"x": b"1"}, branch="dev")
    main = books.git("ls-remote", f"{books.base}/{PATH}", "refs/heads/main").split()[0]

    listed = books.git("ls-remote", "--symref", f"{books.base}/{PATH}", version=version)
    tags = books.git("ls-remote", "--tags", f"{books.base}/{PATH}", version=version)

    assert listed.splitlines() == [
        "ref: refs/heads/main\tHEAD",
        f"{main}\tHEAD",
        f"{oid}\trefs/heads/dev",
        f"{main}\trefs/heads/main",
        f"{main}\trefs/tags/v1",
    ]
    assert tags == f"{main}\trefs/tags/v1\n"


def test_a_branch_and_a_tag_can_be_cloned_alone(books: Hub) -> None:
    place = (books.node, LIN, RepoKind.MODEL, PATH)
    asyncio.run(create_branch(*place, "dev", start=None, is_empty=False, overwrite=False))
    asyncio.run(create_tag(*place, "v1", revision="main", message=None))
    oid = books.commit({"x": b"1"}, branch="dev")

    clone = books.clone("--single-branch", "--branch=dev")
    tagged = books.clone("--branch=v1", into="tagged")

    assert books.git("-C", str(clone), "rev-parse", "HEAD").strip() == oid
    assert "x" not in files_of(tagged)


def test_a_commit_that_no_branch_has_any_more_can_be_fetched(books: Hub) -> None:
    """Version 0 negotiates over several requests, between which a branch may move."""
    clone = books.clone()
    old = books.git("-C", str(clone), "rev-parse", "HEAD").strip()
    books.commit({"later": b"1"})
    books.git("init", "-q", "other")

    for version in (0, 2):
        books.git("-C", "other", "fetch", "-q", f"{books.base}/{PATH}", old, version=version)


def test_an_empty_clone_is_a_clone(served_hub: Hub) -> None:
    """Nothing makes such a repository today, but its protocol has a word for it."""
    served_hub.create()
    work = served_hub.node.db.read(hub.access_repo, LIN, RepoKind.MODEL, PATH)
    git_id = asyncio.run(work).git_id
    asyncio.run(served_hub.node.db.write(_forget_refs, git_id))

    for version, branch in ((0, "master"), (2, "main")):  # version 0 cannot say which
        clone = served_hub.clone(into=f"v{version}", version=version)
        head = (clone / ".git" / "HEAD").read_text()
        assert head == f"ref: refs/heads/{branch}\n"


def _forget_refs(tx, git_id: int) -> None:
    from_sql = hub.commits.git.list_refs(tx, git_id)
    for name, ref in from_sql.items():
        hub.commits.git.move_ref(tx, git_id, name, old=ref.oid, new=None)


@pytest.mark.parametrize("path", [PATH, PATH + ".git", "datasets/lin/cards.git"])
def test_a_push_is_answered_with_the_way_to_upload(books: Hub, path) -> None:
    books.create("cards", kind=RepoKind.DATASET)
    clone = books.clone(path=path)
    (clone / "new").write_text("new")
    about = ("-c", "user.name=lin", "-c", "user.email=l@x")
    books.git("-C", str(clone), "add", "new")
    books.git("-C", str(clone), *about, "commit", "-q", "-m", "New.")

    said = books.git("-C", str(clone), "push", check=False)

    wanted = "lin/cards --repo-type dataset" if "cards" in path else "lin/books"
    assert f"    HF_ENDPOINT={books.app.context.base} hf upload {wanted} ." in said
    assert "403" in said


def test_the_words_for_a_push_are_in_the_callers_language(books: Hub) -> None:
    books.app.context = replace(books.app.context, locale="zh-Hans")

    answer = httpx2.post(f"{books.base}/{PATH}/git-receive-pack", content=b"0000")

    assert answer.status_code == 403
    assert "hf upload lin/books ." in answer.text
    assert "不" in answer.text


@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_nobody_is_asked_for_a_name_where_there_may_be_something(books: Hub, service) -> None:
    books.create("secret", private=True)
    books.ask(NOBODY)

    answers = [
        httpx2.get(f"{books.base}/lin/{name}.git/info/refs?service={service}")
        for name in ("secret", "none")
    ]

    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="Jishi"'
    assert answers[0].text.replace("secret", "none") == answers[1].text


@pytest.mark.parametrize("name", ["secret", "none"])
def test_what_somebody_may_not_see_is_not_there(books: Hub, name) -> None:
    books.create("secret", private=True)
    books.ask(MAYA)

    found = httpx2.get(f"{books.base}/lin/{name}/info/refs?service=git-upload-pack")
    fetched = httpx2.post(f"{books.base}/lin/{name}/git-upload-pack", headers=REQUEST)

    assert (found.status_code, fetched.status_code) == (404, 404)
    assert "www-authenticate" not in found.headers


@pytest.mark.parametrize("ending", ["", ".git"])
def test_a_clone_follows_a_repository_to_its_new_name(books: Hub, ending) -> None:
    clone = books.clone(path=PATH + ending)
    move = books.node.db.write(
        hub.move_repo, LIN, RepoKind.MODEL, PATH, namespace="lin", name="novels"
    )
    asyncio.run(move)
    oid = books.commit({"later": b"1"}, path="lin/novels")

    books.git("-C", str(clone), "pull", "-q")
    answer = httpx2.get(f"{books.base}/{PATH}{ending}/info/refs?service=git-upload-pack")

    assert books.git("-C", str(clone), "rev-parse", "HEAD").strip() == oid
    where = f"/lin/novels{ending}/info/refs?service=git-upload-pack"
    assert answer.headers["location"] == where


def test_discovery_is_not_cached_and_has_its_type(books: Hub) -> None:
    for headers in ({}, {"Git-Protocol": "version=2"}):
        answer = httpx2.get(
            f"{books.base}/{PATH}/info/refs?service=git-upload-pack", headers=headers
        )

        assert answer.headers["content-type"] == smart.ADVERTISEMENT_TYPE
        assert "no-cache" in answer.headers["cache-control"]


def test_the_capabilities_of_version_two_are_asked_once(books: Hub, monkeypatch) -> None:
    address = f"{books.base}/{PATH}/info/refs?service=git-upload-pack"
    first = httpx2.get(address, headers=REQUEST)
    monkeypatch.setattr(children, "find_git", _no_git)

    second = httpx2.get(address, headers=REQUEST)

    assert first.content == second.content
    assert b"filter" in first.content
    assert b"ls-refs=unborn" in first.content


def test_a_server_without_git_says_so(books: Hub, monkeypatch) -> None:
    monkeypatch.setattr(children, "find_git", _no_git)

    answer = httpx2.get(f"{books.base}/{PATH}/info/refs?service=git-upload-pack")

    assert answer.status_code == 503
    assert "git program" in answer.text


def _no_git() -> str:
    raise children.GitMissing


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"0000", 415),
        ({"Content-Encoding": "br"}, b"0000", 400),
        ({"Content-Encoding": "gzip"}, b"0000", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"0000", mtime=0)[:-6], 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(bytes(17 << 20)), 413),
        ({}, b"x" * (17 << 20), 413),
        ({}, b"0014command=ls-refs\n0001000bnonsense0000", 400),
        ({}, b"0014command=ls-refs\n0001zzzz", 400),
        ({}, b"0014command=ls-refs\n0001" + b"0010ref-prefix a" * 70_000 + b"0000", 400),
    ],
)
def test_what_is_no_request_is_refused(books: Hub, headers, body, status) -> None:
    answer = httpx2.post(
        f"{books.base}/{PATH}/git-upload-pack", content=body, headers=REQUEST | headers
    )

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("version", ["version=0", "version=1", "version=2", "", "version=9;x"])
@pytest.mark.parametrize(
    "body", [b"", b"0000", b"\0" * 100, b"0032want " + b"1" * 41 + b"00000009done\n"]
)
def test_nonsense_for_git_itself_ends_without_harm(books: Hub, version, body) -> None:
    answer = httpx2.post(
        f"{books.base}/{PATH}/git-upload-pack",
        content=body,
        headers=REQUEST | {"Git-Protocol": version},
    )

    assert answer.status_code in (200, 400)


def test_bodies_may_be_zipped_and_chunked(books: Hub) -> None:
    body = b"0014command=ls-refs\n0001001bref-prefix refs/heads/\n0000"
    address = f"{books.base}/{PATH}/git-upload-pack"

    plain = httpx2.post(address, content=body, headers=REQUEST)
    zipped = httpx2.post(
        address,
        content=iter([gzip.compress(body)[:9], gzip.compress(body)[9:]]),
        headers=REQUEST | {"Content-Encoding": "gzip"},
    )

    assert plain.status_code == zipped.status_code == 200
    assert plain.content == zipped.content
    assert b"refs/heads/main" in plain.content


def test_a_dumb_client_is_told_to_update(books: Hub) -> None:
    answer = httpx2.get(f"{books.base}/{PATH}/info/refs")

    assert answer.status_code == 403
    assert "Update your git" in answer.text


# Children


def wants(oid: str) -> bytes:
    """Return a request of version 2 for all that ``oid`` stands on."""
    return (
        b"0012command=fetch\n0001"
        + b"000fno-progress\n"[:0]
        + _line(f"want {oid}")
        + b"0009done\n0000"
    )


def _line(text: str) -> bytes:
    return b"%04x%b\n" % (len(text) + 5, text.encode())


def pack_of(body: bytes) -> bytes:
    """Return the pack of an answer of version 2, without the words about its progress."""
    pieces, at = [], body.index(b"packfile\n") + len(b"packfile\n")
    while size := int(body[at : at + 4], 16):
        line = body[at + 4 : at + size]
        pieces.append(line[1:] if line[:1] == b"\1" else b"")
        at += size
    return b"".join(pieces)


def post_head(length: int) -> bytes:
    lines = [
        f"POST /{PATH}/git-upload-pack HTTP/1.1",
        "Host: hub.test",
        f"Content-Length: {length}",
        *(f"{name}: {value}" for name, value in REQUEST.items()),
    ]
    return "\r\n".join((*lines, "", "")).encode()


def children_of_this_process() -> list[int]:
    done = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "git" in line]


def until(claim, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.02)
    return claim()


@pytest.fixture
def long_books(books: Hub) -> Hub:
    """A repository whose pack fills every buffer on the way, two slots, no files to fill."""
    books.commit({"long": LONG, "longer": LONG[::-1]})
    books.node.fetches.room.left = 0
    books.node.fetches.slots.children_max = 4
    books.node.fetches.slots.__post_init__()
    return books


@pytest.mark.parametrize("phase", ["head", "half a body", "body", "answer"])
def test_callers_who_leave_in_any_phase_hold_nothing(long_books: Hub, phase) -> None:
    oid = long_books.commit({"x": b"1"})
    body = wants(oid)
    slots = long_books.node.fetches.slots
    reached = 0
    for _ in range(6):
        with Wire(long_books.port, receive_buffer=4096) as wire:
            head = post_head(len(body))
            if phase == "head":
                wire.send(head[:50])
            elif phase == "half a body":
                wire.send(head + body[:20])
            else:
                wire.send(head + body)
            if phase == "answer":
                wire.until(b"packfile")
                reached += slots.running

    assert reached >= 6 * (phase == "answer")
    assert until(lambda: slots.running == slots.waiting == 0)
    assert until(lambda: children_of_this_process() == [])
    assert files_of(long_books.clone())["long"] == LONG
    assert list((long_books.node.folder / "spool").iterdir()) == []


def test_slow_readers_fill_no_memory_and_others_wait_their_turn(long_books: Hub) -> None:
    oid = long_books.commit({"x": b"1"})
    body = wants(oid)
    slots = long_books.node.fetches.slots
    wires = [Wire(long_books.port, receive_buffer=4096, timeout=30) for _ in range(3)]
    try:
        for wire in wires[:2]:
            wire.send(post_head(len(body)) + body)
        assert until(lambda: slots.running == 2)
        wires[2].send(post_head(len(body)) + body)
        assert until(lambda: (slots.running, slots.waiting) == (2, 1))
        time.sleep(0.3)
        assert (slots.running, slots.waiting) == (2, 1)

        first = wires[0].answer()
        assert until(lambda: slots.waiting == 0)
        others = [wire.answer() for wire in wires[1:]]
    finally:
        for wire in wires:
            wire.socket.close()

    for answer in (first, *others):
        assert answer.status == 200
        assert len(answer.body) > len(LONG)


def test_slow_readers_hold_no_child_while_there_is_room(long_books: Hub) -> None:
    fetches = long_books.node.fetches
    fetches.room.left = 80 << 20
    body = wants(long_books.commit({"x": b"1"}))
    wires = [Wire(long_books.port, receive_buffer=4096, timeout=30) for _ in range(5)]
    try:
        for wire in wires[:4]:
            wire.send(post_head(len(body)) + body)
        assert until(lambda: fetches.room.left < 40 << 20)
        assert until(lambda: (fetches.slots.running, fetches.slots.waiting) == (0, 0))
        wires[4].send(post_head(len(body)) + body)
        answers = [wire.answer() for wire in reversed(wires)]
    finally:
        for wire in wires:
            wire.socket.close()

    for answer in answers:
        pack = pack_of(answer.body)
        assert len(pack) > 2 * len(LONG)
        assert hashlib.sha1(pack[:-20], usedforsecurity=False).digest() == pack[-20:]
    assert until(lambda: list((long_books.node.folder / "spool").iterdir()) == [])
    assert fetches.room.left == 80 << 20


def test_who_keeps_a_child_waiting_keeps_up_a_pace(long_books: Hub, monkeypatch) -> None:
    monkeypatch.setattr(ahead, "PACE_SECONDS", 0.5)
    slots = long_books.node.fetches.slots
    body = wants(long_books.commit({"x": b"1"}))

    with Wire(long_books.port, receive_buffer=4096) as wire:
        wire.send(post_head(len(body)) + body)
        wire.until(b"packfile")
        assert slots.running == 1
        assert until(lambda: slots.running == 0)
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                wire.take(1 << 16)
        assert b"0\r\n\r\n" not in wire.left
    assert until(lambda: children_of_this_process() == [])


def test_who_waits_too_long_is_told_when_to_come_back(long_books: Hub) -> None:
    body = wants(long_books.commit({"x": b"1"}))
    slots = long_books.node.fetches.slots
    slots.seconds_max = 0.2
    wires = [Wire(long_books.port, receive_buffer=4096) for _ in range(2)]
    try:
        for wire in wires:
            wire.send(post_head(len(body)) + body)
            wire.until(b"packfile")

        answer = httpx2.post(
            f"{long_books.base}/{PATH}/git-upload-pack", content=body, headers=REQUEST
        )
    finally:
        for wire in wires:
            wire.socket.close()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def test_a_child_that_is_killed_leaves_no_whole_answer(long_books: Hub) -> None:
    body = wants(long_books.commit({"x": b"1"}))

    with Wire(long_books.port, receive_buffer=4096) as wire:
        wire.send(post_head(len(body)) + body)
        wire.until(b"packfile")
        (child,) = children_of_this_process()
        os.killpg(child, signal.SIGKILL)
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                wire.take(1 << 16)
        assert b"0\r\n\r\n" not in wire.left


def test_a_child_knows_nothing_of_this_machine(monkeypatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/somewhere")
    monkeypatch.setenv("SECRET", "x")

    known = children.environment("/opt/git/bin/git")

    assert known["PATH"].startswith("/opt/git/bin")
    assert set(known) == {
        *("PATH", "HOME", "LC_ALL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"),
        *("GIT_TERMINAL_PROMPT", "GIT_NO_REPLACE_OBJECTS", "GIT_NO_LAZY_FETCH"),
    }


def test_deleting_the_cache_between_requests_loses_nothing(books: Hub) -> None:
    clone = books.clone()
    for version in (0, 2):
        shutil.rmtree(books.node.folder / "git")
        oid = books.commit({"n": b"%d" % version})
        shutil.rmtree(books.node.folder / "git")

        books.git("-C", str(clone), "pull", "-q", version=version)

        assert books.git("-C", str(clone), "rev-parse", "HEAD").strip() == oid


def test_a_view_that_vanishes_is_made_again(books: Hub, monkeypatch) -> None:
    books.clone()
    output = service._output  # noqa: SLF001  (what the fault is put into)
    seen = []

    def vanish(view, *rest):
        if not seen:
            shutil.rmtree(books.node.folder / "git")
        seen.append(view)
        return output(view, *rest)

    monkeypatch.setattr(service, "_output", vanish)

    clone = books.clone(into="second")

    assert len(seen) == 2
    assert "README.md" in files_of(clone)


# Slots


def test_a_caller_has_a_bounded_share_of_the_slots() -> None:
    async def scene() -> tuple[list[str], int]:
        slots = Slots(4, seconds_max=5)
        order: list[str] = []
        leave = asyncio.Event()

        async def work(caller: str) -> None:
            async with slots.take(caller):
                order.append(caller)
                await leave.wait()

        tasks = [asyncio.ensure_future(work(c)) for c in ("a", "a", "a", "b")]
        await asyncio.sleep(0.01)
        before = list(order)
        leave.set()
        await asyncio.gather(*tasks)
        assert len(order) == 4
        assert slots._callers == {}  # noqa: SLF001  (nobody is remembered)
        return before, slots.running

    assert asyncio.run(scene()) == (["a", "a", "b"], 0)


def test_whoever_is_not_known_has_half_the_share_of_others() -> None:
    async def scene(children: int) -> list[str]:
        slots = Slots(children, seconds_max=5)
        order: list[str] = []
        leave = asyncio.Event()

        async def work(caller: str) -> None:
            async with slots.take(caller, is_known=caller == "lin"):
                order.append(caller)
                await leave.wait()

        tasks = [asyncio.ensure_future(work(c)) for c in ("::1",) * 9 + ("lin",) * 9]
        await asyncio.sleep(0.01)
        before = list(order)
        leave.set()
        await asyncio.gather(*tasks)
        return before

    assert asyncio.run(scene(8)) == ["::1"] * 2 + ["lin"] * 4
    assert asyncio.run(scene(4)) == ["::1"] + ["lin"] * 2
    assert asyncio.run(scene(1)) == ["::1"]


def test_one_caller_does_not_fill_the_queue() -> None:
    async def scene() -> None:
        slots = Slots(1, caller_queue_max=2, seconds_max=5)
        async with slots.take("a"):
            waiting = [asyncio.ensure_future(_hold(slots, "a")) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(TooBusy):
                await _hold(slots, "a")
            waiting.append(asyncio.ensure_future(_hold(slots, "b")))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    asyncio.run(scene())


def test_a_full_queue_refuses_at_once_and_time_outs_give_all_back() -> None:
    async def scene() -> None:
        slots = Slots(1, queue_max=1, seconds_max=0.05)
        async with slots.take("a"):
            waiting = asyncio.ensure_future(_hold(slots, "b"))
            await asyncio.sleep(0)
            with pytest.raises(TooBusy):
                await _hold(slots, "c")
            with pytest.raises(TooBusy):
                await waiting
            with pytest.raises(TooBusy):
                await _hold(slots, "a")
        for caller in "abc":
            await _hold(slots, caller)
        assert (slots.running, slots.waiting) == (0, 0)

    asyncio.run(scene())


def test_who_gives_up_waiting_holds_nothing() -> None:
    async def scene() -> None:
        slots = Slots(1)
        async with slots.take("a"):
            waiting = [asyncio.ensure_future(_hold(slots, "b")) for _ in range(9)]
            await asyncio.sleep(0.01)
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
        await _hold(slots, "b")
        assert (slots.running, slots.waiting) == (0, 0)

    asyncio.run(scene())


async def _hold(slots: Slots, caller: str) -> None:
    async with slots.take(caller):
        pass
