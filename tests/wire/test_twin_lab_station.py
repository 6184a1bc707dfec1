"""The lab with the real virtual station: a session that only twins and frames touch."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from drivers.sim.bench_files import free_port
from drivers.sim.lab import open_lab
from tests.wire.terminal import Serial

DEADLINE = 10.0
NOW = "2026-01-01T00:00:00Z"
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "interval": 60, "currentTime": NOW},
    "Heartbeat": {"currentTime": NOW},
    "Authorize": ACCEPTED,
    "StartTransaction": ACCEPTED | {"transactionId": 7},
    "StopTransaction": ACCEPTED,
}


class Csms:
    """A CSMS of a few lines that accepts everything."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.paths: list[str] = []

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        try:
            async for text in socket:
                _, message_id, action, payload = json.loads(text)
                await socket.send(json.dumps([3, message_id, ANSWERS.get(action, {})]))
                self.calls.put_nowait((action, payload))
        except ConnectionClosed:
            return

    async def expect(self, action: str, **fields: Any) -> dict[str, Any]:
        """Wait for a CALL with these fields, passing over others."""
        async with asyncio.timeout(DEADLINE):
            while True:
                got, payload = await self.calls.get()
                if got == action and fields.items() <= payload.items():
                    return payload


@asynccontextmanager
async def csms_on(port: int) -> AsyncIterator[Csms]:
    csms = Csms()
    async with serve(csms.serve, "127.0.0.1", port, subprotocols=[Subprotocol("ocpp1.6")]):
        yield csms


async def test_a_session_and_a_power_cut(tmp_path: Path) -> None:
    port = free_port()
    async with (
        csms_on(port) as csms,
        open_lab(tmp_path, csms=f"ws://127.0.0.1:{port}/ocpp") as lab,
        httpx.AsyncClient(timeout=DEADLINE) as mains,
    ):
        await csms.expect("BootNotification", chargePointVendor="Pilotbench")
        await csms.expect("StatusNotification", connectorId=2, status="Available")
        assert csms.paths == ["/ocpp/PB-0001"]

        connector = lab.world.connectors[1]
        boards = lab.twins["pilot-box"].device.boards
        faults = lab.twins["pilot-box"].faults
        boards[2].answer(bytes.fromhex("05 0002 FF00"), faults)
        boards[1].answer(bytes.fromhex("0F 0000 0008 01 83"), faults)
        await csms.expect("StatusNotification", connectorId=1, status="Preparing")

        fingers = Serial(lab.twins["card-changer"].link)
        fingers.write(bytes.fromhex("84 00 40 3E"))
        await csms.expect("Authorize", idTag="04A1B2C3D4E5F6")
        started = await csms.expect("StartTransaction", connectorId=1, idTag="04A1B2C3D4E5F6")
        assert started["meterStart"] == 1234
        fingers.close()

        boards[1].answer(bytes.fromhex("05 0002 FF00"), faults)
        await csms.expect("StatusNotification", connectorId=1, status="Charging")
        assert connector.locked
        assert connector.levels().duty > 50
        flows = [16 * 230] * 3
        await lab.world.until(lambda: list(lab.world.supply().power) == flows, within=DEADLINE)

        # Relay r4 in place of r3: the vehicle wants ventilation, which this station has not.
        boards[1].answer(bytes.fromhex("0F 0000 0008 01 8B"), faults)
        reported = await csms.expect("StatusNotification", connectorId=1, status="SuspendedEVSE")
        assert reported["info"] == "no ventilation"
        assert (connector.pilot_state(), connector.levels().pwm) == ("D", False)
        await lab.world.until(lambda: not connector.contactor_closed, within=DEADLINE)
        assert list(lab.world.supply().power) == [0.0] * 3
        boards[1].answer(bytes.fromhex("0F 0000 0008 01 87"), faults)
        await csms.expect("StatusNotification", connectorId=1, status="Charging")
        await lab.world.until(lambda: list(lab.world.supply().power) == flows, within=DEADLINE)

        url = f"{lab.twins['mains'].link}/netio.json"
        await mains.post(url, json={"Outputs": [{"ID": 1, "Action": 2, "Delay": 200}]})
        await csms.expect("BootNotification")
        stopped = await csms.expect("StopTransaction", transactionId=7, reason="PowerLoss")
        assert stopped["meterStop"] >= started["meterStart"]
        assert len(csms.paths) == 2
    assert not lab.world.connectors[1].contactor_closed


async def test_the_station_keeps_trying_to_reach_the_bench(tmp_path: Path) -> None:
    knocks: asyncio.Queue[None] = asyncio.Queue()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocks.put_nowait(None)
        writer.close()

    async with open_lab(tmp_path) as lab:
        document = tomllib.loads(lab.bench_file.read_text("utf-8"))
        port = int(document["ocpp"]["listen"].rpartition(":")[2])
        async with await asyncio.start_server(hang_up, "127.0.0.1", port):
            async with asyncio.timeout(DEADLINE):
                await knocks.get()
                await knocks.get()
        async with csms_on(port) as csms:
            await csms.expect("BootNotification")


async def test_a_named_defect_reaches_the_station(tmp_path: Path) -> None:
    port = free_port()
    defects = ["connector-zero-not-reported"]
    async with (
        csms_on(port) as csms,
        open_lab(tmp_path, csms=f"ws://127.0.0.1:{port}/ocpp", defects=defects),
        asyncio.timeout(DEADLINE),
    ):
        reported = []
        while 2 not in reported:
            _, payload = await csms.calls.get()
            reported.append(payload.get("connectorId"))
    assert 0 not in reported
