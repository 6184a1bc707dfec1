"""The card changer by raw bytes of the Maestro's compact protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.sim.card_changer import AT_READER, PARKED, REACH, CardChanger, Motion
from drivers.sim.faults import Faults
from drivers.sim.twin import Twin
from drivers.sim.wire import Line, PtyWire
from drivers.sim.world import World
from stations.hardware import CardRead
from tests.wire.terminal import Serial

DEADLINE = 2.0


class Controller:
    """The changer without a terminal: bytes in, bytes out, in a time that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.world = World(clock=lambda: self.now)
        self.changer = CardChanger(self.world, {0: "VALID", 1: "OTHER"})
        self.faults = Faults()
        self.changer.power_up()

    async def ask(self, request: str, *, after: float = 0.0) -> bytes:
        self.now += after
        reader = asyncio.StreamReader()
        reader.feed_data(bytes.fromhex(request))
        reader.feed_eof()
        answers = bytearray()
        with pytest.raises(asyncio.IncompleteReadError):
            await self.changer.converse(Line(reader, answers.extend, self.faults))
        return bytes(answers)

    def cards(self) -> frozenset[str]:
        self.world.timeline.now()
        return self.world.cards()


@pytest.fixture
async def controller() -> Controller:
    return Controller()


def target(channel: int, pulse: int) -> str:
    return bytes((0x84, channel, pulse & 0x7F, pulse >> 7)).hex()


async def test_the_published_example(controller: Controller) -> None:
    assert await controller.ask("84 00 70 2E") == b""
    assert await controller.ask("90 00") == bytes.fromhex("70 17")  # 6000 quarters of a us
    assert await controller.ask("AA 0C 04 00 70 2E AA 0C 10 00") == bytes.fromhex("70 17")
    assert await controller.ask("AA 90 00") == bytes.fromhex("70 17"), "0xAA only shows the rate"
    assert await controller.ask("AA 0D 10 00") == b"", "that is another device"


async def test_a_channel_without_pulse_is_at_0(controller: Controller) -> None:
    assert await controller.ask("90 01") == b"\0\0"
    await controller.ask(target(1, AT_READER))
    await controller.ask(target(1, 0))
    assert await controller.ask("90 01") == b"\0\0"
    assert controller.cards() == {"OTHER"}, "without a pulse the finger stays where it is"


async def test_a_limited_servo_takes_its_time(controller: Controller) -> None:
    await controller.ask(target(0, PARKED))
    await controller.ask("87 00 14 00")  # 20: 2000 quarters of a us per s
    await controller.ask(target(0, AT_READER))
    assert await controller.ask("93") == b"\x01"
    assert await controller.ask("90 00", after=1.0) == (6000).to_bytes(2, "little")
    assert controller.cards() == frozenset()
    controller.now = (AT_READER - REACH - PARKED) / 2000 - 0.001
    assert controller.cards() == frozenset()
    controller.now += 0.002
    assert controller.cards() == {"VALID"}
    assert await controller.ask("93 90 00", after=2.0) == b"\x00" + AT_READER.to_bytes(2, "little")
    await controller.ask(target(0, PARKED))
    assert controller.cards() == {"VALID"}
    controller.now += REACH / 2000 + 0.001
    assert controller.cards() == frozenset()


async def test_a_finger_that_turns_back_presents_nothing(controller: Controller) -> None:
    await controller.ask(target(0, PARKED) + "87 00 14 00" + target(0, AT_READER))
    await controller.ask(target(0, PARKED), after=1.0)
    controller.now += 60
    assert controller.cards() == frozenset()
    assert controller.world._events.empty()


@pytest.mark.parametrize(
    ("speed", "acceleration", "duration"),
    [(2000.0, 1250.0, 3.6), (2000.0, 312.5, 7.1554), (1e9, 1250.0, 3.5777)],
)
def test_acceleration_makes_ramps(speed: float, acceleration: float, duration: float) -> None:
    motion = Motion(4000, 8000, 10.0, speed=speed, acceleration=acceleration)
    assert motion.ends - 10 == pytest.approx(duration, abs=1e-4)
    assert motion.position(10 + duration / 2) == pytest.approx(6000, abs=1)
    assert motion.position(10 + duration / 10) < 4000 + 4000 / 10
    assert motion.position(10 + duration) == pytest.approx(8000, abs=1)
    back = Motion(8000, 4000, 10.0, speed=speed, acceleration=acceleration)
    for tenth in range(11):
        moment = 10 + duration * tenth / 10
        assert back.position(moment) == pytest.approx(12000 - motion.position(moment), abs=1)


async def test_a_card_is_read_once_per_presentation(controller: Controller) -> None:
    for _ in range(2):
        await controller.ask(target(0, AT_READER))
        controller.now += 10
        await controller.ask(target(0, PARKED))
        controller.now += 10
    controller.world.timeline.now()
    read = [await controller.world.next_event() for _ in range(2)]
    assert read == [CardRead("VALID", 1)] * 2
    assert controller.world._events.empty()


@pytest.mark.parametrize(
    "nonsense",
    ["55", "C5", "84 00 70 90 00", "90 06", "AA 0C 7F"],
    ids=["data", "unknown", "interrupted", "channel", "pololu"],
)
async def test_nonsense_is_noted_and_sends_all_home(controller: Controller, nonsense: str) -> None:
    await controller.ask(target(1, AT_READER))
    await controller.ask(nonsense)
    assert await controller.ask("A1") == bytes.fromhex("10 00")
    assert await controller.ask("A1") == bytes.fromhex("00 00"), "reading clears the errors"
    assert await controller.ask("90 01") == b"\0\0"


async def test_faults_of_the_changer(controller: Controller) -> None:
    await controller.ask("84 00 70 2E")
    controller.faults.busy = 1
    assert await controller.ask("90 00") == b""
    assert await controller.ask("90 00") == bytes.fromhex("70 17")
    controller.faults.wrong_identity = True
    assert await controller.ask("A1") == b"\r\nERROR\r\n"
    controller.faults.clear()
    controller.faults.truncated = 1
    assert await controller.ask("90 00") == bytes.fromhex("70")


@pytest.fixture
async def twin() -> AsyncIterator[Twin[CardChanger]]:
    world = World(read_time=0.001)
    async with Twin(CardChanger(world, {2: "VALID"}), PtyWire("serial")) as twin:
        yield twin
    world.timeline.stop()


async def test_over_a_terminal(twin: Twin[CardChanger]) -> None:
    line = Serial(twin.link)
    await line.ask_hex(target(2, AT_READER) + "90 02", AT_READER.to_bytes(2, "little").hex())
    line.close()
    world = twin.device.fingers[0]._world
    async with asyncio.timeout(DEADLINE):
        assert await world.next_event() == CardRead("VALID", 1)
