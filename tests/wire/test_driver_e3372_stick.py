"""The E3372 in stick personality: exact bytes by hand, and the driver on its twin."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Level, Saturated, Technology
from bench.errors import DeviceError, DeviceTimeout, LinkError
from bench.metrology import Quantity
from drivers import at_line, e3372_stick
from drivers.at_line import AtLine, AtRefused
from drivers.cellular import csq, hcsq, level, technology_of
from drivers.e3372_stick import DRIVER, E3372Stick, E3372StickSettings
from drivers.link.stream import ByteLink, memory_links
from drivers.sim.e3372_at import FIRMWARE, IMEI, E3372At
from drivers.sim.radio import CELLS, Cell, Radio
from drivers.sim.timeline import Timeline
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire
from tests.wire.responders import context


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_line, "_DRAIN", 0.02)
    monkeypatch.setattr(e3372_stick, "_EVERY", 0.01)


@asynccontextmanager
async def modem(answer: Callable[[bytes], bytes]) -> AsyncIterator[tuple[AtLine, ByteLink]]:
    """A command line whose far end is written by hand."""
    near, far = memory_links("modem")
    await far.open()
    far.data_received = lambda data: near.data_received(answer(data))  # type: ignore[method-assign]
    await near.open()
    yield AtLine(near), near
    await near.close()


async def test_a_report_inside_an_answer_is_not_taken_for_it() -> None:
    heard = []

    def answer(data: bytes) -> bytes:
        heard.append(data)
        reports = b"^DSFLOWRPT:0,0,0,0,0,0,0\r\r\n+CREG: 1\r\n"
        return b"\r\n^RSSI: 16\r\n\r\n+CSQ: 16,99\r\n" + reports + b"\r\nOK\r\n"

    async with modem(answer) as (line, _):
        assert await line.ask("AT+CSQ", prefix="+CSQ") == ["16,99"]
    assert heard == [b"AT+CSQ\r"]


async def test_of_report_and_answer_alike_the_last_counts() -> None:
    async with modem(
        lambda _: b'^HCSQ: "LTE",1,1,1,1\r\n\r\n^HCSQ: "LTE",40,46,141,24\r\nOK\r\n'
    ) as (line, _):
        assert await line.one("AT^HCSQ?", "^HCSQ") == '"LTE",40,46,141,24'


async def test_echo_and_plain_answers() -> None:
    async with modem(lambda data: data + b"\r\nRING\r\n\r\nE3372\r\n\r\nOK\r\n") as (line, _):
        assert await line.ask("AT+CGMM") == ["E3372"]


@pytest.mark.parametrize(
    "result",
    ["ERROR", "+CME ERROR: 10", "+CMS ERROR: 500", "COMMAND NOT SUPPORT", "NO CARRIER"],
)
async def test_errors_are_named(result: str) -> None:
    async with modem(lambda _: f"\r\n{result}\r\n".encode()) as (line, _):
        with pytest.raises(AtRefused) as caught:
            await line.ask("AT+CPIN?", prefix="+CPIN")
    assert str(caught.value) == f"modem (memory): AT+CPIN? answered {result}"


async def test_an_answer_that_is_missing_is_named() -> None:
    async with modem(lambda _: b"OK\r\n") as (line, _):
        with pytest.raises(DeviceError, match=r"AT\+CSQ answered OK alone, expected a line \+CSQ"):
            await line.one("AT+CSQ", "+CSQ")


async def test_a_late_answer_is_not_the_next_commands() -> None:
    heard: list[bytes] = []

    def answer(data: bytes) -> bytes:
        heard.append(data)
        return b"" if len(heard) == 1 else b"+CSQ: 20,99\r\nOK\r\n" if b"CSQ" in data else b"OK\r\n"

    async with modem(answer) as (line, link):
        with pytest.raises(DeviceTimeout, match=r"no result of AT\+CSQ within 0.01 s"):
            await line.ask("AT+CSQ", prefix="+CSQ", within=0.01)
        link.data_received(b"+CSQ: 3,99\r\nOK\r\n")
        assert await line.one("AT+CSQ", "+CSQ") == "20,99"
    assert heard == [b"AT+CSQ\r", b"AT\r", b"AT+CSQ\r"]


DBM = "dBm"


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (16, Quantity(-81.0, DBM)),
        (1, Quantity(-111.0, DBM)),
        (30, Quantity(-53.0, DBM)),
        (0, Saturated(Quantity(-113.0, DBM), above=False)),
        (31, Saturated(Quantity(-51.0, DBM), above=True)),
        (99, None),
    ],
)
def test_csq(index: int, expected: Level) -> None:
    assert csq(index) == expected


def test_hcsq() -> None:
    assert hcsq("LTE", (40, 46, 141, 24)) == {
        "rssi": Quantity(-81.0, DBM),
        "rsrp": Quantity(-95.0, DBM),
        "sinr": Quantity(8.0, "dB"),
        "rsrq": Quantity(-8.0, "dB"),
    }
    assert hcsq("WCDMA", (40, 30, 20)) == {"rssi": Quantity(-81.0, DBM)}
    assert hcsq("GSM", (255,)) == {"rssi": None}
    assert hcsq("NOSERVICE", ()) == {}
    assert hcsq("GSM", (96, 255)) == {"rssi": Saturated(Quantity(-25.0, DBM), above=True)}
    assert hcsq("GSM", (0,)) == {"rssi": Saturated(Quantity(-120.0, DBM), above=False)}


def test_levels_of_hilink() -> None:
    assert level("-71 dBm", DBM) == Quantity(-71.0, DBM)
    assert level("-9.0dB", "dB") == Quantity(-9.0, "dB")
    assert level(">=-51dBm", DBM) == Saturated(Quantity(-51.0, DBM), above=True)
    assert level("<-20dB", "dB") == Saturated(Quantity(-20.0, "dB"), above=False)
    assert level("", DBM) is None
    with pytest.raises(ValueError, match="'strong', expected a level in dBm"):
        level("strong", DBM)


def test_families() -> None:
    assert technology_of(3) is Technology.G2
    assert technology_of(46) is technology_of(9) is Technology.G3
    assert technology_of(101) is technology_of(19) is Technology.G4
    assert technology_of(0) is None


@asynccontextmanager
async def dongle(
    *,
    cells: dict[str, Cell] | None = None,
    registration: float = 0.0,
    dialling: float = 0.01,
    clock: Callable[[], float] | None = None,
    **keys: Any,
) -> AsyncIterator[tuple[Twin[E3372At], E3372Stick]]:
    """The driver, unopened, and its twin on a terminal."""
    timeline = Timeline(clock)
    radio = Radio(
        timeline, cells=cells or dict(CELLS), registration=registration, dialling=dialling
    )
    async with Twin(E3372At(radio), PtyWire("serial", baudrate=115200)) as twin:
        settings = E3372StickSettings(twin.link, **keys)
        device = DRIVER.make(settings, context("stick"))
        assert isinstance(device, E3372Stick)
        yield twin, device
    timeline.stop()


async def test_the_bytes_of_a_change_to_4g() -> None:
    async with dongle(apn="ocpp.lab") as (twin, stick), stick:
        twin.device.heard.clear()
        await stick.set_technology(Technology.G4)
        await stick.set_data(on=True)
        heard = [text for text in twin.device.heard if "SYSCFGEX" in text or "NDISDUP" in text]
        assert heard == [
            "AT^SYSCFGEX?",
            'AT^SYSCFGEX="03",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF,,',
            "AT^SYSCFGEX?",
            'AT^NDISDUP=1,1,"ocpp.lab"',
        ]
        twin.device.heard.clear()
        await stick.set_technology(Technology.G4)
        await stick.set_data(on=True)
        assert twin.device.heard == ["AT^SYSCFGEX?", "AT^NDISSTATQRY?"], "it is so already"


async def test_identity() -> None:
    async with dongle(serial=IMEI) as (_, stick), stick:
        identity = await stick.identify()
    assert (identity.model, identity.serial, identity.firmware) == ("E3372", IMEI, FIRMWARE)


@pytest.mark.parametrize("noise", ["", "inside", "line end"])
async def test_the_signal_of_each_technology(noise: str) -> None:
    now = 0.0
    async with dongle(registration=5.0, dialling=0.0, clock=lambda: now) as (twin, stick):
        if noise == "inside":
            twin.device.inside = b"^RSSI: 3\r\n\r\n^MODE: 5,4\r\n"
        elif noise == "line end":
            twin.device.line_end = b"\r\r\n"
        async with stick:
            for technology, rssi in (("4G", -71.0), ("3G", -79.0), ("2G", -85.0)):
                await stick.set_technology(Technology(technology))
                lost = await stick.read_signal()
                assert (lost.registered, lost.rssi, lost.operator) == (False, None, "")
                now += 5.0
                await stick.set_data(on=True)
                signal = await stick.read_signal()
                assert signal.technology == technology
                assert signal.registered
                assert signal.connected
                assert (signal.operator, signal.plmn) == ("Pilot Mobile", "00101")
                assert signal.rssi == Quantity(rssi, DBM)
                assert (signal.rsrp is None) is (technology != "4G")
                assert signal.source == "^HCSQ"
        assert twin.device.radio.data is False


async def test_firmware_without_hcsq_is_read_with_csq() -> None:
    async with dongle(cells={"2G": Cell(-81)}) as (twin, stick):
        twin.device.has_hcsq = False
        async with stick:
            signal = await stick.read_signal()
    assert (signal.rssi, signal.rsrp, signal.source) == (Quantity(-81.0, DBM), None, "+CSQ")


async def test_leaving_brings_the_safe_state() -> None:
    async with dongle(safe="auto") as (twin, stick):
        async with stick:
            await stick.set_technology(Technology.G2)
            await stick.set_data(on=True)
            assert twin.device.radio.technology == "2G"
        assert not twin.device.radio.connected
        assert twin.device.radio.technology == "4G"


async def test_a_technology_without_network_is_told_not_raised() -> None:
    async with dongle(cells={"4G": CELLS["4G"]}, connect_within=0.05) as (_, stick), stick:
        await stick.set_technology(Technology.G3)
        assert not (await stick.read_signal()).registered
        with pytest.raises(DeviceTimeout, match=r"stick: not registered with a network after 0.05"):
            await stick.set_data(on=True)


async def test_a_technology_that_the_firmware_lacks_is_refused_with_what_it_has() -> None:
    async with dongle() as (twin, stick), stick:
        twin.device.orders = ("00", "03", "99")
        with pytest.raises(DeviceError, match=r'ERROR; the firmware allows \("00","03","99"\)'):
            await stick.set_technology(Technology.G2)


async def test_a_data_connection_that_does_not_come_is_named() -> None:
    async with dongle(connect_within=0.05) as (twin, stick), stick:
        twin.device.radio.dialling = 60.0
        with pytest.raises(DeviceTimeout, match=r"stick: no data connection after 0.05 s"):
            await stick.set_data(on=True)


async def test_a_restart_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    timeline = Timeline()
    wire = PtyWire("serial", path=tmp_path / "stick.tty", baudrate=115200)
    async with Twin(E3372At(Radio(timeline)), wire) as twin:
        stick = DRIVER.make(E3372StickSettings(twin.link), context("stick"))
        assert isinstance(stick, E3372Stick)

        async def power() -> None:
            await twin.device.restarting.wait()
            await twin.restart(down_for=0.05)

        async with stick, asyncio.timeout(5.0), asyncio.TaskGroup() as tasks:
            tasks.create_task(power())
            await stick.restart()
            assert (await stick.identify()).serial == IMEI
    timeline.stop()


async def test_a_restart_that_does_not_come_back_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(e3372_stick, "_BACK_WITHIN", 0.05)
    async with Twin(
        E3372At(Radio(Timeline())), PtyWire("serial", path=tmp_path / "stick.tty")
    ) as twin:
        stick = DRIVER.make(E3372StickSettings(twin.link), context("stick"))
        assert isinstance(stick, E3372Stick)
        await stick.__aenter__()
        async with asyncio.timeout(5.0), asyncio.TaskGroup() as tasks:

            async def unplug() -> None:
                await twin.device.restarting.wait()
                await twin.disconnect()

            tasks.create_task(unplug())
            with pytest.raises(DeviceTimeout, match="stick: does not answer after its restart"):
                await stick.restart()
        with pytest.raises(LinkError):
            await stick.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"sim": None}, r"AT\+CPIN\? answered \+CME ERROR: 10: no SIM"),
        ({"sim": "SIM PIN"}, "the SIM asks for SIM PIN: switch its PIN off"),
    ],
)
async def test_a_sim_that_can_not_be_used_is_named(wrong: dict[str, Any], text: str) -> None:
    async with dongle() as (twin, stick):
        for key, value in wrong.items():
            setattr(twin.device, key, value)
        with pytest.raises(DeviceError, match=text):
            await stick.__aenter__()


async def test_another_modem_is_refused() -> None:
    async with dongle() as (twin, stick):
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="the model is 'MF823', expected an E3372"):
            await stick.__aenter__()


async def test_another_dongle_is_refused() -> None:
    async with dongle(serial="1") as (_, stick):
        with pytest.raises(DeviceError, match=f"stick: .* serial number '{IMEI}', expected '1'"):
            await stick.__aenter__()


async def test_silence_is_a_timeout_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dongle() as (twin, stick), stick:
        twin.faults.silent, twin.faults.answers = True, 1
        with monkeypatch.context() as patch:
            patch.setattr(at_line, "_QUERY", 0.05)
            with pytest.raises(DeviceTimeout, match=r"no result of AT\^SYSINFOEX within 0.05"):
                await stick.read_signal()
        assert (await stick.read_signal()).registered


async def test_a_cancelled_call_leaves_the_line_in_order() -> None:
    async with dongle() as (twin, stick), stick:
        twin.faults.late, twin.faults.answers = 0.03, 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await stick.read_signal()
        assert (await stick.read_signal()).technology is Technology.G4


async def test_a_dongle_that_is_pulled_out_is_a_link_error() -> None:
    async with dongle() as (twin, stick):
        await stick.__aenter__()
        await twin.disconnect()
        with pytest.raises(LinkError, match=r"stick \(serial:/dev/pts/"):
            await stick.read_signal()
        with pytest.raises(LinkError):
            await stick.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"apn": 'a"b'}, "'apn' is 'a\"b', expected letters"),
        ({"connect_within": 0.0}, "'connect_within' is 0, expected more than 0"),
        ({"link": "http://stick"}, "expected one of serial:, socket:"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    settings = E3372StickSettings("serial:/dev/ttyUSB1")
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(settings, **keys)
    assert text in str(caught.value)
