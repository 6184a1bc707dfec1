"""The profile driver byte by byte, against devices written by hand for the example profiles."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.capability import PilotFault
from bench.errors import DeviceError, DeviceTimeout, Unverifiable
from drivers import profile
from drivers.profile_ev import DRIVER, ProfileEv, ProfileEvSettings
from tests.wire.responders import context, http, modbus_tcp, pty, response


def made(link: str, name: str) -> ProfileEv:
    device = DRIVER.make(ProfileEvSettings(link, name), context("ev"))
    assert isinstance(device, ProfileEv)
    return device


# Lines of text


class Scpi:
    """The device of `ev-example-lines`: lines in, lines out."""

    def __init__(self) -> None:
        self.state = "A"
        self.heard: list[str] = []
        self.answers: dict[str, str] = {
            "*IDN?": "Example,EV-100,77,1.0",
            "SYST:SER?": "77",
            "SYST:VERS?": "1.0",
            "MEAS:CP:HIGH?": "8.95",
            "MEAS:CP:LOW?": "-1.2E+01",
            "MEAS:CP:DUTY?": "0.533",
            "MEAS:CP:FREQ?": "1000 Hz",
        }
        self.spoil: Callable[[str, bytes], bytes] = lambda _, answer: answer
        self._buffer = b""

    def __call__(self, data: bytes) -> bytes:
        self._buffer += data
        out = b""
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            text = line.decode()
            self.heard.append(text)
            out += self.spoil(text, self._obey(text))
        return out

    def _obey(self, text: str) -> bytes:
        if text == "*RST":
            self.state = "A"
            return b""
        if text == "CP:STAT?":
            return f"{self.state}\r\n".encode()
        if text in self.answers:
            return f"{self.answers[text]}\n".encode()
        if text.startswith("CP:STAT "):
            self.state = text[-1]
        elif text == "CP:HOLD":
            self.state = "B"
        return b"OK\n"


@asynccontextmanager
async def lines(device: Scpi, name: str = "ev-example-lines") -> AsyncIterator[ProfileEv]:
    async with pty(device) as line, made(f"serial:{line.path}", name) as driver:
        device.heard.clear()
        yield driver


async def test_the_lines_of_a_session() -> None:
    device = Scpi()
    async with lines(device) as driver:
        await driver.plug_in(1)
        await driver.draw(1, current=6.5)
        await driver.draw(1)
        await driver.suspend(1)
        await driver.unplug(1)
        assert device.heard == [
            *("CP:STAT B", "CP:STAT?"),
            *("CURR 6.5", "CP:STAT C", "CP:STAT?"),
            *("CURR 16", "CP:STAT C", "CP:STAT?"),
            *("CP:HOLD", "CP:STAT?"),
            *("CP:STAT A", "CP:STAT?"),
        ]
        device.heard.clear()
    assert device.heard == ["*RST", "CP:STAT?"]


async def test_the_pilot_in_lines() -> None:
    device = Scpi()
    async with lines(device) as driver:
        seen = await driver.read_pilot(1)
        assert (seen.high, seen.low, seen.frequency, seen.state) == (8.95, -12.0, 1000.0, "B")
        assert seen.duty == pytest.approx(53.3)
        device.answers["MEAS:CP:FREQ?"] = "0 Hz"
        steady = await driver.read_pilot(1)
        assert (steady.low, steady.duty, steady.pwm) == (8.95, 100.0, False)
        device.answers["MEAS:CP:DUTY?"] = "nan"
        with pytest.raises(DeviceError, match="ev: signal 'duty' reads nan, expected a number"):
            await driver.read_pilot(1)
        device.answers["MEAS:CP:DUTY?"] = "much"
        with pytest.raises(DeviceError, match=r"'MEAS:CP:DUTY\?' reads 'much', expected a number"):
            await driver.read_pilot(1)
        device.answers["MEAS:CP:FREQ?"] = "1 kHz"
        device.answers["MEAS:CP:DUTY?"] = "0.5"
        with pytest.raises(
            DeviceError, match=r"FREQ\?' answered '1 kHz', expected to match '\(\.\*"
        ):
            await driver.read_pilot(1)


async def test_a_pilot_between_two_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.profile_ev._PILOT_WITHIN", 0.03)
    device = Scpi()
    async with lines(device) as driver:
        device.answers["MEAS:CP:HIGH?"] = "7.5"
        with pytest.raises(Unverifiable, match=r"ev: the control pilot is at 7\.50 V, in no state"):
            await driver.read_pilot(1)


async def test_lines_that_come_unasked_are_passed_over() -> None:
    device = Scpi()
    async with lines(device) as driver:
        device.spoil = lambda _, answer: b"# warm\n" + answer
        await driver.plug_in(1)
        assert await driver.is_plugged_in(1)


async def test_an_answer_that_is_not_expected_is_an_error() -> None:
    device = Scpi()
    async with lines(device) as driver:
        device.spoil = lambda text, answer: b"-113\n" if text == "CP:STAT B" else answer
        with pytest.raises(DeviceError, match="'CP:STAT B' answered '-113', expected to match"):
            await driver.plug_in(1)


async def test_a_late_answer_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    quick = tmp_path / "quick.toml"
    text = profile.find("ev-example-lines").read_text("utf-8")
    quick.write_text(text.replace("answer_within = 0.5", "answer_within = 0.05"), "utf-8")
    device = Scpi()
    async with pty(device) as line, made(f"serial:{line.path}", str(quick)) as driver:
        loop = asyncio.get_running_loop()

        def late(text: str, answer: bytes) -> bytes:
            if text != "CP:STAT B":
                return answer
            loop.call_later(0.07, line.write, b"TOO LATE\n")
            return b""

        device.spoil = late
        with pytest.raises(DeviceTimeout, match=r"got nothing \(asked 'CP:STAT B'\)"):
            await driver.plug_in(1)
        device.spoil = lambda _, answer: answer
        await driver.plug_in(1)


async def test_an_action_that_is_overtaken_does_not_go_on() -> None:
    device = Scpi()
    async with lines(device) as driver:
        await driver.plug_in(1)
        reading = asyncio.Event()

        def never_c(text: str, answer: bytes) -> bytes:
            if text != "CP:STAT?":
                return answer
            reading.set()
            return b"A\n"

        device.spoil = never_c
        drawing = asyncio.create_task(driver.draw(1))
        await reading.wait()
        await driver.make_safe()
        with pytest.raises(DeviceError, match="ev: another command came before this one was done"):
            await drawing
        assert device.state == "A"


async def test_making_safe_goes_on_after_a_request_that_fails(tmp_path: Path) -> None:
    text = profile.find("ev-example-lines").read_text("utf-8")
    path = tmp_path / "two.toml"
    two = '{ send = "LOAD OFF", expect = "OK" }, { send = "CP:STAT A", expect = "OK" }'
    path.write_text(text.replace('{ send = "*RST" }', two), "utf-8")
    device = Scpi()
    async with lines(device, str(path)) as driver:
        await driver.plug_in(1)
        device.spoil = lambda text, answer: b"ERR\n" if text == "LOAD OFF" else answer
        with pytest.raises(DeviceError, match="'LOAD OFF' answered 'ERR', expected to match"):
            await driver.make_safe()
        assert device.state == "A"
        device.spoil = lambda _, answer: answer


# Modbus


class Registers:
    """The device of `ev-example-modbus`: PDUs in, PDUs out."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.input = dict.fromkeys(range(40), 0)
        self.input |= dict(enumerate(struct.unpack(">8H", b"EXAMPLE-EV 9\0\0\0\0")))
        self.input |= dict(enumerate(struct.unpack(">2H", struct.pack(">I", 4711)), start=8))
        levels = struct.pack(">hhHHf", 8950, -11950, 5333, 0, 1000.5)
        self.input |= dict(enumerate(struct.unpack(">6H", levels), start=30))
        self.load = False

    async def __call__(self, unit: int, request: bytes) -> bytes:
        assert unit == 1
        function, start, count = struct.unpack(">BHH", request[:5])
        if function == 4:
            words = [self.input[start + at] for at in range(count)]
            return struct.pack(f">BB{count}H", 4, 2 * count, *words)
        if function == 1:
            return bytes((1, 1, self.load))
        self.heard.append(request.hex(" "))
        if function == 15:
            self.load = bool(request[6])
        elif start == 100:
            self.input[20] = {1: 1, 2: 2, 4: 1}.get(struct.unpack(">H", request[6:8])[0], 0)
            self.load = self.load and self.input[20] == 2
        elif start == 102:
            self.input[21] = struct.unpack(">H", request[6:8])[0]
        return request[:5]


async def test_the_frames_of_a_session() -> None:
    device = Registers()
    async with modbus_tcp(device) as link:
        async with made(link, "ev-example-modbus") as driver:
            identity = await driver.identify()
            assert (identity.model, identity.serial) == ("EXAMPLE-EV 9", "4711")
            device.heard.clear()
            await driver.plug_in(1)
            await driver.draw(1, current=10.5)
            await driver.suspend(1)
            await driver.set_fault(1, PilotFault.DIODE_SHORT)
            await driver.set_fault(1, PilotFault.NONE)
            await driver.unplug(1)
            assert device.heard == [
                "10 00 64 00 01 02 00 01",
                "10 00 65 00 01 02 00 69",  # 105 tenths of an ampere
                "10 00 64 00 01 02 00 02",
                "0f 00 04 00 01 01 01",
                "10 00 64 00 01 02 00 04",
                "10 00 66 00 01 02 00 01",
                "10 00 66 00 01 02 00 00",
                "10 00 64 00 01 02 00 00",
            ]
            device.heard.clear()
        assert device.heard == ["0f 00 04 00 01 01 00", "10 00 64 00 01 02 00 09"]


async def test_the_pilot_in_registers() -> None:
    async with modbus_tcp(Registers()) as link, made(link, "ev-example-modbus") as driver:
        seen = await driver.read_pilot(1)
        assert (seen.high, seen.low, seen.duty) == (8.95, -11.95, 53.33)
        assert (seen.frequency, seen.state) == (1000.5, "B")


async def test_low_word_first_and_a_number_that_does_not_fit(tmp_path: Path) -> None:
    text = profile.find("ev-example-modbus").read_text("utf-8")
    changed = tmp_path / "low.toml"
    text = text.replace('"high-first"', '"low-first"').replace(
        'value = "{current}", scale = 0.1', 'value = "{current}", type = "i32", scale = 0.001'
    )
    text = text.replace("address = 100, value = 1 }", "address = 100, value = 70000 }")
    changed.write_text(text, "utf-8")
    device = Registers()
    device.input[34], device.input[35] = device.input[35], device.input[34]
    async with modbus_tcp(device) as link, made(link, str(changed)) as driver:
        assert (await driver.read_pilot(1)).frequency == 1000.5
        with pytest.raises(DeviceError, match="70000 does not fit register 100 as u16"):
            await driver.plug_in(1)
        device.heard.clear()
        await driver.draw(1, current=32)
        assert device.heard[0] == "10 00 65 00 02 04 7d 00 00 00"


# HTTP


class Web:
    """The device of `ev-example-http`: requests in, responses out."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.session = {"plugged": False, "phase": "idle"}
        self.info: Any = {"device": {"type": "WebEV", "versions": ["3.1", "x"]}}
        self.pilot: Any = {"mv": {"high": 8950, "low": -11950}, "duty": 26.7, "hz": 1000}

    async def __call__(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes:
        documents = {
            "/api/info": self.info,
            "/api/session": self.session,
            "/api/pilot": self.pilot,
        }
        if method == "GET" and target in documents:
            return response(json.dumps(documents[target]).encode())
        self.heard.append(f"{method} {target} {body.decode()}".strip())
        asked = json.loads(body) if body else {}
        if target == "/api/plug":
            self.session["plugged"] = asked["in"]
        elif target == "/api/session":
            self.session["phase"] = {"start": "charging", "pause": "paused"}[asked["action"]]
        elif target == "/api/reset":
            self.session.update(plugged=False, phase="idle")
        else:
            return response(b"no such thing", status="404 Not Found")
        return response(b"{}")


@asynccontextmanager
async def web(device: Web) -> AsyncIterator[ProfileEv]:
    async with http(device) as link, made(link, "ev-example-http") as driver:
        device.heard.clear()
        yield driver


async def test_the_requests_of_a_session() -> None:
    device = Web()
    async with web(device) as driver:
        await driver.plug_in(1)
        await driver.draw(1)
        await driver.suspend(1)
        await driver.unplug(1)
        assert device.heard == [
            'POST /api/plug {"in":true}',
            'POST /api/session {"action":"start"}',
            'POST /api/session {"action":"pause"}',
            'POST /api/plug {"in":false}',
        ]
        assert (await driver.identify()).firmware == "3.1"
        seen = await driver.read_pilot(1)
        assert (seen.high, seen.low, seen.duty, seen.state) == (8.95, -11.95, 26.7, "B")
        with pytest.raises(DeviceError, match=r"POST /api/fault: answered 404 no such thing"):
            await driver.set_fault(1, PilotFault.PE_OPEN)


async def test_a_document_without_the_value() -> None:
    device = Web()
    async with web(device) as driver:
        device.pilot = {"mv": [1, 2], "duty": 26.7, "hz": 1000}
        with pytest.raises(DeviceError, match="GET /api/pilot has nothing at '/mv/high'"):
            await driver.read_pilot(1)
        device.pilot = {"mv": {"high": None, "low": 0}, "duty": 26.7, "hz": 1000}
        with pytest.raises(DeviceError, match="at '/mv/high' reads None, expected a text, number"):
            await driver.read_pilot(1)
