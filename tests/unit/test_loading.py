"""The rules of loading, each at its edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.capability import LoadReading, MeterReading, PilotReading
from bench.config import LimitSettings
from bench.errors import Unverifiable
from bench.loading import (
    Bound,
    bounds,
    excess_at_load,
    excess_at_meter,
    lowest,
    not_live,
    not_ready,
)
from bench.metrology import Quantity

C2 = PilotReading(5.98, -11.95, 26.67, 1000.0, "C")
NONE = LimitSettings()


def reading(volts: float, amperes: float) -> LoadReading:
    power = Quantity(volts * amperes, "W")
    return LoadReading(Quantity(volts, "V"), Quantity(amperes, "A"), power)


def metered(amperes: float, celsius: float | None = None) -> MeterReading:
    warm = None if celsius is None else Quantity(celsius, "°C")
    power, energy = Quantity(-690 * amperes, "W"), Quantity(0, "Wh")
    currents = (Quantity(1, "A"), Quantity(-amperes, "A"), Quantity(1, "A"))
    return MeterReading((Quantity(230, "V"),) * 3, currents, power, energy, warm)


@pytest.mark.parametrize(
    ("pilot", "reason"),
    [
        (C2, None),
        (replace(C2, state="D"), None),
        (replace(C2, duty=5.0), None),
        (replace(C2, state="A"), "state A, expected C or D"),
        (replace(C2, state="B"), "state B, expected C or D"),
        (replace(C2, state="E"), "state E, expected C or D"),
        (replace(C2, state="F"), "state F, expected C or D"),
        (replace(C2, frequency=0.0, duty=100.0), "state C without PWM"),
        (replace(C2, duty=2.9), "the duty cycle of 2.9 % offers no current"),
        (replace(C2, duty=7.5), "the duty cycle of 7.5 % offers no current"),
        (replace(C2, duty=97.5), "the duty cycle of 97.5 % offers no current"),
    ],
)
def test_when_a_station_is_ready(pilot: PilotReading, reason: str | None) -> None:
    told = not_ready(pilot)
    assert told == reason if reason is None else reason in (told or "")


@pytest.mark.parametrize(
    ("volts", "limits", "reason"),
    [
        (20.0, NONE, None),
        (19.9, NONE, "the contactor is open"),
        (400.0, LimitSettings(voltage=400.0), None),
        (401.0, LimitSettings(voltage=400.0), "[limits] voltage is 400 V"),
    ],
)
def test_when_there_is_voltage(volts: float, limits: LimitSettings, reason: str | None) -> None:
    told = not_live(reading(volts, 0.0), limits)
    assert told == reason if reason is None else reason in (told or "")


@pytest.mark.parametrize(
    ("duty", "limits", "device", "cable", "least"),
    [
        (26.67, NONE, 30.0, 32.0, Bound(16.002, "the duty cycle of 26.67 % offers")),
        (90.0, NONE, 80.0, 63.0, Bound(63.0, "the cable allows")),
        (90.0, NONE, 80.0, 80.0, Bound(65.0, "the duty cycle of 90 % offers")),
        (53.0, NONE, 10.0, 32.0, Bound(10.0, "the load is made for")),
        (53.0, NONE, None, 13.0, Bound(13.0, "the cable allows")),
        (53.0, LimitSettings(current=9.0), 10.0, 32.0, Bound(9.0, "[limits] current is")),
        (5.0, LimitSettings(current=9.0), 10.0, 32.0, Bound(9.0, "[limits] current is")),
        (
            53.0,
            LimitSettings(power=3200.0),
            10.0,
            32.0,
            Bound(8.0, "[limits] power is, at 400 V,"),
        ),
    ],
)
def test_the_lowest_bound(
    duty: float, limits: LimitSettings, device: float | None, cable: float, least: Bound
) -> None:
    pilot = replace(C2, duty=duty)
    assert lowest(bounds(limits, device=device, cable=cable, pilot=pilot, volts=400.0)) == least


def test_digital_communication_without_a_limit_of_the_lab_is_unverifiable() -> None:
    pilot = replace(C2, duty=5.0)
    with pytest.raises(Unverifiable, match=r"digital communication.*give \[limits\] current"):
        bounds(NONE, device=10.0, cable=32.0, pilot=pilot, volts=400.0)


def test_a_load_beyond_what_it_was_told_or_may() -> None:
    told = Bound(10.0, "it was told to draw")
    assert excess_at_load(reading(400, 10.6), told, NONE) is None
    beyond = "current reads 10.8 A, it was told to draw 10 A"
    assert excess_at_load(reading(400, 10.8), told, NONE) == beyond
    assert excess_at_load(reading(400, float("nan")), told, NONE) is not None
    power = LimitSettings(power=3000.0)
    assert excess_at_load(reading(400, 9.0), told, power) == (
        "power reads 3600 W, [limits] power is 3000 W"
    )
    volts = LimitSettings(voltage=300.0)
    assert "voltage reads 400 V" in (excess_at_load(reading(400, 9.0), told, volts) or "")


def test_a_meter_beyond_the_limits_of_the_lab() -> None:
    limits = LimitSettings(current=16.0, power=30_000.0, temperature=70.0)
    assert excess_at_meter(metered(16.9, 70.0), limits) is None
    assert excess_at_meter(metered(17.1), limits) == (
        "current of L2 reads 17.1 A, [limits] current is 16 A"
    )
    assert excess_at_meter(metered(10.0, 70.1), limits) == (
        "temperature reads 70.1 °C, [limits] temperature is 70 °C"
    )
    little = LimitSettings(power=1000.0)
    assert excess_at_meter(metered(10.0), little) == "power reads 6900 W, [limits] power is 1000 W"
    assert excess_at_meter(metered(1000.0, 1000.0), NONE) is None
