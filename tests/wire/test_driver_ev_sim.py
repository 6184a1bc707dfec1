"""The driver of `ev_sim` against frames written by hand, on a pseudo terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import End, PilotFault
from bench.errors import DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers import ev_sim
from drivers.ev_sim import DRIVER, EvSim, EvSimSettings
from drivers.ev_sim_frames import parse
from tests.wire.responders import Pty, context, pty

ADC = '{{ state: "{}", state_changes: 1000, low_count: 3525, high_count: 1282, ' + (
    "min_volts: -11.950, max_volts: {:.3f} }}\r\n"
)
README = "{{ state={}, state_changes=2000, low_count=7050, high_count=2565, " + (
    "low_adc=183, high_adc={} }}\r\n"
)
HIGH = {"A": 12.0, "B": 8.95, "C": 5.98, "D": 2.89}
HIGH_ADC = {"A": 931, "B": 836, "C": 743, "D": 646}
EVERY = 0.005


def adc(letter: str) -> bytes:
    return ADC.format(letter, HIGH[letter]).encode()


def readme(letter: str) -> bytes:
    return README.format(letter, HIGH_ADC[letter]).encode()


class Simulator:
    """The device: obeys letters and says something every few milliseconds."""

    def __init__(self, say: Callable[[str], bytes] = adc) -> None:
        self.letter = "A"
        self.say = say
        self.deaf = False
        self.line: Pty | None = None

    def __call__(self, data: bytes) -> bytes:
        if not self.deaf:
            self.letter = data.decode()[-1].upper()
        return b""

    async def report(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            assert self.line is not None
            self.line.write(self.say(self.letter))


@asynccontextmanager
async def wired(simulator: Simulator) -> AsyncIterator[EvSim]:
    """The driver, unopened."""
    async with pty(simulator) as line:
        simulator.line = line
        reporting = asyncio.create_task(simulator.report())
        device = DRIVER.make(EvSimSettings(f"serial:{line.path}"), context("ev"))
        assert isinstance(device, EvSim)
        try:
            yield device
        finally:
            reporting.cancel()


@asynccontextmanager
async def opened(simulator: Simulator) -> AsyncIterator[EvSim]:
    async with wired(simulator) as device, device:
        yield device


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ev_sim, "_TWO_FRAMES", 0.2)
    monkeypatch.setattr(ev_sim, "_SAFE_WITHIN", 0.05)
    monkeypatch.setattr(ev_sim, "_FIRST_FRAME", 0.1)


@pytest.mark.parametrize("say", [adc, readme])
async def test_the_letters_of_a_session(say: Callable[[str], bytes]) -> None:
    simulator = Simulator(say)
    async with opened(simulator) as device:
        assert not await device.is_plugged_in(1)
        await device.plug_in(1)
        assert await device.is_plugged_in(1)
        await device.draw(1)
        assert simulator.letter == "C"
        seen = await device.read_pilot(1)
        assert (seen.state, seen.pwm) == ("C", True)
        await device.suspend(1)
        await device.plug_in(1)
        await device.unplug(1, end=End.VEHICLE)
        await device.unplug(1)
        await device.set_fault(1, PilotFault.NONE)
        assert simulator.line is not None
        assert bytes(simulator.line.heard) == b"ABCBBAA"
        await device.plug_in(1)
    assert simulator.letter == "A", "left safe"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b'{ state: "C", state_changes: 1000, low_count: 7467, high_count: 8533, '
            b"min_volts: -11.950, max_volts: 5.980 }",
            ("C", 5.98, -11.95, 53.33125, 1000.0),
        ),
        (
            b"{ state=A, state_changes=2000, low_count=50000, high_count=100000, "
            b"low_adc=172, high_adc=844 }",
            ("A", 9.216, -12.288, 66.66667, 1000.0),
        ),
        (
            b'{ state: "B", state_changes: 2000, low_count: 7050, high_count: 2565, '
            b"low_adc: 181, high_adc: 836 }",
            ("B", 8.96, -12.0, 26.67707, 1000.0),
        ),
        (
            b'{ state: "C", state_changes: 998, low_count: 0, high_count: 4807, '
            b"min_volts: 5.980, max_volts: 5.980 }",
            ("C", 5.98, 5.98, 100.0, 998.0),
        ),
        (
            b'{state:"B",state_changes:0,low_count:0,high_count:0,min_volts:8.900,max_volts:8.950}',
            ("B", 8.95, 8.95, 100.0, 0.0),
        ),
        (
            b'{ state: "A", state_changes: 0, low_count: 4807, high_count: 0, '
            b"min_volts: -12.000, max_volts: -11.950 }",
            ("A", -11.95, -11.95, 100.0, 0.0),
        ),
        (
            b'{ state: "B", state_changes: 0, low_count: 0, high_count: 4807, '
            b"min_volts: 0.300, max_volts: 0.700 }",
            ("B", 0.0, 0.0, 100.0, 0.0),
        ),
    ],
)
def test_the_three_forms_of_a_frame(
    text: bytes, expected: tuple[str, float, float, float, float]
) -> None:
    frame = parse(text)
    assert frame is not None
    assert (frame.state, frame.high, frame.low) == expected[:3]
    assert (frame.duty, frame.frequency) == pytest.approx(expected[3:], abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        b'state: "C", state_changes: 1000 }',
        b"}",
        adc("C").replace(b"min_volts", b"min_vo|ts"),
        adc("C").replace(b'"C"', b'"G"'),
        adc("C").replace(b"5.980", b"59.80"),
        adc("C").replace(b"5.980", b"5.9x0"),
        readme("C").replace(b"low_count=7050, ", b""),
        readme("C").replace(b"state=C, ", b""),
        adc("C").replace(b'"C"', b'"C'),
    ],
)
def test_a_damaged_frame_is_no_frame(text: bytes) -> None:
    assert parse(text) is None


async def test_half_a_frame_at_the_start_and_garbage_between_are_passed_over() -> None:
    pieces = iter([adc("A")[40:], b"\x00\xff}", b"{ {{"])
    async with opened(Simulator(lambda letter: next(pieces, adc(letter)))) as device:
        await device.plug_in(1)


async def test_a_frame_of_two_states_is_not_a_reading() -> None:
    simulator = Simulator()
    async with opened(simulator) as device:
        await device.plug_in(1)
        mixed = iter([adc("B").replace(b"1000", b"420")])
        simulator.say = lambda letter: next(mixed, adc(letter))
        assert (await device.read_pilot(1)).frequency == 1000


async def test_faults_the_stations_end_and_a_current_are_unverifiable() -> None:
    async with opened(Simulator()) as device:
        await device.plug_in(1)
        for fault in PilotFault:
            if fault is not PilotFault.NONE:
                with pytest.raises(Unverifiable, match=f"ev: an ev_sim can't make .*{fault.value}"):
                    await device.set_fault(1, fault)
        with pytest.raises(Unverifiable, match="can't take the cable out of the station"):
            await device.unplug(1, end=End.STATION)
        with pytest.raises(Unverifiable, match=r"to 10 A; the station offers 16\.0 A"):
            await device.draw(1, current=10)
        await device.draw(1, current=16.1)


async def test_no_pilot_is_unverifiable() -> None:
    simulator = Simulator()
    async with opened(simulator) as device:
        await device.plug_in(1)
        simulator.say = lambda letter: adc(letter).replace(b"8.950", b"7.500")
        with pytest.raises(Unverifiable, match=r"ev: the control pilot is at 7\.50 V, in no state"):
            await device.read_pilot(1)


async def test_the_self_test_compares_frames_and_pilot() -> None:
    simulator = Simulator()
    async with opened(simulator) as device:
        assert await device.self_test() == "frames and pilot follow through B, C, B, A"
        assert simulator.letter == "A"
        simulator.say = lambda letter: adc(letter).replace(b"5.980", b"8.950")
        with pytest.raises(DeviceError, match=r"is at 8\.95 V, commanded state C"):
            await device.self_test()
        assert simulator.letter == "A", "made safe after the failure"
        simulator.say = lambda letter: adc(letter).replace(b"12.000", b"0.000")
        with pytest.raises(Unverifiable, match="is the station on"):
            await device.self_test()


@pytest.mark.usefixtures("impatient")
async def test_a_simulator_that_does_not_obey_is_named() -> None:
    simulator = Simulator()
    async with wired(simulator) as device:
        await device.__aenter__()
        simulator.deaf = True
        with pytest.raises(DeviceTimeout, match="ev: the simulator shows state A, commanded B, af"):
            await device.plug_in(1)
        simulator.deaf, simulator.letter = False, "C"
        with pytest.raises(DeviceTimeout, match="shows state C, commanded B"):
            await device.is_plugged_in(1)
        await device.__aexit__(None, None, None)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("say", "text"),
    [
        (lambda letter: b"", "got nothing"),
        (lambda letter: b"$GPGGA,,,*66\r\n", "got 24 47 50"),
        (lambda letter: adc(letter).replace(b"state_", b"stat_"), "no status frame"),
    ],
)
async def test_what_sends_no_frames_is_not_an_ev_sim(
    say: Callable[[str], bytes], text: str
) -> None:
    async with wired(Simulator(say)) as device:
        with pytest.raises(DeviceTimeout) as caught:
            await device.__aenter__()
    assert str(caught.value).startswith("ev (serial:/dev/")
    assert text in str(caught.value)


@pytest.mark.usefixtures("impatient")
async def test_it_becomes_mute_and_then_vanishes() -> None:
    simulator = Simulator()
    async with wired(simulator) as device:
        await device.__aenter__()
        simulator.say = lambda letter: b""
        with pytest.raises(DeviceTimeout, match="expected bytes up to"):
            await device.plug_in(1)
        with pytest.raises(DeviceTimeout):
            await device.make_safe()
        assert simulator.letter == "A", "commanded without a read-back"
        assert simulator.line is not None
        simulator.say = adc
        moving = asyncio.create_task(device.plug_in(1))
        simulator.line.vanish()
        with pytest.raises(LinkError):
            await moving
        with pytest.raises(LinkError):
            await device.__aexit__(None, None, None)


async def test_frames_once_a_second_may_be_too_late_to_confirm_safety(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = Simulator(readme)
    async with opened(simulator) as device:
        await device.plug_in(1)
        monkeypatch.setattr(ev_sim, "_SAFE_WITHIN", 0.02)
        simulator.say = lambda letter: b""
        await device.make_safe()
        assert simulator.letter == "A"
        simulator.say = readme
        assert not await device.is_plugged_in(1)


async def test_cancelling_leaves_the_device_usable() -> None:
    simulator = Simulator()
    async with opened(simulator) as device:
        simulator.say = lambda letter: b""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await device.plug_in(1)
        simulator.say = adc
        await device.unplug(1)
        assert simulator.letter == "A"


async def test_wrong_calls_are_refused() -> None:
    async with opened(Simulator()) as device:
        with pytest.raises(DeviceError, match="ev: its plug serves connector 1, not connector 2"):
            await device.plug_in(2)
        with pytest.raises(DeviceError, match="ev: draw: no vehicle is plugged in at 1"):
            await device.draw(1)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "http://ev"}, "expected one of serial:, socket:"),
        ({"connectors": ()}, "'connectors' is empty"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        EvSimSettings(**({"link": "serial:/dev/ttyUSB0"} | keys))
