"""A whole session of the virtual station with a CSMS written on the PyPI package ocpp."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from stations.station import VirtualStation
from tests.engine.vstation.rig import VISA, Electronics, settings

WITHIN = 20.0


class CentralSystem(ChargePoint):  # type: ignore[misc]
    """The package's CSMS role: it validates every message by its own schemas."""

    def __init__(self, identity: str, connection: ServerConnection, log: Log) -> None:
        super().__init__(identity, connection)
        self._log = log

    @on("BootNotification")  # type: ignore[untyped-decorator]
    async def on_boot(self, **payload: Any) -> call_result.BootNotification:
        await self._log.add("BootNotification", payload)
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(),
            interval=1,
            status=RegistrationStatus.accepted,
        )

    @on("StatusNotification")  # type: ignore[untyped-decorator]
    async def on_status(self, **payload: Any) -> call_result.StatusNotification:
        await self._log.add("StatusNotification", payload)
        return call_result.StatusNotification()

    @on("Heartbeat")  # type: ignore[untyped-decorator]
    async def on_heartbeat(self) -> call_result.Heartbeat:
        await self._log.add("Heartbeat", {})
        return call_result.Heartbeat(current_time=datetime.now(UTC).isoformat())

    @on("Authorize")  # type: ignore[untyped-decorator]
    async def on_authorize(self, **payload: Any) -> call_result.Authorize:
        await self._log.add("Authorize", payload)
        return call_result.Authorize(id_tag_info={"status": "Accepted"})

    @on("StartTransaction")  # type: ignore[untyped-decorator]
    async def on_start(self, **payload: Any) -> call_result.StartTransaction:
        await self._log.add("StartTransaction", payload)
        return call_result.StartTransaction(
            transaction_id=next(self._log.ids), id_tag_info={"status": "Accepted"}
        )

    @on("StopTransaction")  # type: ignore[untyped-decorator]
    async def on_stop(self, **payload: Any) -> call_result.StopTransaction:
        await self._log.add("StopTransaction", payload)
        return call_result.StopTransaction()

    @on("MeterValues")  # type: ignore[untyped-decorator]
    async def on_meter_values(self, **payload: Any) -> call_result.MeterValues:
        await self._log.add("MeterValues", payload)
        return call_result.MeterValues()


class Log:
    """What came, over all connections."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, Any]]] = []
        self.ids = itertools.count(11)
        self.peer: CentralSystem | None = None
        self._news = asyncio.Condition()

    async def add(self, action: str, payload: dict[str, Any]) -> None:
        async with self._news:
            self.entries.append((action, payload))
            self._news.notify_all()

    async def next(self, action: str, **fields: Any) -> dict[str, Any]:
        """Wait for a message with these fields and forget it."""

        def found() -> tuple[str, dict[str, Any]] | None:
            for entry in self.entries:
                if entry[0] == action and fields.items() <= entry[1].items():
                    return entry
            return None

        async with asyncio.timeout(WITHIN), self._news:
            entry = await self._news.wait_for(found)
            assert entry is not None
            self.entries.remove(entry)
            return entry[1]


async def test_a_whole_session_with_the_ocpp_package() -> None:
    log = Log()

    async def talk(socket: ServerConnection) -> None:
        log.peer = CentralSystem("CP", socket, log)
        with contextlib.suppress(ConnectionClosed):
            await log.peer.start()

    async with serve(
        talk, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")], close_timeout=0.1
    ) as server:
        port = server.sockets[0].getsockname()[1]
        electronics = Electronics()
        station = VirtualStation(
            settings(
                f"ws://127.0.0.1:{port}",
                boot_time=0.01,
                backoff=0.01,
                configuration={"MeterValueSampleInterval": "0", "WebSocketPingInterval": "0"},
            ),
            electronics,
        )
        running = asyncio.create_task(station.run())
        try:
            await _session(log, electronics)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def _session(log: Log, electronics: Electronics) -> None:
    async def ask(request: Any) -> Any:
        assert log.peer is not None
        return await log.peer.call(request, suppress=False)

    boot = await log.next("BootNotification")
    assert boot["charge_point_vendor"] == "Pilotbench"
    for connector in (0, 1):
        await log.next("StatusNotification", connector_id=connector, status="Available")
    await log.next("Heartbeat")

    keys = (await ask(call.GetConfiguration())).configuration_key
    assert {"key": "NumberOfConnectors", "readonly": True, "value": "1"} in keys
    change = call.ChangeConfiguration(key="AuthorizeRemoteTxRequests", value="true")
    assert (await ask(change)).status == "Accepted"

    electronics.connectors[1].plug_in()
    await log.next("StatusNotification", status="Preparing")
    electronics.present(VISA)
    await log.next("Authorize", id_tag=VISA)
    start = await log.next("StartTransaction", connector_id=1, id_tag=VISA)
    await log.next("StatusNotification", status="Charging")

    trigger = call.TriggerMessage(requested_message="MeterValues", connector_id=1)
    assert (await ask(trigger)).status == "Accepted"
    values = await log.next("MeterValues", transaction_id=11)
    assert len(values["meter_value"][0]["sampled_value"]) == 8

    assert (await ask(call.RemoteStopTransaction(transaction_id=11))).status == "Accepted"
    stop = await log.next("StopTransaction", transaction_id=11, reason="Remote")
    assert stop["meter_stop"] >= start["meter_start"]
    await log.next("StatusNotification", status="Finishing")
    electronics.connectors[1].unplug()
    await log.next("StatusNotification", status="Available")

    remote = call.RemoteStartTransaction(id_tag=VISA, connector_id=1)
    assert (await ask(remote)).status == "Accepted"
    await log.next("StatusNotification", status="Preparing")
    electronics.connectors[1].plug_in()
    await log.next("StartTransaction", id_tag=VISA)

    assert (await ask(call.Reset(type="Soft"))).status == "Accepted"
    await log.next("StopTransaction", transaction_id=12, reason="SoftReset")
    await log.next("BootNotification")
    assert (await ask(call.UnlockConnector(connector_id=1))).status == "Unlocked"
    assert (await ask(call.ClearCache())).status == "Accepted"
    assert (await ask(call.DataTransfer(vendor_id="x"))).status == "UnknownVendorId"
    inoperative = call.ChangeAvailability(connector_id=0, type="Inoperative")
    assert (await ask(inoperative)).status == "Accepted"
    await log.next("StatusNotification", connector_id=0, status="Unavailable")
