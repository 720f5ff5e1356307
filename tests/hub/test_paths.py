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
        *("x" * 255, "中" * 85, "a..b", "a b/ c", "caché/.cachet"),
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
        ),
    ],
)
def test_bad_names_are_refused(path: str) -> None:
    with pytest.raises(BadPath):
        check_path(path)


@given(st.text(max_size=60))
def test_what_passes_has_no_dangerous_segment(path: str) -> None:
    try:
        check_path(path)
    except BadPath:
        return
    assert not {"", ".", "..", ".git", ".cache"} & set(path.lower().split("/"))
    assert "\\" not in path
    assert "\0" not in path
