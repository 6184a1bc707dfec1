"""The EA-PSB driver against SCPI lines written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bench.capability import LoadReading
from bench.errors import DeviceError, DeviceTimeout, LinkError
from bench.metrology import Quantity
from drivers import ea_psb
from drivers.ea_psb import DRIVER, EaPsb, EaPsbSettings
from tests.wire.responders import context, tcp_server

IDN = "EA Elektro-Automatik GmbH & Co. KG, PSB 10060-60, 2538170001, V3.02, rig 4"


class Psb:
    """Answers what a test tells it to; else as a sound device does."""

    def __init__(self) -> None:
        self.answers = {
            "*IDN?": IDN,
            "SYST:NOM:CURR?": "60.00 A",
            "SYST:NOM:POW?": "1500.00 W",
            "MEAS:VOLT?": "48.00 V",
            "MEAS:CURR?": "-5.00 A",
            "MEAS:POW?": "-240.0 W",
        }
        self.refuses = ""
        self.stuck = False
        self.mute = False
        self.holds = False
        """Whether it keeps its answers."""
        self.held: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self.capped = 1000.0
        """Most that it takes over as a current."""
        self.on = False
        self.seen: list[str] = []
        self.hung_up = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                command = (await reader.readuntil(b"\n")).decode().rstrip("\n")
                self.seen.append(command)
                answer = self._answer(command)
                if answer is not None and not self.mute:
                    send = partial(writer.write, f"{answer}\n".encode())
                    self.held.put_nowait(send) if self.holds else send()
        finally:
            self.hung_up.set()

    def _answer(self, command: str) -> str | None:
        if command.startswith("OUTP ") and not self.stuck:
            self.on = command == "OUTP ON"
        elif command.startswith("SINK:CURR "):
            taken = min(self.capped, float(command.split()[1]))
            self.answers["SINK:CURR?"] = f"{taken:.2f} A"
        if command == "OUTP?":
            return self.answers.get("OUTP?", "ON" if self.on else "OFF")
        if command == "SYST:ERR?":
            refused = self.refuses and self.seen[-2].startswith(self.refuses)
            return '-221,"Settings conflict"' if refused else '0,"No error"'
        return self.answers.get(command)


@asynccontextmanager
async def opened(device: Psb, **keys: Any) -> AsyncIterator[EaPsb]:
    async with tcp_server(device.talk) as port, make(port, **keys) as load:
        device.seen.clear()
        yield load


def make(port: int, **keys: Any) -> EaPsb:
    settings = EaPsbSettings(f"socket://127.0.0.1:{port}", **({"max_current": 20.0} | keys))
    made = DRIVER.make(settings, context("load"))
    assert isinstance(made, EaPsb)
    return made


async def test_drawing_and_what_the_device_is_told() -> None:
    device = Psb()
    async with opened(device, max_power=1200.0) as load:
        await load.draw(current=12.5)
        assert device.on
        assert await load.is_drawing()
        assert [line for line in device.seen if line not in ("*CLS", "SYST:ERR?")] == [
            "SINK:POW 1200",
            "SINK:CURR 12.5",
            "SINK:CURR?",
            "SYST:COMM:MON:TIM 2",
            "SYST:COMM:MON:ACT ON",
            "OUTP ON",
            "OUTP?",
            "OUTP?",
        ]
        await load.release()
        assert not await load.is_drawing()
        await load.release()
        await load.draw(current=1)
    assert not device.on


async def test_it_is_talked_to_while_it_is_on() -> None:
    device = Psb()
    async with opened(device) as load:
        load._renewal._every = 0.01
        await load.draw(current=1)
        device.seen.clear()
        async with asyncio.timeout(5.0):
            while device.seen.count("OUTP?") < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await load.release()
        device.seen.clear()
        await asyncio.sleep(0.05)
        assert device.seen == []


async def test_a_device_that_can_not_watch_its_interface_has_to_be_declared() -> None:
    device = Psb()
    device.refuses = "SYST:COMM:MON"
    async with opened(device) as load:
        with pytest.raises(DeviceError, match=r"refuses SYST:COMM:MON:TIM 2: .*'watchdog = 0'"):
            await load.draw(current=1)
        assert not device.on
    async with opened(device, watchdog=0) as load:
        await load.draw(current=1)
        assert device.on


async def test_entering_makes_it_a_load_that_is_off_and_leaving_gives_it_back() -> None:
    device = Psb()
    device.on = True
    async with tcp_server(device.talk) as port:
        async with make(port):
            assert not device.on
            commands = [line for line in device.seen if line not in ("*CLS", "SYST:ERR?")]
            assert commands == [
                "*IDN?",
                "SYST:NOM:CURR?",
                "SYST:LOCK ON",
                "OUTP OFF",
                "OUTP?",
                "VOLT 0",
                "CURR 0",
                "SINK:CURR 0",
            ]
        async with asyncio.timeout(2.0):
            await device.hung_up.wait()
    assert device.seen[-2:] == ["SYST:LOCK OFF", "SYST:ERR?"]


async def test_what_it_takes_is_positive() -> None:
    device = Psb()
    async with opened(device) as load:
        expected = LoadReading(Quantity(48.0, "V"), Quantity(5.0, "A"), Quantity(240.0, "W"))
        assert await load.read() == expected
        device.answers |= {"MEAS:CURR?": "0.00 A", "MEAS:POW?": "0.0 W"}
        assert str((await load.read()).current.value) == "0.0"


async def test_without_a_limit_of_the_lab_the_nominal_power_holds() -> None:
    device = Psb()
    async with opened(device) as load:
        await load.draw(current=20.0)
        assert "SINK:POW 1500" in device.seen


@pytest.mark.parametrize("current", [0.0, -1.0, 20.1, float("nan")])
async def test_a_current_that_it_is_not_made_for_is_refused(current: float) -> None:
    device = Psb()
    async with opened(device) as load:
        with pytest.raises(ValueError, match="expected more than 0, at most 20 A"):
            await load.draw(current=current)
        assert not device.seen


async def test_the_nominal_current_limits_too() -> None:
    device = Psb()
    device.answers["SYST:NOM:CURR?"] = "10.00 A"
    async with opened(device) as load:
        with pytest.raises(ValueError, match="at most 10 A"):
            await load.draw(current=11.0)


async def test_a_refusal_is_told_in_the_words_of_the_device() -> None:
    device = Psb()
    device.refuses = "SYST:LOCK ON"
    async with tcp_server(device.talk) as port:
        with pytest.raises(
            DeviceError, match=r"^load \(.*\): refuses SYST:LOCK ON: Settings conflict \(-221\)$"
        ):
            await make(port).__aenter__()


async def test_a_device_that_does_not_follow_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ea_psb, "_ON_WITHIN", 0.1)
    monkeypatch.setattr(ea_psb, "_OFF_WITHIN", 0.1)
    device = Psb()
    async with opened(device) as load:
        device.stuck = True
        with pytest.raises(DeviceTimeout, match="load: load reads off, commanded on, after"):
            await load.draw(current=1.0)
        device.stuck = False
        await load.draw(current=1.0)
        device.stuck = True
        with pytest.raises(DeviceTimeout, match="load: load reads on, commanded off, after"):
            await load.release()
        device.stuck = False


async def test_a_current_that_is_not_taken_over_is_an_error() -> None:
    device = Psb()
    async with opened(device) as load:
        device.capped = 3.0
        with pytest.raises(DeviceError, match="current reads 3 A, commanded 5 A"):
            await load.draw(current=5.0)
    assert not device.on


@pytest.mark.parametrize(
    ("query", "answer", "text"),
    [
        ("*IDN?", "EA, PS 9040-20 T, 1, V2, ", "expected an EA-PSB"),
        ("*IDN?", "hello", "is 'hello', expected an EA-PSB"),
        ("SYST:NOM:CURR?", "60 kA", "SYST:NOM:CURR? gave '60 kA', expected a number in A"),
        ("SYST:NOM:CURR?", "nan", "expected a number in A"),
        ("OUTP?", "MAYBE", "OUTP? gave 'MAYBE', expected ON or OFF"),
    ],
)
async def test_what_is_no_sound_answer_is_refused(query: str, answer: str, text: str) -> None:
    device = Psb()
    device.answers[query] = answer
    async with tcp_server(device.talk) as port:
        with pytest.raises(DeviceError, match=r"^load \(socket://127.*\): ") as caught:
            await make(port).__aenter__()
    assert text in str(caught.value)


async def test_the_serial_number() -> None:
    async with opened(Psb(), serial="2538170001") as load:
        assert (await load.identify()).model == "PSB 10060-60"
    async with tcp_server(Psb().talk) as port:
        with pytest.raises(DeviceError, match="serial number '2538170001', expected '1'"):
            await make(port, serial="1").__aenter__()


async def test_a_mute_device_is_a_timeout_and_a_late_answer_is_not_taken_for_another() -> None:
    device = Psb()
    async with opened(device) as load:
        device.mute = True
        with pytest.raises(DeviceTimeout, match="got nothing"):
            await load.is_drawing()
        device.mute = False
        assert not await load.is_drawing()


async def test_the_answer_to_an_abandoned_query_is_waited_for_no_longer_than_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ea_psb, "_ANSWER_WITHIN", 3600.0)
    device = Psb()
    async with opened(device) as load:
        device.holds = True
        async with asyncio.timeout(10.0), asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(load.is_drawing())
            answer_late = await device.held.get()
            reading.cancel()
            device.holds = False
            device.answers["OUTP?"] = "ON"
            after = tasks.create_task(load.is_drawing())
            answer_late()
            assert await after, "the late OFF was taken for the answer"
            del device.answers["OUTP?"]


async def test_a_device_that_hangs_up_is_a_link_error() -> None:
    device = Psb()
    async with tcp_server(device.talk) as port:
        load = make(port)
        await load.__aenter__()
    with pytest.raises(LinkError):
        await load.read()
    with pytest.raises(LinkError):
        await load.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "http://x"}, "expected one of socket:"),
        ({"max_current": 0.0}, "'max_current' is 0"),
        ({"max_power": -1.0}, "'max_power' is -1"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(EaPsbSettings("socket://x:5025", max_current=20.0), **keys)
