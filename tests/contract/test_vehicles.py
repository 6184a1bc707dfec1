"""What every coupler and vehicle emulator promises, seen on the connector of the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import End, PilotFault, VehicleCoupler, VehicleEmulator
from bench.errors import DeviceError, Unverifiable
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

COUPLERS = offering(VehicleCoupler)
VEHICLES = offering(VehicleCoupler, VehicleEmulator)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


async def pilot(rig: Rig, letter: str) -> None:
    """Wait for the relays, which take some milliseconds longer than the answer."""
    connector = rig.world.connectors[1]
    await rig.world.until(lambda: connector.pilot_state() == letter, within=DEADLINE)


@COUPLERS
async def test_the_cable_goes_in_and_out_as_often_as_told(rig: Rig) -> None:
    async with rig.device as coupler:
        assert not await coupler.is_plugged_in(1)
        for _ in range(2):
            await coupler.plug_in(1)
            assert await coupler.is_plugged_in(1)
            await pilot(rig, "B")
        for _ in range(2):
            await coupler.unplug(1)
            assert not await coupler.is_plugged_in(1)
            await pilot(rig, "A")


@COUPLERS
async def test_the_vehicle_end_comes_out_alone_or_not_at_all(rig: Rig) -> None:
    async with rig.device as coupler:
        await coupler.plug_in(1)
        try:
            await coupler.unplug(1, end=End.VEHICLE)
        except Unverifiable:
            await pilot(rig, "B")
            return  # what it can not do, it does not do by half
        await pilot(rig, "A")
        assert not await coupler.is_plugged_in(1)
        assert rig.world.connectors[1].cable_rating() == 32.0


@VEHICLES
async def test_the_vehicle_asks_and_stops_as_often_as_told(rig: Rig) -> None:
    rig.world.connectors[1].offer(16)
    async with rig.device as vehicle:
        await vehicle.plug_in(1)
        for letter in "CCBBC":
            await (vehicle.draw(1) if letter == "C" else vehicle.suspend(1))
            await pilot(rig, letter)
            assert (await vehicle.read_pilot(1)).state == letter


@VEHICLES
async def test_the_vehicle_asks_for_ventilation_or_says_that_it_can_not(rig: Rig) -> None:
    rig.world.connectors[1].offer(16)
    async with rig.device as vehicle:
        await vehicle.plug_in(1)
        if rig.row.name == "profile-ev-http":
            with pytest.raises(Unverifiable, match=r"^dev: .* has no action 'draw_ventilated'"):
                await vehicle.draw(1, ventilation=True)
            await pilot(rig, "B")
            return
        for letter in "DCDB":
            if letter == "B":
                await vehicle.suspend(1)
            else:
                await vehicle.draw(1, ventilation=letter == "D")
            await pilot(rig, letter)
            seen = await vehicle.read_pilot(1)
            assert seen.state == letter
            assert seen.high == pytest.approx(rig.world.connectors[1].levels().high, abs=0.05)


@VEHICLES
async def test_nothing_asks_for_energy_once_it_is_safe(rig: Rig) -> None:
    for by_leaving in (True, False):
        async with rig.device as vehicle:
            await vehicle.plug_in(1)
            await vehicle.draw(1)
            await pilot(rig, "C")
            if not by_leaving:
                async with asyncio.timeout(1.0):
                    await vehicle.make_safe()
                assert not await vehicle.is_plugged_in(1)
                await pilot(rig, "A")
        await pilot(rig, "A")


@VEHICLES
async def test_what_was_left_by_a_dead_bench_is_safe_after_entering(rig: Rig) -> None:
    await rig.device.__aenter__()
    await rig.device.plug_in(1)
    await rig.device.draw(1)
    await pilot(rig, "C")
    await rig.die()
    async with rig.device as vehicle:
        await pilot(rig, "A")
        assert not await vehicle.is_plugged_in(1)


@VEHICLES
async def test_a_vehicle_that_is_not_there_can_not_ask(rig: Rig) -> None:
    async with rig.device as vehicle:
        for ask in (vehicle.draw, vehicle.suspend):
            with pytest.raises(DeviceError, match=r"^dev: "):
                await ask(1)
        await pilot(rig, "A")


@VEHICLES
async def test_another_connector_is_refused(rig: Rig) -> None:
    async with rig.device as vehicle:
        for act in (vehicle.plug_in, vehicle.unplug, vehicle.draw, vehicle.read_pilot):
            with pytest.raises(DeviceError, match=r"^dev: .* not connector 2"):
                await act(2)
        await pilot(rig, "A")


@VEHICLES
@pytest.mark.parametrize("fault", list(PilotFault))
async def test_a_fault_is_applied_and_removed_or_refused(rig: Rig, fault: PilotFault) -> None:
    rig.world.connectors[1].offer(16)
    async with rig.device as vehicle:
        await vehicle.plug_in(1)
        before = rig.world.connectors[1].circuit
        try:
            await vehicle.set_fault(1, fault)
        except Unverifiable:
            assert rig.world.connectors[1].circuit == before
            return
        await rig.world.until(
            lambda: (rig.world.connectors[1].circuit == before) is (fault is PilotFault.NONE),
            within=DEADLINE,
        )
        await vehicle.set_fault(1, PilotFault.NONE)
        await rig.world.until(lambda: rig.world.connectors[1].circuit == before, within=DEADLINE)


@VEHICLES
async def test_a_stuck_mechanism_is_an_error_that_names_the_device(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as vehicle:
        await vehicle.plug_in(1)
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*(commanded|expected)"):
            await vehicle.draw(1)


@VEHICLES
async def test_a_self_test_finds_a_stuck_mechanism(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as vehicle:
        assert await vehicle.self_test()
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b"):
            await vehicle.self_test()


@VEHICLES
async def test_a_cancelled_command_leaves_it_usable(rig: Rig) -> None:
    async with rig.device as vehicle:
        await vehicle.plug_in(1)
        with rig.misbehaving(silent=True), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await vehicle.draw(1)
        async with asyncio.timeout(1.0):
            await vehicle.make_safe()
        await pilot(rig, "A")
        await vehicle.plug_in(1)
        await vehicle.draw(1)
        await pilot(rig, "C")


@VEHICLES
async def test_a_dead_pilot_is_not_tested_but_told(rig: Rig) -> None:
    rig.world.set_mains(False)
    async with rig.device as vehicle:
        with pytest.raises(Unverifiable):
            await vehicle.self_test()
