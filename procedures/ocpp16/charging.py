"""Charging profiles that a case makes, has installed, and compares the station's schedule with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.clock import from_iso, utc
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import Pattern, result
from bench.ocpp.message import Received, age, limits
from bench.ocpp.predicate import ABSENT, Between, Only, any_of, between, matching, only, present
from bench.ocpp.station import Station
from bench.stated import UNITS
from procedures.ocpp16 import states
from procedures.ocpp16.composite_schedule import (
    Installed,
    Limit,
    Limits,
    Situation,
    cleared,
    composite,
    installed,
)

EXACT = 0.05
"""How far a limit may be from the calculated one, as it has one decimal (clause 7.14)."""

WHOLE = 1.0
"""Seconds by which an edge may be off at any rate, as startPeriod counts whole ones.

Also by how much a start is too early that is written without milliseconds.
"""

UNIT_KEY = "ChargingScheduleAllowedChargingRateUnit"


class ChargingProfiles:
    """The profiles that the station has accepted in this case."""

    def __init__(self, case: Case, station: Station, *, transaction_id: int | None = None) -> None:
        self.transaction_id = transaction_id
        """The running transaction."""
        self._case = case
        self._station = station
        self._installed: tuple[Installed, ...] = ()
        self._touched = False
        self._offered = 0.0
        """The highest limit that was found where it was expected."""
        # So long ago that the schedules have begun whatever the deviation of the station's clock.
        start = utc() - timedelta(seconds=case.pixit.timing.deviation + WHOLE)
        self._start = start.replace(microsecond=0)

    def _profile(
        self,
        number: int,
        purpose: str,
        periods: Mapping[int, float],
        *,
        duration: float,
        level: int = 0,
        valid_for: float | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Write an Absolute profile that began shortly before the case; all times in s.

        `periods` are limits in A by startPeriod; a sample that is tested in W gets 1000 times as
        much.
        """
        charging = self._case.pixit.charging
        factor = 1000 if charging.unit == "W" else 1
        schedule = {
            "duration": math.ceil(duration),
            "startSchedule": self._moment(0),
            "chargingRateUnit": charging.unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start, "limit": limit * factor, "numberPhases": charging.phases}
                for start, limit in periods.items()
            ],
        }
        profile = {
            "chargingProfileId": number,
            "stackLevel": level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
            **fields,
        }
        if valid_for is None:
            return profile
        return profile | {"validFrom": self._moment(0), "validTo": self._moment(valid_for)}

    def plain(self, purpose: str, *, room: float = 0.0, **fields: Any) -> dict[str, Any]:
        """Write the profile of one limit that most cases use.

        It lasts longer than the schedule that is asked for, by what the station may take to answer
        and by `room` s.
        """
        charging, timing = self._case.pixit.charging, self._case.pixit.timing
        duration = charging.duration + timing.response + 2 * (timing.deviation + WHOLE) + room
        return self._profile(
            1,
            purpose,
            {0: 6},
            duration=duration,
            level=charging.stack_level,
            valid_for=duration + timing.deviation,
            **fields,
        )

    def _moment(self, seconds: float) -> str:
        return (self._start + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def cleared_afterwards(self) -> None:
        """Have the station's profiles removed when the case is over."""
        if not self._touched:
            self._touched = True
            self._case.afterwards(_all_cleared, self._station)

    async def set(
        self, connector: int, number: int, purpose: str, periods: Mapping[int, float], **more: Any
    ) -> None:
        """Have the station accept a profile as `_profile` writes it; part of a step."""
        profile = self._profile(number, purpose, periods, **more, **self._owner(purpose))
        await self._accepted(connector, profile)

    async def set_plain(self, purpose: str) -> None:
        """Have the connector under test accept the plain profile; part of a step."""
        profile = self.plain(purpose, **self._owner(purpose))
        await self._accepted(self._case.pixit.connector, profile)

    async def offer(
        self, profile: dict[str, Any], answer: Pattern, connector: int | None = None
    ) -> None:
        """Send a profile for a connector (None: the one under test); part of a step."""
        self.cleared_afterwards()
        where = self._case.pixit.connector if connector is None else connector
        request = v16.SetChargingProfile(connectorId=where, csChargingProfiles=profile)
        await self._station.call(request, answer)

    async def _accepted(self, connector: int, profile: dict[str, Any]) -> None:
        await self.offer(profile, result(status="Accepted"), connector)
        self.came_into_force(connector, profile)

    def _owner(self, purpose: str) -> dict[str, Any]:
        """Name the running transaction in its profile."""
        return {"transactionId": self.transaction_id} if purpose == "TxProfile" else {}

    def came_into_force(self, connector: int, profile: dict[str, Any]) -> None:
        """Count with a profile that the station has accepted."""
        self._installed = installed(self._installed, Installed(connector, profile))

    async def clear(self, **fields: Any) -> None:
        """Have the station remove the profiles that these fields mean; part of a step."""
        await self._station.call(v16.ClearChargingProfile(**fields), result(status="Accepted"))
        self._installed = cleared(self._installed, fields)

    async def compare(self, duration: int) -> None:
        """Ask for the composite schedule of the next `duration` s and compare; part of a step."""
        case = self._case
        unit, deviation = case.pixit.charging.unit, case.pixit.timing.deviation
        connector = case.pixit.connector
        request = v16.GetCompositeSchedule(
            connectorId=connector, duration=duration, chargingRateUnit=unit
        )
        schedule = {"duration": duration, "chargingRateUnit": unit}
        wanted = result(
            status="Accepted",
            connectorId=connector,
            scheduleStart=present,
            chargingSchedule=schedule,
        )
        answer = await self._station.call(request, wanted)
        text = "GetCompositeSchedule answer, age of scheduleStart in s"
        most = deviation if case.pics.get("GEN.ms") else deviation + WHOLE
        case.check(text, age(answer, "scheduleStart"), between(-deviation, most))
        self._compare_limits(answer, duration)
        if answer.field("chargingSchedule.startSchedule").value is not ABSENT:
            case.note("chargingSchedule has a startSchedule: not wanted by errata clause 3.57")

    def _compare_limits(self, answer: Received, duration: int) -> None:
        """Compare the limits as a function of time; edges may be off by the deviation."""
        case = self._case
        charging, margin = case.pixit.charging, max(case.pixit.timing.deviation, WHOLE)
        start = from_iso(answer["scheduleStart"]).timestamp()
        end = start + duration
        asked = Situation(
            case.pixit.connector, charging.unit, start, end, transaction_id=self.transaction_id
        )
        readings = [
            composite(
                self._installed, asked, local=charging.local_limit, default_returns=default_returns
            )
            for default_returns in (True, False)
        ]
        expected = next(
            (one for one in readings if self._fits(answer, one, asked, margin)), readings[0]
        )
        if expected != readings[0]:
            text = "the default profile does not return when the schedule of the TxProfile ends"
            case.note(f"{text}: as the test document has it, against errata clause 3.43")
        for begin, until, _ in expected.within(start, end)[1:-1]:
            if until - begin <= 2 * margin:
                text = f"a limit that holds for {until - begin:g} s can't be told from the next"
                raise Unverifiable(f"{text} one when edges may be {margin:g} s off")
        for first, last, right in self._pieces(expected, asked, margin):
            case.check(
                f"GetCompositeSchedule answer, limit in {charging.unit} from {first:g} s "
                f"to {last:g} s",
                limits(answer, first, last),
                right,
            )
        found = [limit for _, _, limit in expected.within(start, end) if limit is not None]
        self._offered = max([self._offered, *found])

    def _fits(self, answer: Received, expected: Limits, asked: Situation, margin: float) -> bool:
        return all(
            right.accepts(limits(answer, first, last).value)
            for first, last, right in self._pieces(expected, asked, margin)
        )

    def _pieces(
        self, expected: Limits, asked: Situation, margin: float
    ) -> Iterator[tuple[float, float, Only]]:
        """Say what the limits must be from when to when, in s after the schedule's start."""
        for begin, until, right in expected.tolerated(asked.start, asked.end, margin=margin):
            ranges = any_of(*(self._range(limit) for limit in right))
            yield round(begin - asked.start, 3), round(until - asked.start, 3), only(ranges)

    def _range(self, limit: Limit) -> Between:
        """Say what a limit may be; where nothing limits, at least what was offered before."""
        if limit is None:
            return between(self._offered - EXACT, None)
        return between(limit - EXACT, limit + EXACT)


async def idle(case: Case, station: Station) -> ChargingProfiles:
    """Begin without a transaction; the preamble of a case."""
    async with case.preamble():
        await unit_allowed(case, station)
    return ChargingProfiles(case, station)


async def in_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> ChargingProfiles:
    """Begin with a transaction; the preamble of a case."""
    async with case.preamble():
        await unit_allowed(case, station)
        number = await states.charging(case, station, csms, coupler, vehicle)
    return ChargingProfiles(case, station, transaction_id=number)


async def unit_allowed(case: Case, station: Station) -> None:
    """Check that the sample takes limits in the unit that it is tested with; a step of its own."""
    unit = case.pixit.charging.unit
    async with case.step(f"The station takes charging rates in {unit}"):
        answer = await station.call(v16.GetConfiguration(key=[UNIT_KEY]))
        value = answer.field(f"configurationKey[key={UNIT_KEY}].value")
        (name,) = UNITS[unit]
        wanted = matching(rf"(.*,)?\s*{name}\s*(,.*)?")
        case.check(f"GetConfiguration answer, value of {UNIT_KEY}", value, wanted)


async def _all_cleared(station: Station) -> None:
    cleared_or_none = result(status=any_of("Accepted", "Unknown"))
    await station.call(v16.ClearChargingProfile(), cleared_or_none)
