"""Control pilot and proximity as formulas (IEC 61851-1 Annex A and B), without state or time."""

from __future__ import annotations

import math
from dataclasses import dataclass

SOURCE_VOLTAGE = 12.0
"""Amplitude of the station's generator in V."""
SOURCE_RESISTANCE = 1000.0
"""Series resistance of the station's generator in ohm."""
DIODE_DROP = 0.7
"""Forward voltage of the diode in the vehicle in V."""
PWM_FREQUENCY = 1000.0
"""Frequency of the pilot in Hz."""

R2, R3, R4 = 2740.0, 1300.0, 270.0
"""Loads of the vehicle in ohm: R2 alone is state B, with R3 parallel C, with R4 parallel D."""

CABLE_CODES = {13.0: 1500.0, 20.0: 680.0, 32.0: 220.0, 63.0: 100.0}
"""Cable current in A to its proximity resistor in ohm."""

_CABLE_LIMITS = ((75.0, 150.0, 63.0), (150.0, 330.0, 32.0), (330.0, 1000.0, 20.0))
_CABLE_OPEN = 2200.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """What hangs on the station's socket: the pilot load, its faults, the proximity resistor."""

    connected: bool = False
    """The pilot line runs through to the vehicle."""
    load: float = math.inf
    """Resistance from pilot to earth behind the diode, in ohm."""
    diode_shorted: bool = False
    pilot_shorted: bool = False
    """The pilot line touches earth before the diode."""
    earth_open: bool = False
    """The earth of the signal loop is broken."""
    proximity: float = math.inf
    """Resistance from proximity contact to earth in ohm; infinite when no plug is in the socket."""

    @property
    def closed(self) -> bool:
        """Tell whether current can flow on the pilot at all."""
        return self.connected and not self.earth_open


UNPLUGGED = Circuit()
"""Nothing in the socket."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The voltage on the pilot line: V, V, percent, Hz; `low` equals `high` without PWM."""

    high: float
    low: float
    duty: float
    frequency: float

    @property
    def pwm(self) -> bool:
        """Tell whether the station modulates the pilot."""
        return self.frequency > 0


DEAD = Levels(0.0, 0.0, 100.0, 0.0)
"""The pilot of a station without supply."""


def parallel(*resistances: float) -> float:
    """Return the resistance in ohm of resistors in parallel; infinite for none."""
    conductance = sum(1 / resistance for resistance in resistances)
    return 1 / conductance if conductance else math.inf


def levels(circuit: Circuit, duty: float) -> Levels:
    """Return the voltages of a supplied station's pilot; `duty` in percent.

    100 and 0 are no PWM: the positive and the negative level alone.
    """
    if not circuit.closed:
        high, low = SOURCE_VOLTAGE, -SOURCE_VOLTAGE
    elif circuit.pilot_shorted:
        high, low = 0.0, 0.0
    elif circuit.diode_shorted:
        high = SOURCE_VOLTAGE * _share(circuit.load)
        low = -high
    else:
        above = SOURCE_VOLTAGE - DIODE_DROP
        high = min(SOURCE_VOLTAGE, DIODE_DROP + above * _share(circuit.load))
        if math.isinf(circuit.load):
            high = SOURCE_VOLTAGE
        low = -SOURCE_VOLTAGE
    if not 0 < duty < 100:
        steady = high if duty > 0 else low
        return Levels(steady, steady, 100.0, 0.0)
    return Levels(high, low, duty, PWM_FREQUENCY)


def _share(load: float) -> float:
    return 1.0 if math.isinf(load) else load / (load + SOURCE_RESISTANCE)


def state(seen: Levels) -> str:
    """Name the state A to F (table A.3) by the nearest nominal level.

    A low level that is not near -12 V under PWM means a shorted diode, which is state E as well.
    """
    if seen.high < -1.5:
        return "F"
    if seen.pwm and seen.low > -10.0 and seen.high < 10.5:
        return "E"
    for letter, lowest in (("A", 10.5), ("B", 7.5), ("C", 4.5), ("D", 1.5)):
        if seen.high >= lowest:
            return letter
    return "E"


def duty_of(current: float) -> float:
    """Return the duty cycle in percent that offers `current` A, 0 to 80 (table A.7)."""
    if not 0 <= current <= 80:
        raise ValueError(f"an offer of {current:g} A, expected 0 to 80 A")
    return current / 0.6 if current <= 51 else current / 2.5 + 64


def current_of(duty: float) -> float:
    """Return the current in A that a duty cycle in percent allows (table A.8); 0: none."""
    # The generator's formulas are rounded in binary; 10 % must not come out as 9.999... %.
    duty = round(duty, 6)
    if not 8 <= duty <= 97:
        return 0.0
    if duty <= 10:
        return 6.0
    if duty <= 85:
        return round(duty * 0.6, 6)
    return round(min(80.0, (duty - 64) * 2.5), 6)


def cable_rating(proximity: float) -> float | None:
    """Return the cable current in A that a proximity resistance in ohm codes; None: no plug."""
    for lowest, highest, current in _CABLE_LIMITS:
        if lowest <= proximity < highest:
            return current
    return 13.0 if 1000.0 <= proximity <= _CABLE_OPEN else None
