"""The Carlo Gavazzi and ABB profiles against registers and frames written by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import cast

import pytest

from bench.capability import MeterReading
from bench.errors import DeviceError, Unverifiable
from bench.metrology import Quantity
from drivers import profile
from drivers.link.address import parse
from drivers.link.modbus import SCHEMES, ModbusLink
from drivers.profile_meter import MeterProfile
from drivers.register_meter import DRIVER, RegisterMeter, RegisterMeterSettings
from tests.wire.responders import Rtu, context, crc16, modbus_tcp, pty

GAVAZZI = (
    (0x00, [0x08FE, 0, 0x0907, 0, 0x08F2, 0]),  # 230.2 V, 231.1 V, 229.0 V: low word first
    (0x0C, [0x3E80, 0, 0x3C8C, 0, 0xFF06, 0xFFFF]),  # 16.000 A, 15.500 A, -0.250 A
    (0x28, [0x1EBD, 0x0001]),  # 7340.5 W
    (0x34, [0xE240, 0x0001]),  # 12345.6 kWh
)
ABB = (
    (0x5B00, [0, 0x08FE, 0, 0x0907, 0, 0x08F2]),  # 230.2 V, 231.1 V, 229.0 V: high word first
    (0x5B0C, [0, 0x0640, 0, 0x060E, 0, 0x0019]),  # 16.00 A, 15.50 A, 0.25 A
    (0x5B14, [0x000B, 0x3362]),  # 7340.50 W
    (0x5000, [0, 0, 0x0012, 0xD687]),  # 12345.67 kWh
    (0x8900, [0x0012, 0xD687]),  # serial number 1234567
)


class Meter:
    """A meter that refuses whatever its map does not define."""

    def __init__(self, function: int, *runs: tuple[int, list[int]]) -> None:
        self.function = function
        self.words = {first + at: word for first, run in runs for at, word in enumerate(run)}
        self.alone: Mapping[int, int] = {}
        self.seen: list[str] = []

    def reply(self, pdu: bytes) -> bytes:
        self.seen.append(pdu.hex(" "))
        function, first, count = struct.unpack(">BHH", pdu)
        if function != self.function:
            return bytes((function | 0x80, 1))
        if count == 1 and first in self.alone:
            return struct.pack(">BBH", function, 2, self.alone[first])
        try:
            words = [self.words[first + i] for i in range(count)]
        except KeyError:
            return bytes((function | 0x80, 2))
        return struct.pack(f">BB{count}H", function, 2 * count, *words)

    async def answer(self, unit: int, pdu: bytes) -> bytes:
        assert unit == 1
        return self.reply(pdu)


def em24(code: int = 1648) -> Meter:
    meter = Meter(3, *GAVAZZI)
    meter.alone = {0x0B: code}
    return meter


def make(url: str, name: str, serial: str = "") -> RegisterMeter:
    settings = RegisterMeterSettings(url, profile=name, serial=serial)
    link = ModbusLink(parse(url, *SCHEMES), "meter", within=0.2)
    return RegisterMeter("meter", link, profile.load(MeterProfile, name), settings)


def near(value: float, unit: str) -> Quantity:
    return Quantity(cast("float", pytest.approx(value, rel=1e-12)), unit)


async def test_em24_is_read_low_word_first_after_its_model_is_checked() -> None:
    device = em24()
    async with modbus_tcp(device.answer) as url, make(url, "carlo-gavazzi-em24-e1") as meter:
        assert device.seen[0] == "03 00 0b 00 01"
        device.seen.clear()
        reading = await meter.read()
    assert reading == MeterReading(
        voltage=(near(230.2, "V"), near(231.1, "V"), near(229.0, "V")),
        current=(near(16.0, "A"), near(15.5, "A"), near(-0.25, "A")),
        power=near(7340.5, "W"),
        energy_import=near(12_345_600.0, "Wh"),
    )
    assert device.seen == [
        "03 00 00 00 06",
        "03 00 0c 00 06",
        "03 00 28 00 02",
        "03 00 34 00 02",
    ]


async def test_another_gavazzi_meter_with_another_map_is_refused() -> None:
    async with modbus_tcp(em24(71).answer) as url:
        with pytest.raises(DeviceError, match=r"0x000b \(model\) reads 71, expected 1648, 1649"):
            await make(url, "carlo-gavazzi-em24-e1").__aenter__()


async def test_em340_on_a_serial_line() -> None:
    device = Meter(4, *GAVAZZI)

    def answer(frame: bytes) -> bytes:
        body = frame[:1] + device.reply(frame[1:-2])
        return body + crc16(body)

    line = Rtu(answer)
    async with pty(line) as wire:
        settings = RegisterMeterSettings(f"modbus-rtu:{wire.path}", profile="carlo-gavazzi-em340")
        meter = DRIVER.make(settings, context("meter"))
        assert isinstance(meter, RegisterMeter)
        async with meter:
            reading = await meter.read()
    assert (reading.power, reading.energy_import) == (near(7340.5, "W"), near(12_345_600.0, "Wh"))
    assert "01 04 00 28 00 02 f1 c3" in [frame.hex(" ") for frame in line.requests]


async def test_b23_is_read_high_word_first_with_64_bits_of_energy() -> None:
    device = Meter(3, *ABB)
    async with modbus_tcp(device.answer) as url, make(url, "abb-b23", "1234567") as meter:
        device.seen.clear()
        reading = await meter.read()
        assert (await meter.identify()).serial == "1234567"
    assert reading == MeterReading(
        voltage=(near(230.2, "V"), near(231.1, "V"), near(229.0, "V")),
        current=(near(16.0, "A"), near(15.5, "A"), near(0.25, "A")),
        power=near(7340.5, "W"),
        energy_import=near(12_345_670.0, "Wh"),
    )
    assert device.seen[:4] == [
        "03 50 00 00 04",
        "03 5b 00 00 06",
        "03 5b 0c 00 06",
        "03 5b 14 00 02",
    ]


async def test_b23_negative_power_is_export() -> None:
    device = Meter(3, *ABB, (0x5B14, [0xFFF4, 0xCC9E]))
    async with modbus_tcp(device.answer) as url, make(url, "abb-b23") as meter:
        assert (await meter.read()).power == near(-7340.5, "W")


async def test_without_l2_and_l3_the_reading_has_l1_alone() -> None:
    missing = [0xFFFF] * 4
    device = Meter(3, *ABB, (0x5B02, missing), (0x5B0E, missing))
    async with modbus_tcp(device.answer) as url, make(url, "abb-b23") as meter:
        reading = await meter.read()
    assert reading.voltage == (near(230.2, "V"),)
    assert reading.current == (near(16.0, "A"),)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ((0x5B14, [0x7FFF, 0xFFFF]), r"register 0x5b14 \(power\)"),
        ((0x5000, [0xFFFF] * 4), r"register 0x5000 \(energy_import\)"),
        ((0x5B00, [0xFFFF] * 2), r"register 0x5b00 \(voltage\)"),
        ((0x5B04, [0xFFFF] * 2), r"register 0x5b04 \(voltage\)"),
    ],
)
async def test_what_is_not_available_is_no_number(run: tuple[int, list[int]], text: str) -> None:
    device = Meter(3, *ABB, run)
    async with modbus_tcp(device.answer) as url, make(url, "abb-b23") as meter:
        with pytest.raises(Unverifiable, match=f"meter: {text} says that the value is not"):
            await meter.read()


async def test_the_greatest_number_is_a_number_where_the_map_does_not_mark_it() -> None:
    device = em24()
    device.words |= {0x28: 0xFFFF, 0x29: 0x7FFF}
    async with modbus_tcp(device.answer) as url, make(url, "carlo-gavazzi-em24-e1") as meter:
        assert (await meter.read()).power == near(214_748_364.7, "W")


async def test_another_meter_than_the_calibrated_one_is_refused() -> None:
    async with modbus_tcp(Meter(3, *ABB).answer) as url:
        with pytest.raises(DeviceError, match="serial number '1234567', expected '7654321'"):
            await make(url, "abb-b23", "7654321").__aenter__()


def test_a_serial_number_is_refused_where_the_profile_can_not_read_it() -> None:
    with pytest.raises(ValueError, match=r"'carlo-gavazzi-em24-e1' has no \[identify\] serial"):
        RegisterMeterSettings("modbus-tcp://x", profile="carlo-gavazzi-em24-e1", serial="1")
