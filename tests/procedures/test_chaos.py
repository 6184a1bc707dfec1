"""Stations that break whatever can be broken: every case ends, and not by an error of ours.

What is broken follows from the seed, so that a failure can be repeated.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from bench.ocpp.frame import Call, CallError, CallResult
from bench.report import write_all
from bench.verify import verify
from drivers.sim.simulated_bench import open_bench
from stations.connection import Connection

CASES = (
    "TC_001_CS",
    "TC_003_CS",
    "TC_012_CS",
    "TC_019_CS",
    "TC_036_CS",
    "TC_039_CS",
    "TC_044_1_CS",
    "TC_070_CS",
)
JUNK = (
    "",
    "[2]",
    "{}",
    '[3,"nobody asked",{}]',
    '[4,"x"]',
    '[2,"a","Heartbeat",[]]',
    '[2,"b","StartTransaction",{"connectorId":1,"idTag":[],"meterStart":"1"}]',
    '[2,"c","BootNotification",{}]',
    b"\x00\xff",
)
WRONG: tuple[Any, ...] = (None, True, -1, 1.5, 10**30, "", "x" * 99, [], [None], {}, [{"a": 1}])

Frame = Call | CallResult | CallError
Send = Callable[[Connection, ClientConnection, Frame], Any]


def spoilt(value: Any, chance: random.Random, often: float) -> Any:
    """Replace or leave out parts of a payload."""
    if chance.random() < often:
        return chance.choice(WRONG)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if chance.random() > often / 2}
        return {name: spoilt(one, chance, often) for name, one in kept.items()}
    if isinstance(value, list):
        return [spoilt(one, chance, often) for one in value]
    return value


def unruly(send: Send, seed: int, often: float) -> Send:
    """Let a station lose, repeat, delay and garble messages, and hang up."""
    chance = random.Random(seed)

    async def unruly_send(self: Connection, socket: ClientConnection, frame: Frame) -> None:
        if not isinstance(frame, CallError):
            payload = spoilt(frame.payload, chance, often / 4)
            frame = replace(frame, payload=payload if isinstance(payload, dict) else {})
        match chance.random() // often:
            case 0:
                return
            case 1:
                for _ in range(chance.choice((1, 200))):
                    await socket.send(chance.choice(JUNK))
            case 2:
                for _ in range(chance.choice((1, 200))):
                    await send(self, socket, frame)
            case 3:
                await asyncio.sleep(chance.choice((0.1, 3.0, 60.0)))
            case 4:
                socket.transport.abort()
            case 5:
                await socket.close(chance.choice((1000, 1002, 4000)))
        await send(self, socket, frame)

    return unruly_send


@pytest.mark.parametrize(("seed", "often"), [(1, 0.002), (13, 0.01)])
async def test_an_unruly_station_ends_every_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, often: float
) -> None:
    monkeypatch.setattr(Connection, "_send", unruly(Connection._send, seed, often))
    late = ["remote-stop-answered-late"]  # so that answers are due whenever the connection ends
    async with open_bench(tmp_path, defects=late) as bench:
        result = await bench.run(*CASES)
        write_all(result.folder)
        assert (result.complete, result.reason) == (True, None)
        ended = bench.ended()
        assert set(ended) == set(CASES)
        assert [(one.case, one.reason) for one in ended.values() if one.verdict == "error"] == []
        assert verify(result.folder).faults == ()
        assert bench.lab.world.connectors[1].pilot_state() == "A"
