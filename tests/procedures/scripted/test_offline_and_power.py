"""What the cases on power failures, offline behaviour and local lists allow and notice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.dut import Timing
from bench.ocpp.frame import CallError
from tests.procedures.scripted.rig import Rig, rig
from tests.procedures.scripted.station import Payload

WITH_LIST = {"FP.LAL": True, "CFG.SendLocalListMaxLength": 5}


def resumes(bench: Rig) -> None:
    """Let the station go on with the transaction after a power failure."""

    async def boot(reason: str) -> None:
        await bench.station.boot()

    bench.station.wake = boot


async def test_a_transaction_that_goes_on_is_stopped_by_its_card() -> None:
    async with rig() as bench:
        resumes(bench)
        ended = await bench.run("TC_032_2_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        assert bench.hands.done[-2:] == ["present valid", "unplug 1"]


async def test_a_transaction_may_be_preparing_before_it_goes_on() -> None:
    async with rig() as bench:
        station = bench.station

        async def boot(reason: str) -> None:
            station.reports_after_boot = {1: "Preparing"}
            await station.boot()
            await asyncio.sleep(3.0)
            await station.report(1, "Charging")

        station.wake = boot
        ended = await bench.run("TC_032_2_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        assert bench.hands.done[-2:] == ["present valid", "unplug 1"]


@pytest.mark.parametrize(("edited", "verdict"), [({}, "pass"), ({"meterStop": 2100}, "fail")])
async def test_a_stop_whose_answer_may_be_lost_is_told_once_more(
    edited: Payload, verdict: str
) -> None:
    async with rig() as bench:
        station, wake, call = bench.station, bench.station.wake, bench.station.call
        stops: list[Payload] = []

        async def keep(action: str, **payload: Any) -> Payload:
            if action == "StopTransaction":
                stops.append(payload)
            return await call(action, **payload)

        async def repeat(reason: str) -> None:
            await wake(reason)
            await station.call("StopTransaction", **stops[0] | edited)

        station.call = keep  # type: ignore[method-assign]
        station.wake = repeat
        assert (await bench.run("TC_032_1_CS")).verdict == verdict


@pytest.mark.parametrize(("delay", "verdict"), [(10.0, "pass"), (19.0, "fail")])
async def test_a_station_may_take_its_time_to_start_offline(delay: float, verdict: str) -> None:
    async with rig(pics={"C-04": False}, timing=Timing(offline=20.0)) as bench:
        station, card = bench.station, bench.station.card

        async def slowly(id_tag: str) -> None:
            await asyncio.sleep(delay)
            await card(id_tag)

        station.card = slowly  # type: ignore[method-assign]
        assert (await bench.run("TC_037_1_CS")).verdict == verdict


@pytest.mark.parametrize("interval", [3, 10])
async def test_a_missing_sample_is_noticed_whatever_the_deviation(interval: int) -> None:
    async with rig(timing=Timing(meter_interval=interval)) as bench:
        bench.station.delivers = lambda queue: [queue[0], *queue[2:]]
        ended = await bench.run("TC_036_CS")
        assert ended.verdict == "fail"
        assert "MeterValues timestamp" in str(ended.reason)


async def test_a_transaction_that_goes_on_can_not_be_judged_without_a_card() -> None:
    async with rig(pics={"C-08": False}) as bench:
        resumes(bench)
        ended = await bench.run("TC_032_2_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "body")
        assert "(C-08 = false)" in str(ended.reason)


async def test_only_the_last_status_after_a_boot_counts() -> None:
    async with rig() as bench:
        station = bench.station

        async def hesitate(reason: str) -> None:
            true = dict(station.statuses)
            station.reports_after_boot = dict.fromkeys(true, "Available")
            await station.boot()
            for connector, status in true.items():
                await station.report(connector, status)

        station.wake = hesitate
        ended = await bench.run("TC_034_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_a_connector_that_comes_back_later_fails() -> None:
    async with rig() as bench:
        station = bench.station

        async def relapse(reason: str) -> None:
            await station.boot()
            await asyncio.sleep(2.0)
            await station.report(2, "Available")

        station.wake = relapse
        ended = await bench.run("TC_034_CS")
        assert ended.verdict == "fail"
        assert 'no StatusNotification(status="Available") was allowed' in str(ended.reason)


async def test_a_connector_that_is_back_at_once_fails() -> None:
    async with rig() as bench:
        station = bench.station

        async def boot_then_back(reason: str) -> None:
            station.statuses[1] = "Unavailable"
            await station.connect()
            await station.call(
                "BootNotification", chargePointVendor="Test", chargePointModel="Scripted"
            )
            await station.report(0)
            await station.report(1)
            await station.report(1, "Available")
            await station.report(2)

        station.wake = boot_then_back
        ended = await bench.run("TC_034_CS")
        assert ended.verdict == "fail"
        text = 'last status of connector 1: expected "Unavailable", came "Available"'
        assert text in str(ended.reason)


async def test_an_offline_case_is_inconclusive_when_the_path_is_not_cut() -> None:
    async with rig() as bench:
        bench.hands.cuts = False
        ended = await bench.run("TC_038_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "connection was not closed" in str(ended.reason)


async def test_a_reader_may_write_an_id_tag_in_other_letters() -> None:
    async with rig() as bench:
        station, card = bench.station, bench.station.card

        async def in_small_letters(id_tag: str) -> None:
            await card(id_tag.lower())

        station.card = in_small_letters  # type: ignore[method-assign]
        for case in ("TC_037_1_CS", "TC_039_CS"):
            ended = await bench.run(case)
            assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_the_card_comes_first_where_the_cable_is_blocked_before() -> None:
    async with rig(pics={"AQ-2": True, "C-04": False}) as bench:
        ended = await bench.run("TC_037_1_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        assert bench.hands.done == ["present valid", "plug in 1", "unplug 1"]


async def test_the_owner_gets_the_cable_of_a_refused_start_back() -> None:
    async with rig(pics={"C-04": False}) as bench:
        ended = await bench.run("TC_037_3_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        assert bench.hands.done[-2:] == ["present invalid", "unplug 1"]


async def test_a_stop_without_reason_means_a_local_one() -> None:
    async with rig() as bench:
        station, send = bench.station, bench.station.send_stop

        async def tersely(number: int, reason: str, **fields: Any) -> None:
            await send(number, reason, **fields)
            del station.untold[-1][1]["reason"]

        station.send_stop = tersely
        ended = await bench.run("TC_038_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_a_list_can_not_be_tried_where_remote_starts_are_never_authorised() -> None:
    async with rig(pics=WITH_LIST) as bench:
        bench.station.keys |= {
            "LocalAuthListEnabled": "true",
            "AuthorizeRemoteTxRequests": "false",
        }
        bench.station.read_only.add("AuthorizeRemoteTxRequests")
        ended = await bench.run("TC_008_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "AuthorizeRemoteTxRequests is read-only and false" in str(ended.reason)


async def test_a_local_list_of_five_entries_is_long_enough() -> None:
    async with rig(pics=WITH_LIST) as bench:
        station = bench.station
        station.keys["LocalAuthListEnabled"] = "true"
        take = station.answers["SendLocalList"]

        def take_five(payload: Payload) -> Payload | CallError:
            new = {entry["idTag"] for entry in payload.get("localAuthorizationList", ())}
            kept = set() if payload["updateType"] == "Full" else set(station.listed)
            return {"status": "Failed"} if len(new | kept) > 5 else take(payload)

        station.answers["SendLocalList"] = take_five
        ended = await bench.run("TC_043_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_a_listed_card_may_start_before_the_plug() -> None:
    async with rig(pics=WITH_LIST | {"AQ-2": True}) as bench:
        bench.station.keys["LocalAuthListEnabled"] = "true"
        ended = await bench.run("TC_008_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_both_refusals_of_a_local_list_are_good() -> None:
    for refusal in ({"status": "NotSupported"}, CallError("", "NotSupported")):
        async with rig() as bench:

            def refuse(payload: Payload, refusal: Any = refusal) -> Any:
                return refusal

            bench.station.answers["SendLocalList"] = refuse
            ended = await bench.run("TC_043_1_CS")
            assert (ended.verdict, bench.bad()) == ("pass", [])
