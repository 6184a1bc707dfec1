"""Losing the connection: noticing it, keeping what happens, delivering it in order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from bench.ocpp.frame import Call, CallError
from stations.station import VirtualStation
from tests.engine.vstation.rig import (
    STRANGER,
    VISA,
    Csms,
    Electronics,
    Payload,
    rig,
    settings,
)


async def test_a_mere_reconnect_sends_neither_boot_nor_known_status() -> None:
    async with rig(csms=Csms(interval=20)) as r:
        await r.booted()
        await r.cut()
        await r.csms.expect("Heartbeat")
        assert r.csms.connections == 2
        assert r.csms.actions() == ["BootNotification", *["StatusNotification"] * 2, "Heartbeat"]


async def test_only_the_present_status_is_reported_after_a_time_offline() -> None:
    csms = Csms(connectors=2)
    async with rig(csms=csms, connectors=2) as r:
        await r.booted()
        count = len(csms.heard)
        async with csms.offline():
            r.evse.plug_in()
            await asyncio.sleep(3)
            r.evse.unplug()
            r.electronics.connectors[2].plug_in()
            await asyncio.sleep(3)
        await csms.status(2, "Preparing")
        assert csms.actions(count) == ["StatusNotification"]


async def test_meter_values_of_the_time_offline_come_in_order_and_first() -> None:
    csms = Csms()
    async with rig(csms=csms, keys={"MeterValueSampleInterval": "10"}) as r:
        await r.booted()
        number = await r.charging()
        await csms.expect("MeterValues")
        async with csms.offline():
            await asyncio.sleep(45)
        for _ in range(6):
            await csms.expect("MeterValues", transactionId=number)
        times = [h.payload["meterValue"][0]["timestamp"] for h in csms.calls("MeterValues")]
        assert times == sorted(times)
        seconds = [float(time[17:-1]) + 60 * int(time[14:16]) for time in times]
        gaps = [(b - a) % 3600 for a, b in pairwise(seconds)]
        assert gaps == pytest.approx([10] * 6, abs=0.5)
        assert "BootNotification" not in csms.actions()[1:]


async def test_a_call_that_got_lost_is_sent_again() -> None:
    csms = Csms()
    csms.answers["StartTransaction"] = None
    async with rig(csms=csms) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        first = await csms.expect("StartTransaction")
        del csms.answers["StartTransaction"]
        await r.cut()
        again = await csms.expect("StartTransaction")
        assert again.payload == first.payload
        await csms.nothing("StartTransaction", during=60)


async def test_a_whole_transaction_offline_is_told_afterwards() -> None:
    csms = Csms()
    keys = {"LocalPreAuthorize": "false", "MeterValueSampleInterval": "5"}
    async with rig(csms=csms, keys=keys) as r:
        await r.booted()
        await r.charging()
        r.present(VISA)
        await csms.status(1, "Finishing")
        r.evse.unplug()
        await csms.status(1, "Available")
        csms.claim("StatusNotification", connectorId=1)
        csms.claim("MeterValues")
        count = len(csms.heard)
        async with csms.offline():
            began = csms.clock.text()
            r.evse.plug_in()
            await asyncio.sleep(1)
            r.present(VISA)
            await asyncio.sleep(12)
            assert r.evse.closed
            r.present(VISA)
            await asyncio.sleep(1)
            r.evse.unplug()
            await asyncio.sleep(2)
            ended = csms.clock.text()
        start = await csms.expect("StartTransaction", idTag=VISA)
        stop = await csms.expect("StopTransaction", transactionId=502, reason="Local")
        assert began < start.payload["timestamp"] < stop.payload["timestamp"] < ended
        assert csms.actions(count) == [
            "StartTransaction",
            "MeterValues",
            "MeterValues",
            "StopTransaction",
        ]
        assert {h.payload["transactionId"] for h in csms.calls("MeterValues")[-2:]} == {502}


@pytest.mark.parametrize(
    ("keys", "starts"),
    [
        ({}, False),
        ({"AllowOfflineTxForUnknownId": "true"}, True),
        ({"AllowOfflineTxForUnknownId": "true", "LocalAuthorizeOffline": "false"}, True),
    ],
)
async def test_unknown_cards_offline(keys: dict[str, str], starts: bool) -> None:
    csms = Csms()
    async with rig(csms=csms, keys=keys) as r:
        await r.booted()
        async with csms.offline():
            r.evse.plug_in()
            r.present(VISA)
            await asyncio.sleep(5)
            assert r.evse.closed == starts
        if starts:
            await csms.expect("StartTransaction", idTag=VISA)
            await csms.status(1, "Charging")
        else:
            await csms.status(1, "Preparing")


async def test_a_card_known_as_refused_does_not_start_offline() -> None:
    csms = Csms()
    async with rig(csms=csms, keys={"AllowOfflineTxForUnknownId": "true"}) as r:
        await r.booted()
        r.present(STRANGER)
        await csms.expect("Authorize", idTag=STRANGER)
        async with csms.offline():
            r.evse.plug_in()
            r.present(STRANGER)
            await asyncio.sleep(5)
            assert not r.evse.closed


async def test_a_failing_message_is_repeated_ever_slower_and_given_up() -> None:
    csms = Csms()
    csms.answers["StartTransaction"] = CallError("", "InternalError")
    keys = {"TransactionMessageAttempts": "3", "TransactionMessageRetryInterval": "20"}
    async with rig(csms=csms, keys=keys, clean=False) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        first, second, third = [await csms.expect("StartTransaction") for _ in range(3)]
        assert second.at - first.at == pytest.approx(20, abs=1)
        assert third.at - second.at == pytest.approx(40, abs=1)
        r.present(VISA)
        await csms.expect("StopTransaction", transactionId=-1)
        assert len(csms.calls("StartTransaction")) == 3


async def test_messages_wait_for_the_one_that_is_repeated() -> None:
    csms = Csms()
    replies = iter([CallError("", "GenericError"), None])

    def start(_: Payload) -> Payload | CallError:
        return next(replies, None) or {
            "transactionId": 77,
            "idTagInfo": {"status": "Accepted"},
        }

    csms.answers["StartTransaction"] = start
    async with rig(csms=csms, clean=False) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        await csms.expect("StartTransaction")
        r.present(VISA)
        await csms.status(1, "Finishing")
        await csms.expect("StopTransaction", transactionId=77)
        assert csms.actions()[-2:] == ["StartTransaction", "StopTransaction"]


async def test_a_silently_dropped_connection_is_noticed() -> None:
    """The CSMS's side of the wire falls dead: bytes arrive, nothing comes back, no FIN."""
    csms = Csms()
    async with rig(csms=csms, keys={"WebSocketPingInterval": "15"}) as r:
        await r.booted()
        assert csms.socket is not None
        dead = asyncio.get_running_loop().time()
        csms.socket.transport.pause_reading()
        await csms.connected(2)
        noticed = asyncio.get_running_loop().time() - dead
        assert noticed == pytest.approx(15 + 2 + 1, abs=1.5)


async def test_the_wait_between_attempts_to_connect_doubles() -> None:
    attempts: list[float] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(asyncio.get_running_loop().time())
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        station = VirtualStation(settings(f"ws://127.0.0.1:{port}"), Electronics())
        running = asyncio.create_task(station.run())
        await asyncio.sleep(20)
        running.cancel()
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    assert gaps[:5] == pytest.approx([1, 2, 4, 4, 4], abs=0.5)


async def test_a_server_without_the_subprotocol_is_left() -> None:
    seen: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def talk(socket: ServerConnection) -> None:
        seen.put_nowait(socket)
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        station = VirtualStation(settings(f"ws://127.0.0.1:{port}"), Electronics())
        running = asyncio.create_task(station.run())
        async with asyncio.timeout(60):
            first = await seen.get()
            await seen.get()
        running.cancel()
    assert first.close_code == 1002


async def test_additional_headers_are_sent() -> None:
    seen: asyncio.Queue[str | None] = asyncio.Queue()

    async def talk(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.put_nowait(socket.request.headers.get("Authorization"))

    async with serve(
        talk, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")], close_timeout=0.1
    ) as server:
        port = server.sockets[0].getsockname()[1]
        made = settings(f"ws://127.0.0.1:{port}", headers={"Authorization": "Basic eA=="})
        running = asyncio.create_task(VirtualStation(made, Electronics()).run())
        async with asyncio.timeout(60):
            assert await seen.get() == "Basic eA=="
        running.cancel()


async def test_a_second_call_never_leaves_before_the_answer() -> None:
    """A CSMS that answers slowly sees one CALL after the other."""
    csms = Csms()
    answered: list[float] = []

    async with rig(csms=csms) as r:
        await r.booted()
        csms.silent = True
        r.evse.plug_in()
        status = await csms.expect("StatusNotification", status="Preparing")
        r.present(VISA)
        await asyncio.sleep(3)
        csms.silent = False
        assert isinstance(status.frame, Call)
        assert csms.actions()[-1] == "StatusNotification"
        assert csms.socket is not None
        await csms.socket.send(f'[3,"{status.frame.message_id}",{{}}]')
        answered.append(asyncio.get_running_loop().time())
        asked = await csms.expect("Authorize")
        assert asked.at >= answered[0]
        r.csms.findings.clear()


async def test_what_is_due_while_the_csms_closes_the_connection_comes_over_the_next_one() -> None:
    """It does not keep the station so busy that it never notices that the connection is gone."""
    csms = Csms()
    keys = {"MeterValueSampleInterval": "10", "WebSocketPingInterval": "1"}
    async with rig(csms=csms, keys=keys) as r:
        await r.booted()
        await r.charging()
        await csms.expect("MeterValues")
        socket = csms.socket
        assert socket is not None
        await asyncio.sleep(8.45)
        socket.transport.pause_reading()
        await asyncio.sleep(1.5)  # a ping is under way
        await socket.close(1001)  # what is due before it gives up can't be sent
        await csms.connected(2)
        await csms.expect("MeterValues")
