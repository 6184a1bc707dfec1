"""000_RESET: quick in the basic state, thorough outside it, honest when it does not get there."""

from __future__ import annotations

import asyncio

from bench.capability import End
from bench.events import StepStarted
from bench.ocpp.csms import Transaction
from bench.ocpp.frame import CallError
from tests.procedures.scripted.rig import rig
from tests.procedures.scripted.station import Payload

QUICK = ["ChangeAvailability", "GetConfiguration", "ClearCache"]


def virtual_now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_station_in_the_basic_state_is_asked_and_nothing_is_changed() -> None:
    async with rig() as bench:
        started = virtual_now()
        ended = await bench.run("000_RESET")
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert bench.asked() == QUICK
        assert bench.hands.done == []
        assert virtual_now() - started < 1.0


async def test_keys_that_differ_are_written() -> None:
    async with rig() as bench:
        bench.station.keys |= {"MeterValueSampleInterval": "60", "LocalPreAuthorize": "True"}
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.station.keys["MeterValueSampleInterval"] == "0"
        assert bench.station.keys["LocalPreAuthorize"] == "false"
        assert bench.asked("ChangeConfiguration") == ["ChangeConfiguration"] * 2


async def test_a_key_that_a_case_left_changed_is_restored() -> None:
    async with rig() as bench:
        station = bench.station
        write = station.answers["ChangeConfiguration"]

        def refuse_old_value(payload: Payload) -> Payload | CallError:
            if payload == {"key": "ConnectionTimeOut", "value": "60"}:
                return {"status": "Rejected"}
            return write(payload)

        station.answers["ChangeConfiguration"] = refuse_old_value
        left = await bench.run("TC_004_2_CS")
        assert left.verdict == "inconclusive"
        assert "ChangeConfiguration" in str(left.reason)
        assert station.keys["ConnectionTimeOut"] == "30"
        ended = await bench.run("000_RESET")
        assert ended.verdict == "fail"
        assert "ConnectionTimeOut" in str(ended.reason)
        station.answers["ChangeConfiguration"] = write
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert station.keys["ConnectionTimeOut"] == "60"
        # Once is enough.
        written = len(bench.asked("ChangeConfiguration"))
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert len(bench.asked("ChangeConfiguration")) == written


async def test_a_key_that_needs_a_reboot_to_be_restored_gets_it() -> None:
    async with rig() as bench:
        station = bench.station
        station.keys["ConnectionTimeOut"] = "30"
        bench.book.changed_keys["ConnectionTimeOut"] = "60"
        write = station.answers["ChangeConfiguration"]

        def take_after_reboot(payload: Payload) -> Payload | CallError:
            write(payload)
            return {"status": "RebootRequired"}

        station.answers["ChangeConfiguration"] = take_after_reboot
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.asked("Reset") == ["Reset"]
        assert station.keys["ConnectionTimeOut"] == "60"


async def test_a_station_that_is_away_is_waited_for_until_it_is_silent() -> None:
    async with rig(booted=False) as bench:

        async def come_later() -> None:
            await asyncio.sleep(200.0)
            await bench.station.boot()

        bench.station.spawn(come_later())
        ended = await bench.run("TC_031_CS")
        assert (ended.verdict, ended.unclaimed) == ("pass", [])


async def test_a_station_that_stays_away_is_named_as_the_reason() -> None:
    async with rig(booted=False) as bench:
        ended = await bench.run("TC_031_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert ended.reason == "the DUT's connection was not open within 600 s"


async def test_a_rejected_station_is_accepted_when_it_asks_again() -> None:
    async with rig(booted=False) as bench:
        bench.book.boot_status = "Rejected"

        async def ask_again() -> None:
            await bench.station.connect()
            await asyncio.sleep(15.0)
            await bench.station.call(
                "BootNotification", chargePointVendor="Test", chargePointModel="Scripted"
            )
            for connector in bench.station.statuses:
                await bench.station.report(connector)

        bench.station.spawn(ask_again())
        assert (await bench.run("000_RESET")).verdict == "pass"


async def test_an_open_transaction_is_stopped_and_the_cable_taken_out() -> None:
    async with rig() as bench:
        station, hands = bench.station, bench.hands
        hands.plugged.add(1)
        await station.plug()
        await station.draw()
        await station.admit("CARD1")
        (number,) = bench.book.open
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert f"Stop transaction {number}" in [s.title for s in bench.events(StepStarted)]
        assert hands.done == ["unplug 1"]
        assert bench.book.open == {}
        assert station.statuses[1] == "Available"
        assert bench.asked()[0] == "RemoteStopTransaction"


async def test_a_transaction_that_the_station_does_not_know_is_struck_off() -> None:
    async with rig() as bench:
        bench.book.open[7] = Transaction(7, 1, "CARD1")
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.book.open == {}
        assert bench.notes() == ["the station has no transaction 7"]


async def test_a_transaction_that_the_bench_does_not_know_ends_by_a_hard_reset() -> None:
    async with rig() as bench:
        station = bench.station
        await station.report(1, "SuspendedEV")

        async def reset(payload: Payload) -> None:
            station.statuses[1] = "Available"
            await station.reboot()

        station.reactions["Reset"] = reset
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert [c.payload for c in station.asked if c.action == "Reset"] == [{"type": "Hard"}]
        assert bench.notes() == ["connector 1 is in use, and the bench does not know by whom"]


async def test_a_connector_that_stays_ready_for_somebody_is_freed_by_a_hard_reset() -> None:
    async with rig() as bench:
        station = bench.station
        station.keys["ConnectionTimeOut"] = "600"
        await station.admit("CARD1")

        async def nothing(connector: int, *, end: End = End.BOTH) -> None:
            pass

        bench.hands.unplug = nothing  # type: ignore[method-assign]

        async def reset(payload: Payload) -> None:
            station.cancel("patience")
            station.id_tag, station.statuses[1] = "", "Available"
            await station.reboot()

        station.reactions["Reset"] = reset
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert "Reset" in bench.asked()
        assert station.statuses[1] == "Available"


async def test_a_transaction_that_ends_with_the_cable_needs_no_reset() -> None:
    async with rig() as bench:
        bench.hands.plugged.add(1)
        bench.station.plugged = True
        await bench.station.report(1, "SuspendedEV")
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.asked() == QUICK


async def test_a_station_that_has_not_reported_is_asked_to() -> None:
    async with rig() as bench:
        bench.book.statuses.clear()
        assert (await bench.run("000_RESET")).verdict == "pass"
        triggered = [c.payload for c in bench.station.asked if c.action == "TriggerMessage"]
        assert [payload["connectorId"] for payload in triggered] == [1, 2]
        assert "Reset" not in bench.asked()


async def test_a_station_that_can_not_be_asked_is_reset_once() -> None:
    async with rig(pics={"FP.RT": False}) as bench:
        bench.book.statuses.clear()
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.asked("Reset", "TriggerMessage") == ["Reset"]


async def test_connectors_out_of_service_are_put_back() -> None:
    async with rig() as bench:
        station = bench.station
        await station.report(2, "Unavailable")

        async def one_by_one(payload: Payload) -> None:
            if payload["connectorId"]:
                await station.report(payload["connectorId"], "Available")

        station.reactions["ChangeAvailability"] = one_by_one
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.asked("ChangeAvailability") == ["ChangeAvailability"] * 2


async def test_a_faulted_connector_is_named_as_the_reason() -> None:
    async with rig() as bench:
        await bench.station.report(2, "Faulted")
        ended = await bench.run("TC_031_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert ended.reason is not None
        assert 'StatusNotification(connectorId=2, status="Available") did not come' in ended.reason


async def test_local_list_and_charging_profiles_are_emptied() -> None:
    async with rig(pics={"FP.LAL": True}) as bench:
        bench.station.keys |= {"LocalAuthListEnabled": "false", "MaxChargingProfilesInstalled": "5"}
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert bench.station.keys["LocalAuthListEnabled"] == "true"
        sent = [c.payload for c in bench.station.asked if c.action == "SendLocalList"]
        empty = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []}
        assert sent == [empty]
        assert bench.asked("ClearChargingProfile") == ["ClearChargingProfile"]


async def test_a_list_is_left_alone_when_the_product_claims_none() -> None:
    async with rig(pics={"FP.LAL": False}) as bench:
        bench.station.keys["LocalAuthListEnabled"] = "true"
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert "SendLocalList" not in bench.asked()


async def test_a_cache_that_is_switched_off_is_not_cleared() -> None:
    async with rig() as bench:
        bench.station.keys["AuthorizationCacheEnabled"] = "false"
        assert (await bench.run("000_RESET")).verdict == "pass"
        assert "ClearCache" not in bench.asked()


async def test_a_refusal_fails_with_message_field_and_values() -> None:
    async with rig() as bench:

        def refuse(payload: Payload) -> Payload:
            return {"status": "Rejected"}

        bench.station.answers["ClearCache"] = refuse
        ended = await bench.run("000_RESET")
        assert ended.verdict == "fail"
        assert ended.reason is not None
        assert 'the answer to ClearCache(): status expected "Accepted", came "Rejected"' in (
            ended.reason
        )


async def test_a_station_that_never_falls_silent_fails() -> None:
    async with rig(booted=False) as bench:

        async def chatter() -> None:
            await asyncio.sleep(1.0)
            await bench.station.boot()
            while True:
                await bench.station.call("DataTransfer", vendorId="x")
                await asyncio.sleep(2.0)

        bench.station.spawn(chatter())
        ended = await bench.run("000_RESET")
        assert ended.verdict == "fail"
        assert ended.reason == "the station did not fall silent for 5 s within 70 s"


async def test_a_refused_answer_counts_as_a_failure_of_the_station() -> None:
    async with rig() as bench:

        def crash(payload: Payload) -> CallError:
            return CallError("", "InternalError")

        bench.station.answers["GetConfiguration"] = crash
        ended = await bench.run("000_RESET")
        assert ended.verdict == "fail"
        assert "CALLERROR InternalError" in str(ended.reason)
