"""What every multimeter promises, compared with what is at its terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Multimeter
from bench.errors import DeviceError, Unverifiable
from tests.contract.rigs import DEADLINE, PATIENCE, Rig, Row, offering, rig_of

MULTIMETERS = offering(Multimeter)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        rig.twin.device.inputs |= {"VOLT:DC": -11.98, "VOLT:AC": 230.4, "FREQ": 1000.2}
        rig.twin.device.inputs |= {"FRES": 2739.7, "RES": 2741.0}
        yield rig


@MULTIMETERS
async def test_it_measures_in_si_units_with_an_uncertainty(rig: Rig) -> None:
    async with rig.device as meter:
        for _ in range(2):
            seen = {
                "V=": await meter.measure_dc_voltage(at_most=12),
                "V~": await meter.measure_ac_voltage(),
                "Ω": await meter.measure_resistance(at_most=3e3),
                "Hz": await meter.measure_frequency(),
            }
            values = {what: quantity.value for what, quantity in seen.items()}
            expected = {"V=": -11.98, "V~": 230.4, "Ω": 2739.7, "Hz": 1000.2}
            assert values == pytest.approx(expected)
            assert [quantity.unit for quantity in seen.values()] == ["V", "V", "Ω", "Hz"]
            for quantity in seen.values():
                assert 0 < quantity.uncertainty < 0.01 * abs(quantity.value)


@MULTIMETERS
async def test_what_is_beyond_the_range_is_no_number(rig: Rig) -> None:
    async with rig.device as meter:
        rig.twin.device.inputs["VOLT:DC"] = 5000.0
        with pytest.raises(Unverifiable, match=r"^dev: DC voltage is beyond the range"):
            await meter.measure_dc_voltage()
        rig.twin.device.inputs["VOLT:DC"] = 5.0
        with pytest.raises(Unverifiable, match=r"^dev: DC voltage is beyond the range"):
            await meter.measure_dc_voltage(at_most=0.5)
        assert (await meter.measure_dc_voltage(at_most=5)).value == 5.0
        for at_most in (0.0, -1.0, 5000.0):
            with pytest.raises(ValueError, match=r"^dev: at_most is "):
                await meter.measure_dc_voltage(at_most=at_most)


@MULTIMETERS
async def test_a_cancelled_measurement_is_not_taken_for_the_next_one(rig: Rig) -> None:
    async with rig.device as meter:
        with rig.misbehaving(late=PATIENCE / 2, answers=4):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await meter.measure_dc_voltage(at_most=12)
            assert (await meter.measure_resistance(at_most=3e3)).value == pytest.approx(2739.7)
        assert (await meter.measure_dc_voltage(at_most=12)).value == pytest.approx(-11.98)


@MULTIMETERS
async def test_calls_at_the_same_time_take_turns(rig: Rig) -> None:
    async with rig.device as meter:
        volts, ohms = await asyncio.gather(
            meter.measure_dc_voltage(at_most=12), meter.measure_resistance(at_most=3e3)
        )
    assert (volts.value, ohms.value) == pytest.approx((-11.98, 2739.7))


@MULTIMETERS
async def test_a_self_test_that_fails_names_the_device(rig: Rig) -> None:
    async with rig.device as meter:
        rig.twin.device.broken = True
        with pytest.raises(DeviceError, match=r"^dev: its own test failed"):
            await meter.self_test()
