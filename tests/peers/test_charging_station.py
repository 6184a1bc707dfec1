"""The peer against a scripted central system: what the runs against it may rely on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.peers.process import Peer, peer

NOW = "2026-01-01T00:00:00Z"


@dataclass
class Central:
    """Answers every CALL, remembers it, and sends CALLs of its own."""

    boots: list[dict[str, Any]] = field(default_factory=list)
    """Answers to the next BootNotifications."""
    calls: asyncio.Queue[tuple[str, dict[str, Any], float]] = field(default_factory=asyncio.Queue)
    paths: list[str] = field(default_factory=list)
    socket: ServerConnection | None = None
    asked: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.subprotocol == "ocpp1.6"
        self.paths.append(socket.request.path)
        self.socket = socket
        try:
            async for text in socket:
                await self._take(socket, json.loads(text))
        except ConnectionClosed:
            pass

    async def _take(self, socket: ServerConnection, frame: list[Any]) -> None:
        if frame[0] == 3:
            self.asked.pop(frame[1]).set_result(frame[2])
            return
        _, message_id, action, payload = frame
        moment = asyncio.get_running_loop().time()
        await socket.send(json.dumps([3, message_id, self._answer(action, payload)]))
        self.calls.put_nowait((action, payload, moment))

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        status = "Invalid" if payload.get("idTag") == "STRANGER" else "Accepted"
        match action:
            case "BootNotification":
                boot = self.boots.pop(0) if self.boots else {"status": "Accepted", "interval": 60}
                return {"currentTime": NOW, **boot}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return {"idTagInfo": {"status": status}}
            case "StartTransaction":
                return {"idTagInfo": {"status": status}, "transactionId": 7}
            case _:
                return {}

    async def call(self, action: str, **payload: Any) -> dict[str, Any]:
        assert self.socket is not None
        number = f"c{id(payload)}"
        self.asked[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, number, action, payload]))
        async with asyncio.timeout(10):
            return await self.asked[number]

    async def next(self, *, skip: tuple[str, ...] = ("Heartbeat", "MeterValues")) -> Any:
        async with asyncio.timeout(10):
            while True:
                action, payload, moment = await self.calls.get()
                if action not in skip:
                    return action, payload, moment

    async def hears(self, action: str, **fields: Any) -> dict[str, Any]:
        """Take the next CALL, which must be this one."""
        came, payload, _ = await self.next()
        assert came == action
        assert payload | fields == payload
        result: dict[str, Any] = payload
        return result

    async def hears_boot(self, *, one: str = "Available") -> None:
        await self.hears("BootNotification", chargePointVendor="Other Works")
        await self.hears("StatusNotification", connectorId=0, status="Available")
        await self.hears("StatusNotification", connectorId=1, status=one)

    async def hears_status(self, status: str) -> None:
        await self.hears("StatusNotification", connectorId=1, status=status, errorCode="NoError")


@dataclass
class Rig:
    central: Central
    peer: Peer


@pytest.fixture
async def central() -> AsyncIterator[tuple[Central, str]]:
    central = Central()
    subprotocols = [Subprotocol("ocpp1.6")]
    async with serve(central.handle, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        yield central, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ocpp"


@pytest.fixture
async def rig(central: tuple[Central, str]) -> AsyncIterator[Rig]:
    script, url = central
    async with peer(url, "CP/PEER") as process:
        await script.hears_boot()
        yield Rig(script, process)


async def test_a_rejected_peer_keeps_silent_for_the_interval(central: tuple[Central, str]) -> None:
    script, url = central
    script.boots = [{"status": "Rejected", "interval": 1}, {"status": "Accepted", "interval": 1}]
    async with peer(url, "CP_PEER") as process:
        action, _, first = await script.next()
        assert action == "BootNotification"
        await process.does("plug_in")
        await process.does("present", id_tag="CARD1")
        action, _, second = await script.next(skip=())
        assert action == "BootNotification"
        assert 1.0 <= second - first < 2.0
        await script.hears("StatusNotification", connectorId=0, status="Available")
        await script.hears_status("Preparing")
        beats = [await script.next(skip=()) for _ in range(2)]
    assert [action for action, _, _ in beats] == ["Heartbeat", "Heartbeat"]
    assert 0.9 <= beats[1][2] - beats[0][2] < 2.0
    assert script.paths == ["/ocpp/CP_PEER"]


async def test_card_then_cable_then_card_again(rig: Rig) -> None:
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("Authorize", idTag="CARD1")
    await rig.central.hears_status("Preparing")
    await rig.peer.does("plug_in")
    await rig.central.hears("StartTransaction", connectorId=1, idTag="CARD1", meterStart=0)
    await rig.central.hears_status("Charging")
    await rig.peer.does("suspend")
    await rig.central.hears_status("SuspendedEV")
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("StopTransaction", transactionId=7, reason="Local", idTag="CARD1")
    await rig.central.hears_status("Finishing")
    await rig.peer.does("unplug")
    await rig.central.hears_status("Available")


async def test_a_stranger_s_card_starts_nothing(rig: Rig) -> None:
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    await rig.peer.does("present", id_tag="STRANGER")
    await rig.central.hears("Authorize", idTag="STRANGER")
    await rig.peer.does("unplug")
    await rig.central.hears_status("Available")


async def test_an_authorization_lapses(rig: Rig) -> None:
    answer = await rig.central.call("ChangeConfiguration", key="ConnectionTimeOut", value="1")
    assert answer == {"status": "Accepted"}
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("Authorize")
    await rig.central.hears_status("Preparing")
    await rig.central.hears_status("Available")


@pytest.mark.parametrize("authorizes", [True, False])
async def test_remote_start_and_stop(rig: Rig, authorizes: bool) -> None:
    key, value = "AuthorizeRemoteTxRequests", str(authorizes).lower()
    await rig.central.call("ChangeConfiguration", key=key, value=value)
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    accepted = {"status": "Accepted"}
    start = await rig.central.call("RemoteStartTransaction", connectorId=1, idTag="CARD1")
    assert start == accepted
    if authorizes:
        await rig.central.hears("Authorize", idTag="CARD1")
    await rig.central.hears("StartTransaction", idTag="CARD1")
    await rig.central.hears_status("Charging")
    refused = await rig.central.call("RemoteStopTransaction", transactionId=8)
    assert refused == {"status": "Rejected"}
    assert await rig.central.call("RemoteStopTransaction", transactionId=7) == accepted
    await rig.central.hears("StopTransaction", transactionId=7, reason="Remote")
    await rig.central.hears_status("Finishing")


async def test_unavailability_survives_a_hard_reset(rig: Rig) -> None:
    accepted = {"status": "Accepted"}
    order = {"connectorId": 1, "type": "Inoperative"}
    assert await rig.central.call("ChangeAvailability", **order) == accepted
    await rig.central.hears_status("Unavailable")
    assert await rig.central.call("Reset", type="Hard") == accepted
    await rig.central.hears_boot(one="Unavailable")
    order = {"connectorId": 0, "type": "Operative"}
    assert await rig.central.call("ChangeAvailability", **order) == accepted
    await rig.central.hears_status("Available")


async def test_a_transaction_is_ended_before_a_reset(rig: Rig) -> None:
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("Authorize")
    await rig.central.hears("StartTransaction")
    await rig.central.hears_status("Charging")
    await rig.central.call("Reset", type="Soft")
    await rig.central.hears("StopTransaction", transactionId=7, reason="SoftReset")
    await rig.central.hears_status("Finishing")
    await rig.central.hears_boot(one="Preparing")


async def test_a_transaction_is_ended_after_a_loss_of_power(rig: Rig) -> None:
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("Authorize")
    await rig.central.hears("StartTransaction")
    await rig.central.hears_status("Charging")
    assert rig.central.socket is not None
    await rig.peer.does("power_off")
    async with asyncio.timeout(5):
        await rig.central.socket.wait_closed()
    assert rig.central.socket.close_code == 1006
    await rig.peer.does("power_on")
    await rig.central.hears("BootNotification")
    await rig.central.hears("StopTransaction", transactionId=7, reason="PowerLoss")
    await rig.central.hears("StatusNotification", connectorId=0)
    await rig.central.hears_status("Finishing")


async def test_a_lost_connection_is_opened_again_without_a_boot(rig: Rig) -> None:
    assert rig.central.socket is not None
    await rig.central.socket.close()
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    assert rig.central.paths == ["/ocpp/CP%2FPEER"] * 2


async def test_the_configuration_is_complete(rig: Rig) -> None:
    everything = (await rig.central.call("GetConfiguration"))["configurationKey"]
    keys = {one["key"]: one for one in everything}
    assert keys["SupportedFeatureProfiles"]["value"] == "Core"
    assert {name for name, one in keys.items() if one["readonly"]} == {
        "GetConfigurationMaxKeys",
        "NumberOfConnectors",
        "SupportedFeatureProfiles",
        "StopTransactionOnEVSideDisconnect",
        "UnlockConnectorOnEVSideDisconnect",
    }
    some = await rig.central.call("GetConfiguration", key=["heartbeatinterval", "Nonsense"])
    assert some == {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "60"}],
        "unknownKey": ["Nonsense"],
    }


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "5", "Accepted"),
        ("HeartbeatInterval", "-5", "Rejected"),
        ("LocalPreAuthorize", "perhaps", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ],
)
async def test_configuration_is_changed(rig: Rig, key: str, value: str, status: str) -> None:
    answer = await rig.central.call("ChangeConfiguration", key=key, value=value)
    assert answer == {"status": status}


async def test_energy_is_metered_while_charging(rig: Rig) -> None:
    await rig.central.call("ChangeConfiguration", key="MeterValueSampleInterval", value="1")
    await rig.peer.does("plug_in")
    await rig.central.hears_status("Preparing")
    await rig.peer.does("present", id_tag="CARD1")
    await rig.central.hears("Authorize")
    await rig.central.hears("StartTransaction")
    await rig.central.hears_status("Charging")
    action, payload, _ = await rig.central.next(skip=())
    assert action == "MeterValues"
    assert payload["transactionId"] == 7
    (sample,) = payload["meterValue"][0]["sampledValue"]
    assert sample["measurand"] == "Energy.Active.Import.Register"
    assert 0 <= int(sample["value"]) <= 10
    state = await rig.peer.does("state")
    assert (state["status"], state["power"]) == ("Charging", 7360.0)


async def test_an_order_that_is_none_is_refused(rig: Rig) -> None:
    answer = await rig.peer.does("dance")
    assert answer == {"ok": False, "error": "ValueError: no such order 'dance'"}
    answer = await rig.peer.does("present", colour="red")
    assert answer["ok"] is False
