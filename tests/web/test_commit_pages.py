"""What a commit changed, as a page shows it, whatever the lines are made of."""

from __future__ import annotations

import random
import re
import time

from tests.web.conftest import Visitor


def _read_newest(visitor: Visitor) -> str:
    history = visitor.get("/lin/silk/commits/main").text
    link = re.search(r'href="(/lin/silk/commit/[0-9a-f]{40})"', history)
    assert link is not None
    start = time.process_time()
    text: str = visitor.get(link[1]).text
    assert time.process_time() - start < 2
    return text


def test_lines_without_end_of_signs_are_not_compared(put, visitor: Visitor) -> None:
    """Each line of 500 signs took 30 ms, on the loop, before anybody counted them."""
    draw = random.Random(1)
    for title in ("", "Change"):
        signs = "".join("".join(draw.choices("-.", k=495)) + "\n" for _ in range(190))
        put("lin/silk", {"signs.txt": signs, "few.txt": f"a = {draw.random()}\n"}, title=title)

    text = _read_newest(visitor)

    assert text.count('<tr class="add">') == 191
    assert text.count('<ins class="w">') == 1


def test_marks_within_lines_are_bounded_on_a_page(put, visitor: Visitor) -> None:
    line = "a b " * 20
    put("lin/silk", {"a.txt": f"{line}\n" * 900})
    put("lin/silk", {"a.txt": f"{line}c\n" * 900}, title="Change")

    text = _read_newest(visitor)

    assert text.count('<tr class="add">') == 900
    assert 100 < text.count('<ins class="w">') < 200
