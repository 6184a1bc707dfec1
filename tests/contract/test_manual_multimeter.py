"""The manual multimeter: what it asks, in which words, and what it makes of the answers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.device import Action
from bench.errors import Unverifiable
from drivers.manual_multimeter import (
    MANUAL_MULTIMETER,
    ManualMultimeter,
    ManualMultimeterSettings,
)
from tests.contract.operator import Person


def made(person: Person, **keys: Any) -> ManualMultimeter:
    settings = ManualMultimeterSettings(**({"of_reading": 0.05} | keys))
    device = MANUAL_MULTIMETER.make(settings, person.context("dmm"))
    assert isinstance(device, ManualMultimeter)
    return device


async def test_what_is_asked_and_how_uncertain_it_is() -> None:
    person = Person("-11,98", "230", "2739.6", "1000.1")
    async with made(person, floor=0.003) as meter:
        volts = await meter.measure_dc_voltage(at_most=12)
        assert (volts.value, volts.unit) == (-11.98, "V")
        assert volts.uncertainty == pytest.approx((0.0005 * 11.98 + 0.003) / math.sqrt(3))
        assert person.last.action == Action("Multimeter", "measure_dc_voltage", {"at_most": 12})
        assert (await meter.measure_ac_voltage()).value == 230.0
        ohms = await meter.measure_resistance(at_most=3e3)
        assert (ohms.value, ohms.unit) == (2739.6, "Ω")
        assert (await meter.measure_frequency()).unit == "Hz"
        assert person.last.action == Action("Multimeter", "measure_frequency", {})
    assert person.texts == [
        "Measure the DC voltage with the multimeter, in a range for 12 V; read it in V.",
        "Measure the AC voltage with the multimeter; read it in V.",
        "Measure the resistance (four wires) with the multimeter, in a range for 3000 Ω; "
        "read it in Ω.",
        "Measure the frequency with the multimeter; read it in Hz.",
    ]


async def test_what_is_no_number_is_asked_for_once_more() -> None:
    person = Person("OL", "-3")
    with pytest.raises(Unverifiable, match="dmm: “-3” is less than 0"):
        await made(person).measure_resistance()
    assert person.last.text.startswith("“OL” is not a number. Measure the resistance")


@pytest.mark.parametrize(
    ("keys", "text"),
    [({"of_reading": -1.0}, "'of_reading' is -1"), ({"of_reading": 0.0}, "no instrument is exact")],
)
def test_an_accuracy_that_is_none_is_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        made(Person(), **keys)
