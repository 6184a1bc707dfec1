"""The specification's rules for charging profiles, calculated: which limit holds when.

OCPP 1.6 ed. 2 clauses 3.13.1 to 3.13.3, 5.5, 5.7, 5.16, 7.8 to 7.14 and errata sheet 4.0 clauses
3.8, 3.25, 3.34, 3.43, 3.67, 3.68, 3.78. Everything here is a pure function of profiles, written
with the names of the wire, and of moments in seconds since 1970.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, Literal

from bench.clock import from_iso

Unit = Literal["A", "W"]
Profile = Mapping[str, Any]
Limit = float | None
"""In A per phase or in W of all phases; None where nothing is limited."""

DAY, WEEK = 86400.0, 604800.0


@dataclass(frozen=True, slots=True)
class Limits:
    """A step function limit(t): each limit holds from its moment to that of the next one."""

    moments: tuple[float, ...] = (-math.inf,)
    """Ascending; the first is minus infinity."""
    values: tuple[Limit, ...] = (None,)

    def at(self, moment: float) -> Limit:
        """Return the limit at a moment."""
        return self.values[bisect_right(self.moments, moment) - 1]

    def merged(self, other: Limits, choose: Callable[[Limit, Limit], Limit]) -> Limits:
        """Combine two step functions moment by moment."""
        moments = sorted({*self.moments, *other.moments})
        return steps((moment, choose(self.at(moment), other.at(moment))) for moment in moments)

    def within(self, start: float, end: float) -> list[tuple[float, float, Limit]]:
        """Cut out the pieces from `start` to `end`, each with its begin, its end and its limit."""
        cuts = [start, *(moment for moment in self.moments if start < moment < end), end]
        return [(a, b, self.at(a)) for a, b in pairwise(cuts)]

    def tolerated(
        self, start: float, end: float, *, margin: float
    ) -> list[tuple[float, float, list[Limit]]]:
        """Cut out the pieces in which the same limits are right when edges may be `margin` s off.

        Each has its begin, its end and the limits that hold at most `margin` s before or after.
        """
        edges = [moment + by for moment in self.moments for by in (-margin, margin)]
        cuts = [start, *sorted({edge for edge in edges if start < edge < end}), end]
        return [(a, b, self._near((a + b) / 2, margin)) for a, b in pairwise(cuts)]

    def _near(self, moment: float, margin: float) -> list[Limit]:
        pieces = self.within(moment - margin, moment + margin)
        return list(dict.fromkeys(limit for _, _, limit in pieces))


def steps(points: Iterable[tuple[float, Limit]]) -> Limits:
    """Make a step function of ascending moments and limits; what does not change is no step."""
    moments: list[float] = [-math.inf]
    values: list[Limit] = [None]
    for moment, value in points:
        if moment == moments[-1]:
            values[-1] = value
        elif value != values[-1]:
            moments.append(moment)
            values.append(value)
    return Limits(tuple(moments), tuple(values))


def first_of(upper: Limit, lower: Limit) -> Limit:
    """Let the upper one prevail where it sets a limit."""
    return lower if upper is None else upper


def lesser(one: Limit, other: Limit) -> Limit:
    """Let both limit."""
    return min((limit for limit in (one, other) if limit is not None), default=None)


@dataclass(frozen=True, slots=True)
class Installed:
    """A charging profile that a station has accepted, and for which connector."""

    connector: int
    profile: Profile

    @property
    def place(self) -> tuple[int, str, int]:
        """Return what no two profiles may share."""
        profile = self.profile
        return self.connector, profile["chargingProfilePurpose"], profile["stackLevel"]


def installed(before: Sequence[Installed], new: Installed) -> tuple[Installed, ...]:
    """Install a profile in place of that with the same id, or the same purpose and level."""
    number = new.profile["chargingProfileId"]
    kept = (one for one in before if one.profile["chargingProfileId"] != number)
    return (*(one for one in kept if one.place != new.place), new)


def cleared(before: Sequence[Installed], request: Mapping[str, Any]) -> tuple[Installed, ...]:
    """Remove the profiles that a ClearChargingProfile means; with an id nothing else counts."""
    if "id" in request:
        return tuple(one for one in before if one.profile["chargingProfileId"] != request["id"])

    def meant(one: Installed) -> bool:
        fields = {**one.profile, "connectorId": one.connector}
        return all(fields.get(name) == value for name, value in request.items())

    return tuple(one for one in before if not meant(one))


@dataclass(frozen=True, slots=True)
class Situation:
    """What a composite schedule is calculated for."""

    connector: int
    unit: Unit
    start: float
    """The moment of the request."""
    end: float
    transaction_id: int | None = None
    """The running transaction."""
    begun: float | None = None
    """When it began; None: taken as the moment of the request."""
    voltage: float = 230.0
    """Phase to neutral in V, as set for the area (clause 7.12)."""


def composite(
    profiles: Sequence[Installed],
    now: Situation,
    *,
    local: Limit = None,
    default_returns: bool = True,
) -> Limits:
    """Calculate the limits of a connector; `local` is the station's own one in the same unit.

    Without `default_returns` a transaction that has a profile of its own is not limited by the
    default one even where its own sets no limit; clause 3.13.1 can be read in both ways.
    """
    default = _stacked(_defaults(profiles, now.connector), now)
    own: list[Installed] = []
    if now.transaction_id is not None:
        number = now.transaction_id
        own = [
            one
            for one in profiles
            if one.connector == now.connector
            and one.profile["chargingProfilePurpose"] == "TxProfile"
            and one.profile.get("transactionId", number) == number
        ]
    station = [
        one for one in profiles if one.profile["chargingProfilePurpose"] == "ChargePointMaxProfile"
    ]
    guiding = _stacked(own, now)
    if default_returns or not own:
        guiding = guiding.merged(default, first_of)
    limited = guiding.merged(_stacked(station, now), lesser)
    return limited.merged(steps([(-math.inf, local)]), lesser)


def _defaults(profiles: Sequence[Installed], connector: int) -> list[Installed]:
    """List the default profiles of a connector: its own replace those for all (clause 3.13.1)."""
    found = [one for one in profiles if one.profile["chargingProfilePurpose"] == "TxDefaultProfile"]
    levels = {one.profile["stackLevel"] for one in found if one.connector == connector}
    return [
        one
        for one in found
        if one.connector == connector
        or (one.connector == 0 and one.profile["stackLevel"] not in levels)
    ]


def _stacked(profiles: Iterable[Installed], now: Situation) -> Limits:
    """Lay the higher levels over the lower ones (clause 3.13.2)."""
    highest_first = sorted(profiles, key=lambda one: -int(one.profile["stackLevel"]))
    layers = (schedule(one.profile, now) for one in highest_first)
    return reduce(lambda upper, lower: upper.merged(lower, first_of), layers, Limits())


def schedule(profile: Profile, now: Situation) -> Limits:
    """Lay one profile out over time; None where it sets no limit."""
    times = profile["chargingSchedule"]
    duration = float(times.get("duration", math.inf))
    points: list[tuple[float, Limit]] = []
    for origin, length in _rounds(profile, now):
        ends = min(duration, length)
        for period in times["chargingSchedulePeriod"]:
            if period["startPeriod"] < ends:
                limit = _in_unit(period, times["chargingRateUnit"], now)
                points.append((origin + period["startPeriod"], limit))
        points.append((origin + ends, None))
    opens = _moment(profile.get("validFrom"), -math.inf)
    closes = _moment(profile.get("validTo"), math.inf)
    window = steps([(opens, 0.0), (closes, None)] if opens < closes else [])
    return steps(points).merged(window, lambda limit, valid: None if valid is None else limit)


def _rounds(profile: Profile, now: Situation) -> list[tuple[float, float]]:
    """List when the schedule begins, and after how many seconds it begins anew."""
    begun = now.start if now.begun is None else now.begun
    kind, text = profile["chargingProfileKind"], profile["chargingSchedule"].get("startSchedule")
    origin = begun if kind == "Relative" else _moment(text, begun)
    if kind != "Recurring":
        return [(origin, math.inf)]
    cycle = WEEK if profile["recurrencyKind"] == "Weekly" else DAY
    first = max(0, math.floor((now.start - origin) / cycle))
    last = math.floor((now.end - origin) / cycle)
    return [(origin + number * cycle, cycle) for number in range(first, last + 1)]


def _in_unit(period: Mapping[str, Any], unit: str, now: Situation) -> float:
    """Convert a limit where it is not in the unit asked for: A count per phase, W in all."""
    limit = float(period["limit"])
    if unit == now.unit:
        return limit
    volts = now.voltage * int(period.get("numberPhases", 3))
    return limit * volts if now.unit == "W" else limit / volts


def _moment(text: str | None, otherwise: float) -> float:
    return otherwise if text is None else from_iso(text).timestamp()
