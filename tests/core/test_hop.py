"""Lines for long work."""

from __future__ import annotations

import asyncio

import pytest

from jishi.core.hop import Turns


def test_no_more_than_allowed_are_in_at_once() -> None:
    turns = Turns(2)
    inside: list[int] = []
    most: list[int] = []

    async def work(number: int) -> None:
        async with turns:
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0.001)
            inside.remove(number)

    async def together() -> None:
        await asyncio.gather(*(work(number) for number in range(9)))

    asyncio.run(together())

    assert len(most) == 9
    assert max(most) == 2


def test_whoever_breaks_or_gives_up_lets_the_next_one_in() -> None:
    turns = Turns(1)

    async def fail(turns: Turns, error: type[BaseException]) -> None:
        async with turns:
            raise error

    async def story() -> None:
        for error in (ValueError, asyncio.CancelledError):
            with pytest.raises(error):
                await fail(turns, error)
        async with asyncio.timeout(1), turns:
            pass

    asyncio.run(story())
