"""The multimeter driver: exact lines, refusals, and the accuracy that it makes of its profile."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError
from drivers import profile
from drivers.link.address import parse
from drivers.link.visa import SCHEMES, resource_name
from drivers.multimeter import DRIVER, MultimeterSettings, ScpiMultimeter
from drivers.profile_multimeter import MultimeterProfile
from drivers.sim.multimeter import Multimeter
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire
from tests.wire.responders import context, tcp_server


def made(link: str, **keys: Any) -> ScpiMultimeter:
    settings = MultimeterSettings(link, **({"profile": "keysight-34465a"} | keys))
    device = DRIVER.make(settings, context("dmm"))
    assert isinstance(device, ScpiMultimeter)
    return device


@pytest.fixture
async def twin() -> AsyncIterator[Twin[Multimeter]]:
    async with Twin(Multimeter(), TcpWire("socket")) as twin:
        yield twin


class Instrument:
    """A multimeter whose answers are written down here."""

    def __init__(self, **answers: str) -> None:
        self.answers = {
            "*IDN?": "Keysight Technologies,34465A,MY1,A.03",
            "SYST:ERR?": '+0,"No error"',
            "READ?": "+8.99712345E+00",
            "VOLT:DC:RANG?": "+1.00000000E+01",
        } | answers
        self.seen: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = (await reader.readuntil(b"\n")).decode().rstrip("\n")
            self.seen.append(line)
            if line in self.answers:
                writer.write(f"{self.answers[line]}\n".encode())


async def test_the_exact_lines_of_a_measurement() -> None:
    device = Instrument()
    async with tcp_server(device.talk) as port:
        async with made(f"socket://127.0.0.1:{port}") as meter:
            assert device.seen == ["*IDN?", "*CLS", "*RST", "SYST:ERR?"]
            device.seen.clear()
            volts = await meter.measure_dc_voltage(at_most=9)
            assert device.seen == ["CONF:VOLT:DC 10", "SYST:ERR?", "READ?", "VOLT:DC:RANG?"]
            assert (volts.value, volts.unit) == (8.99712345, "V")
            limit = (0.0035 * 8.99712345 + 0.0005 * 10) / 100
            assert volts.uncertainty == pytest.approx(limit / math.sqrt(3))
            device.seen.clear()
        for _ in range(200):
            if device.seen[-1:] == ["SYST:LOC"]:
                break
            await asyncio.sleep(0.01)  # What was written last is on its way.
        assert device.seen == ["*CLS", "*RST", "SYST:ERR?", "SYST:LOC"]


@pytest.mark.parametrize(
    ("query", "answer", "text"),
    [
        ("*IDN?", "FLUKE,8845A,1,2", "is 'FLUKE,8845A,1,2', expected a model"),
        ("*IDN?", "hello", "is 'hello', expected a model"),
        ("SYST:ERR?", "what?", "SYST:ERR? gave 'what?', expected a whole number"),
        ("SYST:ERR?", '-113,"Undefined header"', "refuses *RST: Undefined header (-113)"),
    ],
)
async def test_what_is_no_sound_answer_on_opening(query: str, answer: str, text: str) -> None:
    device = Instrument(**{query: answer})
    async with tcp_server(device.talk) as port:
        with pytest.raises(DeviceError, match=r"^dmm \(socket://127.*\): ") as caught:
            await made(f"socket://127.0.0.1:{port}").__aenter__()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("query", "answer", "text"),
    [
        ("READ?", "nan", "READ? gave 'nan', expected a number"),
        ("VOLT:DC:RANG?", "+3.0E+00", "in the range 3 V, the profile has 0.1, 1, 10, 100, 1000"),
    ],
)
async def test_what_is_no_sound_reading(query: str, answer: str, text: str) -> None:
    device = Instrument(**{query: answer})
    async with tcp_server(device.talk) as port, made(f"socket://127.0.0.1:{port}") as meter:
        with pytest.raises(DeviceError, match=r"^dmm\b") as caught:
            await meter.measure_dc_voltage()
        assert text in str(caught.value)


async def test_the_range_that_is_in_use_decides_the_accuracy(twin: Twin[Multimeter]) -> None:
    twin.device.inputs["VOLT:DC"] = 0.5
    async with made(twin.link) as meter:
        fine = await meter.measure_dc_voltage()
        coarse = await meter.measure_dc_voltage(at_most=1000)
    assert fine.uncertainty == pytest.approx((0.004 * 0.5 + 0.0007) / 100 / math.sqrt(3))
    assert coarse.uncertainty == pytest.approx((0.0045 * 0.5 + 1.0) / 100 / math.sqrt(3))


async def test_a_refused_setting_is_told_and_does_not_stay(twin: Twin[Multimeter]) -> None:
    async with made(twin.link) as meter:
        twin.faults.busy = 1
        with pytest.raises(DeviceError, match=r"^dmm .*: refuses CONF:FREQ: Execution error"):
            await meter.measure_frequency()
        assert (await meter.measure_frequency()).value == 0.0


async def test_a_fluke_is_told_that_it_is_remote() -> None:
    device = Multimeter(maker="FLUKE", model="8846A", needs_remote=True)
    async with Twin(device, PtyWire("serial", baudrate=115200)) as twin:
        device.inputs["VOLT:DC"] = 9.0
        async with made(twin.link, profile="fluke-8845a", serial="MY57501234") as meter:
            assert device.remote
            assert (await meter.measure_dc_voltage(at_most=10)).value == 9.0
            device.remote = False
            with pytest.raises(DeviceError, match="refuses CONF:FREQ: Command protected"):
                await meter.measure_frequency()
    with pytest.raises(LinkError):
        await meter.measure_frequency()


async def test_a_serial_number_that_is_another_is_refused(twin: Twin[Multimeter]) -> None:
    with pytest.raises(DeviceError, match="'MY57501234', expected 'MY9'"):
        await made(twin.link, serial="MY9").__aenter__()


async def test_a_mute_instrument_is_a_timeout_and_one_thread_ends(
    twin: Twin[Multimeter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.multimeter._ANSWER_WITHIN", 0.2)

    def threads() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name.startswith("visa ")]

    async with made(twin.link) as meter:
        (thread,) = threads()
        twin.faults.silent = True
        with pytest.raises(DeviceTimeout, match=r"^dmm \(socket.*\): no answer in time"):
            await meter.identify()
        twin.faults.clear()
        assert (await meter.identify()).model == "34465A"
        assert threads() == [thread]
    await asyncio.to_thread(thread.join, 5.0)
    assert not threads()


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("socket://10.0.0.5:5025", "TCPIP0::10.0.0.5::5025::SOCKET"),
        ("serial:/dev/ttyUSB0?baudrate=9600", "ASRL/dev/ttyUSB0::INSTR"),
        ("visa:USB0::0x2A8D::0x0101::MY1::INSTR", "USB0::0x2A8D::0x0101::MY1::INSTR"),
    ],
)
def test_how_a_resource_is_named(link: str, name: str) -> None:
    assert resource_name(parse(link, *SCHEMES)) == name


SHIPPED = (Path(profile.__file__).parent / "profiles/keysight-34465a.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (('"344(60', '"344((60'), "table [dialect]: 'model' is no regular expression"),
        (("range = 10, of", "range = 0.01, of"), "from the smallest range to the largest"),
        (("of_reading = 0.01 }", "of_reading = 0 }"), "are both 0: no instrument is exact"),
        (('range = "VOLT:DC:RANG?"\n', ""), "table [dc_voltage]: several ranges need '{range}'"),
        (('"CONF:FREQ"', '"CONF:FREQ {x}"'), "only {range} stands for a value"),
        (("[frequency]", "[frequencies]"), "unknown table [frequencies]"),
        (('local = "SYST:LOC"', "pause = 9"), "'pause' is 9, expected 0 to 1 s"),
    ],
)
def test_mistakes_in_a_profile_are_named(
    tmp_path: Path, change: tuple[str, str], text: str
) -> None:
    path = tmp_path / "own.toml"
    assert change[0] in SHIPPED
    path.write_text(SHIPPED.replace(*change), "utf-8")
    with pytest.raises(ConfigError) as caught:
        profile.load(MultimeterProfile, str(path))
    assert str(caught.value).startswith(str(path))
    assert text in str(caught.value)
