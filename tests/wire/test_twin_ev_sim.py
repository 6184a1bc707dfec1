"""The twin of `ev_sim` by its raw bytes, and under its driver in the simulated world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.errors import DeviceTimeout
from drivers import ev_sim
from drivers.ev_sim import DRIVER, EvSimSettings
from drivers.ev_sim_frames import parse
from drivers.sim.ev_sim import EvSim, Form
from drivers.sim.faults import Faults
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire
from drivers.sim.world import World
from tests.wire.responders import context
from tests.wire.terminal import Serial

FORMS: tuple[Form, ...] = ("readme", "adc", "comparator")


@asynccontextmanager
async def powered(world: World, **keys: object) -> AsyncIterator[Twin[EvSim]]:
    device = EvSim(world.connectors[1], cable=32.0, period=0.005, **keys)  # type: ignore[arg-type]
    async with Twin(device, PtyWire("serial")) as twin:
        yield twin


def applied(letter: str, *, form: Form, offer: float | None) -> str:
    world = World(clock=lambda: 0.0)
    world.connectors[1].offer(offer)
    simulator = EvSim(world.connectors[1], form=form)
    simulator._apply(letter)
    simulator.frame(Faults())
    return simulator.frame(Faults()).decode()


async def test_the_frames_of_three_firmwares() -> None:
    assert applied("C", form="adc", offer=16) == (
        '{ state: "C", state_changes: 1000, low_count: 7052, high_count: 2564, '
        "min_volts: -12.000, max_volts: 5.981 }\r\n"
    )
    assert applied("B", form="comparator", offer=32) == (
        '{ state: "B", state_changes: 1000, low_count: 7467, high_count: 8533, '
        "min_volts: -12.000, max_volts: 8.946 }\r\n"
    )
    assert applied("D", form="readme", offer=16) == (
        "{ state=D, state_changes=2000, low_count=14103, high_count=5128, "
        "low_adc=181, high_adc=646 }\r\n"
    )
    assert applied("A", form="comparator", offer=None) == (
        '{ state: "A", state_changes: 0, low_count: 0, high_count: 0, '
        "min_volts: 12.000, max_volts: 12.000 }\r\n"
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("offer", [None, 6.0, 16.0, 32.0])
async def test_the_driver_reads_every_form(form: Form, offer: float | None) -> None:
    frame = parse(applied("C", form=form, offer=offer).encode())
    assert frame is not None
    assert frame.high == pytest.approx(5.98, abs=0.02)
    assert frame.low == (frame.high if offer is None else -12.0)
    assert frame.duty == pytest.approx(100 if offer is None else offer / 0.6, abs=0.02)
    assert frame.frequency == (0 if offer is None else 1000)


async def test_letters_of_any_case_without_an_answer_and_others_are_ignored() -> None:
    world = World()
    async with powered(world) as twin:
        line = Serial(twin.link)
        try:
            for letters, state in ((b"b", "B"), (b"xC\r\n", "C"), (b"d?", "D"), (b"a", "A")):
                line.write(letters)
                await world.until(
                    lambda state=state: world.connectors[1].pilot_state() == state,  # type: ignore[misc]
                    within=2,
                )
        finally:
            line.close()


@pytest.mark.parametrize("form", FORMS)
async def test_a_session_with_the_driver(form: Form) -> None:
    world = World()
    connector = world.connectors[1]
    async with powered(world, form=form) as twin:
        device = DRIVER.make(EvSimSettings(twin.link), context("ev"))
        async with device:
            assert connector.pilot_state() == "A"
            await device.plug_in(1)  # type: ignore[attr-defined]
            assert (connector.pilot_state(), connector.cable_rating()) == ("B", 32.0)
            connector.offer(16)
            connector.close_contactor(True)
            await device.draw(1)  # type: ignore[attr-defined]
            await world.until(lambda: connector.meter().power > 0, within=2)
            seen = await device.read_pilot(1)  # type: ignore[attr-defined]
            assert (seen.state, seen.frequency) == ("C", 1000)
            assert seen.duty == pytest.approx(26.67, abs=0.02)
            await device.unplug(1)  # type: ignore[attr-defined]
            assert (await device.self_test()).startswith("frames and pilot follow")
            await device.plug_in(1)  # type: ignore[attr-defined]
        assert connector.pilot_state() == "A"


async def test_a_restarted_simulator_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ev_sim, "_TWO_FRAMES", 0.2)
    world = World()
    async with powered(world) as twin:
        device = DRIVER.make(EvSimSettings(twin.link), context("ev"))
        async with device:
            await device.plug_in(1)  # type: ignore[attr-defined]
            twin.device.power_up()
            with pytest.raises(DeviceTimeout, match="shows state A, commanded B"):
                await device.is_plugged_in(1)  # type: ignore[attr-defined]
            twin.device.deaf = True
            with pytest.raises(DeviceTimeout, match="shows state A, commanded B"):
                await device.plug_in(1)  # type: ignore[attr-defined]


async def test_the_faults_of_a_wire() -> None:
    world = World()
    async with powered(world) as twin:
        device = DRIVER.make(EvSimSettings(twin.link), context("ev"))
        async with device:
            twin.faults.truncated, twin.faults.answers = 9, 3
            await device.plug_in(1)  # type: ignore[attr-defined]
            twin.emit(b"{ state: ")
            await device.suspend(1)  # type: ignore[attr-defined]
            twin.faults.unsolicited, twin.faults.answers = b"}{ noise }", 3
            await device.unplug(1)  # type: ignore[attr-defined]
        twin.faults.wrong_identity = True
        line = Serial(twin.link)
        async with asyncio.timeout(2):
            await line.reader.readuntil(b"$GPGGA")
        line.close()
