"""The card changer's driver against a Maestro written by hand, in memory and on a terminal."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Card
from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers import card_changer
from drivers.card_changer import DRIVER, CardChanger, CardChangerSettings
from drivers.link.stream import memory_links
from tests.wire.responders import context, pty

VALID = Card("valid", "04A1B2C3")
SLOTS = {"valid": 0, "invalid": 5}
REST, PRESENT = 4000, 8000


class Maestro:
    """The controller: bytes in, bytes out; a servo arrives `steps` position readings later."""

    def __init__(self) -> None:
        self.position = dict.fromkeys(range(6), 0)
        self.target = dict(self.position)
        self.errors = 0
        self.steps = 0
        self.left = 0
        self.moves: list[tuple[int, int]] = []
        self.started_at = 0
        """Where the finger was when the last move was commanded."""
        self.at_reader = asyncio.Event()
        self.spoil: Callable[[bytes], bytes] = bytes
        self._buffer = b""

    def __call__(self, data: bytes) -> bytes:
        self._buffer += data
        out = b""
        while self._buffer:
            size = {0x84: 4, 0x90: 2, 0x93: 1, 0xA1: 1}[self._buffer[0]]
            if len(self._buffer) < size:
                break
            command, self._buffer = self._buffer[:size], self._buffer[size:]
            out += self.spoil(self._obey(command))
        return out

    def _obey(self, command: bytes) -> bytes:
        if command[0] == 0x84:
            channel, target = command[1], command[2] | command[3] << 7
            self.target[channel] = target
            self.moves.append((channel, target))
            self.started_at = self.position[channel]
            self.left = self.steps
            return b""
        if command[0] == 0x90:
            channel = command[1]
            if self.left:
                self.left -= 1
            else:
                self.position[channel] = self.target[channel]
                if self.position[channel] == PRESENT:
                    self.at_reader.set()
            return struct.pack("<H", self.position[channel])
        if command[0] == 0x93:
            return bytes([self.position != self.target])
        errors, self.errors = self.errors, 0
        return struct.pack("<H", errors)


@asynccontextmanager
async def opened(maestro: Maestro, **keys: Any) -> AsyncIterator[CardChanger]:
    """The changer on a link in memory."""
    near, far = memory_links("cards")
    await far.open()
    far.data_received = lambda data: near.data_received(maestro(data))  # type: ignore[method-assign]
    keys = {"slots": SLOTS, "hold": 0.001, **keys}
    changer = CardChanger("cards", near, CardChangerSettings("serial:/dev/null", **keys))
    async with changer:
        maestro.moves.clear()
        yield changer


async def test_entering_brings_every_finger_to_rest() -> None:
    maestro = Maestro()
    async with opened(maestro):
        assert maestro.position[0] == maestro.position[5] == REST
        assert maestro.position[1] == 0  # a channel without a card is left alone


async def test_a_card_is_presented_and_taken_back() -> None:
    maestro = Maestro()
    maestro.steps = 2
    async with opened(maestro) as changer:
        await changer.present(VALID)
        assert maestro.moves == [(0, PRESENT), (0, REST)]
        await changer.present(Card("other", "1", slot="invalid"), connector=2)
        assert maestro.moves[2:] == [(5, PRESENT), (5, REST)]
        assert maestro.position[0] == maestro.position[5] == REST


async def test_the_bytes_are_those_of_the_makers_guide() -> None:
    maestro = Maestro()
    async with pty(maestro) as line:
        keys = {"slots": {"valid": 0}, "present": 1500.0, "hold": 0.001}
        settings = CardChangerSettings(f"serial:{line.path}?baudrate=115200", **keys)  # type: ignore[arg-type]
        changer = DRIVER.make(settings, context("cards"))
        assert isinstance(changer, CardChanger)
        async with changer:
            line.heard.clear()
            await changer.present(VALID)
            heard = line.heard.hex(" ")
    assert heard == "84 00 70 2e 90 00 84 00 20 1f 90 00 a1"


async def test_identity() -> None:
    async with opened(Maestro()) as changer:
        assert (await changer.identify()).maker == "Pololu"


async def test_old_errors_are_cleared_on_entering_and_new_ones_are_named() -> None:
    maestro = Maestro()
    maestro.errors = 0x10
    async with opened(maestro) as changer:
        await changer.present(VALID)
        maestro.errors = 0x21
        with pytest.raises(
            DeviceError, match="cards: the controller reports serial signal error, serial timeout"
        ):
            await changer.present(VALID)


async def test_a_card_that_is_in_no_slot_is_refused() -> None:
    async with opened(Maestro()) as changer:
        with pytest.raises(DeviceError, match="cards: no card 'gold' in its slots, there are inv"):
            await changer.present(Card("gold", "1"))


async def test_a_finger_that_does_not_arrive_is_named_and_taken_back() -> None:
    maestro = Maestro()
    async with opened(maestro, travel=0.05) as changer:
        maestro.steps = 10**6
        with pytest.raises(DeviceTimeout) as caught:
            await changer.present(VALID)
        assert str(caught.value) == (
            "cards: the finger on channel 0 is at 1000 µs, commanded 2000 µs, after 0.05 s"
        )
        assert maestro.moves == [(0, PRESENT), (0, REST)]
        maestro.steps = maestro.left = 0


async def test_a_cancelled_call_takes_the_card_back() -> None:
    maestro = Maestro()
    async with opened(maestro, hold=30.0) as changer:
        presenting = asyncio.ensure_future(changer.present(VALID))
        async with asyncio.timeout(2.0):
            await maestro.at_reader.wait()
        presenting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await presenting
        assert maestro.target[0] == REST
        await changer.withdraw()
        assert maestro.position[0] == REST


async def test_silence_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    maestro = Maestro()
    async with opened(maestro) as changer:
        with monkeypatch.context() as hurried:
            hurried.setattr(card_changer, "_ANSWER_WITHIN", 0.05)
            maestro.spoil = lambda answer: b""
            expected = r"cards \(memory\): expected 2 bytes within 0.05"
            with pytest.raises(DeviceTimeout, match=expected):
                await changer.present(VALID)
        maestro.spoil = bytes


async def test_a_truncated_answer_is_a_timeout_and_does_not_spoil_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maestro = Maestro()
    async with opened(maestro) as changer:
        with monkeypatch.context() as hurried:
            hurried.setattr(card_changer, "_ANSWER_WITHIN", 0.05)
            maestro.spoil = lambda answer: answer[:1]
            with pytest.raises(DeviceTimeout, match=r"got 40 \(asked for position of 0\)"):
                await changer.present(VALID)
        maestro.spoil = bytes
        await changer.present(VALID)


@pytest.mark.parametrize("held_up", [0.0, 0.2])
async def test_a_late_answer_is_not_taken_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch, held_up: float
) -> None:
    """Nor is one that waited while the engine was held up beyond the time for late ones."""
    monkeypatch.setattr(card_changer, "_ANSWER_WITHIN", 0.1)
    loop = asyncio.get_running_loop()
    late = loop.time()

    def answer(data: bytes) -> bytes:
        if out := maestro(data):
            loop.call_at(max(late, loop.time()), line.write, out)
        return b""

    maestro = Maestro()
    async with pty(answer) as line:
        settings = CardChangerSettings(f"serial:{line.path}", slots={"valid": 0}, hold=0.001)
        changer = DRIVER.make(settings, context("cards"))
        assert isinstance(changer, CardChanger)
        async with changer:
            late = loop.time() + 0.15  # one busy moment: then answers come in a row
            loop.call_at(late - 0.01, time.sleep, held_up)
            with pytest.raises(DeviceTimeout):
                await changer.present(VALID)
            maestro.position[0], maestro.steps = REST, 3
            await changer.present(VALID)
            assert maestro.started_at == PRESENT, "the late answer was taken for an arrival"


async def test_a_changer_that_vanishes_is_a_link_error() -> None:
    def vanish(data: bytes) -> bytes:
        if data[0] == 0x84 and maestro.moves:
            line.vanish()
            return b""
        return maestro(data)

    maestro = Maestro()
    async with pty(vanish) as line:
        settings = CardChangerSettings(f"serial:{line.path}", slots={"valid": 0})
        changer = DRIVER.make(settings, context("cards"))
        assert isinstance(changer, CardChanger)
        await changer.__aenter__()
        with pytest.raises(LinkError, match=r"cards \(serial:/dev/pts/"):
            await changer.present(VALID)
        with pytest.raises(LinkError):
            await changer.__aexit__(None, None, None)


async def test_something_else_on_the_port_is_refused() -> None:
    async with pty(lambda data: b"OK\r\n") as line:
        settings = CardChangerSettings(f"serial:{line.path}", slots={"valid": 0})
        changer = DRIVER.make(settings, context("cards"))
        assert isinstance(changer, CardChanger)
        with pytest.raises(DeviceError, match="moving state is 79, expected 0 or 1"):
            await changer.__aenter__()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "http://cards"}, "expected one of serial:, socket:"),
        ({"slots": {}}, "'slots' is empty"),
        ({"slots": {"a": 24}}, "'slots' has channel 24 for 'a', expected 0 to 23"),
        ({"slots": {"a": 1, "b": 1}}, "'slots' gives one channel to two cards"),
        ({"rest": 5000.0}, "'rest' is 5000, expected 64 to 4000 µs"),
        ({"rest": 2000.0}, "'rest' and 'present' are the same position"),
        ({"hold": 0.0}, "'hold' is 0, expected more than 0"),
        ({"travel": 61.0}, "'travel' is 61, expected more than 0 and at most 60 s"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        CardChangerSettings(**({"link": "serial:/dev/ttyACM0", "slots": SLOTS} | keys))
    assert text in str(caught.value)
