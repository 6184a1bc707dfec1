"""Those who send take turns, and between two turns the event loop reads what has arrived."""

from __future__ import annotations

import asyncio

from bench.server.pace import Pace


async def test_a_few_go_in_each_turn_in_the_order_they_came_and_one_who_left_holds_nobody() -> None:
    pace, went, turns = Pace(2), list[tuple[int, int]](), 0

    async def send(number: int) -> None:
        await pace.turn()
        went.append((turns, number))

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    sending = [asyncio.create_task(send(number)) for number in range(9)]
    await asyncio.sleep(0)
    sending[4].cancel()
    async with asyncio.timeout(10):
        await asyncio.wait(sending)
    counting.cancel()
    assert [number for _, number in went] == [0, 1, 2, 3, 5, 6, 7, 8]
    by_turn = [turn for turn, _ in went]
    assert max(map(by_turn.count, by_turn)) == 2
    await asyncio.wait_for(pace.turn(), 10)
