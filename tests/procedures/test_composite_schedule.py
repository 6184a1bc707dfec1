"""The calculator of composite schedules: worked examples, properties, a second opinion."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.clock import Stamp
from bench.ocpp.frame import CallResult
from bench.ocpp.message import Received, limits
from bench.ocpp.predicate import ABSENT
from procedures.ocpp16.composite_schedule import (
    Installed,
    Limits,
    Situation,
    cleared,
    composite,
    first_of,
    installed,
    lesser,
    steps,
)
from stations.charging_profiles import ChargingProfiles
from stations.clock import Clock
from stations.conduct import Behaviour
from stations.storage import Store
from stations.transactions import Transaction

NOON = datetime(2031, 5, 7, 12, tzinfo=UTC).timestamp()
"""A Wednesday."""
DAY = 86400

Periods = Mapping[int, float]


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def profile(
    number: int,
    purpose: str,
    periods: Periods,
    *,
    level: int = 0,
    start: float | None = NOON,
    duration: int | None = None,
    valid: tuple[float, float] | None = None,
    kind: str = "Absolute",
    unit: str = "A",
    phases: int | None = None,
    **fields: Any,
) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": at, "limit": limit}
            | ({} if phases is None else {"numberPhases": phases})
            for at, limit in periods.items()
        ],
    }
    if start is not None:
        schedule["startSchedule"] = text(start)
    if duration is not None:
        schedule["duration"] = duration
    made = {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **fields,
    }
    if valid is not None:
        made |= {"validFrom": text(valid[0]), "validTo": text(valid[1])}
    return made


def at(connector: int, *profiles: dict[str, Any]) -> list[Installed]:
    return [Installed(connector, one) for one in profiles]


def pieces(
    profiles: list[Installed],
    seconds: float,
    *,
    start: float = NOON,
    local: float | None = None,
    default_returns: bool = True,
    **more: Any,
) -> list[tuple[float, float | None]]:
    """List when which limit begins, in s after the start."""
    now = Situation(1, more.pop("unit", "A"), start, start + seconds, **more)
    limits_ = composite(profiles, now, local=local, default_returns=default_returns)
    found = limits_.within(start, start + seconds)
    return [(begin - start, limit) for begin, _, limit in found]


# Worked examples


def test_the_example_of_clause_3_13_7_limits_by_day() -> None:
    midnight = datetime(2013, 1, 1, tzinfo=UTC).timestamp()
    daily = profile(
        100,
        "TxDefaultProfile",
        {0: 11000, 28800: 6000, 72000: 11000},
        start=midnight,
        duration=DAY,
        kind="Recurring",
        recurrencyKind="Daily",
        unit="W",
        phases=3,
    )
    found = pieces(at(0, daily), DAY, unit="W")
    assert found == [(0, 6000), (8 * 3600, 11000), (20 * 3600, 6000)]


def test_the_purposes_of_tc_066_combine() -> None:
    valid = (NOON, NOON + 401)
    default = {0: 6, 60: 10, 120: 8, 180: 15, 260: 8}
    own = {0: 8, 50: 11, 140: 16, 200: 6, 240: 12}
    profiles = [
        *at(0, profile(1, "ChargePointMaxProfile", {0: 10}, duration=DAY)),
        *at(1, profile(2, "TxDefaultProfile", default, duration=300, valid=valid)),
        *at(1, profile(3, "TxProfile", own, duration=260, valid=valid, transactionId=7)),
    ]
    expected = [(0, 8), (50, 10), (200, 6), (240, 10), (260, 8), (300, 10)]
    assert pieces(profiles, 400, transaction_id=7) == expected
    # As the test document has it, the default profile does not come back.
    listed = [(0, 8), (50, 10), (200, 6), (240, 10)]
    assert pieces(profiles, 400, transaction_id=7, default_returns=False) == listed
    # Without that transaction, its profile is nothing.
    other = [(0, 6), (60, 10), (120, 8), (180, 10), (260, 8), (300, 10)]
    assert pieces(profiles, 400, transaction_id=8) == other
    assert pieces(profiles, 400) == other


def test_the_levels_of_tc_072_stack() -> None:
    profiles = at(
        1,
        profile(1, "TxDefaultProfile", {0: 6, 100: 8, 200: 10}, duration=400),
        profile(2, "TxDefaultProfile", {0: 7, 100: 9}, duration=150, level=1),
    )
    assert pieces(profiles, 350) == [(0, 7), (100, 9), (150, 8), (200, 10)]
    assert pieces(profiles, 350, start=NOON + 4) == [(0, 7), (96, 9), (146, 8), (196, 10)]


def test_the_profiles_of_tc_067_are_cleared_one_after_the_other() -> None:
    profiles = [
        *at(1, profile(1, "TxDefaultProfile", {0: 6, 60: 8, 200: 10}, duration=400, level=1)),
        *at(1, profile(2, "TxDefaultProfile", {0: 7, 100: 9}, duration=400)),
        *at(0, profile(3, "ChargePointMaxProfile", {0: 11, 200: 12}, duration=DAY)),
    ]
    assert pieces(profiles, 350) == [(0, 6), (60, 8), (200, 10)]
    left = list(cleared(profiles, {"id": 1, "stackLevel": 5}))
    assert pieces(left, 350) == [(0, 7), (100, 9)]
    by_purpose = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0}
    left = list(cleared(left, by_purpose))
    assert pieces(left, 350) == [(0, 11), (200, 12)]
    assert cleared(left, {"connectorId": 1}) == tuple(left)
    assert cleared(left, {}) == ()
    assert pieces([], 350) == [(0, None)]
    assert pieces([], 350, local=16.0) == [(0, 16)]


# Rules


def test_a_recurring_schedule_shorter_than_its_cycle_leaves_a_gap() -> None:
    hour = profile(
        1,
        "TxDefaultProfile",
        {0: 6, 1800: 8, 7200: 10},
        start=NOON - 10 * DAY,
        duration=3600,
        kind="Recurring",
        recurrencyKind="Daily",
    )
    expected = [(0, 6), (1800, 8), (3600, None), (DAY, 6), (DAY + 1800, 8), (DAY + 3600, None)]
    assert pieces(at(1, hour), 2 * DAY) == expected


def test_a_weekly_schedule_restarts_at_its_day_and_does_not_outgrow_the_week() -> None:
    week = profile(
        1,
        "TxDefaultProfile",
        {0: 6, 3 * DAY: 8, 8 * DAY: 10},
        start=NOON - 9 * DAY,
        kind="Recurring",
        recurrencyKind="Weekly",
    )
    assert pieces(at(1, week), 7 * DAY) == [(0, 6), (DAY, 8), (5 * DAY, 6)]


def test_a_schedule_that_has_not_begun_recurs_later_only() -> None:
    daily = profile(
        1, "TxDefaultProfile", {0: 6}, start=NOON + 60, kind="Recurring", recurrencyKind="Daily"
    )
    assert pieces(at(1, daily), 120) == [(0, None), (60, 6)]


@pytest.mark.parametrize(("kind", "start"), [("Relative", NOON - DAY), ("Absolute", None)])
def test_a_relative_schedule_counts_from_the_start_of_charging(
    kind: str, start: float | None
) -> None:
    relative = profile(1, "TxDefaultProfile", {0: 6, 100: 8}, duration=200, kind=kind, start=start)
    assert pieces(at(1, relative), 300) == [(0, 6), (100, 8), (200, None)]
    found = pieces(at(1, relative), 300, transaction_id=7, begun=NOON - 50)
    assert found == [(0, 6), (50, 8), (150, None)]


def test_validity_cuts_a_schedule() -> None:
    one = profile(1, "TxDefaultProfile", {0: 6, 100: 8}, valid=(NOON + 50, NOON + 150))
    assert pieces(at(1, one), 300) == [(0, None), (50, 6), (100, 8), (150, None)]
    never = profile(1, "TxDefaultProfile", {0: 6}, valid=(NOON + 50, NOON + 50))
    assert pieces(at(1, never), 300) == [(0, None)]


def test_the_default_profile_of_a_connector_comes_in_place_of_that_for_all() -> None:
    everywhere = at(
        0,
        profile(1, "TxDefaultProfile", {0: 6}),
        profile(2, "TxDefaultProfile", {0: 9}, level=1, duration=100),
    )
    here = at(1, profile(3, "TxDefaultProfile", {0: 12}))
    elsewhere = at(2, profile(4, "TxDefaultProfile", {0: 20}, level=5))
    assert pieces([*everywhere, *elsewhere], 200) == [(0, 9), (100, 6)]
    assert pieces([*everywhere, *here, *elsewhere], 200) == [(0, 9), (100, 12)]


def test_units_are_converted_where_they_differ() -> None:
    amps = at(1, profile(1, "TxDefaultProfile", {0: 10}))
    assert pieces(amps, 10, unit="W") == [(0, 6900)]
    single = at(1, profile(1, "TxDefaultProfile", {0: 10}, phases=1))
    assert pieces(single, 10, unit="W", voltage=110.0) == [(0, 1100)]
    watts = at(1, profile(1, "TxDefaultProfile", {0: 4600}, unit="W", phases=2))
    assert pieces(watts, 10) == [(0, 10)]
    assert pieces(watts, 10, unit="W") == [(0, 4600)]


def test_a_profile_replaces_one_of_the_same_id_or_the_same_place() -> None:
    first, second = profile(1, "TxDefaultProfile", {0: 6}), profile(2, "TxDefaultProfile", {0: 8})
    moved = profile(1, "TxDefaultProfile", {0: 9}, level=3)
    done: tuple[Installed, ...] = ()
    for connector, one in ((1, first), (2, first), (1, second), (1, moved), (1, first)):
        done = installed(done, Installed(connector, one))
    assert [one.profile for one in done] == [first]


def test_edges_may_be_off_by_the_margin() -> None:
    limits_ = steps([(NOON, 6.0), (NOON + 100, 8.0), (NOON + 103, 10.0)])
    found = limits_.tolerated(NOON + 50, NOON + 200, margin=2)
    relative = [(begin - NOON, end - NOON, right) for begin, end, right in found]
    assert relative == [
        (50, 98, [6]),
        (98, 101, [6, 8]),
        (101, 102, [6, 8, 10]),
        (102, 105, [8, 10]),
        (105, 200, [10]),
    ]


# The answer as a step function


def answer(*periods: tuple[Any, Any]) -> Received:
    listed = [{"startPeriod": start, "limit": limit} for start, limit in periods]
    frame = CallResult("1", {"chargingSchedule": {"chargingSchedulePeriod": listed}})
    return Received(5, Stamp(1.0, datetime.now(UTC)), 1, frame)


def test_limits_are_those_in_force_within_the_window() -> None:
    one = answer((0, 6), (50, 8), (80, 6.5))
    assert limits(one, 0, 50).value == [6]
    assert limits(one, 0, 50.1).value == [6, 8]
    assert limits(one, 50, 60).value == [8]
    assert limits(one, 20, 500).value == [6, 8, 6.5]
    assert limits(one, 20, 500).source == {"kind": "limits", "frame": 5, "from": 20, "to": 500}


@pytest.mark.parametrize(
    "broken",
    [
        answer(),
        answer((1, 6)),
        answer((0, 6), (20, 7), (20, 8)),
        answer((0, 6), (20, 7), (10, 8)),
        answer((0, "6")),
        answer((0, True)),
        answer((0, None)),
        Received(5, Stamp(1.0, datetime.now(UTC)), 1, CallResult("1", {})),
    ],
)
def test_an_answer_that_is_no_function_of_time_has_no_limits(broken: Received) -> None:
    assert limits(broken, 0, 10).value is ABSENT


# Properties

moments = st.integers(-200, 700).map(lambda seconds: NOON + seconds)
step_functions = st.dictionaries(
    moments, st.none() | st.sampled_from([6.0, 8.0, 10.0, 16.0]), max_size=6
).map(lambda points: steps(sorted(points.items())))


@given(step_functions, step_functions, moments)
def test_merging_is_pointwise(one: Limits, other: Limits, moment: float) -> None:
    for choose in (first_of, lesser):
        assert one.merged(other, choose).at(moment) == choose(one.at(moment), other.at(moment))


@given(step_functions, step_functions)
def test_what_does_not_change_is_no_step(one: Limits, other: Limits) -> None:
    merged = one.merged(other, lesser)
    assert len(merged.moments) == len(merged.values)
    assert list(merged.moments) == sorted(set(merged.moments))
    assert one.merged(other, lesser) == other.merged(one, lesser)
    assert one.merged(Limits(), first_of) == one == Limits().merged(one, first_of)


@given(step_functions, st.floats(0.5, 20))
def test_the_function_itself_is_always_tolerated(one: Limits, margin: float) -> None:
    covered = NOON
    for begin, end, right in one.tolerated(NOON, NOON + 400, margin=margin):
        assert begin == covered
        covered = end
        assert {limit for _, _, limit in one.within(begin, end)} <= set(right)
    assert covered == NOON + 400


@st.composite
def any_profile(draw: st.DrawFn, number: int) -> tuple[int, dict[str, Any]]:
    purpose = draw(st.sampled_from(["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]))
    # What a limit of the whole station is relative to, the specification leaves to the station.
    kinds = ["Absolute", "Recurring", "Relative"][: 2 if purpose == "ChargePointMaxProfile" else 3]
    kind = draw(st.sampled_from(kinds))
    starts = sorted(draw(st.sets(st.integers(1, 500), max_size=4)))
    unit = draw(st.sampled_from("AW"))
    factor = 690 if unit == "W" else 1
    periods = {start: draw(st.integers(6, 30)) * factor for start in (0, *starts)}
    fields: dict[str, Any] = {}
    if kind == "Recurring":
        fields["recurrencyKind"] = draw(st.sampled_from(["Daily", "Weekly"]))
    begin = draw(st.integers(-3 * DAY, 300) | st.integers(-500, 300))
    opens = draw(st.none() | st.integers(-300, 300))
    made = profile(
        number,
        purpose,
        dict(periods),
        level=draw(st.integers(0, 3)),
        start=NOON + begin,
        duration=draw(st.none() | st.integers(1, 700)),
        valid=None if opens is None else (NOON + opens, NOON + opens + draw(st.integers(1, 500))),
        kind=kind,
        unit=unit,
        **fields,
    )
    connector = {"ChargePointMaxProfile": 0, "TxProfile": 1}.get(purpose)
    return draw(st.sampled_from([0, 1])) if connector is None else connector, made


class _Noon(Clock):
    def now(self) -> datetime:
        return datetime.fromtimestamp(NOON, UTC)


@settings(max_examples=200)
@given(st.data(), st.integers(0, 5), st.integers(0, 300), st.sampled_from("AW"))
def test_the_virtual_station_calculates_the_same_another_way(
    data: st.DataObject, count: int, age: int, unit: Any
) -> None:
    """Two calculators that share no code agree wherever one of them sees a change."""
    drawn = [data.draw(any_profile(number)) for number in range(count)]
    running = Transaction(1, 1, "CARD", None, transaction_id=7, started=text(NOON - age))

    async def station() -> dict[str, Any]:
        clock = _Noon(milliseconds=True)
        held = ChargingProfiles(
            Store(), clock, Behaviour(), lambda: [running], current=32.0, connectors=1
        )
        for connector, one in drawn:
            own = one["chargingProfilePurpose"] == "TxProfile"
            held.install(connector, one, running if own else None)
        held.stop()
        return held.composite(1, 600, unit)

    payload = asyncio.run(station())
    profiles: tuple[Installed, ...] = ()
    for connector, one in drawn:
        profiles = installed(profiles, Installed(connector, one))
    now = Situation(1, unit, NOON, NOON + 600, transaction_id=7, begun=NOON - age)
    expected = composite(profiles, now, local=32.0 if unit == "A" else 22080.0)
    reply = Received(1, Stamp(0.0, datetime.now(UTC)), 1, CallResult("1", payload))
    edges = {begin - NOON for begin, _, _ in expected.within(NOON, NOON + 600)}
    edges |= {p["startPeriod"] for p in payload["chargingSchedule"]["chargingSchedulePeriod"]}
    for second in sorted({edge + by for edge in edges for by in (-1, 0, 1)} & set(range(600))):
        (found,) = limits(reply, second, second + 0.5).value
        limit = expected.at(NOON + second)
        assert limit is not None
        assert math.isclose(found, limit, abs_tol=0.11), second
