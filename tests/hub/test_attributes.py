"""Our reading of ``.gitattributes`` is Git's."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from jishi.hub.attributes import DEFAULT, LFS, LargeRules, ignore_rules, looks_binary, track

PIECES = st.sampled_from(
    ["*", "**", "?", "a", "b", ".bin", "/", "/", "[ab]", "[!a]", "[a-c]", "\\*", "中", " ", "x.y"]
)
PATHS = [
    "a",
    "b",
    "ab",
    "a.bin",
    "a/b",
    "a/b.bin",
    "x.y",
    "中",
    "中/a",
    "a/a/b",
    "b/a.bin",
    "*",
    "a b",
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("attributes")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def ask_git(folder, text: str, paths: list[str]) -> list[bool]:
    (folder / ".gitattributes").write_bytes(text.encode())
    command = ["git", "-C", str(folder), "check-attr", "-z", "--stdin", "filter"]
    asked = "\0".join(paths).encode() + b"\0"
    answer = subprocess.run(command, input=asked, capture_output=True, check=True).stdout
    return [value == b"lfs" for value in answer.split(b"\0")[2::3]]


def quoted(pattern: str) -> str:
    return '"' + pattern.replace("\\", "\\\\") + '"' if " " in pattern else pattern


@settings(max_examples=150, deadline=None)
@example(["/a**"])
@example(["a/a**", "b**/a.bin"])
@given(st.lists(st.lists(PIECES, min_size=1, max_size=5).map("".join), min_size=1, max_size=3))
def test_patterns_match_as_git_says(checkout, patterns: list[str]) -> None:
    text = "".join(f"{quoted(p)} {LFS}\n" for p in patterns)

    assert [LargeRules(text).match(path) for path in PATHS] == ask_git(checkout, text, PATHS)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_a_tracked_name_is_tracked_for_git_too(checkout, name: str) -> None:
    path = name.replace("/", "_").replace("\\", "_")
    assume(path not in {".", ".."})
    text = track("", [path])

    assert LargeRules(text).match(path)
    assert ask_git(checkout, text, [path]) == [True]


def test_defaults_take_weights_and_leave_text() -> None:
    rules = LargeRules(DEFAULT)

    assert all(map(rules.match, ["a.safetensors", "x/y.gguf", "saved_model/1/v", "z.tar.gz"]))
    assert not any(map(rules.match, ["README.md", "config.json", "a.bin.txt", "tokenizer.json"]))


def test_the_last_line_decides() -> None:
    rules = LargeRules(f"*.bin {LFS}\nsmall.bin -filter\n")

    assert rules.match("a.bin")
    assert not rules.match("small.bin")


def test_nothing_is_tracked_twice() -> None:
    assert track(DEFAULT, ["a.bin"]) == DEFAULT
    assert track(f"x {LFS}", ["y"]) == f"x {LFS}\ny {LFS}\n"


def test_text_is_told_from_bytes_even_when_cut_inside_a_letter() -> None:
    assert not looks_binary("中文".encode()[:-1])
    assert looks_binary(b"ab\0c")
    assert looks_binary(b"\xff\xfe")


def test_ignored_files_are_named_by_the_usual_rules() -> None:
    rules = ignore_rules("*.log\n!keep.log\nbuild/\n")

    assert [rules.match_file(p) for p in ("a.log", "keep.log", "build/x", "src/x")] == [
        *(True, False, True, False)
    ]
