"""Bad input against the process as people run it: a clear no, nothing half-written, no memory.

The table of ``docs/en/reference/limits.md``, row by row.  What takes minutes in earnest (stalls)
is tried in ``test_edge`` with shorter limits; the dialects' own suites go deeper into each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from tests.clients.clients import NEWEST, Client, Refused
from tests.clients.serving import Hub, running
from tests.http.serving import Wire, request
from tests.xet.making import Run as Span
from tests.xet.making import make_file, make_upload, write_shard

HEADER = {"key": "header", "value": {"summary": "bad"}}
MIB = 1 << 20


@dataclass
class Place:
    """A hub, a repository ``lin/bad`` and its owner."""

    hub: Hub
    token: str
    http: httpx2.Client

    @property
    def repo(self) -> str:
        return f"{self.hub.url}/api/models/lin/bad"

    def head(self) -> str:
        return self.http.get(self.repo).json()["sha"]

    def commit(self, body: bytes, **params: str) -> httpx2.Response:
        kind = {"Content-Type": "application/x-ndjson"}
        url = f"{self.repo}/commit/main"
        return self.http.post(url, content=body, headers=kind, params=params)

    def kept(self) -> set[str]:
        """Names of all objects and of everything on the way in."""
        folders = ("objects", "spool", "uploads")
        files = (path for name in folders for path in (self.hub.folder / name).rglob("*"))
        return {path.relative_to(self.hub.folder).as_posix() for path in files if path.is_file()}

    @contextmanager
    def untouched(self, *, memory_mib: int = 48) -> Iterator[None]:
        """Insist that the repository and the store stay as they are, and memory flat."""
        head, kept = self.head(), self.kept()
        before = self.watch_memory()
        yield
        until(lambda: self.kept() == kept)
        assert self.head() == head
        assert self.kept() == kept
        assert self.peak() - before < memory_mib * MIB

    def watch_memory(self) -> int:
        """Forget the peak so far and return what the process holds now."""
        (self._proc / "clear_refs").write_text("5")
        return self.status("VmRSS")

    def peak(self) -> int:
        return self.status("VmHWM")

    def status(self, name: str) -> int:
        text = (self._proc / "status").read_text()
        return int(text.partition(f"{name}:")[2].split()[0]) * 1024

    @property
    def _proc(self) -> Path:
        assert self.hub.process is not None
        return Path(f"/proc/{self.hub.process.pid}")


def until(holds, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


@contextmanager
def opened(hub: Hub) -> Iterator[Place]:
    token = hub.add_person("lin")
    head = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(headers=head, timeout=60) as http:
        yield prepare(hub, token, http)


def prepare(hub: Hub, token: str, http: httpx2.Client) -> Place:
    http.post(f"{hub.url}/api/repos/create", json={"name": "bad"}).raise_for_status()
    place = Place(hub, token, http)
    place.commit(ndjson(HEADER, put("first.txt", b"first"))).raise_for_status()
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running(tmp_path_factory.mktemp("bad") / "data") as hub, opened(hub) as place:
        yield place


@pytest.fixture
def client(place: Place, tmp_path: Path) -> Client:
    return Client(NEWEST, place.hub.url, tmp_path / "home", place.token)


def ndjson(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def noise(seed: str, count: int) -> bytes:
    """Return bytes that do not shrink."""
    return random.Random(seed).randbytes(count)


def put(path: str, data: bytes) -> dict:
    text = base64.b64encode(data).decode()
    return {"key": "file", "value": {"path": path, "content": text, "encoding": "base64"}}


def large(path: str, sha256: bytes, size: int) -> dict:
    value = {"path": path, "algo": "sha256", "oid": sha256.hex(), "size": size}
    return {"key": "lfsFile", "value": value}


# Commits


BROKEN = {
    "nothing": (b"", 422, "no header"),
    "nonsense": (b"nonsense\n", 422, "line 1"),
    "not UTF-8": (b'{"key":"\xff"}\n', 422, "line 1"),
    "no header": (ndjson(put("a", b"a")), 422, "header comes first"),
    "two headers": (ndjson(HEADER, HEADER), 422, "line 2"),
    "an unknown key": (ndjson(HEADER, {"key": "evil", "value": {}}), 422, "unknown key 'evil'"),
    "a line cut off": (ndjson(HEADER, put("a", b"a"))[:-20], 422, "line 2"),
    "a missing field": (ndjson(HEADER, {"key": "file", "value": {"path": "a"}}), 422, "content"),
    "deep nesting": (ndjson(HEADER) + b"[" * 200_000 + b"\n", 422, "line 2"),
    "deep nesting in a value": (
        ndjson(HEADER) + b'{"key":"file","value":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
        422,
        "line 2",
    ),
    "no base64": (
        ndjson(
            HEADER,
            {"key": "file", "value": {"path": "a", "content": "???", "encoding": "base64"}},
        ),
        422,
        "not base64",
    ),
    "a line of 15 MB": (ndjson(HEADER, put("a", b"a" * 11_300_000)), 413, "14000000"),
    "a file of 10 MB and a byte": (ndjson(HEADER, put("a", b"a" * 10_000_001)), 413, "10000000"),
    "25 001 changes": (
        ndjson(HEADER, *({"key": "deletedFile", "value": {"path": f"{i}"}} for i in range(25_001))),
        413,
        "25000",
    ),
    "a parent that is none": (
        ndjson({"key": "header", "value": {"summary": "s", "parentCommit": "main"}}),
        422,
        "parentCommit",
    ),
    "an older parent": (
        ndjson({"key": "header", "value": {"parentCommit": "0" * 40}}, put("a", b"")),
        412,
        "refresh",
    ),
    "a file to delete that is not there": (
        ndjson(HEADER, {"key": "deletedFile", "value": {"path": "nowhere"}}),
        404,
        "doesn't exist",
    ),
    "a large file nobody sent": (ndjson(HEADER, large("a", b"\1" * 32, 5)), 400, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_commit_that_cannot_be_read_is_refused_with_its_line(place: Place, name: str) -> None:
    body, status, words = BROKEN[name]
    with place.untouched(memory_mib=80):
        answer = place.commit(body)

    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert answer.headers["x-error-message"].isascii()


@pytest.mark.parametrize(
    "path",
    ["../up", "a/../b", "/abs", "a//b", "", ".", ".git/config", "a/.GIT/x", "a\\b", "C:x",
     "nul\0", "line\nend", "x" * 256, "a/" * 200 + "b"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(place: Place, path: str) -> None:
    with place.untouched():
        answer = place.commit(ndjson(HEADER, put(path, b"x")))

    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.long
def test_a_commit_of_many_files_stays_off_the_heap(place: Place) -> None:
    files = [noise(f"b{i}", 4096) * 1024 for i in range(48)]  # quick to deflate
    body = ndjson(HEADER, *(put(f"big-{i}", data) for i, data in enumerate(files)))
    before = place.watch_memory()
    place.commit(body).raise_for_status()

    assert len(body) > 250 * MIB
    assert place.peak() - before < 110 * MIB


def test_a_body_announced_beyond_2_gib_is_refused_unread(place: Place) -> None:
    with place.untouched(), Wire(place.hub.port()) as wire:
        fields = (
            f"Authorization: Bearer {place.token}",
            f"Content-Length: {(2 << 30) + 1}",
            "Expect: 100-continue",
        )
        wire.send(request("/api/models/lin/bad/commit/main", *fields, method="POST"))
        answer = wire.answer()

    assert (answer.status, answer.interim) == (413, [])
    assert b"2147483648 bytes" in answer.body


TYPES = {
    "/lin/bad.git/git-upload-pack": "application/x-git-upload-pack-request",
    "/sign-in": "application/x-www-form-urlencoded",
}


@pytest.mark.parametrize(
    ("path", "bytes_max"),
    [
        ("/api/repos/create", 4 << 20),
        ("/api/models/lin/bad/preupload/main", 8 << 20),
        ("/api/models/lin/bad/paths-info/main", 10 << 20),
        ("/api/validate-yaml", 4 << 20),
        ("/lin/bad.git/info/lfs/objects/batch", 1 << 20),
        ("/lin/bad.git/git-upload-pack", 16 << 20),
        ("/sign-in", 1 << 20),
    ],
)
def test_an_oversized_body_is_refused(place: Place, path: str, bytes_max: int) -> None:
    with place.untouched():
        kind = {"Content-Type": TYPES.get(path, "application/json")}
        body = b'"' + b"x" * bytes_max + b'"'
        answer = place.http.post(place.hub.url + path, content=body, headers=kind)

    assert answer.status_code == 413


def test_a_body_shorter_than_announced_changes_nothing(place: Place) -> None:
    body = ndjson(HEADER, put("a", noise("short", 3 * MIB)))
    fields = (f"Authorization: Bearer {place.token}", f"Content-Length: {len(body) + 1}")
    with place.untouched():
        with Wire(place.hub.port()) as wire:
            wire.send(request("/api/models/lin/bad/commit/main", *fields, method="POST") + body)
            wire.socket.shutdown(1)
            assert wire.is_closed(within=5)
        until(lambda: not list((place.hub.folder / "spool").iterdir()))


def test_a_body_longer_than_announced_is_cut_and_refused(place: Place) -> None:
    body = ndjson(HEADER, put("a", b"x" * 1000))
    fields = (f"Authorization: Bearer {place.token}", f"Content-Length: {len(body) - 500}")
    with place.untouched(), Wire(place.hub.port()) as wire:
        wire.send(request("/api/models/lin/bad/commit/main", *fields, method="POST") + body)
        answer = wire.answer()
        assert wire.is_closed(within=5)

    assert answer.status == 422
    assert b"line 2" in answer.body


def test_slow_senders_cost_no_memory_and_leave_nothing(place: Place) -> None:
    fields = (f"Authorization: Bearer {place.token}", "Content-Length: 200000000")
    with place.untouched(memory_mib=64):
        wires = [Wire(place.hub.port()) for _ in range(40)]
        for wire in wires:
            wire.send(request("/api/models/lin/bad/commit/main", *fields, method="POST"))
            wire.send(ndjson(HEADER) + b'{"key":"file","value":{"path":"a","content":"')
        for _ in range(30):
            for wire in wires:
                wire.send(b"x" * 1000)
        assert place.http.get(place.repo).status_code == 200
        for wire in wires:
            wire.socket.close()
        until(lambda: not list((place.hub.folder / "spool").iterdir()))


# Contents


def lfs_href(place: Place, sha256: bytes, size: int) -> str:
    objects = [{"oid": sha256.hex(), "size": size}]
    url = f"{place.hub.url}/lin/bad.git/info/lfs/objects/batch"
    answer = place.http.post(url, json={"operation": "upload", "objects": objects})
    return answer.json()["objects"][0]["actions"]["upload"]["href"]


def test_lfs_bytes_that_are_others_than_named_are_refused(place: Place) -> None:
    said, sent = noise("said", MIB), noise("sent", MIB)
    sha256 = hashlib.sha256(said).digest()
    with place.untouched():
        answer = httpx2.put(lfs_href(place, sha256, len(said)), content=sent)
        missing = place.commit(ndjson(HEADER, large("a.bin", sha256, len(said))))

    assert (answer.status_code, missing.status_code) == (422, 400)
    assert "SHA-256" in answer.text
    assert "a.bin" in missing.text or sha256.hex() in missing.text


@pytest.mark.parametrize("count", [MIB - 1, MIB + 1])
def test_lfs_bytes_of_another_size_are_refused(place: Place, count: int) -> None:
    data = noise("size", MIB)
    sent = (data + b"x")[:count]
    with place.untouched():
        href = lfs_href(place, hashlib.sha256(data).digest(), len(data))
        answer = httpx2.put(href, content=sent)

    assert answer.status_code in (413, 422)
    assert answer.text


def test_a_link_with_a_changed_letter_opens_nothing(place: Place) -> None:
    href = lfs_href(place, b"\2" * 32, 10)
    with place.untouched():
        answer = httpx2.put(href[:-1] + ("A" if href[-1] != "A" else "B"), content=b"0123456789")

    assert answer.status_code in (403, 404)


def xet(place: Place, path: str, body: bytes) -> httpx2.Response:
    token = place.http.get(f"{place.repo}/xet-write-token/main").json()
    head = {"Authorization": f"Bearer {token['accessToken']}"}
    return httpx2.post(token["casUrl"] + path, content=body, headers=head, timeout=60)


def test_a_xorb_cut_off_or_named_wrongly_is_refused(place: Place) -> None:
    upload = make_upload(noise("xorb", 400_000), per_xorb=64)
    (xorb,) = upload.xorbs
    path = f"/v1/xorbs/default/{xorb.text}"
    with place.untouched():
        cut = xet(place, path, xorb.body[:-100])
        other = xet(place, f"/v1/xorbs/default/{'0' * 64}", xorb.body)
        changed = xet(place, path, xorb.body[:5000] + b"\0\0\0" + xorb.body[5003:])
        garbage = xet(place, path, noise("garbage", 100_000))

    assert [a.status_code for a in (cut, other, changed, garbage)] == [400] * 4
    assert all(answer.json()["error"] for answer in (cut, other, changed, garbage))


def test_a_shard_with_a_wrong_sha256_registers_nothing(place: Place) -> None:
    upload = make_upload(noise("shard", 400_000), per_xorb=64)
    (xorb,) = upload.xorbs
    assert xet(place, f"/v1/xorbs/default/{xorb.text}", xorb.body).status_code == 200
    wrong = make_file([Span(xorb, 0, xorb.index.count)], sha256=b"\3" * 32)
    with place.untouched():
        answer = xet(place, "/v2/shards", write_shard([wrong], [xorb.index]))
        missing = place.commit(ndjson(HEADER, large("x.bin", b"\3" * 32, 400_000)))

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1]["type"] == "error"
    assert missing.status_code == 400


def test_a_shard_that_lies_about_its_file_registers_nothing(place: Place) -> None:
    upload = make_upload(noise("liar", 400_000), per_xorb=64)
    (xorb,) = upload.xorbs
    assert xet(place, f"/v1/xorbs/default/{xorb.text}", xorb.body).status_code == 200
    lie = replace(upload.file, hash=b"\4" * 32)
    with place.untouched():
        answer = xet(place, "/v2/shards", write_shard([lie], [xorb.index]))
        garbage = xet(place, "/v2/shards", noise("no shard", 10_000))

    assert json.loads(answer.text.splitlines()[-1])["type"] == "error"
    assert garbage.status_code == 400 or b"error" in garbage.content


# JSON, cards and revisions


DEEP = b"[" * 200_000 + b"]" * 200_000


@pytest.mark.parametrize("path", ["preupload/main", "paths-info/main", "branch/deep"])
def test_a_body_nested_without_end_is_refused(place: Place, path: str) -> None:
    kind = {"Content-Type": "application/json"}
    with place.untouched():
        body = b'{"files": [], "paths": [], "more": ' + DEEP + b"}"
        answer = place.http.post(f"{place.repo}/{path}", content=body[:60_000], headers=kind)
        whole = place.http.post(f"{place.repo}/{path}", content=body, headers=kind)

    assert answer.status_code == 400
    assert whole.status_code in (400, 413)


def test_a_hostile_config_is_a_file_like_any_other(place: Place) -> None:
    for config in (DEEP, b'{"model_type": "' + b"x" * 5 * MIB + b'"}', b"\xff\xfe", b"null"):
        assert place.commit(ndjson(HEADER, put("config.json", config))).status_code == 200
        assert place.http.get(place.repo).status_code == 200


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
)
CARDS = {
    "aliases that multiply": BOMB,
    "deep nesting": "a: " + "[" * 5_000 + "]" * 5_000,
    "deep mappings": "".join(" " * i + "a:\n" for i in range(2_000)),
    "a tag of Python": "a: !!python/object/apply:os.system ['touch /tmp/pwned']",
    "a key that is a list": "? [a, b]\n: c",
    "an endless number": "a: " + "9" * 50_000,
    "a date that is none": "date: 2024-99-99",
    "half a quote": 'title: "half',
    "a megabyte": "a: " + "x" * MIB,
    "controls": "a: \x01\x02\x1b[31m",
}


@pytest.mark.parametrize("name", CARDS)
def test_a_hostile_card_is_a_finding_and_never_a_fault(place: Place, name: str) -> None:
    text = f"---\n{CARDS[name]}\n---\n# Hello\n"
    before = place.watch_memory()
    started = time.monotonic()
    checked = place.http.post(
        f"{place.hub.url}/api/validate-yaml", json={"content": text, "repoType": "model"}
    )
    committed = place.commit(ndjson(HEADER, put("README.md", text.encode())))
    info = place.http.get(place.repo)
    page = place.http.get(f"{place.hub.url}/lin/bad", headers={"Accept": "text/html"})

    assert checked.status_code in (200, 400)
    assert committed.status_code == 200
    assert (info.status_code, page.status_code) == (200, 200)
    assert b"Hello" in page.content or len(text) > MIB
    assert time.monotonic() - started < 10
    assert place.peak() - before < 80 * MIB


@pytest.mark.parametrize(
    "path",
    ["revision/{}", "tree/{}", "tree/{}/a", "commits/{}"],
)
@pytest.mark.parametrize(
    "revision", ["nowhere", "refs%2Fpr%2F9", "0" * 40, "..%2F..", "%00", "a" * 300]
)
def test_an_unknown_revision_is_missing(place: Place, path: str, revision: str) -> None:
    answer = place.http.get(f"{place.repo}/{path.format(revision)}")

    assert answer.status_code == 404
    assert answer.headers["x-error-code"] == "RevisionNotFound"


def test_the_client_names_an_unknown_revision(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.call("download", repo="lin/bad", path="first.txt", revision="nowhere")

    assert "RevisionNotFoundError" in refused.value.kinds
    assert "nowhere" in refused.value.text


# A full disk


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64m", "jishi-test", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.long
def test_a_full_disk_is_said_and_survived(small: Path, tmp_path: Path) -> None:
    with running(small / "data") as hub, opened(hub) as place:
        whole = noise("fills", 80 * MIB)
        sha256 = hashlib.sha256(whole).digest()
        with place.untouched(memory_mib=110):
            lfs = httpx2.put(lfs_href(place, sha256, len(whole)), content=whole, timeout=60)
            commit = place.commit(
                ndjson(HEADER, *(put(f"{i}", whole[i * 4 * MIB :][: 4 * MIB]) for i in range(20)))
            )
        file = tmp_path / "weights.bin"
        file.write_bytes(whole)
        client = Client(NEWEST, hub.url, tmp_path / "home", place.token)
        uploaded = client.shell("hf", "upload", "lin/bad", str(file), "weights.bin")

        assert (lfs.status_code, commit.status_code) == (507, 507)
        assert "disk of this server is full" in lfs.text
        assert "disk of this server is full" in commit.text
        assert uploaded.status != 0
        assert "413" in uploaded.err
        (small / "filler").write_bytes(b"x" * free(small))
        packed = place.commit(ndjson(HEADER, put("more.txt", noise("more", 200_000))))
        read = place.http.get(f"{hub.url}/lin/bad/resolve/main/first.txt")
        (small / "filler").unlink()
        after = place.commit(ndjson(HEADER, put("after.txt", b"after")))

        assert packed.status_code == 507
        assert (read.status_code, read.content) == (200, b"first")
        assert after.status_code == 200
        doctor = hub.try_command("doctor").stdout
        assert [line for line in doctor.splitlines() if line.startswith("bad")] == [
            line for line in doctor.splitlines() if line.startswith("bad   disk")
        ]


def free(folder: Path) -> int:
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize
