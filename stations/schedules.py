"""One charging profile at one moment: which limit it sets, and when that changes (clause 7.8)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stations.clock import read
from stations.messages import Payload

VOLTAGE = 230.0
"""Phase to neutral in V, as set for the area (clause 7.12)."""

PHASES = 3
"""Phases that the station charges with; also what an absent `numberPhases` means."""

_CYCLES = {"Daily": 86400.0, "Weekly": 604800.0}
"""Seconds after which a recurring schedule restarts (errata sheet 4.0 clause 3.78)."""


def limit_at(
    profile: Payload, moment: float, begun: float, unit: str, *, ends: bool = True
) -> float | None:
    """Return the limit that a profile sets at a moment in `unit`, None when it sets none.

    Moments are seconds since 1970; `begun` is when the transaction began. Without `ends` the last
    period of a schedule goes on beyond its duration.
    """
    if not _moment(profile, "validFrom", -math.inf) <= moment:
        return None
    if moment >= _moment(profile, "validTo", math.inf):
        return None
    schedule = profile["chargingSchedule"]
    since = moment - _start(profile, begun)
    cycle = _cycle(profile)
    if since < 0:
        return None
    if math.isfinite(cycle):
        since %= cycle
    if ends and since >= schedule.get("duration", math.inf):
        return None
    period = [p for p in schedule["chargingSchedulePeriod"] if p["startPeriod"] <= since][-1]
    return _converted(period, schedule["chargingRateUnit"], unit)


def edges(profile: Payload, begun: float, first: float, last: float) -> Iterator[float]:
    """List the moments after `first` and before `last` at which its limit may change."""
    schedule = profile["chargingSchedule"]
    offsets = [float(period["startPeriod"]) for period in schedule["chargingSchedulePeriod"]]
    if "duration" in schedule:
        offsets.append(float(schedule["duration"]))
    start, cycle = _start(profile, begun), _cycle(profile)
    rounds = range(1)
    if math.isfinite(cycle):
        passed, over = (int(max(0.0, moment - start) // cycle) for moment in (first, last))
        rounds = range(passed, over + 1)
    moments = [_moment(profile, "validFrom", -math.inf), _moment(profile, "validTo", math.inf)]
    for number in rounds:
        origin = start if number == 0 else start + number * cycle
        moments += [origin + offset for offset in offsets if offset < cycle]
    return (moment for moment in moments if first < moment < last)


def well_formed(profile: Payload) -> bool:
    """Tell whether a profile that fits the schema makes sense."""
    schedule = profile["chargingSchedule"]
    starts = [period["startPeriod"] for period in schedule["chargingSchedulePeriod"]]
    if starts[0] != 0 or sorted(set(starts)) != starts:
        return False
    if profile["chargingProfileKind"] == "Recurring":
        return "recurrencyKind" in profile and read(schedule.get("startSchedule", "")) is not None
    return True


def _start(profile: Payload, begun: float) -> float:
    """Return when the schedule (or its first round) begins."""
    if profile["chargingProfileKind"] == "Relative":
        return begun
    return _moment(profile["chargingSchedule"], "startSchedule", begun)


def _cycle(profile: Payload) -> float:
    if profile["chargingProfileKind"] != "Recurring":
        return math.inf
    return _CYCLES[profile["recurrencyKind"]]


def _moment(holder: Payload, name: str, default: float) -> float:
    moment = read(holder.get(name, ""))
    return default if moment is None else moment.timestamp()


def _converted(period: Payload, unit: str, wanted: str) -> float:
    """Convert between A per phase and W in all."""
    limit = float(period["limit"])
    phases = min(int(period.get("numberPhases", PHASES)), PHASES)
    if unit == wanted:
        return limit
    return limit / (VOLTAGE * phases) if wanted == "A" else limit * VOLTAGE * phases
