"""What the cases allow and what they notice, beyond the defects of the virtual station."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bench.clock import now, wire
from bench.events import Acted, CaseEnded, Checked, FileTransferred, FrameReceived
from bench.ocpp.frame import CallError
from procedures.ocpp16.station import SUITE
from stations.transfer import fetch
from tests.procedures.scripted.rig import Rig, rig
from tests.procedures.scripted.smart import Smart
from tests.procedures.scripted.station import Payload

CASES = [one.id for one in SUITE.procedures if one is not SUITE.reset and one.is_available]
SMART = [one.id for one in SUITE.procedures if one.group == "smart-charging"]

WITH_LIST = [one.id for one in SUITE.procedures if one.group == "local-authorization-list"]
LIST_PICS = {"FP.LAL": True, "BENCH.lal_failure": True, "CFG.SendLocalListMaxLength": 5}
LIST_KEYS = {"LocalAuthListEnabled": "true", "SendLocalListMaxLength": "5"}


def reason(ended: CaseEnded) -> str:
    assert ended.reason is not None
    return ended.reason


def follow_virtual_time(bench: Rig) -> None:
    """Let the station's clock run with virtual time, as its samples are judged by it alone."""
    bench.station.origin = now().utc - timedelta(seconds=asyncio.get_running_loop().time() + 3600.0)


@pytest.mark.parametrize("case", CASES)
async def test_every_case_passes(case: str) -> None:
    async with rig(pics=LIST_PICS if case in WITH_LIST else None) as bench:
        if case in WITH_LIST:
            bench.station.keys |= LIST_KEYS
        bench.station.fixed_cable = case in ("TC_017_2_CS", "TC_018_2_CS")
        if case in ("TC_036_CS", "TC_070_CS", "TC_071_CS"):
            follow_virtual_time(bench)
        if case in SMART:
            Smart(bench.station)
        ended = await bench.run(case)
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert bench.bad() == []


@pytest.mark.parametrize("case", CASES)
async def test_every_case_is_inconclusive_when_the_station_is_mute(case: str) -> None:
    async with rig(booted=False) as bench:
        await bench.station.connect()
        bench.station.deaf = True
        ended = await bench.run(case)
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "was not answered within 30 s" in reason(ended)


# Cold boot


async def test_heartbeats_may_deviate_a_little_but_not_more() -> None:
    for extra, verdict in ((3, "pass"), (5, "fail")):
        async with rig() as bench:

            async def beat(extra: int = extra, bench: Rig = bench) -> None:
                while True:
                    await asyncio.sleep(60 + extra)
                    await bench.station.call("Heartbeat")

            bench.station.beat = beat
            ended = await bench.run("TC_001_CS")
            assert ended.verdict == verdict
            if verdict == "fail":
                assert "after the one before: expected 56 to 64, came 65" in reason(ended)


async def test_an_early_retry_names_the_interval() -> None:
    async with rig() as bench:
        bench.station.patience = 0.5
        ended = await bench.run("TC_002_CS")
        assert ended.verdict == "fail"
        text = "BootNotification, seconds after the one before: expected at least 14.9, came 7.5"
        assert text in reason(ended)


async def test_a_connector_that_boots_out_of_service_fails() -> None:
    async with rig() as bench:
        bench.station.reports_after_boot = {2: "Unavailable"}
        ended = await bench.run("TC_001_CS")
        assert ended.verdict == "fail"
        text = 'StatusNotification: status expected "Available", came "Unavailable"'
        assert text in reason(ended)


# Start and stop


async def test_a_start_stamped_an_hour_ago_fails() -> None:
    async with rig() as bench:
        bench.station.origin = now().utc - timedelta(
            seconds=asyncio.get_running_loop().time() + 3600.0
        )
        ended = await bench.run("TC_003_CS")
        assert ended.verdict == "fail"
        assert "StartTransaction timestamp, seconds ago: expected -4 to 5, came 3600" in (
            reason(ended)
        )


PLUG_FIRST = ("TC_003_CS", "TC_007_CS", "TC_010_CS", "TC_068_CS")
"""Cases that plug in before somebody is authorised, with a card or remotely."""


@pytest.mark.parametrize("case", PLUG_FIRST)
@pytest.mark.parametrize("feeds_first", [True, False])
async def test_a_mode_1_2_product_may_feed_a_plug_first(case: str, feeds_first: bool) -> None:
    async with rig(pics={"GEN.mode12": True}) as bench:
        bench.station.feeds_first = bench.station.prepares_again = feeds_first
        ended = await bench.run(case)
        assert (ended.verdict, ended.reason, bench.bad()) == ("pass", None, [])
        statuses = [message["status"] for message in bench.statuses(1)]
        begins = ["Preparing", "Available", "Preparing", "Charging"]
        first = statuses.index("Preparing")
        assert (statuses[first : first + 4] == begins) is feeds_first


@pytest.mark.parametrize("case", ["TC_003_CS", "TC_010_CS"])
@pytest.mark.parametrize("pics", [{}, {"GEN.mode12": False}])
async def test_no_other_product_may_feed_a_plug_first(case: str, pics: dict[str, Any]) -> None:
    async with rig(pics=pics) as bench:
        bench.station.feeds_first = bench.station.prepares_again = True
        ended = await bench.run(case)
        assert ended.verdict == "fail"
        text = 'no StatusNotification(connectorId=1, status="Available") was allowed'
        assert text in reason(ended)


async def test_a_plug_that_was_fed_has_to_be_prepared_again() -> None:
    async with rig(pics={"GEN.mode12": True}) as bench:
        bench.station.feeds_first = True
        ended = await bench.run("TC_003_CS")
        assert ended.verdict == "fail"
        assert 'StatusNotification(connectorId=1, status="Preparing") did not come' in reason(ended)


async def test_a_late_return_to_available_fails() -> None:
    async with rig() as bench:

        def lazy(payload: Payload) -> Payload:
            if payload["key"] == "ConnectionTimeOut":
                bench.station.keys["ConnectionTimeOut"] = str(int(payload["value"]) + 69)
            return {"status": "Accepted"}

        bench.station.answers["ChangeConfiguration"] = lazy
        assert (await bench.run("TC_004_2_CS")).verdict == "pass"
        bench.station.keys["ConnectionTimeOut"] = "60"

    async with rig() as bench:

        def lazier(payload: Payload) -> Payload:
            if payload["key"] == "ConnectionTimeOut":
                bench.station.keys["ConnectionTimeOut"] = str(int(payload["value"]) + 71)
            return {"status": "Accepted"}

        bench.station.answers["ChangeConfiguration"] = lazier
        ended = await bench.run("TC_004_2_CS")
        assert ended.verdict == "fail"
        assert "did not come within 100 s" in reason(ended)


async def test_the_old_connection_time_out_comes_back_after_the_case() -> None:
    async with rig() as bench:
        await bench.run("TC_004_2_CS")
        assert bench.station.keys["ConnectionTimeOut"] == "60"


async def test_the_other_connector_is_occupied_when_the_reader_is_shared() -> None:
    async with rig(pics={"GEN.rfid": "single"}) as bench:
        assert (await bench.run("TC_068_CS")).verdict == "pass"
        plugged = [done for done in bench.hands.done if done.startswith("plug in")]
        assert plugged == ["plug in 2", "plug in 1"]
        assert bench.hands.plugged == set()


async def test_a_stop_without_reason_is_a_local_one() -> None:
    async with rig() as bench:

        async def stop(number: int, reason: str, **fields: Any) -> None:
            await bench.station.call(
                "StopTransaction",
                transactionId=number,
                meterStop=2000,
                timestamp=bench.station.stamp(),
                **fields,
            )

        bench.station.send_stop = stop
        assert (await bench.run("TC_068_CS")).verdict == "pass"


async def test_a_read_only_key_that_has_the_wanted_value_is_left_alone() -> None:
    async with rig() as bench:
        bench.station.read_only.add("UnlockConnectorOnEVSideDisconnect")
        ended = await bench.run("TC_005_1_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_a_read_only_key_with_another_value_is_inconclusive() -> None:
    async with rig() as bench:
        bench.station.read_only.add("StopTransactionOnEVSideDisconnect")
        bench.station.keys["StopTransactionOnEVSideDisconnect"] = "false"
        ended = await bench.run("TC_005_1_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert 'status expected "Accepted", came "Rejected"' in reason(ended)


async def test_minimum_status_duration_is_set_where_there_is_one() -> None:
    async with rig() as bench:
        bench.station.keys["MinimumStatusDuration"] = "3"
        seen: list[str] = []

        def write(payload: Payload) -> Payload:
            seen.append(f"{payload['key']}={payload['value']}")
            return {"status": "Accepted"}

        bench.station.answers["ChangeConfiguration"] = write
        assert (await bench.run("TC_023_CS")).verdict == "pass"
        assert seen == [
            "MinimumStatusDuration=10",
            "LocalPreAuthorize=true",
            "LocalPreAuthorize=false",
            "MinimumStatusDuration=3",
        ]


# Remote actions


@pytest.mark.parametrize("case", ["TC_010_CS", "TC_011_1_CS", "TC_011_2_CS"])
async def test_no_authorize_comes_when_the_station_is_not_to_ask(case: str) -> None:
    async with rig() as bench:
        bench.station.keys["AuthorizeRemoteTxRequests"] = "false"
        assert (await bench.run(case)).verdict == "pass"

    async with rig() as bench:
        bench.station.keys["AuthorizeRemoteTxRequests"] = "false"

        async def ask_all_the_same(payload: Payload) -> None:
            await bench.station.call("Authorize", idTag=payload["idTag"])
            await bench.station.admit(payload["idTag"])

        bench.station.reactions["RemoteStartTransaction"] = ask_all_the_same
        ended = await bench.run(case)
        assert ended.verdict == "fail"
        assert "no Authorize() was allowed, but Authorize(" in reason(ended)


async def test_the_cable_comes_after_the_remote_start_where_it_is_blocked_before() -> None:
    async with rig(pics={"AQ-2": True}) as bench:
        assert (await bench.run("TC_012_CS")).verdict == "pass"

        def authorizes(event: Any) -> bool:
            return isinstance(event, FrameReceived) and '"Authorize"' in str(event.text)

        def plugs(event: Any) -> bool:
            return isinstance(event, Acted) and event.method == "plug_in"

        assert bench.first(authorizes) < bench.first(plugs)


# Reset


async def test_a_soft_reset_may_pass_without_a_restart() -> None:
    async with rig() as bench:

        async def nothing(payload: Payload) -> None:
            pass

        bench.station.reactions["Reset"] = nothing
        started = asyncio.get_running_loop().time()
        assert (await bench.run("TC_014_CS")).verdict == "pass"
        waited = asyncio.get_running_loop().time() - started
        assert waited == pytest.approx(60.0, abs=1.0)


async def test_a_soft_reset_that_takes_long_is_waited_for_while_the_station_is_away() -> None:
    async with rig() as bench:

        async def slowly(payload: Payload) -> None:
            bench.station.lose_power()
            await asyncio.sleep(300.0)
            await bench.station.boot()

        bench.station.reactions["Reset"] = slowly
        ended = await bench.run("TC_014_CS")
        assert (ended.verdict, ended.unclaimed) == ("pass", [])


@pytest.mark.parametrize("finishes", [True, False])
async def test_a_transaction_may_end_before_the_restart_if_finishing_is_reported(
    finishes: bool,
) -> None:
    async with rig() as bench:

        async def reset(payload: Payload) -> None:
            station = bench.station
            number, station.running = station.running, None
            assert number is not None
            await station.send_stop(number, "HardReset")
            if finishes:
                await station.report(1, "Finishing")
            await station.reboot()

        bench.station.reactions["Reset"] = reset
        ended = await bench.run("TC_015_CS")
        assert ended.verdict == ("pass" if finishes else "fail")
        if not finishes:
            assert 'StatusNotification: status expected "Finishing"' in reason(ended)


# Configuration


async def test_all_wrong_keys_are_listed_at_once() -> None:
    async with rig() as bench:
        station = bench.station
        del station.keys["ResetRetries"]
        station.read_only.add("LocalPreAuthorize")
        station.keys["StopTransactionOnInvalidId"] = "yes"
        ended = await bench.run("TC_019_CS")
        assert ended.verdict == "fail"
        assert bench.bad() == [
            "GetConfiguration answer, readonly of LocalPreAuthorize",
            "GetConfiguration answer, readonly of ResetRetries",
            "GetConfiguration answer, value of StopTransactionOnInvalidId",
        ]
        text = "GetConfiguration answer, readonly of LocalPreAuthorize: expected false, came true"
        assert text in reason(ended)


async def test_the_keys_of_a_claimed_profile_are_required() -> None:
    async with rig(pics={"FP.LAL": True}) as bench:
        bench.station.keys["SupportedFeatureProfiles"] = "Core, LocalAuthListManagement"
        await bench.run("TC_019_CS")
        assert bench.bad() == [
            "GetConfiguration answer, SupportedFeatureProfiles has RemoteTrigger as claimed",
            "GetConfiguration answer, readonly of LocalAuthListEnabled",
            "GetConfiguration answer, readonly of LocalAuthListMaxLength",
            "GetConfiguration answer, readonly of SendLocalListMaxLength",
        ]


async def test_a_profile_that_is_not_claimed_must_not_be_listed() -> None:
    async with rig(pics={"FP.LAL": False}) as bench:
        bench.station.keys["SupportedFeatureProfiles"] = (
            "Core,LocalAuthListManagement,RemoteTrigger"
        )
        await bench.run("TC_019_CS")
        assert bench.bad() == [
            "GetConfiguration answer, SupportedFeatureProfiles lacks LocalAuthListManagement "
            "as claimed"
        ]


async def test_keys_are_asked_for_as_many_at_a_time_as_the_station_takes() -> None:
    async with rig() as bench:
        await bench.run("TC_019_CS", reset=False)
        asked = [call.payload for call in bench.station.asked]
        sizes = [len(payload.get("key", ())) for payload in asked]
        assert sizes == [1, 0, 1, 7, 7, 7, 3, 1]  # the last is the sign of life


async def test_an_unusable_number_of_keys_fails() -> None:
    async with rig() as bench:
        bench.station.keys["GetConfigurationMaxKeys"] = "0"
        ended = await bench.run("TC_019_CS")
        assert ended.verdict == "fail"
        assert "value of GetConfigurationMaxKeys" in reason(ended)


async def test_a_value_is_read_back_as_a_number() -> None:
    async with rig() as bench:

        def write(payload: Payload) -> Payload:
            bench.station.keys[payload["key"]] = payload["value"].zfill(4)
            return {"status": "Accepted"}

        bench.station.answers["ChangeConfiguration"] = write
        assert (await bench.run("TC_021_CS")).verdict == "pass"


async def test_a_call_error_is_a_refusal_too() -> None:
    async with rig() as bench:
        good = bench.station.answers["ChangeConfiguration"]

        def write(payload: Payload) -> Payload | CallError:
            if payload["value"] == "-1":
                return CallError("", "PropertyConstraintViolation")
            return good(payload)

        bench.station.answers["ChangeConfiguration"] = write
        assert (await bench.run("TC_040_2_CS")).verdict == "pass"


async def test_a_refusal_that_changes_the_value_all_the_same_fails() -> None:
    async with rig() as bench:
        good = bench.station.answers["ChangeConfiguration"]

        def write(payload: Payload) -> Payload | CallError:
            if payload["value"] == "-1":
                bench.station.keys[payload["key"]] = "-1"
                return {"status": "Rejected"}
            return good(payload)

        bench.station.answers["ChangeConfiguration"] = write
        ended = await bench.run("TC_040_2_CS")
        assert ended.verdict == "fail"
        assert "value of MeterValueSampleInterval" in reason(ended)


async def test_a_station_that_has_the_unknown_key_is_inconclusive() -> None:
    async with rig() as bench:
        bench.station.keys["Testing"] = "1"
        ended = await bench.run("TC_040_1_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert reason(ended) == "the station has a configuration key named Testing"


# Refused cards


async def test_a_station_without_local_identification_is_asked_from_afar() -> None:
    async with rig(pics={"C-07": False}) as bench:
        assert (await bench.run("TC_023_CS")).verdict == "pass"
        assert bench.hands.done[:1] == ["plug in 1"]
        assert "RemoteStartTransaction" in bench.asked()
        note, *_ = bench.notes()
        assert "C-07" in note


async def test_the_card_comes_first_where_the_cable_is_blocked_before() -> None:
    async with rig(pics={"AQ-2": True}) as bench:
        assert (await bench.run("TC_023_CS")).verdict == "pass"
        assert bench.hands.done[:2] == ["present invalid", "plug in 1"]


# Offline


async def test_the_last_sample_before_the_cut_may_come_again() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)
        bench.station.delivers = lambda queue: [bench.station.last_sample, *queue]
        ended = await bench.run("TC_036_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_several_samples_in_one_message_are_as_good() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)

        def bundled(queue: list[Payload]) -> list[Payload]:
            values = [value for sample in queue for value in sample["meterValue"]]
            return [queue[0] | {"meterValue": values}]

        bench.station.delivers = bundled
        ended = await bench.run("TC_036_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        spacings = [c for c in bench.events(Checked) if c.text.startswith("MeterValues timestamp")]
        assert len(spacings) == 4


async def test_one_lost_sample_fails_with_the_gap() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)
        bench.station.delivers = lambda queue: queue[1:]
        ended = await bench.run("TC_036_CS")
        assert ended.verdict == "fail"
        text = "MeterValues timestamp, seconds after the one before: expected 6 to 14, came 20"
        assert text in reason(ended)


async def test_a_station_whose_samples_are_all_of_one_moment_is_not_waited_for_for_ever() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)
        call, moment = bench.station.call, bench.station.stamp()

        async def stopped(action: str, **payload: Any) -> Payload:
            if action == "MeterValues":
                value, *_ = payload["meterValue"]
                payload["meterValue"] = [value | {"timestamp": moment}]
            return await call(action, **payload)

        bench.station.call = stopped  # type: ignore[method-assign]
        ended = await bench.run("TC_036_CS")
        assert ended.verdict == "fail"
        assert "Seconds from the first sample delivered to one that is taken afterwards" in reason(
            ended
        )


async def test_a_boot_on_a_mere_reconnection_is_noted_only() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)

        async def boot() -> None:
            await bench.station.connect()
            await bench.station.call(
                "BootNotification", chargePointVendor="Test", chargePointModel="Scripted"
            )
            for sample in bench.station.queue:
                await bench.station.call("MeterValues", **sample)
            bench.station.queue.clear()

        bench.station.reconnect = boot
        ended = await bench.run("TC_036_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])
        note, *_ = bench.notes()
        assert "OCPP-J 1.6 clause 5.4" in note


async def test_a_path_that_is_not_cut_is_inconclusive() -> None:
    async with rig() as bench:
        follow_virtual_time(bench)
        bench.hands.cuts = False
        ended = await bench.run("TC_036_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "body")
        assert "although the path is cut" in reason(ended)


# Reservation


async def test_a_reservation_that_is_left_is_cancelled_before_the_next_case() -> None:
    async with rig() as bench:
        number = bench.book.reservation_id()
        ask = {"connectorId": 1, "expiryDate": wire(now().utc + timedelta(hours=1))}
        await bench.station.reserve(ask | {"idTag": "CARD1", "reservationId": number})
        ended = await bench.run("TC_031_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert bench.asked("CancelReservation") == ["CancelReservation"]
        assert bench.book.reservations == set()
        assert bench.station.statuses[1] == "Available"


async def test_what_was_reserved_is_cancelled_after_the_case() -> None:
    async with rig() as bench:
        assert (await bench.run("TC_052_CS")).verdict == "pass"
        assert bench.book.reservations == set()
        assert bench.station.reservation == {}


async def test_an_operator_switches_reservations_off_where_no_key_does() -> None:
    async with rig(reservations_off=None) as bench:
        ended = await bench.run("TC_048_4_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "nobody answers" in reason(ended)


async def test_a_stranger_may_be_asked_about_at_a_reserved_connector() -> None:
    async with rig() as bench:
        ended = await bench.run("TC_046_1_CS")
        assert ended.verdict == "pass"
        asked = [c for c in bench.events(FrameReceived) if "Authorize" in (c.text or "")]
        assert any("CARD2" in (frame.text or "") for frame in asked)


# Remote trigger


async def test_a_station_may_not_implement_the_firmware_status_and_refuse_with_an_error() -> None:
    async with rig() as bench:
        allow = bench.station.answers["TriggerMessage"]

        def unknown(payload: Payload) -> Payload | CallError:
            if payload["requestedMessage"] == "FirmwareStatusNotification":
                return {"status": "NotImplemented"}
            return allow(payload)

        bench.station.answers["TriggerMessage"] = unknown
        assert (await bench.run("TC_054_CS")).verdict == "pass"
        bench.station.answers["TriggerMessage"] = lambda payload: CallError("", "GenericError")
        assert (await bench.run("TC_055_CS", reset=False)).verdict == "pass"


async def test_a_group_is_asked_about_before_it_starts_remotely_at_its_reservation() -> None:
    key = "AuthorizeRemoteTxRequests"
    for fixed, verdict in ((False, "pass"), (True, "inconclusive")):
        async with rig(pics={"FP.RES": True, "C-07": False}) as bench:
            station, start = bench.station, bench.station.answers["RemoteStartTransaction"]
            station.keys[key] = "false"
            station.read_only |= {key} if fixed else set()

            def own_or_asked(payload: Payload, start: Any = start, station: Any = station) -> Any:
                owner = station.reservation.get("idTag", payload["idTag"])
                asks = station.keys[key] == "true"
                known = asks or owner == payload["idTag"]
                return start(payload) if known else {"status": "Rejected"}

            station.answers["RemoteStartTransaction"] = own_or_asked
            ended = await bench.run("TC_053_CS")
            assert ended.verdict == verdict
            assert station.keys[key] == "false"


async def test_a_reserved_connector_may_say_so_again() -> None:
    async with rig(pics={"FP.RES": True}) as bench:
        station, card = bench.station, bench.station.card

        async def remind(id_tag: str) -> None:
            if id_tag == "CARD2":
                await station.report(1, "Reserved")
            else:
                await card(id_tag)

        station.card = remind  # type: ignore[method-assign]
        ended = await bench.run("TC_046_1_CS")
        assert (ended.verdict, bench.bad()) == ("pass", [])


async def test_a_heartbeat_that_is_due_does_not_pass_for_a_triggered_one() -> None:
    async with rig() as bench:
        station, send = bench.station, bench.station.send_triggered

        async def all_but_heartbeats(payload: Payload) -> None:
            if payload["requestedMessage"] != "Heartbeat":
                await send(payload)

        async def beat() -> None:
            while True:
                await asyncio.sleep(1.0)
                if station.keys["HeartbeatInterval"] == "60":
                    await station.call("Heartbeat")

        station.reactions["TriggerMessage"] = all_but_heartbeats
        station.timer("heartbeat", beat())
        ended = await bench.run("TC_054_CS")
        assert ended.verdict == "fail"
        assert "Heartbeat" in reason(ended)
        assert station.keys["HeartbeatInterval"] == "60"


# Firmware and diagnostics


async def test_a_station_may_restart_when_it_can_not_install_a_firmware() -> None:
    async with rig() as bench:
        bench.station.boots_in_vain = True
        ended = await bench.run("TC_044_3_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)


async def test_a_station_that_restarted_in_vain_must_be_in_service() -> None:
    async with rig() as bench:
        bench.station.boots_in_vain = True
        bench.station.reports_after_boot = {1: "Unavailable"}
        ended = await bench.run("TC_044_3_CS")
        assert ended.verdict == "fail"
        assert 'status="Available"' in reason(ended)


async def test_unsigned_firmware_is_not_supported_where_the_security_certificate_is_asked_for() -> (
    None
):
    async with rig(pics={"SEC.cert": True}) as bench:
        ended = await bench.run("TC_044_1_CS")
        assert ended.verdict == "fail"
        assert "expected CALLERROR NotSupported" in reason(ended)
        bench.station.answers["UpdateFirmware"] = lambda payload: CallError("", "NotSupported")
        assert (await bench.run("TC_044_1_CS", reset=False)).verdict == "pass"

        def fetch_all_the_same(payload: Payload) -> CallError:
            bench.station.spawn(fetch(payload["location"], within=5.0))
            return CallError("", "NotSupported")

        bench.station.answers["UpdateFirmware"] = fetch_all_the_same
        ended = await bench.run("TC_044_1_CS", reset=False)
        assert ended.verdict == "fail"
        assert "Bytes of the unsigned firmware that the station fetched" in reason(ended)


async def test_files_go_by_the_protocol_that_the_product_claims() -> None:
    protocols = "CFG.SupportedFileTransferProtocols"
    for claimed, used in ((["HTTPS", "HTTP"], "HTTP"), (None, "FTP")):
        async with rig(pics={protocols: claimed} if claimed else {}) as bench:
            for case in ("TC_044_1_CS", "TC_045_1_CS"):
                assert (await bench.run(case)).verdict == "pass"
            assert [event.protocol for event in bench.events(FileTransferred)] == [used] * 2
    async with rig(pics={protocols: ["FTPS"]}) as bench:
        ended = await bench.run("TC_044_1_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "serves files by FTP and HTTP, the PICS claim FTPS" in reason(ended)


async def test_without_a_firmware_file_nothing_is_judged() -> None:
    async with rig() as bench:
        path = bench.runner._dut.pixit.firmware.file("good")
        path.unlink()
        ended = await bench.run("TC_044_1_CS")
        assert ended.verdict == "inconclusive"
        assert f"[pixit.firmware] good: there is no file {path}" in reason(ended)
