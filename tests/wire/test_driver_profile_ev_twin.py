"""The profile driver with every example profile, on a twin of the same profile, in the world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import End, PilotFault
from bench.errors import BenchError, DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers import profile
from drivers.profile_ev import DRIVER, ProfileEv, ProfileEvSettings
from drivers.profile_ev_map import EvHttpProfile, EvLinesProfile, EvModbusProfile
from drivers.sim.profile_ev import Emulator
from drivers.sim.profile_ev_wires import HttpEmulator, LinesEmulator, ModbusEmulator
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire, Wire
from drivers.sim.world import World
from tests.wire.responders import context

NAMES = ("ev-example-modbus", "ev-example-lines", "ev-example-http")
WIRES = (
    ("ev-example-modbus", "tcp"),
    ("ev-example-modbus", "rtu"),
    ("ev-example-lines", "socket"),
    ("ev-example-lines", "serial"),
    ("ev-example-http", "http"),
)

ALL = pytest.mark.parametrize("name", NAMES)


def emulator(name: str, world: World, kind: str = "") -> tuple[Emulator, Wire]:
    map_ = profile.load_ev(name)
    connector = world.connectors[1]
    if isinstance(map_, EvModbusProfile):
        own: dict[str, Any] = {"model": "EXAMPLE-EV 12", "serial": 4711}
        if kind == "rtu":
            return ModbusEmulator(map_, connector, own, framing="rtu"), PtyWire("modbus-rtu")
        return ModbusEmulator(map_, connector, own), TcpWire("modbus-tcp")
    if isinstance(map_, EvLinesProfile):
        own = {"model": "EV-7", "serial": "4711", "firmware": "1.2"}
        wire = PtyWire("serial") if kind == "serial" else TcpWire("socket")
        return LinesEmulator(map_, connector, own), wire
    assert isinstance(map_, EvHttpProfile)
    own = {"model": "WebEV", "firmware": "1.2"}
    return HttpEmulator(map_, connector, own), TcpWire("http")


@asynccontextmanager
async def powered(name: str, world: World, kind: str = "") -> AsyncIterator[Twin[Emulator]]:
    device, wire = emulator(name, world, kind)
    async with Twin(device, wire) as twin:
        yield twin


def driver(name: str, twin: Twin[Emulator], **keys: Any) -> ProfileEv:
    device = DRIVER.make(ProfileEvSettings(twin.link, name, **keys), context("ev"))
    assert isinstance(device, ProfileEv)
    return device


@pytest.mark.parametrize(("name", "kind"), WIRES)
async def test_a_session(name: str, kind: str) -> None:
    world = World()
    connector = world.connectors[1]
    async with powered(name, world, kind) as twin, driver(name, twin) as device:
        assert twin.device.roles == ["safe"]
        assert not await device.is_plugged_in(1)
        await device.plug_in(1)
        assert (connector.pilot_state(), connector.cable_rating()) == ("B", 32.0)
        assert await device.is_plugged_in(1)
        connector.offer(16)
        connector.close_contactor(True)
        await device.draw(1)
        await world.until(lambda: connector.meter().power > 0, within=2)
        seen = await device.read_pilot(1)
        assert (seen.state, seen.frequency) == ("C", 1000)
        assert (seen.high, seen.low) == pytest.approx((5.995, -12.0), abs=0.001)
        assert seen.duty == pytest.approx(26.67, abs=0.01)
        await device.suspend(1)
        assert connector.pilot_state() == "B"
        await device.unplug(1)
        assert not await device.is_plugged_in(1)
        connector.offer(None)
        steady = await device.read_pilot(1)
        assert (steady.high, steady.low, steady.duty, steady.state) == (12.0, 12.0, 100.0, "A")
        assert await device.self_test() == "plugs in and out with the pilot"
        await device.plug_in(1)
    assert twin.device.roles[-1] == "safe"
    assert connector.pilot_state() == "A"


@pytest.mark.parametrize("name", NAMES[:2])
async def test_a_current_that_the_emulator_limits(name: str) -> None:
    world = World()
    connector = world.connectors[1]
    async with powered(name, world) as twin, driver(name, twin) as device:
        await device.plug_in(1)
        connector.offer(32)
        connector.close_contactor(True)
        await device.draw(1, current=7.5)
        await world.until(lambda: connector.contactor_closed, within=2)
        assert connector.current()[0] == pytest.approx(7.5)
        await device.draw(1)
        limit = 32 if name == "ev-example-modbus" else 16
        assert connector.current()[0] == pytest.approx(limit)
        with pytest.raises(DeviceError, match="ev: draw: 33 A, expected more than 0 and at most"):
            await device.draw(1, current=33)


async def test_a_current_that_it_can_not_limit() -> None:
    world = World()
    async with powered("ev-example-http", world) as twin:
        async with driver("ev-example-http", twin) as device:
            await device.plug_in(1)
            with pytest.raises(Unverifiable, match="to 10 A; the station offers no current yet"):
                await device.draw(1, current=10)
            world.connectors[1].offer(16)
            with pytest.raises(Unverifiable, match=r"the station offers 16\.0 A"):
                await device.draw(1, current=10)
            await device.draw(1, current=16)


@pytest.mark.parametrize(
    ("name", "fault", "seen"),
    [
        ("ev-example-modbus", PilotFault.DIODE_SHORT, ("E", 32.0)),
        ("ev-example-modbus", PilotFault.CP_PE_SHORT, ("E", 32.0)),
        ("ev-example-lines", PilotFault.CP_OPEN, ("A", 32.0)),
        ("ev-example-lines", PilotFault.PP_OPEN, ("B", None)),
        ("ev-example-http", PilotFault.PE_OPEN, ("A", 32.0)),
    ],
)
async def test_faults(name: str, fault: PilotFault, seen: tuple[str, float | None]) -> None:
    world = World()
    connector = world.connectors[1]
    async with powered(name, world) as twin, driver(name, twin) as device:
        connector.offer(16)
        await device.plug_in(1)
        await device.set_fault(1, fault)
        assert (connector.pilot_state(), connector.cable_rating()) == seen
        await device.set_fault(1, PilotFault.NONE)
        assert (connector.pilot_state(), connector.cable_rating()) == ("B", 32.0)
        missing = PilotFault.PE_OPEN if name != "ev-example-http" else PilotFault.CP_OPEN
        with pytest.raises(Unverifiable, match=f"ev: its profile has no fault '{missing.value}'"):
            await device.set_fault(1, missing)


async def test_one_end_of_the_cable() -> None:
    world = World()
    async with powered("ev-example-lines", world) as twin:
        async with driver("ev-example-lines", twin) as device:
            await device.plug_in(1)
            await device.unplug(1, end=End.VEHICLE)
            connector = world.connectors[1]
            assert (connector.pilot_state(), connector.cable_rating()) == ("A", 32.0)
            with pytest.raises(Unverifiable, match="its profile has no action 'unplug_station'"):
                await device.unplug(1, end=End.STATION)
            await device.set_fault(1, PilotFault.NONE)
            with pytest.raises(Unverifiable, match="can't read back the last action"):
                await device.is_plugged_in(1)


async def test_the_identity() -> None:
    world = World()
    async with powered("ev-example-lines", world) as twin:
        async with driver("ev-example-lines", twin, serial="4711") as device:
            identity = await device.identify()
        assert (identity.model, identity.serial, identity.firmware) == ("EV-7", "4711", "1.2")
        with pytest.raises(DeviceError, match="serial number '4711', expected '4712'"):
            await driver("ev-example-lines", twin, serial="4712").__aenter__()


@ALL
async def test_another_device_is_refused_before_anything_is_commanded(name: str) -> None:
    async with powered(name, World()) as twin:
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="ev: the model reads 'something else', expected to"):
            await driver(name, twin).__aenter__()
        assert twin.device.roles == []


@ALL
async def test_a_device_that_does_not_do_it_is_named(name: str, tmp_path: Any) -> None:
    source = profile.find(name).read_text("utf-8")
    quick = tmp_path / "quick.toml"
    quick.write_text(source.replace("}], shows", "}], within = 0.05, shows"), "utf-8")
    async with powered(name, World()) as twin:
        device = await driver(str(quick), twin).__aenter__()
        twin.device.stuck = True
        with pytest.raises(DeviceTimeout, match=r"ev: plug_in: signal '.*' reads .*, expected .*"):
            await device.plug_in(1)
        twin.device.stuck = False
        await device.__aexit__(None, None, None)


@ALL
async def test_a_mute_device_and_one_that_is_gone(name: str) -> None:
    async with powered(name, World()) as twin:
        device = await driver(name, twin).__aenter__()
        twin.faults.silent = True
        with pytest.raises(DeviceTimeout, match=r"^ev \("):
            await device.plug_in(1)
        twin.faults.clear()
        await twin.disconnect()
        with pytest.raises(LinkError, match=r"^ev \("):
            await device.unplug(1)
        with pytest.raises(BenchError, match=r"^ev \("):
            await device.__aexit__(None, None, None)


@ALL
async def test_a_busy_device_is_an_error(name: str) -> None:
    async with powered(name, World()) as twin, driver(name, twin) as device:
        twin.faults.busy = 1
        with pytest.raises(DeviceError, match=r"^ev \(.*(busy|503)"):
            await device.plug_in(1)
        await device.plug_in(1)


@ALL
async def test_wrong_calls_are_refused(name: str) -> None:
    async with powered(name, World()) as twin, driver(name, twin) as device:
        with pytest.raises(DeviceError, match="ev: its plug serves connector 1, not connector 2"):
            await device.plug_in(2)
        with pytest.raises(DeviceError, match="ev: suspend: no vehicle is plugged in at 1"):
            await device.suspend(1)


@ALL
async def test_a_dead_pilot_is_no_state_a(name: str) -> None:
    world = World()
    async with powered(name, world) as twin, driver(name, twin) as device:
        world.connectors[1].supply(False)
        with pytest.raises(Unverifiable, match="is the station on"):
            await device.self_test()
