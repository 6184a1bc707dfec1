"""The driver of the EV Charge Control against Modbus frames written by hand."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import EvseReading
from bench.errors import DeviceError, Unverifiable
from drivers.phoenix_ev_cc import DRIVER, PhoenixEvCc, PhoenixEvCcSettings
from drivers.sim.modbus import ModbusLine
from drivers.sim.phoenix_ev_cc import PhoenixEvCc as Controller
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World
from tests.contract.test_drivers import driver_at
from tests.wire.responders import Rtu, context, crc16, pty


class Answers:
    """Requests and their answers in hexadecimal, without the checksum."""

    def __init__(self, **more: str) -> None:
        name = b"EV-CC-AC1".ljust(68, b"\0").hex()
        self.known = {
            "01030fa00001": "01030200" + more.get("by", "03"),
            "010403e80022": "010444" + more.get("name", name),
            "01054e200000": "01054e200000",
            "01054e20ff00": "01054e20ff00",
            "010655f00010": "010655f00010",
            "010355f00001": "0103020010",
            "01035dc00004": "010308" + more.get("status", "42320020001b0010"),
        }
        self.released = False
        self.heard: list[str] = []

    def __call__(self, frame: bytes) -> bytes:
        request = frame[:-2].hex()
        self.heard.append(request)
        if request.startswith("0105"):
            self.released = request.endswith("ff00")
        answer = f"010101{self.released:02x}" if request == "01014e200001" else self.known[request]
        data = bytes.fromhex(answer)
        return data + crc16(data)


@asynccontextmanager
async def opened(answers: Answers) -> AsyncIterator[PhoenixEvCc]:
    async with pty(Rtu(answers)) as line:
        device = DRIVER.make(PhoenixEvCcSettings(f"modbus-rtu:{line.path}"), context("ref"))
        assert isinstance(device, PhoenixEvCc)
        async with device:
            yield device


async def test_the_bytes_of_an_offer() -> None:
    answers = Answers()
    async with opened(answers) as device:
        assert answers.heard == ["01030fa00001", "010403e80022", "01054e200000", "01014e200001"]
        assert (await device.identify()).model == "EV-CC-AC1"
        answers.heard.clear()
        await device.offer(current=16.9)
        assert answers.heard == [
            "010655f00010",
            "010355f00001",
            "01054e20ff00",
            "01014e200001",
        ]
        assert await device.read() == EvseReading("B", True, 27.0, 32.0)
        answers.heard.clear()
    assert answers.heard == ["01054e200000", "01014e200001"]


@pytest.mark.parametrize(
    ("status", "reading"),
    [
        ("4131000000000000", EvseReading("A", False, 100.0, None)),
        ("4331ffff00000000", EvseReading("C", False, 100.0, None)),
        ("4632000d00050000", EvseReading("F", True, 5.0, 13.0)),
    ],
)
async def test_what_it_tells(status: str, reading: EvseReading) -> None:
    async with opened(Answers(status=status)) as device:
        assert await device.read() == reading


@pytest.mark.parametrize("status", ["0000", "4133", "5831", "ffff"])
async def test_a_status_that_is_none_is_not_taken_for_one(status: str) -> None:
    async with opened(Answers(status=status + "000000000000")) as device:
        with pytest.raises(Unverifiable, match=r"^ref: it tells status .* expected A1 to F2"):
            await device.read()


async def test_a_controller_that_others_release_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"^ref: register 4000 .* reads 1, expected 3"):
        async with opened(Answers(by="01")):
            pass


async def test_a_device_without_a_name_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"^ref: registers 1000 to 1033 \(name\) hold no text"):
        async with opened(Answers(name=struct.pack(">34H", *range(34)).hex())):
            pass


async def test_the_twin_wakes_a_vehicle_that_lets_an_offer_wait() -> None:
    now = [1000.0]
    world = World(clock=lambda: now[0])
    connector = world.connectors[1]
    line = ModbusLine([Controller(connector, world.timeline)], "tcp")
    async with Twin(line, TcpWire("modbus-tcp")) as twin:
        device: Any = DRIVER.make(PhoenixEvCcSettings(twin.link), context("ref"))
        async with device as evse:

            async def after(seconds: float) -> tuple[str, bool, float]:
                now[0] += seconds
                told = await evse.read()
                return told.state, told.pwm, round(connector.levels().high, 1)

            connector.plug_in()
            steady = ("B", False, 9.0)
            waiting = ("B", True, 9.0)
            assert await after(60.0) == steady, "nothing is offered, so nobody is woken"
            await evse.offer(current=16.0)
            assert await after(29.9) == waiting
            assert await after(0.2) == ("F", False, -12.0)
            assert await after(2.8) == ("F", False, -12.0)
            assert await after(0.2) == waiting
            assert await after(60.0) == waiting, "once"
            connector.draw()
            assert (await after(1.0))[:2] == ("C", True)
            connector.suspend()
            await after(0.1)
            assert (await after(30.0))[0] == "F", "a vehicle that was awake may fall asleep again"
            await evse.withdraw()
            assert await after(0.0) == steady
    world.timeline.stop()


async def test_the_pilot_box_agrees_with_the_reference() -> None:
    world = World()
    connector = world.connectors[1]
    line = ModbusLine([Controller(connector, world.timeline)], "tcp")
    reference = Twin(line, TcpWire("modbus-tcp"))
    box_twin = Twin(PilotBox(connector, world.timeline), TcpWire("modbus-tcp"))
    async with reference, box_twin:
        pilot_box = driver_at("drivers.pilot_box:DRIVER")
        box: Any = pilot_box.make(pilot_box.settings(box_twin.link), context("box"))
        device: Any = DRIVER.make(PhoenixEvCcSettings(reference.link), context("ref"))
        async with box as vehicle, device as evse:
            for current in (6, 16, 32):
                await vehicle.plug_in(1)
                await evse.offer(current=current)
                for act, letter in ((vehicle.suspend, "B"), (vehicle.draw, "C")):
                    await act(1)
                    seen, told = await vehicle.read_pilot(1), await evse.read()
                    assert (seen.state, told.state) == (letter, letter)
                    assert seen.duty == pytest.approx(told.duty, abs=0.5)
                    assert seen.offered == pytest.approx(current, abs=0.1)
                    assert told.cable == 32.0
                await evse.withdraw()
                await vehicle.unplug(1)
    world.timeline.stop()
