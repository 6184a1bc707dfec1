"""Resets and power losses: what is gone and what is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stations.station import VirtualStation
from tests.engine.vstation.rig import AMEX, VISA, Csms, Electronics, Rig, rig
from tests.engine.vstation.rig import settings as make


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
async def test_availability_survives_a_reset(kind: str) -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        await r.csms.status_of("ChangeAvailability", connectorId=1, type="Inoperative")
        await r.csms.status(1, "Unavailable")
        assert await r.csms.status_of("Reset", type=kind) == "Accepted"
        await r.csms.expect("BootNotification")
        for number, status in ((0, "Available"), (1, "Unavailable"), (2, "Available")):
            await r.csms.status(number, status)
        await r.csms.status_of("ChangeAvailability", connectorId=1, type="Operative")
        await r.csms.status(1, "Available")


async def test_a_soft_reset_tells_the_end_of_the_transaction_first() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        assert await r.csms.status_of("Reset", type="Soft") == "Accepted"
        await r.csms.expect("StopTransaction", transactionId=number, reason="SoftReset")
        await r.csms.status(1, "Finishing")
        await r.csms.expect("BootNotification")
        await r.csms.status(1, "Preparing")
        assert len(r.csms.calls("StopTransaction")) == 1
        assert not r.evse.closed
        assert not r.evse.locked


async def test_a_hard_reset_tells_the_end_of_the_transaction_after_the_boot() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        assert await r.csms.status_of("Reset", type="Hard") == "Accepted"
        boot = await r.csms.expect("BootNotification")
        stop = await r.csms.expect("StopTransaction", transactionId=number, reason="HardReset")
        assert boot.at < stop.at
        await r.csms.status(1, "Preparing")
        assert len(r.csms.calls("StopTransaction")) == 1


async def test_a_soft_reset_does_not_wait_for_ever() -> None:
    async with rig(clean=False) as r:
        await r.booted()
        await r.charging()
        r.csms.answers["StopTransaction"] = None
        assert await r.csms.status_of("Reset", type="Soft") == "Accepted"
        await r.csms.expect("StopTransaction")
        del r.csms.answers["StopTransaction"]
        await r.csms.expect("BootNotification")
        await r.csms.expect("StopTransaction", reason="SoftReset")


async def test_a_power_loss_ends_the_transaction_when_its_meter_was_seen_last() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        await asyncio.sleep(60)
        lost = r.csms.clock.text()
        await r.power_off()
        await r.csms.lost.wait()
        assert not r.csms.calls("StopTransaction")
        await asyncio.sleep(30)
        r.power_on()
        boot = await r.csms.expect("BootNotification")
        stop = await r.csms.expect("StopTransaction", transactionId=number, reason="PowerLoss")
        await r.csms.status(1, "Preparing")
        assert boot.at < stop.at
        assert stop.payload["timestamp"] <= lost
        assert stop.payload["meterStop"] == pytest.approx(1184, abs=5)
        r.present(AMEX)
        await r.csms.expect("StartTransaction", idTag=AMEX)


async def test_everything_that_lasts_survives_the_process(tmp_path: Path) -> None:
    """Two stations with the same folder, one after the other, as two runs of a program."""
    csms = Csms()
    keys = {"MeterValueSampleInterval": "5", "LocalPreAuthorize": "true"}
    async with rig(csms=csms, folder=tmp_path, keys=keys) as r:
        await r.booted()
        number = await r.charging()
        await csms.configure(ConnectionTimeOut="77")
        await csms.status_of("ChangeAvailability", connectorId=1, type="Inoperative")
        csms.unreachable = True
        await r.cut()
        await asyncio.sleep(12)
        await r.power_off()
        csms.unreachable = False
        energy = r.evse.meter().energy
        again = _another(r, tmp_path, keys)
        again.power_on()
        try:
            await csms.expect("BootNotification")
            # What was scheduled for the end of the transaction has happened.
            await csms.status(1, "Unavailable")
            await csms.expect("MeterValues", transactionId=number)
            await csms.expect("MeterValues", transactionId=number)
            stop = await csms.expect("StopTransaction", transactionId=number, reason="PowerLoss")
            assert stop.payload["meterStop"] <= energy
            assert await csms.value("ConnectionTimeOut") == "77"
            await csms.status_of("ChangeAvailability", connectorId=1, type="Operative")
            again.evse.plug_in()
            await csms.status(1, "Preparing")
            asked = len(csms.calls("Authorize"))
            again.present(VISA)
            start = await csms.expect("StartTransaction", idTag=VISA)
            # The card is in the cache, and the register goes on although the chip began anew.
            assert len(csms.calls("Authorize")) == asked
            assert start.payload["meterStart"] >= stop.payload["meterStop"]
        finally:
            await again.power_off()


def _another(first: Rig, folder: Path, keys: dict[str, str]) -> Rig:
    electronics = Electronics()
    settings = make(f"ws://127.0.0.1:{first.csms.port}", configuration=keys)
    station = VirtualStation(settings, electronics, folder=folder)
    return Rig(first.csms, electronics, station)


async def test_a_start_that_was_never_answered_survives_a_power_loss() -> None:
    csms = Csms()
    csms.answers["StartTransaction"] = None
    async with rig(csms=csms, clean=False) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        first = await csms.expect("StartTransaction")
        await r.power_off()
        del csms.answers["StartTransaction"]
        r.power_on()
        again = await csms.expect("StartTransaction")
        assert again.payload == first.payload
        await csms.expect("StopTransaction", transactionId=501, reason="PowerLoss")


async def test_a_power_loss_ends_the_connection_without_a_close_frame() -> None:
    async with rig() as r:
        await r.booted()
        socket = r.csms.socket
        assert socket is not None
        await r.power_off()
        await socket.wait_closed()
        assert socket.protocol.close_rcvd is None


async def test_power_can_go_at_any_moment(tmp_path: Path) -> None:
    """After any number of turns of the event loop; every start is told, and its stop once."""
    csms = Csms()
    async with rig(csms=csms, folder=tmp_path) as r:
        for turns in range(0, 150, 3):
            await r.booted()
            r.evse.plug_in()
            r.present(VISA)
            for _ in range(turns):
                await asyncio.sleep(0)
            await r.power_off()
            r.evse.locked = False
            r.evse.unplug()
            r.power_on()
        await r.booted()
        await asyncio.sleep(30)
        starts = {h.payload["timestamp"] for h in csms.calls("StartTransaction")}
        stops = [h.payload["timestamp"] for h in csms.calls("StopTransaction")]
        assert len(starts) == len(set(stops)) > 20
        assert all(h.payload["transactionId"] > 500 for h in csms.calls("StopTransaction"))
        left = await asyncio.to_thread(lambda: [path.stem for path in tmp_path.glob("*.json")])
        assert not [name for name in left if name.startswith(("message-", "transaction-"))]


async def test_a_buffered_station_tells_the_end_of_the_transaction_before_it_goes_down() -> None:
    async with rig(buffer_time=5.0) as r:
        await r.booted()
        number = await r.charging()
        r.electronics.fail_supply()
        await r.csms.expect("StopTransaction", transactionId=number, reason="PowerLoss")
        await r.csms.status(1, "Finishing")
        await r.csms.lost.wait()
        # Whatever the buffer still gives, it waits for the end with everything off.
        await r.csms.nothing(during=3)
        assert not r.evse.closed
        await r.power_off()
        r.power_on()
        await r.csms.expect("BootNotification")
        await r.csms.status(1, "Preparing")
        assert len(r.csms.calls("StopTransaction")) == 1


async def test_a_station_without_buffer_has_no_time_to_tell() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        r.electronics.fail_supply()
        await r.csms.nothing("StopTransaction", during=1)


async def test_power_can_go_while_the_connection_breaks() -> None:
    """Whichever turn of the event loop it is: the power loss counts, and ends the station."""
    csms = Csms()
    async with rig(csms=csms, keys={"WebSocketPingInterval": "1"}) as r:
        for turns in range(12):
            await r.booted()
            socket = csms.socket
            assert socket is not None
            socket.transport.pause_reading()
            await asyncio.sleep(1.5)  # a ping is under way, whose end the station waits for
            socket.transport.abort()
            for _ in range(turns):
                await asyncio.sleep(0)
            await r.power_off()
            r.power_on()


async def test_power_can_go_while_the_station_resets() -> None:
    csms = Csms()
    async with rig(csms=csms, keys={"WebSocketPingInterval": "1"}) as r:
        for turns in range(12):
            await r.booted()
            await csms.call("Reset", type="Hard")
            for _ in range(turns):
                await asyncio.sleep(0)
            await r.power_off()
            r.power_on()
