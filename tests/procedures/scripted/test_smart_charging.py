"""What the smart charging cases allow and notice, beyond the virtual station's defects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bench.dut import Charging, Timing
from bench.events import CaseEnded, FrameSent
from bench.ocpp.frame import Call, parse
from procedures.ocpp16.station import SUITE
from stations.charging_profiles import Installed
from tests.procedures.scripted.rig import Rig, rig
from tests.procedures.scripted.smart import VIOLATION, Smart
from tests.procedures.scripted.station import Payload, ScriptedStation

CASES = [one.id for one in SUITE.procedures if one.group == "smart-charging"]


def reason(ended: CaseEnded) -> str:
    assert ended.reason is not None
    return ended.reason


def edit_composite(station: ScriptedStation, **changes: Any) -> None:
    """Change the answers with a composite schedule: callables change what is there."""
    good = station.answers["GetCompositeSchedule"]

    def spoilt(payload: Payload) -> Payload:
        answer = good(payload)
        assert isinstance(answer, dict)
        return answer | {name: change(answer[name]) for name, change in changes.items()}

    station.answers["GetCompositeSchedule"] = spoilt


def periods(change: Any) -> Any:
    name = "chargingSchedulePeriod"
    return lambda schedule: schedule | {name: [change(p) for p in schedule[name]]}


@pytest.mark.parametrize("case", CASES)
async def test_a_sample_can_be_tested_in_watts(case: str) -> None:
    charging = Charging(unit="W", phases=1, stack_level=1, duration=600)
    async with rig(charging=charging) as bench:
        Smart(bench.station, current=32.0)
        ended = await bench.run(case)
        assert (ended.verdict, ended.reason) == ("pass", None)
        texts = [
            record.event.text for record in bench.records if isinstance(record.event, FrameSent)
        ]
        calls = [frame for frame in map(parse, texts) if isinstance(frame, Call)]
        sent = [call.payload for call in calls if call.action == "SetChargingProfile"]
        for payload in sent:
            schedule = payload["csChargingProfiles"]["chargingSchedule"]
            assert schedule["chargingRateUnit"] == "W"
            assert all(p["limit"] >= 6000 for p in schedule["chargingSchedulePeriod"])
            assert all(p["numberPhases"] == 1 for p in schedule["chargingSchedulePeriod"])


@pytest.mark.parametrize("case", ["TC_059_CS", "TC_060_CS"])
async def test_the_cable_comes_later_where_it_is_blocked_before(case: str) -> None:
    async with rig(pics={"AQ-2": True}) as bench:
        Smart(bench.station)
        ended = await bench.run(case)
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert ("plug in 1" in bench.hands.done) == (case == "TC_059_CS")


@pytest.mark.parametrize(
    ("case", "verdict"), [("TC_058_1_CS", "pass"), ("TC_058_2_CS", "fail"), ("TC_060_CS", "pass")]
)
async def test_a_violation_is_a_refusal_where_the_plan_says_so(case: str, verdict: str) -> None:
    async with rig() as bench:
        Smart(bench.station).refusal = VIOLATION
        assert (await bench.run(case)).verdict == verdict


@pytest.mark.parametrize("case", CASES)
async def test_a_unit_that_the_station_does_not_take_is_inconclusive(case: str) -> None:
    async with rig() as bench:
        Smart(bench.station)
        bench.station.keys["ChargingScheduleAllowedChargingRateUnit"] = "Power"
        ended = await bench.run(case)
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert "ChargingScheduleAllowedChargingRateUnit" in reason(ended)


@pytest.mark.parametrize("case", ["TC_066_CS", "TC_067_CS", "TC_072_CS"])
async def test_profiles_that_are_not_taken_as_start_state_are_inconclusive(case: str) -> None:
    async with rig() as bench:
        Smart(bench.station)
        bench.station.answers["SetChargingProfile"] = lambda payload: {"status": "Rejected"}
        ended = await bench.run(case)
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")


@pytest.mark.parametrize(
    ("seconds", "has_ms", "verdict"),
    [
        (3, False, "pass"),
        (-4, False, "pass"),
        (-5, True, "fail"),
        (-6, False, "fail"),
        (6, False, "fail"),
    ],
)
async def test_the_start_may_deviate_a_little_but_not_more(
    seconds: int, has_ms: bool, verdict: str
) -> None:
    async with rig(pics={"GEN.ms": has_ms}) as bench:
        Smart(bench.station)

        def shifted(stamp: str) -> str:
            return (datetime.fromisoformat(stamp) + timedelta(seconds=seconds)).isoformat()

        edit_composite(bench.station, scheduleStart=shifted)
        ended = await bench.run("TC_056_CS")
        assert ended.verdict == verdict
        if verdict == "fail":
            wanted = "-4 to 4" if has_ms else "-4 to 5"
            assert f"age of scheduleStart in s: expected {wanted}" in reason(ended)


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(3, "pass"), (-3, "pass"), (5, "fail"), (-5, "fail")]
)
async def test_edges_may_deviate_a_little_but_not_more(seconds: int, verdict: str) -> None:
    async with rig() as bench:
        Smart(bench.station)
        shift = periods(
            lambda period: (
                period | {"startPeriod": max(0, period["startPeriod"] + seconds)}
                if period["startPeriod"]
                else period
            )
        )
        edit_composite(bench.station, chargingSchedule=shift)
        ended = await bench.run("TC_072_CS")
        assert ended.verdict == verdict
        if verdict == "fail":
            assert "limit in A from " in reason(ended)
            assert "expected only " in reason(ended)


@pytest.mark.parametrize(("count", "verdict"), [(6, "pass"), (5, "fail"), (4, "pass"), (3, "fail")])
async def test_the_list_of_the_test_document_is_right_too(count: int, verdict: str) -> None:
    """It ends after four periods, where the default profile would come back."""
    async with rig() as bench:
        Smart(bench.station)

        def shortened(schedule: Payload) -> Payload:
            return schedule | {"chargingSchedulePeriod": schedule["chargingSchedulePeriod"][:count]}

        edit_composite(bench.station, chargingSchedule=shortened)
        assert (await bench.run("TC_066_CS")).verdict == verdict
        noted = [note for note in bench.notes() if "default profile does not return" in note]
        assert bool(noted) == (count == 4)


async def test_equal_neighbours_need_not_be_merged() -> None:
    async with rig() as bench:
        Smart(bench.station)

        def split(schedule: Payload) -> Payload:
            first, *others = schedule["chargingSchedulePeriod"]
            again = first | {"startPeriod": 30}
            return schedule | {"chargingSchedulePeriod": [first, again, *others]}

        edit_composite(bench.station, chargingSchedule=split)
        assert (await bench.run("TC_072_CS")).verdict == "pass"


@pytest.mark.parametrize(("by", "is_noticed"), [(0.04, False), (0.1, True)])
async def test_a_limit_may_be_rounded(by: float, is_noticed: bool) -> None:
    async with rig() as bench:
        Smart(bench.station)
        off = periods(lambda period: period | {"limit": round(period["limit"] + by, 2)})
        edit_composite(bench.station, chargingSchedule=off)
        await bench.run("TC_072_CS")
        # Two decimals break the schema; that is another check.
        about_limits = "GetCompositeSchedule answer, limit"
        assert any(text.startswith(about_limits) for text in bench.bad()) == is_noticed


async def test_a_start_in_the_schedule_is_noted_only() -> None:
    async with rig() as bench:
        Smart(bench.station)
        stamp = "2031-01-01T00:00:00Z"
        edit_composite(bench.station, chargingSchedule=lambda s: s | {"startSchedule": stamp})
        assert (await bench.run("TC_056_CS")).verdict == "pass"
        assert any("startSchedule" in note for note in bench.notes())


async def run_clear(bench: Rig, kept: float) -> CaseEnded:
    """Run TC_067 with a station that offers `kept` A when all profiles are cleared."""
    Smart(bench.station, current=kept)
    return await bench.run("TC_067_CS")


async def test_the_limit_of_the_station_itself_is_judged_where_it_is_known() -> None:
    async with rig(charging=Charging(local_limit=16)) as bench:
        assert (await run_clear(bench, 16.0)).verdict == "pass"
    async with rig(charging=Charging(local_limit=16)) as bench:
        ended = await run_clear(bench, 13.0)
        assert "from 0 s to 350 s: expected only 15.95 to 16.05, came [13.0]" in reason(ended)
    async with rig(charging=Charging(local_limit=10)) as bench:
        assert (await run_clear(bench, 10.0)).verdict == "pass"


async def test_where_it_is_not_known_it_is_at_least_what_was_offered_before() -> None:
    async with rig() as bench:
        assert (await run_clear(bench, 13.0)).verdict == "pass"
    async with rig() as bench:
        smart = Smart(bench.station, current=32.0)
        good = smart.profiles.remove

        def remove(profiles: Iterable[Installed]) -> None:
            good(one for one in profiles if one.purpose != "ChargePointMaxProfile")

        smart.profiles.remove = remove  # type: ignore[method-assign]
        ended = await bench.run("TC_067_CS")
        assert "expected only at least 11.95, came [11.0" in reason(ended)


@pytest.mark.parametrize("case", CASES)
async def test_the_profiles_are_cleared_when_the_case_is_over(case: str) -> None:
    async with rig() as bench:
        smart = Smart(bench.station)
        await bench.run(case)
        assert bench.asked("SetChargingProfile", "ClearChargingProfile")[-1] == (
            "ClearChargingProfile"
        )
        assert smart.profiles.matching({}) == []


async def test_a_deviation_that_hides_a_period_is_no_basis_for_a_verdict() -> None:
    async with rig(timing=Timing(deviation=30.0)) as bench:
        Smart(bench.station)
        ended = await bench.run("TC_072_CS")
        assert ended.verdict == "inconclusive"
        assert "a limit that holds for 50 s can't be told from the next" in reason(ended)
