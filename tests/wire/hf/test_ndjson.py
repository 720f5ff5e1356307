"""The body of a commit: whatever arrives is read or refused with its line, never half."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jishi.core.errors import Refusal
from jishi.hub.commits import CHANGES_MAX, CommitDraft, PutFile, PutLarge, Remove, TooManyChanges
from jishi.storage import Spool
from jishi.wire.hf.ndjson import (
    LINE_BYTES_MAX,
    LINES_MAX,
    BadCommitBody,
    CommitReader,
    LineTooLong,
)
from tests.wire.hf.asking import file, gone, large, ndjson

HEADER = ("header", {"summary": "s", "description": "d"})


@pytest.fixture(scope="module")
def spool(tmp_path_factory) -> Spool:
    return Spool(tmp_path_factory.mktemp("spool"))


@pytest.fixture
def reader(spool: Spool) -> Iterator[CommitReader]:
    with spool.new() as file:
        yield CommitReader(file)


def read(spool: Spool, *pieces: bytes, whole: bool = False) -> tuple[CommitDraft, list[bytes]]:
    """Read a body; return the draft and the contents of its regular files."""
    with spool.new() as file:
        reader = CommitReader(file, is_whole=whole)
        for piece in pieces:
            reader.feed(piece)
        draft = reader.finish()
        data = file.path.read_bytes()
    contents = [
        data[slice(*change.data)]
        for change in draft.changes
        if isinstance(change, PutFile) and isinstance(change.data, tuple)
    ]
    return draft, contents


@pytest.mark.parametrize(
    ("body", "line", "problem"),
    [
        (b"", 0, "no header"),
        (b"\n\n", 2, "no header"),
        (b"{", 1, ""),
        (b"nonsense\n", 1, ""),
        (b"[]\n", 1, ""),
        (b'"header"\n', 1, ""),
        (b'{"key": "header"}\n', 1, "value"),
        (b'{"value": {}}\n', 1, "key"),
        (b'{"key": 1, "value": {}}\n', 1, ""),
        (b'{"key": "header", "value": []}\n', 1, ""),
        (b"\xff\xfe\n", 1, ""),
        (ndjson(file("a", b"")), 1, "header comes first"),
        (ndjson(HEADER, HEADER), 2, "once"),
        (ndjson(HEADER, ("dance", {})), 2, "unknown key 'dance'"),
        (ndjson(HEADER, ("file", {"path": "a"})), 2, "content"),
        (ndjson(HEADER, ("file", {"content": "YQ=="})), 2, "path"),
        (
            ndjson(HEADER, ("file", {"path": "a", "content": "%", "encoding": "base64"})),
            2,
            "base64",
        ),
        (
            ndjson(HEADER, ("file", {"path": "a", "content": "YQ", "encoding": "base64"})),
            2,
            "base64",
        ),
        (ndjson(HEADER, ("file", {"path": "a", "content": "\ud800"})), 2, ""),
        (ndjson(HEADER, ("lfsFile", {"path": "a", "oid": "abc"})), 2, "sha256"),
        (ndjson(HEADER, ("lfsFile", {"path": "a", "oid": "z" * 64})), 2, "sha256"),
        (ndjson(HEADER, ("lfsFile", {"path": "a", "oid": "0" * 64, "algo": "md5"})), 2, "sha256"),
        (ndjson(HEADER, ("deletedFile", {})), 2, "path"),
        (ndjson(HEADER, ("copyFile", {"path": "a"})), 2, "srcPath"),
        (ndjson(("header", {"parentCommit": "main"})), 1, "parentCommit"),
        (ndjson(("header", {"parentCommit": "abcd"})), 1, "parentCommit"),
        (ndjson(("header", {"parentCommit": "0" * 41})), 1, "parentCommit"),
        (ndjson(HEADER, file("a", b"x"))[:-20], 2, ""),
    ],
)
def test_a_body_that_cannot_be_read_names_its_line(spool, body, line, problem) -> None:
    with pytest.raises(BadCommitBody) as caught:
        read(spool, body)

    assert caught.value.facts["line"] == line
    assert problem in caught.value.facts["problem"]


def test_every_key_becomes_a_change_in_order(spool: Spool) -> None:
    body = ndjson(
        HEADER,
        file("a", b"\x00\xff"),
        large("b", b"large"),
        gone("c"),
        gone("d/", "deletedFolder"),
        gone("e", "deletedEntry"),
        ("file", {"path": "f", "content": "text"}),
    )

    draft, contents = read(spool, body)

    kinds = [type(change) for change in draft.changes]
    assert kinds == [PutFile, PutLarge, Remove, Remove, Remove, PutFile]
    assert [change.path for change in draft.changes] == list("abcdef")
    assert contents == [b"\x00\xff", b"text"]
    assert (draft.summary, draft.description) == ("s", "d")


def test_unknown_fields_are_passed_over(spool: Spool) -> None:
    body = ndjson(
        ("header", {"summary": "s", "isNew": True}),
        ("file", {"path": "a", "content": "x", "encoding": "utf-8", "oldPath": "b"}),
    )

    assert read(spool, body)[1] == [b"x"]


def test_the_last_line_may_lack_its_end_and_lines_may_be_empty(spool: Spool) -> None:
    body = b"\n" + ndjson(HEADER) + b"\r\n  \n" + ndjson(file("a", b"1"))[:-1]

    assert read(spool, body)[1] == [b"1"]


@pytest.mark.parametrize("empty", [b"\n", b"\r\n", b" \n"])
def test_empty_lines_count(reader: CommitReader, empty: bytes) -> None:
    reader.feed(ndjson(HEADER))
    reader.feed(empty * (LINES_MAX - 1))

    with pytest.raises(TooManyChanges):
        reader.feed(empty)


def test_a_line_has_a_limit_and_is_not_gathered_beyond_it(reader: CommitReader) -> None:
    reader.feed(ndjson(HEADER))
    reader.feed(b"x" * LINE_BYTES_MAX)

    with pytest.raises(LineTooLong) as caught:
        reader.feed(b"x")

    assert caught.value.facts["line"] == 2


def test_a_whole_line_over_the_limit_is_refused_too(reader: CommitReader) -> None:
    with pytest.raises(LineTooLong):
        reader.feed(b" " * (LINE_BYTES_MAX + 1) + b"\n")


def test_a_commit_has_a_number_of_changes(reader: CommitReader) -> None:
    lines = json.dumps({"key": "deletedFile", "value": {"path": "a"}}).encode() + b"\n"
    reader.feed(ndjson(HEADER) + lines * CHANGES_MAX)

    with pytest.raises(TooManyChanges):
        reader.feed(lines)


def test_the_older_form_is_one_object(spool: Spool) -> None:
    body = {
        "summary": "old",
        "files": [{"path": "a", "content": "QQ==", "encoding": "base64"}],
        "lfsFiles": [{"path": "b", "oid": "0" * 64}],
        "deletedFiles": [{"path": "c"}],
        "deletedFolders": [{"path": "d/"}],
    }

    draft, contents = read(spool, json.dumps(body, indent=1).encode(), whole=True)

    assert draft.summary == "old"
    assert contents == [b"A"]
    assert [change.path for change in draft.changes] == list("abcd")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"files": 1}', b'{"files": [{"path": "a"}]}', b'{"parentCommit": "x"}']
)
def test_the_older_form_must_have_its_shape(spool: Spool, body: bytes) -> None:
    with pytest.raises(BadCommitBody):
        read(spool, body, whole=True)


names = st.text("abcdef中/. -%#", min_size=1, max_size=12)
contents_of = st.binary(max_size=200)
changes_of = st.lists(st.tuples(names, contents_of), max_size=8)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes_of, sizes=st.lists(st.integers(1, 50), max_size=40))
def test_pieces_do_not_matter(spool: Spool, changes, sizes) -> None:
    body = ndjson(HEADER, *(file(f"f{i}/x", data) for i, (_, data) in enumerate(changes)))
    cuts = [0]
    for size in sizes:
        cuts.append(min(cuts[-1] + size, len(body)))

    pieces = [body[a:b] for a, b in zip([*cuts], [*cuts[1:], len(body)], strict=True)]

    assert read(spool, *pieces)[1] == [data for _, data in changes]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([ndjson(HEADER), ndjson(gone("a")), b"{}", b"\n"]),
            st.tuples(names, contents_of).map(
                lambda p: ndjson(
                    ("file", {"path": p[0], "content": base64.b64encode(p[1]).decode()})
                )
            ),
        ),
        max_size=8,
    )
)
def test_whatever_arrives_is_read_or_refused(spool: Spool, lines) -> None:
    try:
        draft, _ = read(spool, b"".join(lines))
    except Refusal as refusal:
        assert refusal.code.startswith(("wire.", "hub."))
    else:
        assert isinstance(draft, CommitDraft)
