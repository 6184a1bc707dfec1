"""The meter's driver against published frames and registers written by hand."""

from __future__ import annotations

import math
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bench.capability import MeterReading
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError
from bench.metrology import Quantity
from drivers import profile
from drivers.link.address import parse
from drivers.link.modbus import SCHEMES, ModbusLink
from drivers.profile_meter import MeterProfile
from drivers.register_meter import DRIVER, RegisterMeter, RegisterMeterSettings
from tests.wire.responders import Rtu, context, crc16, modbus_tcp, pty

SERIAL = 20231117


def float_words(values: Mapping[int, float]) -> dict[int, int]:
    """Registers of float32 values, high word first."""
    words = {}
    for address, value in values.items():
        words[address], words[address + 1] = struct.unpack(">HH", struct.pack(">f", value))
    return words


SDM630 = {
    0x00: 230.2, 0x02: 231.5, 0x04: 229.0,
    0x06: 16.0, 0x08: 15.5, 0x0A: 0.25,
    0x34: 7340.5,
    0x48: 1234.567,
}  # fmt: skip


class Meter:
    """A meter that refuses whatever its map does not define."""

    def __init__(self, values: Mapping[int, float], unit: int = 1) -> None:
        self.words = float_words(values)
        self.unit = unit
        self.seen: list[str] = []
        self.mute = False

    async def answer(self, unit: int, pdu: bytes) -> bytes | None:
        if self.mute or unit != self.unit:
            return None
        self.seen.append(pdu.hex(" "))
        function, first, count = struct.unpack(">BHH", pdu)
        if function == 3:
            return struct.pack(">BBI", 3, 4, SERIAL) if first == 0xFC00 else b"\x83\x02"
        try:
            words = [self.words[first + i] for i in range(count)]
        except KeyError:
            return b"\x84\x02"
        return struct.pack(f">BB{count}H", 4, 2 * count, *words)


@asynccontextmanager
async def opened(device: Meter, name: str, **keys: Any) -> AsyncIterator[RegisterMeter]:
    async with modbus_tcp(device.answer) as url:
        async with make(url, name, **keys) as meter:
            device.seen.clear()
            yield meter


def make(url: str, name: str, **keys: Any) -> RegisterMeter:
    settings = RegisterMeterSettings(url, profile=name, **keys)
    link = ModbusLink(parse(url, *SCHEMES), "meter", within=0.1)
    return RegisterMeter("meter", link, profile.load(MeterProfile, name), settings)


def near(value: float, unit: str) -> Quantity:
    """A quantity to the precision of a float32."""
    return Quantity(cast("float", pytest.approx(value, rel=1e-6)), unit)


async def test_three_phases() -> None:
    device = Meter(SDM630)
    async with opened(device, "eastron-sdm630") as meter:
        reading = await meter.read()
    assert reading == MeterReading(
        voltage=(near(230.2, "V"), near(231.5, "V"), near(229.0, "V")),
        current=(near(16.0, "A"), near(15.5, "A"), near(0.25, "A")),
        power=near(7340.5, "W"),
        energy_import=near(1234567.0, "Wh"),
    )
    assert device.seen == ["04 00 00 00 0c", "04 00 34 00 02", "04 00 48 00 02"]


class Tolerant(Meter):
    """A meter that answers 0 for what its map does not define."""

    def __init__(self, values: Mapping[int, float]) -> None:
        super().__init__(values)
        self.words = dict.fromkeys(range(100), 0) | self.words


async def test_a_meter_that_answers_gaps_is_asked_over_them() -> None:
    device = Tolerant(SDM630)
    async with opened(device, "eastron-sdm630") as meter:
        assert (await meter.read()).power == near(7340.5, "W")
    assert device.seen == ["04 00 00 00 36", "04 00 48 00 02"]


@pytest.mark.parametrize(
    ("baudrate", "requests"),
    [
        (9600, ["01 04 00 00 00 0c", "01 04 00 34 00 02", "01 04 00 48 00 02"]),
        (115200, ["01 04 00 00 00 0c", "01 04 00 34 00 16"]),
    ],
)
async def test_a_gap_is_read_where_that_is_faster_on_the_line(
    baudrate: int, requests: list[str]
) -> None:
    device = Tolerant(SDM630)

    def answer(frame: bytes) -> bytes:
        function, first, count = struct.unpack(">BHH", frame[1:6])
        words = [device.words.get(first + i, 0) for i in range(count)]
        body = struct.pack(f">BBB{count}H", 1, function, 2 * count, *words)
        return body + crc16(body)

    line = Rtu(answer)
    async with pty(line) as wire:
        link = f"modbus-rtu:{wire.path}?baudrate={baudrate}"
        settings = RegisterMeterSettings(link, profile="eastron-sdm630")
        async with DRIVER.make(settings, context("meter")) as meter:
            line.requests.clear()
            assert (await meter.read()).power == near(7340.5, "W")  # type: ignore[attr-defined]
    assert [frame[:-2].hex(" ") for frame in line.requests] == requests


async def test_a_meter_that_is_mute_about_gaps_is_not_asked_over_them() -> None:
    device = Meter(SDM630)

    async def answer(unit: int, pdu: bytes) -> bytes | None:
        answer = await device.answer(unit, pdu)
        return None if answer == b"\x84\x02" else answer

    async with modbus_tcp(answer) as url, make(url, "eastron-sdm630") as meter:
        device.seen.clear()
        assert (await meter.read()).power == near(7340.5, "W")
    assert device.seen == ["04 00 00 00 0c", "04 00 34 00 02", "04 00 48 00 02"]


async def test_one_phase() -> None:
    device = Meter({0x00: 230.2, 0x06: 6.1, 0x0C: -1404.2, 0x48: 0.5})
    async with opened(device, "eastron-sdm120") as meter:
        reading = await meter.read()
    assert reading == MeterReading(
        voltage=(near(230.2, "V"),),
        current=(near(6.1, "A"),),
        power=near(-1404.2, "W"),
        energy_import=near(500.0, "Wh"),
    )


async def test_totals_only() -> None:
    device = Meter({0x34: 22080.0, 0x48: 0.001})
    async with opened(device, "eastron-sdm72") as meter:
        reading = await meter.read()
    assert reading == MeterReading((), (), near(22080.0, "W"), near(1.0, "Wh"))


async def test_frames_on_a_serial_line_as_the_maker_publishes_them() -> None:
    words = float_words({0x00: 230.2, 0x06: 6.1, 0x0C: 1404.2, 0x34: 1404.2, 0x48: 0.5})

    def answer(frame: bytes) -> bytes:
        unit, function, first, count = struct.unpack(">BBHH", frame[:6])
        values = [SERIAL >> 16, SERIAL & 0xFFFF]
        if function == 4:
            values = [words[first + i] for i in range(count)]
        body = struct.pack(f">BBB{count}H", unit, function, 2 * count, *values)
        return body + crc16(body)

    line = Rtu(answer)
    async with pty(line) as wire:
        link = f"modbus-rtu:{wire.path}?baudrate=2400"
        settings = RegisterMeterSettings(link, profile="eastron-sdm120")
        meter = DRIVER.make(settings, context("meter"))
        assert isinstance(meter, RegisterMeter)
        async with meter:
            reading = await meter.read()
        settings = RegisterMeterSettings(link, profile="eastron-sdm72")
        meter = DRIVER.make(settings, context("meter"))
        assert isinstance(meter, RegisterMeter)
        async with meter:
            await meter.read()
    assert reading.voltage == (near(230.2, "V"),)
    heard = [frame.hex(" ") for frame in line.requests]
    assert "01 04 00 00 00 02 71 cb" in heard  # voltage L1
    assert "01 04 00 34 00 02 30 05" in heard  # total power


async def test_identity_carries_the_serial_number() -> None:
    async with opened(Meter(SDM630), "eastron-sdm630", serial=str(SERIAL)) as meter:
        identity = await meter.identify()
    assert (identity.maker, identity.model) == ("Eastron", "SDM630-Modbus")
    assert identity.serial == str(SERIAL)


async def test_another_meter_than_the_calibrated_one_is_refused() -> None:
    async with modbus_tcp(Meter(SDM630).answer) as url:
        meter = make(url, "eastron-sdm630", serial="4711")
        with pytest.raises(DeviceError) as caught:
            await meter.__aenter__()
    assert str(caught.value) == (
        f"meter: the device has serial number '{SERIAL}', expected '4711' as in bench.toml"
    )


async def test_a_meter_with_another_map_is_refused() -> None:
    async with modbus_tcp(Meter({0x34: 0.0, 0x48: 0.0}).answer) as url:
        meter = make(url, "eastron-sdm630")
        with pytest.raises(
            DeviceError,
            match="unit 1 refuses read input registers 0 to 11: exception 2, illegal data address",
        ):
            await meter.__aenter__()


async def test_another_unit_number() -> None:
    async with opened(Meter(SDM630, unit=17), "eastron-sdm630", unit=17) as meter:
        assert (await meter.read()).power == near(7340.5, "W")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_a_reading_that_is_no_number_is_refused(value: float) -> None:
    device = Meter(SDM630)
    async with opened(device, "eastron-sdm630") as meter:
        device.words |= float_words({0x34: value})
        with pytest.raises(
            DeviceError, match=r"meter: register 0x0034 \(power\) reads -?(nan|inf)"
        ):
            await meter.read()


async def test_a_meter_that_falls_silent_is_a_timeout() -> None:
    device = Meter(SDM630)
    async with opened(device, "eastron-sdm630") as meter:
        device.mute = True
        with pytest.raises(DeviceTimeout, match=r"meter \(.*\): unit 1 gave no valid answer to"):
            await meter.read()


async def test_a_meter_that_vanishes_is_a_link_error() -> None:
    async with modbus_tcp(Meter(SDM630).answer) as url:
        meter = make(url, "eastron-sdm630")
        await meter.__aenter__()
    with pytest.raises(LinkError):
        await meter.read()
    await meter.__aexit__(None, None, None)


LAB_PROFILE = """
[profile]
kind = "register-meter"
name = "lab"
maker = "Some"
model = "Meter"

[map]
function = 3
type = "{type}"
words = "{words}"

[quantities]
power = {{ register = 0x10, unit = "kW", scale = 0.1 }}
energy_import = {{ register = 0x20, unit = "Wh", type = "u32", words = "high-first" }}
"""


@pytest.mark.parametrize(
    ("kind", "words", "registers", "power"),
    [
        ("u16", "high-first", [65535], 6553500.0),
        ("i16", "high-first", [0xFFF6], -1000.0),
        ("i32", "high-first", [0xFFFF, 0xFFF6], -1000.0),
        ("i32", "low-first", [0xFFF6, 0xFFFF], -1000.0),
        ("u64", "low-first", [10, 0, 1, 0], (2**32 + 10) * 100.0),
        ("i64", "high-first", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFF6], -1000.0),
        ("f32", "low-first", [0x3333, 0x4366], 23020.0),
    ],
)
async def test_a_labs_own_profile(
    tmp_path: Path, kind: str, words: str, registers: list[int], power: float
) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(LAB_PROFILE.format(type=kind, words=words), "utf-8")

    async def answer(unit: int, pdu: bytes) -> bytes:
        function, first, count = struct.unpack(">BHH", pdu)
        values = registers if first == 0x10 else [0x0001, 0x0002]
        assert function == 3
        if count != len(values):
            return b"\x83\x02"
        return struct.pack(f">BB{count}H", 3, 2 * count, *values)

    async with modbus_tcp(answer) as url, make(url, str(path)) as meter:
        reading = await meter.read()
    assert reading.power == near(power, "W")
    assert reading.energy_import == Quantity(65538.0, "Wh")


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "serial:/dev/ttyUSB0"}, "expected one of modbus-tcp:, modbus-rtu:"),
        ({"unit": 0}, "'unit' is 0, expected 1 to 247"),
        ({"profile": "pilot-box-12"}, "'pilot-box', this driver needs 'register-meter'"),
        ({"profile": "./missing.toml"}, "missing.toml: No such file or directory"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    good = RegisterMeterSettings("modbus-tcp://meter", profile="eastron-sdm630")
    with pytest.raises((ValueError, ConfigError)) as caught:
        replace(good, **keys)
    assert text in str(caught.value)


def test_a_serial_number_needs_a_profile_that_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(LAB_PROFILE.format(type="f32", words="high-first"), "utf-8")
    with pytest.raises(ValueError, match=r"'serial' is given, but profile .* has no"):
        RegisterMeterSettings("modbus-tcp://meter", profile=str(path), serial="1")
