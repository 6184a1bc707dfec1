"""The EA-PSB twin by raw lines, and under the real driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bench.errors import DeviceError, DeviceTimeout
from drivers.ea_psb import DRIVER, EaPsb, EaPsbSettings
from drivers.sim import ea_psb
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from tests.wire.responders import context

DEADLINE = 2.0
VOLTS = 400.0


@pytest.fixture
async def twin() -> AsyncIterator[Twin[ea_psb.EaPsb]]:
    async with Twin(ea_psb.EaPsb(lambda: VOLTS), TcpWire("socket")) as twin:
        yield twin


async def lines(link: str, text: str, count: int) -> list[str]:
    host, port = link.removeprefix("socket://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text.encode())
    async with asyncio.timeout(DEADLINE):
        answers = [(await reader.readuntil(b"\n")).decode().rstrip() for _ in range(count)]
    writer.close()
    return answers


def made(link: str, **keys: str) -> EaPsb:
    settings = EaPsbSettings(link, max_current=30.0, **keys)  # type: ignore[arg-type]
    device = DRIVER.make(settings, context("load"))
    assert isinstance(device, EaPsb)
    return device


async def test_a_session_as_the_guide_shows_it(twin: Twin[ea_psb.EaPsb]) -> None:
    text = "SYST:LOCK ON\nSINK:CURR 10;:SINK:POW 15000\nOUTP ON\n"
    queries = "OUTP?\nMEAS:VOLT?;:MEAS:CURR?\nMEAS:POW?\nSINK:CURR?\nSYST:LOCK:OWN?\nSYST:ERR?\n"
    assert await lines(twin.link, text + queries, 7) == [
        "ON",
        "400.00 V",
        "-10.00 A",
        "-4000.00 W",
        "10.00 A",
        "REMOTE",
        '0,"No error"',
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("OUTP ON\n", "-221"),
        ("SINK:CURR 1\n", "-221"),
        ("SYST:LOCK ON\nSINK:CURR 41\n", "-222"),
        ("SYST:LOCK ON\nSINK:CURR ten\n", "-100"),
        ("SYST:LOCK ON\nOUTP MAYBE\n", "-100"),
        ("FIRE\n", "-100"),
        ("MEAS:TEMP?\n", "-100"),
    ],
)
async def test_refusals(twin: Twin[ea_psb.EaPsb], text: str, error: str) -> None:
    first, second = await lines(twin.link, f"{text}SYST:ERR?\nSYST:ERR?\n", 2)
    assert first.startswith(f'{error},"')
    assert second == '0,"No error"'
    assert not twin.device.on


async def test_the_driver_draws_and_releases() -> None:
    taken: list[float] = []
    async with Twin(ea_psb.EaPsb(lambda: VOLTS, taken.append), TcpWire("socket")) as twin:
        async with made(twin.link, serial="2538170001") as load:
            await load.draw(current=25.0)
            assert taken[-1] == 25.0
            reading = await load.read()
            assert (reading.voltage.value, reading.current.value) == (400.0, 25.0)
            assert reading.power.value == 10_000.0
            await load.draw(current=30.0)
            assert taken[-1] == 30.0
            await load.release()
            assert taken[-1] == 0.0
            await load.draw(current=10.0)
        assert taken[-1] == 0.0
        assert not twin.device.locked


async def test_the_power_limit_holds_the_current_down() -> None:
    async with Twin(ea_psb.EaPsb(lambda: 800.0), TcpWire("socket")) as twin:
        async with made(twin.link) as load:
            await load.draw(current=30.0)
            assert (await load.read()).current.value == 18.75


async def test_an_alarm_of_the_device_switches_it_off(twin: Twin[ea_psb.EaPsb]) -> None:
    async with made(twin.link) as load:
        await load.draw(current=5.0)
        twin.device.alarm()
        assert not await load.is_drawing()
        await load.draw(current=5.0)
        assert await load.self_test() == "off, as commanded, with 400 V at its terminals"
        assert not twin.device.on


async def test_a_front_panel_that_refuses_is_named(twin: Twin[ea_psb.EaPsb]) -> None:
    twin.device.local = True
    with pytest.raises(DeviceError, match="refuses SYST:LOCK ON: Settings conflict"):
        await made(twin.link).__aenter__()


async def test_faults(twin: Twin[ea_psb.EaPsb]) -> None:
    async with made(twin.link) as load:
        twin.faults.silent = True
        with pytest.raises(DeviceTimeout):
            await load.read()
        twin.faults.clear()
        assert (await load.read()).current.value == 0.0
        twin.faults.busy = 1
        with pytest.raises(DeviceError, match="refuses OUTP OFF: Execution error"):
            await load.release()
        await load.release()
    twin.faults.wrong_identity = True
    with pytest.raises(DeviceError, match="serial number '2000000000', expected '2538170001'"):
        await made(twin.link, serial="2538170001").__aenter__()


async def test_a_restart_leaves_it_off(twin: Twin[ea_psb.EaPsb]) -> None:
    load = made(twin.link)
    await load.__aenter__()
    await load.draw(current=5.0)
    await twin.restart()
    assert not twin.device.on
    with pytest.raises(DeviceError):
        await load.__aexit__(None, None, None)
    async with load:
        assert not await load.is_drawing()
