"""The pilot's formulas against the published tables (IEC 61851-1 Annex A and B)."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from drivers.sim.pilot import (
    R2,
    R3,
    R4,
    Circuit,
    cable_rating,
    current_of,
    duty_of,
    levels,
    parallel,
    state,
)


@pytest.mark.parametrize(
    ("resistors", "high", "shorted_high", "letter"),
    [
        ((), 12.00, 12.00, "A"),
        ((R2,), 8.98, 8.79, "B"),
        ((R2, R3), 6.00, 5.62, "C"),
        ((R2, R4), 2.93, 2.37, "D"),
        ((R2, R3, R4), 2.64, 2.06, "D"),
        ((2700.0, 1300.0, 330.0), 2.89, 2.32, "D"),
        ((1300.0,), 7.09, 6.78, "C"),
    ],
)
def test_the_load_sets_the_level(
    resistors: tuple[float, ...], high: float, shorted_high: float, letter: str
) -> None:
    good = levels(Circuit(connected=True, load=parallel(*resistors)), 50.0)
    assert good.high == pytest.approx(high, abs=0.006)
    assert (good.low, good.duty, good.frequency) == (-12.0, 50.0, 1000.0)
    assert state(good) == letter
    bad = levels(Circuit(connected=True, load=parallel(*resistors), diode_shorted=True), 50.0)
    assert bad.high == pytest.approx(shorted_high, abs=0.006)
    assert bad.low == -bad.high
    assert state(bad) == ("A" if letter == "A" else "E"), "in state A the fault can't be seen"


def test_without_pwm_both_levels_are_the_same() -> None:
    seen = levels(Circuit(connected=True, load=R2), 100.0)
    assert (seen.low, seen.duty, seen.frequency, seen.pwm) == (seen.high, 100.0, 0.0, False)
    assert state(seen) == "B"


@pytest.mark.parametrize("resistors", [(), (R2,), (R2, R3)])
def test_the_negative_level_alone_is_state_f(resistors: tuple[float, ...]) -> None:
    circuit = Circuit(connected=True, load=parallel(*resistors))
    seen = levels(circuit, 0.0)
    assert (seen.high, seen.low, seen.pwm, state(seen)) == (-12.0, -12.0, False, "F")
    assert levels(replace(circuit, pilot_shorted=True), 0.0).high == 0.0


def test_shorts_are_state_e() -> None:
    behind_diode = levels(Circuit(connected=True, load=0.0), 53.0)
    assert (behind_diode.high, behind_diode.low) == (0.7, -12.0)
    direct = levels(Circuit(connected=True, load=R2, pilot_shorted=True), 53.0)
    assert (direct.high, direct.low) == (0.0, 0.0)
    assert state(behind_diode) == state(direct) == "E"


@pytest.mark.parametrize(
    "broken", [Circuit(load=R2), Circuit(connected=True, load=R2, earth_open=True)]
)
def test_an_open_loop_is_state_a(broken: Circuit) -> None:
    assert levels(broken, 100.0).high == 12.0
    assert state(levels(broken, 53.0)) == "A"


@pytest.mark.parametrize(
    ("current", "duty"),
    [
        (6, 10.00),
        (10, 16.67),
        (13, 21.67),
        (16, 26.67),
        (20, 33.33),
        (32, 53.33),
        (40, 66.67),
        (48, 80.00),
        (63, 89.20),
        (80, 96.00),
    ],
)
def test_the_duty_cycle_codes_the_current(current: float, duty: float) -> None:
    assert duty_of(current) == pytest.approx(duty, abs=0.005)
    assert current_of(duty_of(current)) == pytest.approx(current)


@pytest.mark.parametrize(
    ("duty", "current"),
    [(0, 0), (5, 0), (7.5, 0), (8, 6), (10, 6), (85, 51), (96.5, 80), (97, 80), (97.5, 0)],
)
def test_the_edges_of_the_duty_cycle(duty: float, current: float) -> None:
    assert current_of(duty) == current


def test_no_offer_outside_the_scale() -> None:
    with pytest.raises(ValueError, match="81 A, expected 0 to 80 A"):
        duty_of(81)


@pytest.mark.parametrize(
    ("resistance", "rating"),
    [
        (1500.0, 13.0),
        (680.0, 20.0),
        (220.0, 32.0),
        (100.0, 63.0),
        (0.0, None),
        (60.0, None),
        (2700.0, None),
        (math.inf, None),
    ],
)
def test_the_proximity_resistor_codes_the_cable(resistance: float, rating: float | None) -> None:
    assert cable_rating(resistance) == rating
