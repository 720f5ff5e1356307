"""What may be stored is what every client can pull."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.hub.paths import BadPath, check_path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "a",
            "模型/权重 v2.bin",
            "100%.txt",
            "a#b",
            "a+b",
            ".gitattributes",
            ".github/x",
            "a.git",
        ),
        *("x" * 255, "中" * 85, "a..b", "a b/ c", "caché/.cachet", "git~a", "git~1.txt", "agit~1"),
    ],
)
def test_good_names_pass(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/a",
            "a//b",
            "a/",
            "..",
            "a/../b",
            ".",
            "a/./b",
            ".git",
            "x/.GIT/config",
            "a/.cache/b",
        ),
        *("git~1", ".git ", ".git.", ".g\u200cit", "C:", "C:x", "a/d:b", "a\\b", "..\\x", "a\0b"),
        *(
            "a\nb",
            "a\x7f",
            "x" * 256,
            "中" * 86,
            "a/" * 101 + "b",
            "\ud800",
            ".git::$INDEX_ALLOCATION",
            "git~2/config",
            "GIT~12",
        ),
    ],
)
def test_bad_names_are_refused(path: str) -> None:
    with pytest.raises(BadPath):
        check_path(path)


@pytest.mark.parametrize("point", [*range(0x200C, 0x2010), *range(0x202A, 0x202F), 0xFEFF])
def test_no_code_point_that_a_mac_passes_over_hides_git(point: int) -> None:
    for more in (point, 0x206A + point % 6):
        with pytest.raises(BadPath):
            check_path(f"x/.g{chr(more)}it/config")


@pytest.mark.parametrize("point", [0x80, 0x85, 0x9B, 0x9F])
def test_second_control_characters_are_refused_as_the_first(point: int) -> None:
    with pytest.raises(BadPath):
        check_path(f"a{chr(point)}31m")


@given(st.text(max_size=60))
def test_what_passes_has_no_dangerous_segment(path: str) -> None:
    try:
        check_path(path)
    except BadPath:
        return
    assert not {"", ".", "..", ".git", ".cache"} & set(path.lower().split("/"))
    assert "\\" not in path
    assert "\0" not in path
