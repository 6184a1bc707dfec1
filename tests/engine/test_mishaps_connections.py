"""A connection that is lost, or doubled, in the middle of a case."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bench.capability import NetworkPath
from bench.events import (
    CaseEnded,
    FrameReceived,
    FrameSent,
    StationConnected,
    StationDisconnected,
    StationRefused,
    StepStarted,
)
from bench.procedure import Need
from tests.engine.meanwhile import check_sound, happened, meanwhile
from tests.procedures.simulated import Simulated, simulated

DEADLINE = 10.0
OWN, OTHER = "/ocpp/PB-0001", "/other/PB-0001"
BOOT = [2, "b1", "BootNotification", {"chargePointVendor": "X", "chargePointModel": "Y"}]


def waits(step: StepStarted) -> bool:
    """Tell whether the case now waits for what must not come."""
    return step.title == "No transaction starts"


async def reset_connection(bench: Simulated) -> None:
    """Reset the station's TCP connection and let it come back."""
    path = bench.session.bench.hand_out(Need("path", NetworkPath), 1)
    await path.cut()
    await path.restore()


async def intrude(
    bench: Simulated, *frames: object, identity: str = "PB-0001", subprotocol: str = "ocpp1.6"
) -> list[object]:
    """Connect as a station, send frames, stay until the engine ends it; return the answers."""
    url = f"ws://{bench.session.listening_at}/other/{identity}"
    offered = [Subprotocol(subprotocol)]
    answers: list[object] = []
    # How it ends is recorded by the engine.
    with contextlib.suppress(WebSocketException):
        async with (
            asyncio.timeout(DEADLINE),
            connect(url, subprotocols=offered, ping_interval=None) as socket,
        ):
            for frame in frames:
                await socket.send(json.dumps(frame))
            async for answer in socket:
                answers.append(json.loads(answer))
    return answers


async def test_a_case_goes_on_when_the_station_reconnects(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        async with meanwhile(bench, StepStarted, waits, lambda: reset_connection(bench)):
            result = await bench.run("TC_023_CS")
        (end,) = happened(bench, CaseEnded)
        assert (end.verdict, end.reason) == ("pass", None)
        first, second = happened(bench, StationConnected)
        assert second.connection > first.connection
        lost, _ = happened(bench, StationDisconnected)
        assert lost.connection == first.connection
        assert lost.reason == "the TCP connection was lost without a close frame"
        check_sound(result)


async def test_the_newest_of_two_connections_counts(tmp_path: Path) -> None:
    """Another client with the station's id takes over; the station comes back and takes over."""
    async with simulated(tmp_path) as bench:
        answers: list[object] = []

        async def doubled() -> None:
            answers.extend(await intrude(bench, [2, "h1", "Heartbeat", {}]))

        async with meanwhile(bench, StepStarted, waits, doubled):
            result = await bench.run("TC_023_CS")
        (end,) = happened(bench, CaseEnded)
        assert (end.verdict, end.reason) == ("pass", None)
        connections = happened(bench, StationConnected)
        assert [one.path for one in connections] == [OWN, OTHER, OWN]
        gone = {one.connection: one.reason for one in happened(bench, StationDisconnected)}
        assert list(gone) == [one.connection for one in connections]
        assert gone[1].endswith("replaced by a newer connection of the same identity")
        assert gone[2].endswith("replaced by a newer connection of the same identity")
        # What the other one said is recorded under its own connection, and was answered.
        (heard,) = [one for one in happened(bench, FrameReceived) if one.connection == 2]
        assert json.loads(heard.text or "") == [2, "h1", "Heartbeat", {}]
        assert [answer[:2] for answer in answers if isinstance(answer, list)] == [[3, "h1"]]
        check_sound(result)


async def test_a_doubled_station_that_boots_fails_the_case_by_name(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        async with meanwhile(bench, StepStarted, waits, lambda: intrude(bench, BOOT)):
            result = await bench.run("TC_023_CS")
        (end,) = happened(bench, CaseEnded)
        assert end.verdict == "fail"
        assert end.reason is not None
        assert end.reason.startswith("the DUT restarted unasked: BootNotification(")
        check_sound(result)


@pytest.mark.parametrize(
    ("mishap", "cause"),
    [
        (reset_connection, "the connection was closed"),
        (intrude, "the DUT opened another connection"),
    ],
)
async def test_a_call_whose_connection_is_gone_fails_by_name(
    tmp_path: Path, mishap: Callable[[Simulated], Awaitable[object]], cause: str
) -> None:
    def asked(frame: FrameSent) -> bool:
        return '"RemoteStopTransaction"' in frame.text

    async with simulated(tmp_path, defects=["remote-stop-answered-late"]) as bench:
        async with meanwhile(bench, FrameSent, asked, lambda: mishap(bench)):
            result = await bench.run("TC_012_CS")
        (end,) = happened(bench, CaseEnded)
        assert end.verdict == "fail"
        assert end.reason == f"RemoteStopTransaction was not answered: {cause}"
        check_sound(result)


async def test_strangers_do_not_disturb_a_case(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:

        async def visits() -> None:
            await intrude(bench, identity="PB-0002")
            await intrude(bench, subprotocol="ocpp2.0.1")

        async with meanwhile(bench, StepStarted, waits, visits):
            result = await bench.run("TC_023_CS")
        (end,) = happened(bench, CaseEnded)
        assert end.verdict == "pass"
        assert len(happened(bench, StationConnected)) == 1
        assert [refused.reason for refused in happened(bench, StationRefused)] == [
            "charge point id 'PB-0002', expected 'PB-0001'",
            "subprotocol ocpp2.0.1 offered, expected ocpp1.6",
        ]
        check_sound(result)
