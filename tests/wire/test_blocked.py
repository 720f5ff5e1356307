"""A large file whose bytes are not what its uploader said: hashed after the commit, blocked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from jishi.hub.cas.registering import HASHED_BYTES_MAX
from tests.clients.clients import NEWEST, Client, Refused
from tests.clients.serving import running
from tests.wire.test_bad_input import HEADER, Place, large, ndjson, noise, opened, until, xet
from tests.xet.making import Run, make_file, make_xorb, write_shard

CHUNK_BYTES = 1 << 16
CHUNKS = HASHED_BYTES_MAX // CHUNK_BYTES
SAID = hashlib.sha256(b"what was promised").digest()
NAME = "weights.bin"
WORDS = f"The bytes stored for {SAID.hex()} have another SHA-256."
HASHED_SECONDS_MAX = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running(tmp_path_factory.mktemp("blocked") / "data") as hub, opened(hub) as place:
        yield place


def send(place: Place, chunks: int) -> str:
    """Upload a file of so many equal chunks under a wrong digest, and return the last line."""
    xorb = make_xorb([noise("blocked", CHUNK_BYTES)])
    assert xet(place, f"/v1/xorbs/default/{xorb.text}", xorb.body).status_code == 200
    file = make_file([Run(xorb, 0, 1)] * chunks, SAID)
    return xet(place, "/v2/shards", write_shard([file], [xorb.index])).text.splitlines()[-1]


@pytest.fixture(scope="module")
def blocked(place: Place) -> str:
    """Address of a file that is larger than what is hashed at once, and was hashed since."""
    assert '"result"' in send(place, CHUNKS + 1)
    size = (CHUNKS + 1) * CHUNK_BYTES
    place.commit(ndjson(HEADER, large(NAME, SAID, size))).raise_for_status()
    url = f"{place.hub.url}/lin/bad/resolve/main/{NAME}"
    until(lambda: place.http.head(url).status_code == 409, HASHED_SECONDS_MAX)
    return url


def test_a_file_of_64_mib_is_hashed_before_its_shard_is_answered(place: Place) -> None:
    said = send(place, CHUNKS)

    assert '"error"' in said
    assert SAID.hex() in said


def test_nobody_gets_the_bytes_of_a_blocked_file(place: Place, blocked: str) -> None:
    heard = place.http.head(blocked)
    got = place.http.get(blocked)
    part = place.http.get(blocked, headers={"Range": "bytes=0-9"})
    raw = place.http.get(blocked.replace("/resolve/", "/raw/"))

    assert [each.status_code for each in (heard, got, part)] == [409] * 3
    assert WORDS in heard.headers["x-error-message"]
    assert WORDS in got.json()["error"]
    assert len(part.content) < 1000
    assert raw.text.startswith("version https://git-lfs"), "Git keeps what was committed"


def test_git_lfs_is_told_which_object_is_blocked(place: Place, blocked: str) -> None:
    wanted = {"oid": SAID.hex(), "size": (CHUNKS + 1) * CHUNK_BYTES}
    url = f"{place.hub.url}/lin/bad.git/info/lfs/objects/batch"

    answer = place.http.post(url, json={"operation": "download", "objects": [wanted]})

    (told,) = answer.json()["objects"]
    assert answer.status_code == 200
    assert (told["oid"], told["error"]["code"]) == (SAID.hex(), 409)
    assert WORDS in told["error"]["message"]
    assert "actions" not in told
    assert blocked


def test_the_client_says_why_it_gets_no_blocked_file(
    place: Place, blocked: str, tmp_path: Path
) -> None:
    client = Client(NEWEST, place.hub.url, tmp_path / "home", place.token)

    with pytest.raises(Refused) as refused:
        client.call("download", repo="lin/bad", path=NAME)

    assert blocked
    assert "LocalEntryNotFoundError" in refused.value.kinds, "it has no other word for a 409"
    assert "409" in refused.value.cause
    assert WORDS in refused.value.cause


@pytest.mark.parametrize(
    ("language", "note"), [("en", "This file is blocked."), ("zh-CN", "此文件已被封禁。")]
)
def test_the_page_of_a_blocked_file_says_so(
    place: Place, blocked: str, language: str, note: str
) -> None:
    page = blocked.replace("/resolve/", "/blob/")
    folder = f"{place.hub.url}/lin/bad/tree/main"
    wanted = {"Accept": "text/html", "Accept-Language": language}

    seen, listed = (httpx2.get(url, headers=wanted) for url in (page, folder))

    assert (seen.status_code, listed.status_code) == (200, 200)
    assert note in seen.text
    assert f'href="/lin/bad/resolve/main/{NAME}' not in seen.text, "no button to download it"
    assert 'class="seal clash"' in listed.text


def test_the_doctor_names_a_blocked_file(place: Place, blocked: str) -> None:
    assert blocked

    done = place.hub.try_command("doctor")

    (line,) = (line for line in done.stdout.splitlines() if SAID.hex() in line)
    assert line.split()[:2] == ["note", "contents"]
    assert f"A file is blocked: its bytes do not have the SHA-256 {SAID.hex()}." in line
    assert done.returncode == 0, "its author has to act, the installation is well"
