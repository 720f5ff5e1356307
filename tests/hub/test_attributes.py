"""Our reading of ``.gitattributes`` is Git's."""

from __future__ import annotations

import subprocess
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from jishi.hub.attributes import DEFAULT, LFS, IgnoreRules, LargeRules, looks_binary, track

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
    rules = IgnoreRules("*.log\n!keep.log\nbuild/\n")

    assert [rules.match(p) for p in ("a.log", "keep.log", "build/x", "src/x", "build")] == [
        *(True, False, True, False, False)
    ]


def ask_git_what_is_ignored(folder, text: str, paths: list[str]) -> list[bool]:
    (folder / ".gitignore").write_bytes(text.encode())
    command = ["git", "-C", str(folder), "check-ignore", "--no-index", "-z", "--stdin"]
    asked = "\0".join(paths).encode() + b"\0"
    answer = subprocess.run(command, input=asked, capture_output=True, check=False)
    assert answer.returncode in {0, 1}, answer.stderr
    ignored = set(answer.stdout.decode().split("\0"))
    return [path in ignored for path in paths]


HARD_PIECES = st.sampled_from(
    [
        *(
            "*",
            "**",
            "?",
            "a",
            "b",
            "ab",
            ".bin",
            "/",
            "/",
            "\\*",
            "\\",
            "\\/",
            "中",
            " ",
            "#",
            "!",
        ),
        *(
            "[ab]",
            "[!a]",
            "[^b]",
            "[a-c]",
            "[]a]",
            "[!]a]",
            "[a-]",
            "[-a]",
            "[b-a]",
            "[\\]]",
            "[/]",
        ),
        *("[a", "]", "-", "[[:alpha:]]", "[[:space:]]", "[[:punct:]]", "[[:no:]]", "[:]", "[[:]"),
        *("[a-\\c]", "[[-a]", "[!/]", "[[:digit:]-z]", "[[::]]"),
    ]
)
NAMES = st.text(alphabet="ab.*[]-!# \\中1:", min_size=1, max_size=4)
HARD_PATHS = st.lists(
    st.lists(NAMES.filter(lambda name: name.strip(".") and name.strip()), min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda path: path[0] != ":"),  # check-ignore finds magic in it
    min_size=1,
    max_size=6,
)
HARD_PATTERNS = st.lists(
    st.lists(HARD_PIECES, min_size=1, max_size=7).map("".join), min_size=1, max_size=4
)


@settings(max_examples=200, deadline=None)
@example(["/a**", "!b**/a"], ["a/b"])
@example(["a/*", "!a/b", "x\\ ", "y\\\\  "], ["a/b", "x ", "y\\"])
@example(["a/**/b/**/c", "**/a/**", "**"], ["a/c/b/c", "a/b/c", "a"])
@given(HARD_PATTERNS, HARD_PATHS)
def test_files_are_ignored_as_git_says(checkout, patterns: list[str], paths: list[str]) -> None:
    text = "".join(f"{pattern}\n" for pattern in patterns)
    asked = [*PATHS, *paths]
    rules = IgnoreRules(text)

    assert [rules.match(path) for path in asked] == ask_git_what_is_ignored(checkout, text, asked)


@settings(max_examples=200, deadline=None)
@given(HARD_PATTERNS, HARD_PATHS)
def test_odd_patterns_match_as_git_says(checkout, patterns: list[str], paths: list[str]) -> None:
    lines = [p.replace(" ", "[[:space:]]") for p in patterns if p[0] not in "!#"]
    text = "".join(f"{line} {LFS}\n" for line in lines)
    asked = [*PATHS, *paths]

    assert [LargeRules(text).match(path) for path in asked] == ask_git(checkout, text, asked)


EXPLOSIVE = (
    *("*a" * 30 + "z", "a*" * 30 + "/z", "**/" + "*a" * 30 + "z", "*?" * 40 + "z"),
    *("**/a/" * 30 + "z", "**/*a/" * 30 + "z", "*[a]" * 60 + "z", "[ab]" * 100 + "*b*" * 50 + "z"),
)
EXPLODED = ("a" * 250, "/".join(["a" * 40] * 90), "a/" * 99 + "a", "ab" * 120)


@pytest.mark.parametrize("pattern", EXPLOSIVE, ids=lambda pattern: pattern[:9])
def test_no_pattern_makes_a_match_explode(pattern: str) -> None:
    """Before, five stars took seconds and one more took minutes."""
    start = time.process_time()

    for path in EXPLODED:
        assert not LargeRules(f"{pattern} {LFS}\n").match(path)
        assert not IgnoreRules(f"{pattern}\n").match(path)

    assert time.process_time() - start < 1


def test_a_list_of_patterns_has_an_end() -> None:
    text = "".join(f"*a*b*[c{n % 10}]*{n}x*y {LFS}\n" for n in range(5_000))
    start = time.process_time()

    rules, ignored = LargeRules(text), IgnoreRules(text)
    for n in range(1_000):
        rules.match(f"{'a/' * 90}{'abc' * 50}{n}")
        ignored.match(f"{'a/' * 90}{'abc' * 50}{n}")

    assert time.process_time() - start < 20
