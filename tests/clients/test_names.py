"""Names of files: what is stored comes back byte for byte, and what must not be is refused."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import Client, Refused
from tests.clients.conftest import Place
from tests.clients.contents import hashes

NAMES = (
    "中文 文件.txt",
    "数据/子 目录/说明.txt",
    "with space.txt",
    " leading.txt",
    "percent%20twenty.txt",
    "percent%2Fslash.txt",
    "hash#tag.txt",
    "plus+sign.txt",
    "question?mark.txt",
    "quote'\"quote.txt",
    "a&b=c;d.txt",
    "[brackets]{braces}.txt",
    "é composed and é decomposed.txt",
    "emoji 🧺.txt",
    "tilde~.txt",
)
LONGEST = "文" * 85
"""255 bytes, the longest name a file system takes."""
LONGEST_LOCAL = "文" * 82
"""246 bytes: a client that downloads into a folder adds ``.metadata`` of 9."""
REFUSED = (
    "..",
    "../up.txt",
    "a/../b.txt",
    "a/./b.txt",
    "/absolute.txt",
    "a//b.txt",
    ".git/config",
    "a/.git/config",
    ".cache/x",
    "a/.cache/x",
    "C:/windows.txt",
    "a/D:foo.txt",
    "back\\slash.txt",
    "..\\up.txt",
    "nul\0.txt",
    "new\nline.txt",
)


@pytest.fixture
def named(newest: Client, repo: str) -> dict[str, str]:
    """Every strange name, in one repository; its content says which it is."""
    texts = {name: f"this is {name}\n" for name in (*NAMES, LONGEST_LOCAL)}
    newest.call("create", repo=repo)
    newest.call("commit_texts", repo=repo, texts=texts)
    return texts


def digests(texts: dict[str, str]) -> dict[str, str]:
    """Return name -> sha256 of what each file holds."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def test_names_survive_the_cache(
    newest: Client, named: dict[str, str], repo: str, fresh: Callable[[Client], Client]
) -> None:
    newest.call("commit_texts", repo=repo, texts={LONGEST: f"this is {LONGEST}\n"})
    reader = fresh(newest)

    got = reader.call("snapshot", repo=repo)

    texts = {**named, LONGEST: f"this is {LONGEST}\n"}
    assert got == {**digests(texts), ".gitattributes": got[".gitattributes"]}
    single = reader.call("download", repo=repo, path=LONGEST)
    assert Path(single["path"]).read_text() == f"this is {LONGEST}\n"


def test_names_survive_a_folder(
    newest: Client, named: dict[str, str], repo: str, tmp_path: Path
) -> None:
    newest.shell("hf", "download", repo, "--local-dir", str(tmp_path / "back")).ok()

    assert {name: (tmp_path / "back" / name).read_text() for name in named} == named


def test_names_survive_git(
    newest: Client, named: dict[str, str], repo: str, tmp_path: Path
) -> None:
    newest.call("commit_texts", repo=repo, texts={LONGEST: f"this is {LONGEST}\n"})

    newest.shell("git", "clone", "-q", f"{newest.endpoint}/{repo}", str(tmp_path / "clone")).ok()

    got = {name: (tmp_path / "clone" / name).read_text() for name in (*named, LONGEST)}
    assert got == {**named, LONGEST: f"this is {LONGEST}\n"}


def test_names_survive_curl(newest: Client, named: dict[str, str], repo: str) -> None:
    newest.call("commit_texts", repo=repo, texts={LONGEST: f"this is {LONGEST}\n"})
    texts = {**named, LONGEST: f"this is {LONGEST}\n"}
    at = f"{newest.endpoint}/{repo}/resolve/main/"

    got = {name: newest.shell("curl", "-sf", at + urllib.parse.quote(name)).ok() for name in texts}
    quoted = {
        name: newest.shell("curl", "-sf", at + urllib.parse.quote(name, safe="")).ok()
        for name in texts
    }

    assert got == quoted == texts


def test_names_survive_an_upload_of_a_folder(
    newest: Client, repo: str, tmp_path: Path, fresh: Callable[[Client], Client]
) -> None:
    for name in (*NAMES, LONGEST):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}\n")

    newest.shell("hf", "upload", repo, str(tmp_path / "folder"), ".").ok()

    got = fresh(newest).call("snapshot", repo=repo)
    assert got == {**hashes(tmp_path / "folder"), ".gitattributes": got[".gitattributes"]}
    assert len(got) == len(NAMES) + 2


def test_names_that_could_do_harm_are_refused(newest: Client, place: Place, repo: str) -> None:
    newest.call("create", repo=repo)

    statuses = {name: commit(place, repo, name) for name in REFUSED}

    assert statuses == dict.fromkeys(REFUSED, 422)
    assert newest.call("files", repo=repo) == [".gitattributes"]


def commit(place: Place, repo: str, name: str) -> int:
    """Commit one small file as no client would, and return the status."""
    lines = [
        {"key": "header", "value": {"summary": "Bad", "description": ""}},
        {"key": "file", "value": {"path": name, "content": "eA==", "encoding": "base64"}},
    ]
    request = urllib.request.Request(
        f"{place.endpoint}/api/models/{repo}/commit/main",
        data="\n".join(map(json.dumps, lines)).encode(),
        headers={
            "Authorization": f"Bearer {place.lin}",
            "Content-Type": "application/x-ndjson",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("name", ["C:/windows.txt", "back\\slash.txt"])
def test_the_client_says_which_name_is_refused(newest: Client, repo: str, name: str) -> None:
    """The client itself sends these two as they are."""
    newest.call("create", repo=repo)

    with pytest.raises(Refused) as refused:
        newest.call("commit_texts", repo=repo, texts={"good.txt": "x", name: "x"})

    assert "HfHubHTTPError" in refused.value.kinds
    assert name in refused.value.text
    assert newest.call("files", repo=repo) == [".gitattributes"]
