"""Documents rendered by children: bounded, replaceable, and gone with their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jishi.http.highlight import plain_lines
from jishi.http.markdown import Place, render_markdown
from jishi.http.renderer import CardJob, CodeJob, read_answer
from jishi.http.rendering import WAITING_MAX, TooBusy, Workers, colour_lines, render_card, workers

PLACE = Place("/a/b/blob/main", "/a/b/resolve/main")
SLOW = "=" * 60_000
"""A line that takes Pygments' lexer for ``ini`` half a minute."""


def wait_for(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) >> 10


def test_a_child_renders_what_we_would() -> None:
    source = "---\na: b\n---\n# A\n```python\nx = 1\n```\n$x^2$\n\n> [!NOTE]\n> b\n"

    html, is_final = asyncio.run(render_card(source, PLACE, "zh-Hans"))

    assert (html, is_final) == (render_markdown(source, PLACE, "zh-Hans"), True)


def test_a_child_colours_code() -> None:
    lines, is_final = asyncio.run(colour_lines("x = 1\n<b>\n", "python"))

    assert [is_final, len(lines)] == [True, 2]
    assert "hl-" in lines[0]
    assert "&lt;" in lines[1]


def test_code_that_takes_too_long_is_plain_and_nobody_else_waits() -> None:
    """It held the loop for 9 s, and the watch was not looked at within one token."""
    slowest = 0.0

    async def watch() -> None:
        nonlocal slowest
        while True:
            start = time.monotonic()
            await asyncio.sleep(0.01)
            slowest = max(slowest, time.monotonic() - start)

    async def colour() -> bytes | None:
        watcher = asyncio.create_task(watch())
        kept = Workers(seconds_max=1)
        await kept.ask(CodeJob("a=1", "ini"))
        answer = await kept.ask(CodeJob(SLOW, "ini"))
        watcher.cancel()
        return answer

    assert asyncio.run(colour()) is None
    assert slowest < 1


def test_a_document_that_takes_too_long_is_shown_as_its_text_with_a_note(monkeypatch) -> None:
    monkeypatch.setattr("jishi.http.rendering.workers", Workers(seconds_max=0.5))
    source = f"<b>\n\n```ini\n{SLOW}\n```\n"

    html, is_final = asyncio.run(render_card(source, PLACE, "en"))

    assert html.startswith("<p><em>This document could not be rendered")
    assert "&lt;b&gt;" in html
    assert is_final


def test_a_child_takes_no_more_memory_than_it_may() -> None:
    kept = Workers(seconds_max=20)
    asyncio.run(kept.ask(CodeJob("x", "ini")))
    (pid,) = kept.children

    limits = Path(f"/proc/{pid}/limits").read_text()

    assert "Max address space         419430400" in limits
    assert megabytes(pid) < 60


def test_a_killed_child_is_replaced_and_buried() -> None:
    kept = Workers()
    asyncio.run(kept.ask(CodeJob("x", "ini")))
    (pid,) = kept.children

    os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(pid))
    answer = asyncio.run(kept.ask(CodeJob("y", "ini")))

    assert read_answer(answer, list[str]) == ['<span class="hl-na">y</span>']
    assert kept.children != [pid]
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_without_work_ends() -> None:
    kept = Workers(idle_seconds=0.2)
    asyncio.run(kept.ask(CodeJob("x", "ini")))
    (pid,) = kept.children

    assert wait_for(lambda: not Path(f"/proc/{pid}").exists())
    assert asyncio.run(kept.ask(CodeJob("x", "ini"))) is not None


def test_two_documents_do_not_wait_for_each_other() -> None:
    kept = Workers(seconds_max=8)

    async def both() -> float:
        slow = asyncio.create_task(kept.ask(CodeJob(SLOW, "ini")))
        await asyncio.sleep(0)
        await kept.ask(CodeJob("x", "ini"))
        is_done = slow.done()
        slow.cancel()
        return is_done

    assert not asyncio.run(both())
    for pid in kept.children:
        os.kill(pid, signal.SIGKILL)


def test_a_full_line_is_refused() -> None:
    kept = Workers(seconds_max=1)

    async def crowd() -> list[object]:
        jobs = [CardJob(f"{n}", PLACE, "en") for n in range(WAITING_MAX * 3)]
        return await asyncio.gather(*(kept.ask(job) for job in jobs), return_exceptions=True)

    answers = asyncio.run(crowd())

    assert any(isinstance(answer, TooBusy) for answer in answers)
    assert sum(isinstance(answer, bytes) for answer in answers) >= WAITING_MAX


PARENT = """
import asyncio, sys, time
from jishi.http.renderer import CodeJob
from jishi.http.rendering import Workers
kept = Workers(seconds_max=60)
asyncio.run(kept.ask(CodeJob("x", "ini")))
print(*kept.children, flush=True)
if sys.argv[1] == "busy":
    async def work():
        await kept.ask(CodeJob("=" * 200_000, "ini"))
    asyncio.run(work())
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_child_ends_with_a_parent_that_was_killed(state: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, state], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)

    time.sleep(0.3)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_for(lambda: not is_alive(pid))


def test_nothing_is_started_for_code_without_a_language() -> None:
    before = workers.children

    assert asyncio.run(colour_lines("<b>", ""))[0] == plain_lines("<b>")
    assert workers.children == before


def test_a_child_that_cannot_be_started_says_nothing_of_the_document(monkeypatch) -> None:
    monkeypatch.setattr("jishi.http.rendering.workers", Workers())
    monkeypatch.setattr("jishi.http.rendering.sys.executable", "/nowhere/python")

    html, is_final = asyncio.run(render_card("# Hi", PLACE, "en"))

    assert "# Hi" in html
    assert not is_final
