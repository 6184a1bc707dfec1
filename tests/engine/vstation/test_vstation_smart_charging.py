"""Charging profiles at the station: what it takes, what it keeps, and what it does with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.vstation.rig import VISA, Payload, Rig, rig

SMART = ("Core", "RemoteTrigger", "SmartCharging")


def profile(r: Rig, number: int = 1, *limits: float, every: int = 60, **fields: Any) -> Payload:
    """Write a profile whose limits (A) change every so many s from now on."""
    periods = [{"startPeriod": i * every, "limit": limit} for i, limit in enumerate(limits or (8,))]
    start = r.csms.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    schedule = {"chargingRateUnit": "A", "startSchedule": start, "chargingSchedulePeriod": periods}
    return {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule | fields.pop("schedule", {}),
        **fields,
    }


async def put(r: Rig, one: Payload, connector: int = 1) -> str:
    return await r.csms.status_of(
        "SetChargingProfile", connectorId=connector, csChargingProfiles=one
    )


async def composite(r: Rig, connector: int = 1, duration: int = 300, **more: Any) -> list[Any]:
    answer = await r.csms.call(
        "GetCompositeSchedule", connectorId=connector, duration=duration, **more
    )
    assert answer["status"] == "Accepted"
    assert answer["chargingSchedule"]["duration"] == duration
    return [
        (period["startPeriod"], period["limit"])
        for period in answer["chargingSchedule"]["chargingSchedulePeriod"]
    ]


async def test_the_keys_come_with_the_feature_profile() -> None:
    names = ["ChargeProfileMaxStackLevel", "MaxChargingProfilesInstalled"]
    async with rig(profiles=SMART) as r:
        await r.booted()
        answer = await r.csms.call("GetConfiguration", key=names)
        assert [key["readonly"] for key in answer["configurationKey"]] == [True, True]
    async with rig() as r:
        await r.booted()
        assert (await r.csms.call("GetConfiguration", key=names))["unknownKey"] == names
        call = {"connectorId": 1, "duration": 10}
        assert await r.csms.error_of("GetCompositeSchedule", **call) == "NotSupported"
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        wish = {"connectorId": 1, "idTag": VISA, "chargingProfile": profile(r, 1, 8)}
        assert await r.csms.status_of("RemoteStartTransaction", **wish) == "Accepted"
        await r.csms.status(1, "Charging")
        assert r.evse.offered == 32


async def test_without_profiles_the_station_itself_is_the_limit() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        assert await composite(r) == [(0, 32)]
        assert await composite(r, chargingRateUnit="W") == [(0, 22080)]
        assert await composite(r, connector=0) == [(0, 32)]
        for connector in (2, -1):
            call = {"connectorId": connector, "duration": 10}
            assert await r.csms.status_of("GetCompositeSchedule", **call) == "Rejected"
        assert await r.csms.status_of("ClearChargingProfile") == "Unknown"


@pytest.mark.parametrize(
    ("connector", "changes", "status"),
    [
        (1, {}, "Accepted"),
        (0, {}, "Accepted"),
        (0, {"chargingProfilePurpose": "ChargePointMaxProfile"}, "Accepted"),
        (1, {"chargingProfilePurpose": "ChargePointMaxProfile"}, "Rejected"),
        (1, {"chargingProfilePurpose": "TxProfile"}, "Rejected"),
        (1, {"stackLevel": 7}, "Accepted"),
        (1, {"stackLevel": 8}, "Rejected"),
        (1, {"chargingProfileKind": "Recurring"}, "Rejected"),
        (1, {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}, "Accepted"),
        (1, {"schedule": {"chargingSchedulePeriod": [{"startPeriod": 1, "limit": 6}]}}, "Rejected"),
        (
            1,
            {"schedule": {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}] * 2}},
            "Rejected",
        ),
    ],
)
async def test_profiles_are_taken_that_make_sense(
    connector: int, changes: Payload, status: str
) -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        assert await put(r, profile(r, **changes), connector) == status


async def test_what_breaks_the_rules_of_the_message_is_an_error() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        wrong = [
            (2, profile(r)),
            (1, profile(r, schedule={"chargingRateUnit": "kW"})),
            (1, profile(r, chargingProfilePurpose="Holiday")),
        ]
        for connector, one in wrong:
            call = {"connectorId": connector, "csChargingProfiles": one}
            error = await r.csms.error_of("SetChargingProfile", **call)
            assert error == "PropertyConstraintViolation"


async def test_no_more_profiles_are_taken_than_there_is_room_for() -> None:
    async with rig(profiles=SMART, connectors=2) as r:
        await r.booted()
        places = [(connector, level) for connector in (0, 1) for level in range(5)]
        for number, (connector, level) in enumerate(places):
            assert await put(r, profile(r, number, stackLevel=level), connector) == "Accepted"
        assert await put(r, profile(r, 99), 2) == "Rejected"
        assert await put(r, profile(r, 0, 9), 2) == "Accepted"
        assert await put(r, profile(r, 100, 9, stackLevel=4), 1) == "Accepted"


async def test_the_limit_drives_the_offer_as_time_goes_by() -> None:
    keys = {"MeterValuesSampledData": "Current.Offered,Power.Offered"}
    async with rig(profiles=SMART, keys=keys) as r:
        await r.booted()
        number = await r.charging()
        assert r.evse.offered == 32
        own = profile(r, 1, 10, 5.9, 16, chargingProfilePurpose="TxProfile", transactionId=number)
        own["chargingSchedule"]["duration"] = 180
        assert await put(r, own) == "Accepted"
        await asyncio.sleep(1)
        assert r.evse.offered == 10
        await r.csms.status_of("TriggerMessage", requestedMessage="MeterValues", connectorId=1)
        values = (await r.csms.expect("MeterValues")).payload["meterValue"][0]["sampledValue"]
        assert [value["value"] for value in values] == ["10.0", "6900"]
        suspended = await r.csms.status(1, "SuspendedEVSE")
        assert r.evse.offered is None
        assert not r.evse.closed
        charging = await r.csms.status(1, "Charging")
        assert charging.at - suspended.at == pytest.approx(60, abs=1)
        assert (r.evse.offered, r.evse.closed) == (16, True)
        await asyncio.sleep(60)
        assert r.evse.offered == 32


async def test_a_tx_profile_is_gone_with_its_transaction() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        number = await r.charging()
        own = profile(r, 1, 10, chargingProfilePurpose="TxProfile")
        assert await put(r, own | {"transactionId": number + 1}) == "Rejected"
        assert await put(r, own | {"transactionId": number}) == "Accepted"
        assert await put(r, profile(r, 2, 8)) == "Accepted"
        assert await composite(r) == [(0, 10)]
        stop = {"transactionId": number}
        assert await r.csms.status_of("RemoteStopTransaction", **stop) == "Accepted"
        await r.csms.status(1, "Finishing")
        assert await composite(r) == [(0, 8)]
        assert await r.csms.status_of("ClearChargingProfile", id=1) == "Unknown"


async def test_the_profile_of_a_remote_start_comes_with_its_transaction() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        wish = {"connectorId": 1, "idTag": VISA}
        own = profile(r, 1, 10, chargingProfilePurpose="TxProfile")
        wrong = [profile(r, 1, 10), own | {"transactionId": 3}, own | {"stackLevel": 8}]
        for one in wrong:
            answer = await r.csms.status_of("RemoteStartTransaction", **wish, chargingProfile=one)
            assert answer == "Rejected"
        answer = await r.csms.status_of("RemoteStartTransaction", **wish, chargingProfile=own)
        assert answer == "Accepted"
        await r.csms.status(1, "Preparing")
        assert await composite(r) == [(0, 32)]
        r.evse.plug_in()
        await r.csms.status(1, "Charging")
        assert r.evse.offered == 10
        assert await composite(r) == [(0, 10)]


async def test_profiles_outlive_a_reboot_but_not_those_of_transactions(tmp_path: Path) -> None:
    async with rig(profiles=SMART, folder=tmp_path) as r:
        await r.booted()
        number = await r.charging()
        await put(r, profile(r, 1, 12))
        await put(r, profile(r, 2, 16, chargingProfilePurpose="ChargePointMaxProfile"), 0)
        own = profile(r, 3, 10, chargingProfilePurpose="TxProfile", transactionId=number)
        await put(r, own)
        assert await composite(r) == [(0, 10)]
        await r.power_off()
        r.power_on()
        await r.csms.connected(2)
        await r.csms.expect("StopTransaction")
        assert await composite(r) == [(0, 12)]
        await r.csms.status_of("Reset", type="Soft")
        await r.csms.connected(3)
        await r.csms.expect("BootNotification")
        await r.csms.status(0, "Available")
        assert await composite(r) == [(0, 12)]
        assert await r.csms.status_of("ClearChargingProfile", connectorId=1) == "Accepted"
        assert await composite(r) == [(0, 16)]


async def test_a_relative_schedule_counts_from_the_start_of_the_transaction() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        relative = profile(r, 1, 10, 12, chargingProfileKind="Relative")
        del relative["chargingSchedule"]["startSchedule"]
        await put(r, relative)
        await asyncio.sleep(100)
        assert await composite(r) == [(0, 10), (60, 12)]
        await r.charging()
        await asyncio.sleep(20)
        (_, first), (later, second) = await composite(r)
        assert (first, second) == (10, 12)
        assert later == pytest.approx(40, abs=1)


async def test_a_daily_schedule_begins_anew() -> None:
    async with rig(profiles=SMART) as r:
        await r.booted()
        start = (r.csms.clock.now() - timedelta(days=3, seconds=30)).isoformat()
        schedule = {"startSchedule": start, "duration": 120}
        daily: Payload = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
        await put(r, profile(r, 1, 10, 12, schedule=schedule, **daily))
        found = await composite(r, duration=86400)
        assert [limit for _, limit in found] == [10, 12, 32, 10]
        assert [start for start, _ in found] == pytest.approx([0, 30, 90, 86370], abs=1)


async def test_the_connectors_share_the_limit_of_the_station() -> None:
    async with rig(profiles=SMART, connectors=2) as r:
        await r.booted()
        await put(r, profile(r, 1, 20, chargingProfilePurpose="ChargePointMaxProfile"), 0)
        await r.charging()
        assert r.evse.offered == 20
        other = r.electronics.connectors[2]
        other.plug_in()
        await r.csms.status(2, "Preparing")
        await r.csms.status_of("RemoteStartTransaction", connectorId=2, idTag=VISA)
        await r.csms.status(2, "Charging")
        assert [r.evse.offered, other.offered] == [10, 10]
        assert await composite(r, connector=2) == [(0, 10)]
        assert await composite(r, connector=0) == [(0, 20)]
        number = {"transactionId": r.transaction_id()}
        await r.csms.status_of("RemoteStopTransaction", **number)
        await r.csms.status(2, "Finishing")
        assert r.evse.offered == 20
