"""Values a process keeps in mind: bounded, the longest unused go first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from jishi.core.recent import Recent


def test_what_was_put_is_found_and_nothing_else() -> None:
    recent = Recent[bytes](10, len)
    recent.put("a", b"123")

    assert recent.find("a") == b"123"
    assert recent.find("b") is None
    assert recent.taken == 3


def test_the_longest_unused_make_room() -> None:
    recent = Recent[bytes](10, len)
    for key in "abc":
        recent.put(key, b"123")
    recent.find("a")

    recent.put("d", b"123")

    assert [key for key in "abcd" if recent.find(key)] == ["a", "c", "d"]
    assert recent.taken == 9


def test_what_is_too_heavy_is_not_kept() -> None:
    recent = Recent[bytes](10, len)

    assert recent.get("a", lambda: b"x" * 11) == b"x" * 11
    assert recent.find("a") is None
    assert recent.taken == 0


def test_a_value_is_made_once_and_stays() -> None:
    recent = Recent[bytes](10, len)
    recent.get("a", lambda: b"1")
    recent.put("a", b"2")

    assert recent.get("a", lambda: b"3") == b"1"
    assert recent.taken == 1


def test_many_threads_keep_the_weight_right() -> None:
    recent = Recent[bytes](50, len)

    with ThreadPoolExecutor(4) as pool:
        for number in range(2000):
            pool.submit(recent.get, number % 70, lambda: b"x")

    assert recent.taken == sum(recent.find(key) is not None for key in range(70)) <= 50
