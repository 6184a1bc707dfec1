"""The Carlo Gavazzi and ABB twins by raw frames, and under the real driver."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bench.errors import DeviceError
from drivers.register_meter import DRIVER, RegisterMeter, RegisterMeterSettings
from drivers.sim.energy_meter import IntegerMeter
from drivers.sim.modbus import ModbusLine
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire
from drivers.sim.world import Supply
from tests.wire.responders import context

THREE = Supply((230.2, 231.1, 229.0), (16.0, 15.5, 0.25), (4_115_200.0, 4_115_200.0, 4_115_270.0))
ONE = Supply((230.2,), (16.0,), (12_345_670.0,))
DEADLINE = 2.0


def twin_of(model: str, seen: Supply = THREE) -> Twin[ModbusLine]:
    return Twin(ModbusLine([IntegerMeter(lambda: seen, model=model)], "tcp"), TcpWire("modbus-tcp"))


async def ask(link: str, pdu: str) -> str:
    """Send one request on a connection of its own."""
    host, port = link.removeprefix("modbus-tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = bytes.fromhex(pdu)
    writer.write(b"\x00\x07\x00\x00\x00" + bytes((len(body) + 1, 1)) + body)
    async with asyncio.timeout(DEADLINE):
        head = await reader.readexactly(7)
        answer = await reader.readexactly(head[5] - 1)
    writer.close()
    return answer.hex(" ")


@pytest.mark.parametrize(
    ("model", "request_", "answer"),
    [
        ("EM24-E1", "04 00 00 00 02", "04 04 08 fe 00 00"),
        ("EM24-E1", "03 00 0b 00 01", "03 02 06 70"),
        ("EM24-E1", "04 00 28 00 02", "04 04 1e 09 00 01"),
        ("EM24-E1", "04 00 34 00 02", "04 04 e2 40 00 01"),
        ("EM24-E1", "04 00 00 00 0c", "84 03"),
        ("EM24-E1", "04 00 30 00 02", "84 02"),
        ("EM24-E1", "01 00 00 00 02", "81 01"),
        ("EM340", "04 00 33 00 01", "04 02 01 f4"),
        ("EM340", "03 00 0c 00 04", "03 08 3e 80 00 00 3c 8c 00 00"),
        ("B23", "03 5b 00 00 06", "03 0c 00 00 08 fe 00 00 09 07 00 00 08 f2"),
        ("B23", "03 50 00 00 04", "03 08 00 00 00 00 00 12 d6 87"),
        ("B23", "03 5b 2c 00 01", "03 02 13 88"),
        ("B23", "03 89 00 00 02", "03 04 00 12 d6 87"),
        ("B23", "04 50 00 00 04", "84 01"),
        ("B23", "03 5b 12 00 02", "83 02"),
    ],
)
async def test_frames(model: str, request_: str, answer: str) -> None:
    async with twin_of(model) as twin:
        assert await ask(twin.link, request_) == answer


async def test_one_phase_marks_the_others_as_not_available() -> None:
    async with twin_of("B23", ONE) as twin:
        voltages = await ask(twin.link, "03 5b 00 00 06")
        assert voltages == "03 0c 00 00 08 fe ff ff ff ff ff ff ff ff"
        assert await ask(twin.link, "03 5b 18 00 02") == "03 04 7f ff ff ff"


ENERGIES = "01 03 50 00 00 18 54 c0"
"""The maker's example of a request: all energy registers."""


async def heard(twin: Twin[ModbusLine], request: str) -> str:
    """Send a frame on the serial line and return the head of the answer."""
    port = os.open(twin.link.removeprefix("modbus-rtu:").partition("?")[0], os.O_RDWR | os.O_NOCTTY)
    loop, head = asyncio.get_running_loop(), asyncio.Event()
    received = bytearray()

    def receive() -> None:
        received.extend(os.read(port, 64))
        if len(received) == 53:
            head.set()

    loop.add_reader(port, receive)
    os.write(port, bytes.fromhex(request))
    async with asyncio.timeout(DEADLINE):
        await head.wait()
    loop.remove_reader(port)
    os.close(port)
    return received[:3].hex(" ")


def made(link: str, profile: str) -> RegisterMeter:
    device = DRIVER.make(RegisterMeterSettings(link, profile=profile), context("meter"))
    assert isinstance(device, RegisterMeter)
    return device


@pytest.mark.parametrize(
    ("model", "profile", "energy"),
    [
        ("EM24-E1", "carlo-gavazzi-em24-e1", 12_345_600.0),
        ("EM340", "carlo-gavazzi-em340", 12_345_600.0),
        ("B23", "abb-b23", 12_345_670.0),
    ],
)
async def test_the_driver_reads_what_flows(model: str, profile: str, energy: float) -> None:
    async with twin_of(model) as twin, made(twin.link, profile) as meter:
        reading = await meter.read()
    assert [round(each.value, 1) for each in reading.voltage] == [230.2, 231.1, 229.0]
    assert [round(each.value, 2) for each in reading.current] == [16.0, 15.5, 0.25]
    assert reading.power.value == pytest.approx(sum(THREE.power), abs=0.05)
    assert reading.energy_import.value == pytest.approx(energy)


async def test_the_driver_on_a_serial_line_with_one_phase(tmp_path: Path) -> None:
    meter = IntegerMeter(lambda: ONE, model="B23")
    wire = PtyWire("modbus-rtu", path=tmp_path / "b23")
    async with Twin(ModbusLine([meter], "rtu"), wire) as twin:
        assert await heard(twin, ENERGIES) == "01 03 30"
        async with made(twin.link, "abb-b23") as driver:
            reading = await driver.read()
    assert len(reading.voltage) == len(reading.current) == 1


async def test_a_meter_that_is_another_one_is_refused() -> None:
    async with twin_of("EM24-E1") as twin:
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="reads 65535, expected 1648"):
            await made(twin.link, "carlo-gavazzi-em24-e1").__aenter__()
