"""Who works on a shard when: one at a time, and nobody twice before the others once."""

from __future__ import annotations

import asyncio

from jishi.xet.depot import FairTurns


def test_one_works_at_a_time_and_people_alternate() -> None:
    """Three shards of Lin's stand in line before Maya's one; she waits for one turn."""
    turns = FairTurns()
    order: list[str] = []
    inside = 0

    async def work(person: str, name: str) -> None:
        nonlocal inside
        for _ in range(3):
            async with turns.turn_of(person):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                order.append(name)
                inside -= 1

    async def run() -> None:
        async with asyncio.TaskGroup() as together:
            for number in range(3):
                together.create_task(work("lin", f"lin {number}"))
            together.create_task(work("maya", "maya"))

    asyncio.run(run())

    assert len(order) == 12
    assert [place for place, name in enumerate(order) if name == "maya"] == [1, 3, 5]


def test_whoever_leaves_the_line_keeps_nobody_waiting() -> None:
    turns = FairTurns()

    async def run() -> None:
        async with turns.turn_of("lin"):
            for person in ("lin", "maya"):
                waiting = asyncio.create_task(turns.turn_of(person).__aenter__())
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(1), turns.turn_of("lin"):
            pass
        async with asyncio.timeout(1), turns.turn_of("maya"):
            pass

    asyncio.run(run())
