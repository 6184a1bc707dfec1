"""Several devices on one serial line: they share it, and each keeps its own troubles."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import serial

from bench.bench import Bench
from bench.capability import PowerMeter, VehicleCoupler
from bench.checkup import check_up
from bench.config import load_bench
from bench.device import DriverContext
from bench.errors import ConfigError, DeviceTimeout, LinkError
from bench.procedure import Need
from bench.stream import Stream
from drivers.link.address import parse
from drivers.link.modbus import SCHEMES, ModbusLink, modbus_link
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.faults import Faults
from drivers.sim.modbus import ModbusLine, Unit, words
from drivers.sim.paced import PacedPtyWire
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire
from drivers.sim.world import World
from tests.wire.responders import NobodyThere, context, pty

WITHIN = 0.1
"""Deadline of an answer in s for what does not answer."""


class Register(Unit):
    """A device whose every register reads its own address."""

    def __init__(self, address: int) -> None:
        self.address = address

    def power_up(self) -> None: ...

    def answer(self, request: bytes, faults: Faults) -> bytes:
        _, count = words(request)
        return struct.pack(f">BB{count}H", request[0], 2 * count, *[self.address] * count)


class Line(ModbusLine):
    """A line on which a unit can be mute alone."""

    mute: int | None = None

    def _answer(self, address: int, request: bytes, faults: Faults) -> bytes | None:
        return None if address == self.mute else super()._answer(address, request, faults)


Linked = Callable[..., ModbusLink]


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[tuple[Twin[Any], Linked]]:
    """Two units on a line, and what makes a link of a device's name."""
    wire = PtyWire("modbus-rtu", path=folder / "line.tty", baudrate=115200)
    twin: Twin[Any] = Twin(Line([Register(1), Register(2)], "rtu"), wire)
    shared: dict[str, Any] = {}

    def linked(name: str, parameters: str = "", within: float = 5.0) -> ModbusLink:
        base: DriverContext = replace(context(name), shared=shared)
        return modbus_link(parse(twin.link + parameters, *SCHEMES), base, within=within)

    async with twin:
        yield twin, linked


async def read(link: ModbusLink, unit: int) -> int:
    (value,) = await link.read_registers(unit, 0, 1, function=4)
    return value


async def test_two_devices_share_a_line_and_take_turns(tmp_path: Path) -> None:
    async with line(tmp_path) as (_, linked):
        box, meter = linked("box"), linked("meter")
        await box.open()
        await meter.open()
        asked = [read(box, 1), read(meter, 2), read(box, 1), read(meter, 2)]
        assert await asyncio.gather(*asked) == [1, 2, 1, 2]
        await box.close()
        assert await read(meter, 2) == 2, "the other one still needs the line"
        await meter.close()
        lone = ModbusLink(parse(f"modbus-rtu:{tmp_path / 'line.tty'}", *SCHEMES), "lone")
        await lone.open()  # nobody holds the port any more
        await lone.close()


async def test_requests_keep_the_pause_between_frames() -> None:
    wire = PacedPtyWire("modbus-rtu", baudrate=19200)
    gaps: list[float] = []

    class Neighbour(Register):
        def answer(self, request: bytes, faults: Faults) -> bytes:
            gaps.append(asyncio.get_running_loop().time() - link._bus._heard)
            return super().answer(request, faults)

    twin: Twin[Any] = Twin(Line([Register(1), Neighbour(2)], "rtu"), wire)
    async with twin:
        link = modbus_link(parse(twin.link, *SCHEMES), context())
        await link.open()
        try:
            for unit in (1, 1, 1, 2, 1, 2):
                assert await read(link, unit) == unit
        finally:
            await link.close()
    assert wire.lost == 0
    assert min(gaps) > 0.005, "another device has to see a gap"


async def test_a_mute_device_does_not_silence_its_neighbour(tmp_path: Path) -> None:
    async with line(tmp_path) as (twin, linked):
        box, meter = linked("box", within=WITHIN), linked("meter")
        await box.open()
        await meter.open()
        twin.device.mute = 1
        results = await asyncio.gather(read(box, 1), read(meter, 2), return_exceptions=True)
        assert isinstance(results[0], DeviceTimeout)
        assert str(results[0]).startswith("box (")
        assert results[1] == 2
        await box.close()
        await meter.close()


async def test_a_late_answer_to_one_device_is_not_taken_by_another(tmp_path: Path) -> None:
    async with line(tmp_path) as (twin, linked):
        box, meter = linked("box", within=WITHIN), linked("meter")
        await box.open()
        await meter.open()
        twin.faults.late = WITHIN * 1.5
        twin.faults.answers = 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(WITHIN / 2):
                await read(box, 2)
        assert await read(meter, 2) == 2
        await box.close()
        await meter.close()


async def test_a_lost_line_is_lost_for_all_until_each_opens_again(tmp_path: Path) -> None:
    async with line(tmp_path) as (twin, linked):
        box, meter = linked("box"), linked("meter")
        await box.open()
        await meter.open()
        await twin.restart()
        for link, unit in ((box, 1), (meter, 2)):
            with pytest.raises(LinkError, match=str(link).partition(" ")[0]):
                await read(link, unit)
        await box.close()
        await box.open()
        assert await read(box, 1) == 1
        with pytest.raises(LinkError, match=r"meter .*not connected"):
            await read(meter, 2)
        await meter.close()
        await meter.open()
        assert await read(meter, 2) == 2
        assert await read(box, 1) == 1
        await meter.close()
        await box.close()


async def test_one_line_has_one_rate(tmp_path: Path) -> None:
    async with line(tmp_path) as (_, linked):
        linked("box")
        with pytest.raises(ConfigError, match=r"device 'meter': link .* has parity E, another"):
            linked("meter", "&parity=E")


async def test_devices_over_tcp_have_connections_of_their_own() -> None:
    shared: dict[str, Any] = {}
    modbus_link(parse("modbus-tcp://127.0.0.1:1", *SCHEMES), replace(context(), shared=shared))
    assert not shared


async def test_a_bench_opens_all_devices_of_one_line(tmp_path: Path) -> None:
    world = World()
    box = PilotBox(world.connectors[1], world.timeline, framing="rtu")
    meter = EnergyMeter(world.supply, world.timeline, address=10, interval=0.0)
    wire = PtyWire("modbus-rtu", baudrate=115200)
    async with Twin(ModbusLine([*box.units, meter], "rtu"), wire) as twin:
        file = tmp_path / "bench.toml"
        file.write_text(
            f"""
            [bench]
            name = "one line"
            [[device]]
            name = "box"
            driver = "pilot-box"
            link = "{twin.link}"
            [[device]]
            name = "meter"
            driver = "register-meter"
            link = "{twin.link}"
            profile = "eastron-sdm630"
            unit = 10
            """
        )
        config = await asyncio.to_thread(load_bench, file)
        bench = Bench(config, Stream())
        async with bench.opened(NobodyThere(), lambda: "127.0.0.1:1"):
            coupler = bench.hand_out(Need("coupler", VehicleCoupler), 1)
            power = bench.hand_out(Need("meter", PowerMeter), 1)
            results = await asyncio.gather(coupler.plug_in(1), *(power.read() for _ in range(5)))
            assert {reading.power.value for reading in results[1:]} == {0.0}
            assert await coupler.is_plugged_in(1)
        async with asyncio.timeout(2):
            assert [each.state async for each in check_up(config, test=True)] == ["sound"] * 2
    world.timeline.stop()


@pytest.mark.parametrize("error", [None, OSError("inappropriate ioctl"), ValueError("no such")])
async def test_an_adapter_is_told_to_hand_over_at_once(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    def tell(port: serial.Serial, on: bool) -> None:
        told.append(on)
        if error is not None:
            raise error

    monkeypatch.setattr(serial.Serial, "set_low_latency_mode", tell)
    async with pty(lambda data: b"") as line:
        link = ModbusLink(parse(f"modbus-rtu:{line.path}", "modbus-rtu"), "dev")
        await link.open()
        await link.close()
    assert told == [True]


@pytest.mark.parametrize("turns", range(6))
async def test_a_port_that_was_being_opened_is_free_after_a_cancellation(turns: int) -> None:
    async with pty(lambda data: b"") as line:
        address = parse(f"modbus-rtu:{line.path}", "modbus-rtu")
        opening = asyncio.create_task(ModbusLink(address, "dev").open())
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        link = ModbusLink(address, "dev")
        await link.open()
        await link.close()
