"""Booting: registration, heartbeats, the first reports."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bench.ocpp.frame import CallError
from tests.engine.vstation.rig import Csms, Payload, rig


async def test_an_accepted_boot_is_followed_by_the_status_of_every_connector() -> None:
    async with rig(connectors=2) as r:
        boot = await r.csms.expect("BootNotification", chargePointVendor="Pilotbench")
        assert boot.payload["chargePointModel"] == "Virtual AC 22"
        for number in (0, 1, 2):
            await r.csms.status(number, "Available", errorCode="NoError")
        assert r.csms.actions() == ["BootNotification", *["StatusNotification"] * 3]
        assert r.csms.paths == ["/ocpp/CP%201%2F%C3%A5"]


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_boot_that_is_not_accepted_is_repeated_after_the_interval(status: str) -> None:
    csms = Csms(interval=50)
    statuses = iter([status, status, "Accepted"])
    csms.answers["BootNotification"] = lambda _: csms.boot(next(statuses), 30)
    async with rig(csms=csms):
        first = await csms.expect("BootNotification")
        second = await csms.expect("BootNotification")
        third = await csms.expect("BootNotification")
        await csms.status(1, "Available")
        assert second.at - first.at == pytest.approx(30, abs=1)
        assert third.at - second.at == pytest.approx(30, abs=1)
        assert csms.actions()[:3] == ["BootNotification"] * 3


async def test_interval_zero_leaves_the_wait_to_the_station() -> None:
    csms = Csms()
    statuses = iter(["Rejected", "Accepted"])
    csms.answers["BootNotification"] = lambda _: csms.boot(next(statuses), 0)
    async with rig(csms=csms, boot_retry=20.0):
        first = await csms.expect("BootNotification")
        second = await csms.expect("BootNotification")
        assert second.at - first.at == pytest.approx(20, abs=1)


@pytest.mark.parametrize("answer", [None, CallError("", "InternalError"), {"status": "Accepted"}])
async def test_a_boot_without_a_good_answer_is_repeated(answer: Payload | CallError | None) -> None:
    csms = Csms()
    csms.answers["BootNotification"] = answer
    async with rig(csms=csms):
        await csms.expect("BootNotification")
        del csms.answers["BootNotification"]
        await csms.expect("BootNotification")
        await csms.status(1, "Available")


async def test_a_rejected_station_is_silent_and_deaf() -> None:
    csms = Csms()
    csms.answers["BootNotification"] = lambda _: csms.boot("Rejected", 60)
    async with rig(csms=csms) as r:
        await csms.expect("BootNotification")
        r.evse.plug_in()
        with pytest.raises(AssertionError, match="expected an answer to GetConfiguration"):
            await csms.exchange("GetConfiguration", {})
        assert set(csms.actions()) == {"BootNotification"}


async def test_a_pending_station_answers_and_is_otherwise_silent() -> None:
    csms = Csms()
    csms.answers["BootNotification"] = lambda _: csms.boot("Pending", 60)
    async with rig(csms=csms) as r:
        await csms.expect("BootNotification")
        assert len((await csms.call("GetConfiguration"))["configurationKey"]) > 20
        await csms.configure(MeterValueSampleInterval="7")
        assert await csms.status_of("RemoteStartTransaction", idTag="A") == "Rejected"
        assert await csms.status_of("RemoteStopTransaction", transactionId=1) == "Rejected"
        r.evse.plug_in()
        r.present("A")
        await csms.nothing(during=20)
        triggered = await csms.status_of(
            "TriggerMessage", requestedMessage="StatusNotification", connectorId=1
        )
        assert triggered == "Accepted"
        await csms.status(1, "Preparing")
        assert await csms.status_of("TriggerMessage", requestedMessage="BootNotification") == (
            "Accepted"
        )
        del csms.answers["BootNotification"]
        await csms.expect("BootNotification", within=5)
        await csms.expect("BootNotification")
        assert await csms.value("MeterValueSampleInterval") == "7"


async def test_heartbeats_come_at_the_interval_of_the_accepted_answer() -> None:
    async with rig(csms=Csms(interval=25)) as r:
        await r.booted()
        beats = [await r.csms.expect("Heartbeat") for _ in range(4)]
        gaps = [later.at - earlier.at for earlier, later in pairwise(beats)]
        assert gaps == pytest.approx([25] * 3, abs=1)
        assert await r.csms.value("HeartbeatInterval") == "25"
        await r.csms.configure(HeartbeatInterval="5")
        changed = r.csms.heard[-1].at
        assert (await r.csms.expect("Heartbeat")).at - changed == pytest.approx(5, abs=1)


async def test_the_clock_follows_the_csms() -> None:
    csms = Csms()
    csms.answers["BootNotification"] = {
        "status": "Accepted",
        "interval": 300,
        "currentTime": "2031-05-06T07:08:09Z",
    }
    async with rig(csms=csms, clean=False):
        status = await csms.status(1, "Available")
        assert status.payload["timestamp"].startswith("2031-05-06T07:08:")


@pytest.mark.parametrize(("milliseconds", "length"), [(True, 24), (False, 20)])
async def test_timestamps_are_utc_with_or_without_milliseconds(
    milliseconds: bool, length: int
) -> None:
    async with rig(milliseconds=milliseconds) as r:
        status = await r.csms.status(1, "Available")
        assert status.payload["timestamp"].endswith("Z")
        assert len(status.payload["timestamp"]) == length
