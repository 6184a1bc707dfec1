"""The dialogue itself, with a connection that tests hold in their hand."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bench.clock import now
from bench.errors import CheckFailed
from bench.ocpp import v16
from tests.engine.support import IDENTITY, rig


class SlowReader:
    """A connection whose peer takes no answer until it is let."""

    number = 1
    unread = 0

    def __init__(self) -> None:
        self.reads = asyncio.Event()

    async def send(self, text: str) -> None:
        await self.reads.wait()

    async def close(self, code: int, reason: str) -> None:
        pass


async def test_a_message_that_came_in_time_counts_though_its_answer_takes_longer() -> None:
    async with rig() as csms, asyncio.TaskGroup() as tasks:
        connection = SlowReader()
        await csms.dialogue.opened(connection, identity=IDENTITY, path="", remote="", offered=[])
        csms.judge.step()
        text = '[2,"a","Heartbeat",{}]'
        taking = csms.dialogue.received(connection, text, now(), lambda _: None)
        tasks.create_task(taking)
        expecting = tasks.create_task(csms.station.expect(v16.Heartbeat(), within=0.01))
        asyncio.get_running_loop().call_later(0.03, connection.reads.set)
        assert (await expecting).n > 0


@pytest.mark.parametrize("wanted", ["expect", "expect_none", "may_come"])
async def test_a_station_that_never_stops_talking_holds_no_deadline(wanted: str) -> None:
    async with rig() as csms, asyncio.TaskGroup() as tasks:
        connection = SlowReader()
        connection.reads.set()
        await csms.dialogue.opened(connection, identity=IDENTITY, path="", remote="", offered=[])
        csms.judge.step()

        async def chat() -> None:
            for n in itertools.count():
                text = f'[2,"{n}","Heartbeat",{{}}]'
                await csms.dialogue.received(connection, text, now(), lambda _: None)
                await asyncio.sleep(0)

        chatting = tasks.create_task(chat())
        awaited = v16.StartTransaction()
        async with asyncio.timeout(20):
            match wanted:
                case "expect":
                    with pytest.raises(CheckFailed, match="did not come within"):
                        await csms.station.expect(awaited, within=0.05)
                case "expect_none":
                    await csms.station.expect_none(awaited, during=0.05)
                case _:
                    assert await csms.station.may_come(awaited, within=0.05) is None
        chatting.cancel()
