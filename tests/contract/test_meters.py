"""What every power meter promises, compared with what flows in the world."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import PowerMeter
from bench.errors import DeviceError
from drivers.sim.world import Supply, World
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

METERS = offering(PowerMeter)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


async def charge(world: World) -> None:
    """Let 10 A flow on every phase."""
    connector = world.connectors[1]
    connector.plug_in()
    connector.offer(10)
    connector.draw()
    connector.close_contactor(True)
    await world.until(lambda: connector.contactor_closed, within=DEADLINE)


@METERS
async def test_it_reads_what_flows_in_si_units(rig: Rig) -> None:
    async with rig.device as meter:
        before = await meter.read()
        assert before.power.value == 0
        await charge(rig.world)
        reading = await meter.read()
    assert {quantity.unit for quantity in reading.voltage} == {"V"}
    assert {quantity.unit for quantity in reading.current} == {"A"}
    assert (reading.power.unit, reading.energy_import.unit) == ("W", "Wh")
    assert [quantity.value for quantity in reading.voltage] == pytest.approx([230, 230, 230])
    assert [quantity.value for quantity in reading.current] == pytest.approx([10, 10, 10])
    assert reading.power.value == pytest.approx(6900)
    assert reading.energy_import.value >= before.energy_import.value


@METERS
async def test_a_cancelled_reading_is_not_taken_for_the_next_one(rig: Rig) -> None:
    async with rig.device as meter:
        with rig.misbehaving(late=0.05, answers=1), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await meter.read()
        await charge(rig.world)
        assert (await meter.read()).power.value == pytest.approx(6900)


@METERS
async def test_a_self_test_sees_quantities_that_do_not_fit(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await charge(rig.world)
    (unit,) = rig.twin.device.units
    measure = unit._measure
    falling = itertools.count(5000.0, -100.0)

    async with rig.device as meter:
        assert "plausible" in await meter.self_test()
        high = dataclasses.replace(measure(), voltage=(230.0, 400.0, 230.0))
        monkeypatch.setattr(unit, "_measure", lambda: high)
        with pytest.raises(DeviceError, match=r"^dev: voltage reads 400 V, expected 0 to 300 V"):
            await meter.self_test()
        monkeypatch.setattr(
            unit,
            "_measure",
            lambda: dataclasses.replace(measure(), energy=(next(falling), 0.0, 0.0)),
        )
        with pytest.raises(DeviceError, match=r"^dev: imported energy went back by \d+ Wh"):
            await meter.self_test()
        monkeypatch.setattr(unit, "_measure", measure)
        monkeypatch.setattr(Supply, "power", property(lambda supply: (9000.0, 0.0, 0.0)))
        with pytest.raises(DeviceError, match=r"^dev: active power reads 9000 W, more than the 6"):
            await meter.self_test()
