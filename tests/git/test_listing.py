"""Questions about refs are read as pkt-lines, whatever strangers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.git.refs import Ref
from jishi.git.smart import BadRequest, is_listing, listing
from jishi.git.smart.listing import Question, answer, read_question
from jishi.git.smart.packets import DELIMITER, FLUSH, packet, split

A, B = "a" * 40, "b" * 40
REFS = {"refs/heads/main": Ref(A, None), "refs/tags/v1": Ref(B, A)}
COMMAND = packet(b"command=ls-refs\n") + packet(b"agent=git/2.39.5") + DELIMITER


def ask(*lines: bytes) -> bytes:
    return COMMAND + b"".join(map(packet, lines)) + FLUSH


@given(st.binary(max_size=200))
def test_any_bytes_are_a_question_or_are_refused(body) -> None:
    assert is_listing(body) in (True, False)
    try:
        read_question(body)
    except BadRequest:
        return


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda line: line[-1:] != b"\n")))
def test_lines_come_back_as_they_were_packed(lines) -> None:
    assert list(split(b"".join(map(packet, lines)) + FLUSH)) == lines


@given(st.integers(0, 60))
def test_a_question_that_is_cut_is_refused(count) -> None:
    whole = ask(b"peel\n", b"symrefs\n", b"ref-prefix refs/heads/")

    with pytest.raises(BadRequest):
        read_question(whole[: min(count, len(whole) - 1)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"zzzz",
        b"0003",
        b"-001",
        b"+005x",
        b"fffe" + bytes(10),
        b"00 5x0000",
        ask(b"ref-prefixed x"),
        ask(b"peel", b"nonsense"),
        ask(b"peel x"),
        ask(b""),
        packet(b"command=ls-refs") + packet(b"object-format=sha256") + DELIMITER + FLUSH,
    ],
)
def test_what_is_no_question_is_refused(body) -> None:
    with pytest.raises(BadRequest):
        read_question(body)


def test_a_question_is_read_whole() -> None:
    asked = read_question(ask(b"peel\n", b"symrefs\n", b"unborn\n", b"ref-prefix HEAD\n"))

    assert asked == Question((b"HEAD",), peel=True, symrefs=True, unborn=True)


def test_too_many_prefixes_mean_all_refs(monkeypatch) -> None:
    monkeypatch.setattr(listing, "PREFIXES_MAX", 3)

    assert read_question(ask(*[b"ref-prefix x"] * 3)).prefixes == ()


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (ask(), True),
        (packet(b"agent=x") + packet(b"command=ls-refs") + FLUSH, True),
        (packet(b"command=fetch") + DELIMITER + packet(b"command=ls-refs") + FLUSH, False),
        (packet(b"agent=x") + DELIMITER + packet(b"command=ls-refs") + FLUSH, False),
        (packet(b"command=ls-refsx") + FLUSH, False),
        (FLUSH, False),
    ],
)
def test_only_the_command_makes_it_a_question_about_refs(body, is_one) -> None:
    assert is_listing(body) is is_one


@pytest.mark.parametrize(
    ("question", "want"),
    [
        (Question(), [f"{A} HEAD", f"{A} refs/heads/main", f"{B} refs/tags/v1"]),
        (Question((b"refs/t",)), [f"{B} refs/tags/v1"]),
        (Question((b"refs/t",), peel=True), [f"{B} refs/tags/v1 peeled:{A}"]),
        (Question((b"HE",), symrefs=True), [f"{A} HEAD symref-target:refs/heads/main"]),
        (Question((b"none",)), []),
    ],
)
def test_an_answer_holds_what_was_asked_for(question, want) -> None:
    said = answer(question, REFS, "refs/heads/main")

    assert said == b"".join(packet(f"{line}\n".encode()) for line in want) + FLUSH


@pytest.mark.parametrize(
    ("question", "want"),
    [
        (Question(), b""),
        (Question(unborn=True), b""),
        (Question(symrefs=True, unborn=True), b"unborn HEAD symref-target:refs/heads/main\n"),
    ],
)
def test_a_head_without_a_commit_is_said_to_be_unborn(question, want) -> None:
    said = answer(question, {}, "refs/heads/main")

    assert said == (packet(want) if want else b"") + FLUSH
