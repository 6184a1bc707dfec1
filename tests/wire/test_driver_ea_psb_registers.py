"""The EA-PSB driver over Modbus: exact requests, and what the twin's registers make of it."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench.errors import DeviceError
from drivers.ea_psb import DRIVER, EaPsb, EaPsbSettings
from drivers.sim import ea_psb
from drivers.sim.ea_psb_registers import EaPsbModbus
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from tests.wire.responders import context, modbus_tcp


@pytest.fixture
async def twin() -> AsyncIterator[Twin[EaPsbModbus]]:
    device = EaPsbModbus(ea_psb.EaPsb(lambda: 400.0))
    async with Twin(device, TcpWire("modbus-tcp")) as twin:
        yield twin


def made(link: str, **keys: Any) -> EaPsb:
    settings = EaPsbSettings(link, **({"max_current": 30.0, "watchdog": 0} | keys))
    device = DRIVER.make(settings, context("load"))
    assert isinstance(device, EaPsb)
    return device


class Registers:
    """A PSB 10060-60 whose answers are written down here."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.holding = {
            **self.text(1, "PSB 10060-60"),
            **self.text(21, "EA Elektro-Automatik"),
            **self.text(151, "2538170001"),
            **self.words(121, struct.pack(">3f", 60.0, 60.0, 1500.0)),
            **self.words(505, bytes.fromhex("00000800")),
            # 48 V, 5 A, 240 W of 60 V, 60 A, 1500 W, of which 0xCCCC is the whole.
            **self.words(507, bytes.fromhex("A3D6 1111 20C4")),
            499: 0,
        }
        self.refused: set[str] = set()

    @staticmethod
    def words(first: int, data: bytes) -> dict[int, int]:
        values = struct.unpack(f">{len(data) // 2}H", data)
        return {first + at: value for at, value in enumerate(values)}

    def text(self, first: int, text: str) -> dict[int, int]:
        return self.words(first, text.encode().ljust(40, b"\0"))

    async def __call__(self, unit: int, pdu: bytes) -> bytes:
        assert unit == 7
        self.requests.append(pdu.hex(" "))
        if pdu.hex(" ") in self.refused:
            return bytes((pdu[0] | 0x80, 0x04))
        first, second = struct.unpack(">HH", pdu[1:])
        if pdu[0] == 3:
            values = [self.holding[first + at] for at in range(second)]
            return struct.pack(f">BB{second}H", 3, 2 * second, *values)
        if (pdu[0], first) == (5, 405):
            self.holding[506] = 0x0880 if second else 0x0800
        elif pdu[0] == 6:
            self.holding[first] = second
        return pdu


async def test_the_exact_requests_of_a_session() -> None:
    device = Registers()
    async with modbus_tcp(device) as link, made(link, unit=7, max_power=1200.0) as load:
        assert device.requests == [
            "03 00 15 00 14",  # maker
            "03 00 01 00 14",  # type
            "03 00 97 00 14",  # serial number
            "03 00 7b 00 02",  # nominal current
            "05 01 92 ff 00",  # remote control
            "05 01 95 00 00",  # off
            "03 01 f9 00 02",  # state
            "03 00 79 00 02",  # nominal voltage
            "06 01 f4 00 00",  # source 0 V
            "06 01 f5 00 00",  # source 0 A
            "06 01 f3 00 00",  # sink 0 A
        ]
        device.requests.clear()
        await load.draw(current=15)
        assert device.requests == [
            "03 00 7d 00 02",  # nominal power
            "06 01 f2 a3 d6",  # sink 1200 of 1500 W
            "06 01 f3 33 33",  # sink 15 of 60 A
            "03 01 f3 00 01",  # read back
            "03 01 f9 00 02",  # no alarm
            "05 01 95 ff 00",  # on
            "03 01 f9 00 02",  # state
        ]
        reading = await load.read()
        assert reading.voltage.value == pytest.approx(48.0, abs=1e-3)
        assert reading.current.value == pytest.approx(5.0, abs=1e-3)
        assert reading.power.value == pytest.approx(240.0, abs=0.03)
    assert device.requests[-1] == "05 01 92 00 00"


async def test_a_refusal_names_the_request_and_the_device() -> None:
    device = Registers()
    device.refused.add("05 01 92 ff 00")
    async with modbus_tcp(device) as link:
        with pytest.raises(DeviceError, match=r"^load \(.*\): unit 7 refuses write coil 402: exc"):
            await made(link, unit=7).__aenter__()


async def test_a_nominal_value_that_is_none_is_refused() -> None:
    device = Registers()
    device.holding |= {123: 0, 124: 0}
    async with modbus_tcp(device) as link:
        with pytest.raises(DeviceError, match=r"register 123 \(nominal value\) reads 0 A"):
            await made(link, unit=7).__aenter__()


async def test_another_device_is_refused() -> None:
    device = Registers()
    device.holding |= device.text(1, "PS 9040-20 T")
    async with modbus_tcp(device) as link:
        with pytest.raises(DeviceError, match=r"PS 9040-20 T.*expected an EA-PSB"):
            await made(link, unit=7).__aenter__()


async def test_draw_and_release_on_the_twin(twin: Twin[EaPsbModbus]) -> None:
    device = twin.device
    async with made(twin.link, serial="2538170001") as load:
        identity = await load.identify()
        assert (identity.model, identity.serial) == ("PSB 11000-40", "2538170001")
        await load.draw(current=12.3)
        assert device.drawn() == pytest.approx(12.3, abs=40 / 0xCCCC)
        reading = await load.read()
        assert reading.current.value == pytest.approx(12.3, abs=0.01)
        assert reading.power.value == pytest.approx(4920, abs=5)
        await load.release()
        assert device.drawn() == 0
        assert device.psb.locked
    assert not device.psb.locked


async def test_an_alarm_switches_it_off_until_it_is_acknowledged(twin: Twin[EaPsbModbus]) -> None:
    async with made(twin.link) as load:
        await load.draw(current=5)
        twin.device.alarm()
        assert not await load.is_drawing()
        with pytest.raises(
            DeviceError, match=r"^load \(.*\): refuses OUTP ON: an alarm of its own"
        ):
            await load.draw(current=5)
        await load.make_safe()
        twin.device.acknowledge()
        await load.draw(current=5)
        assert await load.is_drawing()


async def test_without_remote_control_nothing_is_written(twin: Twin[EaPsbModbus]) -> None:
    async with made(twin.link) as load:
        twin.device.psb.locked = False
        with pytest.raises(DeviceError, match="refuses write register 498: exception 4"):
            await load.draw(current=5)
        twin.device.psb.locked = True
    twin.device.psb.local = True
    with pytest.raises(DeviceError, match="refuses write coil 402: exception 4"):
        await made(twin.link).__aenter__()


async def test_a_value_beyond_what_the_device_is_made_for(twin: Twin[EaPsbModbus]) -> None:
    async with made(twin.link, max_power=20_000.0) as load:
        with pytest.raises(DeviceError, match="SINK:POW 20000 is beyond 102 % of the nominal"):
            await load.draw(current=5)
        assert not await load.is_drawing()


def test_a_wrong_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="'unit' is 0, expected 1 to 247"):
        EaPsbSettings("modbus-tcp://x", max_current=1.0, unit=0)
