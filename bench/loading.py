"""The rules of loading: when a load may be on, and how much it may draw. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.capability import LoadReading, MeterReading, PilotReading
from bench.config import LimitSettings
from bench.errors import Unverifiable

PRESENT = 20.0
"""Voltage in V at a load's terminals from which on the contactor counts as closed."""

SMALLEST_CABLE = 13.0
"""Current in A of the weakest cable there is (IEC 61851-1 Annex B)."""

TOLERANCE = 0.05
"""Part of a limit by which a reading may be above it: class of the meter, ripple."""

_LEAST = 0.2
"""A or W by which a reading may be above a limit however small."""

_DIGITAL = (3.0, 7.0)
"""Duty cycles in percent by which a station wants digital communication (table A.8)."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that one thing allows, in A per phase."""

    current: float
    source: str

    def __str__(self) -> str:
        return f"{self.source} {self.current:g} A"


def not_ready(pilot: PilotReading) -> str | None:
    """Say why a station that shows this pilot gives no energy; None when it does."""
    if pilot.state not in ("C", "D"):
        return f"the control pilot is in state {pilot.state}, expected C or D"
    if not pilot.pwm:
        return f"the control pilot is in state {pilot.state} without PWM: the station is not ready"
    if pilot.offered is None and not _is_digital(pilot):
        return f"the duty cycle of {pilot.duty:g} % offers no current"
    return None


def not_live(reading: LoadReading, limits: LimitSettings) -> str | None:
    """Say why a load with this at its terminals may not be switched on; None when it may."""
    volts = reading.voltage.value
    if volts < PRESENT:
        return f"{volts:g} V at its terminals, expected voltage: the contactor is open"
    if limits.voltage is not None and volts > limits.voltage:
        return f"{volts:g} V at its terminals, [limits] voltage is {limits.voltage:g} V"
    return None


def bounds(
    limits: LimitSettings,
    *,
    device: float | None,
    cable: float,
    pilot: PilotReading | None,
    volts: float | None,
) -> list[Bound]:
    """List what limits the current; the lowest counts.

    `None` stands for what nobody can observe. Raises `Unverifiable` when the station offers current
    by digital communication, and nothing else says how much the bench may take.
    """
    found = [Bound(cable, "the cable allows")]
    if device is not None:
        found.append(Bound(device, "the load is made for"))
    if limits.current is not None:
        found.append(Bound(limits.current, "[limits] current is"))
    if limits.power is not None and volts:
        found.append(Bound(round(limits.power / volts, 3), f"[limits] power is, at {volts:g} V,"))
    if pilot is not None and pilot.offered is not None:
        offer = f"the duty cycle of {pilot.duty:g} % offers"
        found.append(Bound(round(pilot.offered, 3), offer))
    elif pilot is not None and limits.current is None:
        raise Unverifiable(
            f"the duty cycle of {pilot.duty:g} % leaves the current to digital communication, "
            "which no device of the bench observes: give [limits] current"
        )
    return found


def lowest(found: list[Bound]) -> Bound:
    """Pick the bound that counts."""
    return min(found, key=lambda bound: bound.current)


def excess_at_load(reading: LoadReading, allowed: Bound, limits: LimitSettings) -> str | None:
    """Say which value of a load that is on is above its limit, and which limit; None when none."""
    for name, value, limit, unit, source in (
        ("current", reading.current.value, allowed.current, "A", allowed.source),
        ("voltage", reading.voltage.value, limits.voltage, "V", "[limits] voltage is"),
        ("power", reading.power.value, limits.power, "W", "[limits] power is"),
    ):
        if limit is not None and not value <= _tolerated(limit):
            return f"{name} reads {value:g} {unit}, {source} {limit:g} {unit}"
    return None


def excess_at_meter(reading: MeterReading, limits: LimitSettings) -> str | None:
    """Say which value of a meter is above its limit while a load is on; None when none."""
    for name, value, limit, unit in _metered(reading, limits):
        # A temperature has no ripple.
        most = limit if unit == "°C" or limit is None else _tolerated(limit)
        if most is not None and not value <= most:
            return f"{name} reads {value:g} {unit}, [limits] {name.split()[0]} is {limit:g} {unit}"
    return None


def _metered(
    reading: MeterReading, limits: LimitSettings
) -> Iterator[tuple[str, float, float | None, str]]:
    for phase, amperes in enumerate(reading.current, start=1):
        yield f"current of L{phase}", abs(amperes.value), limits.current, "A"
    yield "power", abs(reading.power.value), limits.power, "W"
    if reading.temperature is not None:
        yield "temperature", reading.temperature.value, limits.temperature, "°C"


def _tolerated(limit: float) -> float:
    return limit * (1 + TOLERANCE) + _LEAST


def _is_digital(pilot: PilotReading) -> bool:
    low, high = _DIGITAL
    return low <= pilot.duty <= high
