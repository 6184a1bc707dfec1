"""The driver of the Yeti EV board against frames in hexadecimal, on a pseudo terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.capability import PilotFault
from bench.errors import DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers import yeti_ev
from drivers.sim.yeti_wire import command, framed, message, whole
from drivers.yeti_ev import DRIVER, YetiEv, YetiEvSettings
from drivers.yeti_frames import ALIVE, MEASUREMENTS, pack, unpack
from tests.wire.responders import Pty, context, pty

ENABLE = "02 32 05 71 b9 56 53 00"
POWER_OFF = "03 aa 01 05 1a cf 4a cd 00"
POWER_ON = "0a aa 01 02 08 01 40 86 ac 07 00"
SET = {
    "A": "03 ca 01 05 3a 04 9d 85 00",
    "B": "0a ca 01 02 08 01 0d f1 9e 9e 00",
    "C": "0a ca 01 02 08 02 b7 a0 97 07 00",
    "D": "0a ca 01 02 08 03 21 90 90 70 00",
    "E": "0a ca 01 02 08 04 82 05 f4 ee 00",
}
KNOWN: dict[str, tuple[int, dict[int, int]]] = {
    ENABLE: (6, {}),
    "02 3a 05 79 33 8f 9b 00": (7, {}),
    **{frame: (25, {1: at} if at else {}) for at, frame in enumerate(SET.values())},
    POWER_ON: (21, {1: 1}),
    POWER_OFF: (21, {}),
    "03 ba 01 05 6a 6c 6c d1 00": (23, {}),
    "09 32 02 08 02 83 2f ca a1 00": (6, {1: 2}),
    "09 32 02 08 0a b1 a7 11 af 00": (6, {1: 10}),
}
"""Frames that were made without this code."""

HIGH = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0}
EVERY = 0.005


@pytest.mark.parametrize("frame", KNOWN)
def test_known_frames_are_made_and_read(frame: str) -> None:
    kind, fields = KNOWN[frame]
    assert pack(kind, fields) == bytes.fromhex(frame)
    assert unpack(bytes.fromhex(frame)) == (kind, fields)


def test_the_twin_reads_and_makes_the_known_frames() -> None:
    for frame, (kind, fields) in KNOWN.items():
        assert command(bytes.fromhex(frame)) == (kind, fields.get(1, 0))
        if kind < 16:
            inner = [whole(number, value) for number, value in fields.items()]
            assert framed(message(kind, *inner)) == bytes.fromhex(frame)


@pytest.mark.parametrize("length", [1, 100, *range(244, 262), 600])
@pytest.mark.parametrize("byte", [b"\x00", b"\x07"])
def test_a_long_frame_is_stuffed_and_read(length: int, byte: bytes) -> None:
    frame = pack(3, {6: byte * length})
    assert frame.index(b"\x00") == len(frame) - 1
    assert unpack(frame) == (3, {6: byte * length})


def test_a_damaged_frame_is_none() -> None:
    whole = bytes.fromhex(SET["C"])
    for at in range(len(whole) - 1):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            assert unpack(bytes(damaged)) is None
        assert unpack(whole[:at]) is None
    for body in ("", "c801", "0802", "320508", "3209" + "ff" * 9, "0b"):
        assert unpack(framed(bytes.fromhex(body))) is None


class Board:
    """The device: obeys states and says something every few milliseconds."""

    def __init__(self) -> None:
        self.state = "A"
        self.deaf = False
        self.relays = 0
        self.high: float | None = None
        """What is on the pilot in V whatever is commanded."""
        self.duty = 53.3
        self.heard: list[str] = []
        self.between = b""
        """What stands between the messages."""
        self.line: Pty | None = None

    def __call__(self, data: bytes) -> bytes:
        for frame in data.split(b"\x00")[:-1]:
            text = (frame + b"\x00").hex(" ")
            self.heard.append(text)
            for letter, known in SET.items():
                if text == known and not self.deaf:
                    self.state = letter
        return b""

    async def report(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            assert self.line is not None
            high = HIGH[self.state] if self.high is None else self.high
            measured = {1: self.duty, 2: high, 3: -12.0, 4: 1, 5: self.relays}
            if self.high == 0.0:
                measured |= {1: 100.0, 3: 0.0}
            alive = pack(ALIVE, {1: 5, 2: 2, 3: 1, 6: b"1.4"})
            self.line.write(alive + self.between + pack(MEASUREMENTS, measured))


@asynccontextmanager
async def wired(board: Board) -> AsyncIterator[YetiEv]:
    """The driver, unopened."""
    async with pty(board) as line:
        board.line = line
        reporting = asyncio.create_task(board.report())
        device = DRIVER.make(YetiEvSettings(f"serial:{line.path}?baudrate=115200"), context("ev"))
        assert isinstance(device, YetiEv)
        try:
            yield device
        finally:
            reporting.cancel()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_ALIVE_WITHIN", "_MEASURED_WITHIN", "_SAFE_WITHIN"):
        monkeypatch.setattr(yeti_ev, name, 0.2)


async def test_the_bytes_of_a_session() -> None:
    board = Board()
    async with wired(board) as device, device:
        assert board.heard == [ENABLE, POWER_OFF, SET["A"]]
        identity = await device.identify()
        assert (identity.model, identity.firmware) == ("Yeti EV, hardware 2.1", "1.4")
        board.heard.clear()
        await device.plug_in(1)
        assert board.heard == [POWER_OFF, SET["B"]]
        board.heard.clear()
        await device.draw(1)
        seen = await device.read_pilot(1)
        assert (seen.state, seen.high, seen.low, seen.pwm) == ("C", 6.0, -12.0, True)
        assert seen.offered == pytest.approx(32.0, abs=0.1)
        assert board.heard == [SET["C"], POWER_ON]
        board.heard.clear()
        await device.draw(1, ventilation=True)
        assert (await device.read_pilot(1)).high == 3.0
        assert board.heard == [SET["D"], POWER_ON]
        board.heard.clear()
        await device.suspend(1)
        await device.set_fault(1, PilotFault.CP_PE_SHORT)
        await device.set_fault(1, PilotFault.NONE)
        await device.unplug(1)
        letters = ("B", "E", "B", "A")
        assert board.heard == [part for letter in letters for part in (POWER_OFF, SET[letter])]
        await device.plug_in(1)
        board.heard.clear()
    assert board.heard == [ENABLE, POWER_OFF, SET["A"]], "left safe"


async def test_the_board_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yeti_ev, "_RENEW", 0.01)
    board = Board()
    async with wired(board) as device:
        async with device, asyncio.timeout(3.0):
            while "02 6a 05 2d 6e 34 21 00" not in board.heard:
                await device.read_pilot(1)


async def test_noise_and_other_messages_are_passed_over() -> None:
    board = Board()
    board.between = bytes.fromhex("ff 00 09 32 02 08 02 83 2f ca a1 00 09 32 00")
    async with wired(board) as device, device:
        await device.plug_in(1)
        assert (await device.read_pilot(1)).state == "B"


async def test_a_share_is_a_duty_cycle_too() -> None:
    board = Board()
    board.duty = 0.5
    async with wired(board) as device, device:
        assert (await device.read_pilot(1)).duty == pytest.approx(50.0)


async def test_a_current_that_resistors_can_not_limit_is_refused() -> None:
    board = Board()
    async with wired(board) as device, device:
        await device.plug_in(1)
        await device.draw(1, current=32.0)
        with pytest.raises(Unverifiable, match=r"a Yeti EV can't limit the current to 16 A; .*32"):
            await device.draw(1, current=16.0)


@pytest.mark.usefixtures("impatient")
async def test_a_deaf_board_and_stuck_relays_are_told() -> None:
    board = Board()
    async with wired(board) as device:
        async with device:
            await device.plug_in(1)
            board.deaf = True
            with pytest.raises(DeviceTimeout, match=r"ev: .*at 9\.00 V.*commanded state C"):
                await device.draw(1)
            with pytest.raises(DeviceTimeout, match=r"ev: .*commanded state A with open relays"):
                await device.make_safe()
            board.deaf = False
            board.relays = 1
            while not (await device._measure()).relays:
                pass  # What it said before is still on its way.
            with pytest.raises(DeviceTimeout, match=r"ev: .* the relays are closed, commanded"):
                await device.plug_in(1)
            board.relays = 0


@pytest.mark.usefixtures("impatient")
async def test_without_a_station_only_a_is_certain() -> None:
    board = Board()
    board.high = 0.0
    async with wired(board) as device, device:
        with pytest.raises(Unverifiable, match="no station feeds the control pilot"):
            await device.plug_in(1)
        await device.unplug(1)
        assert not await device.is_plugged_in(1)


@pytest.mark.usefixtures("impatient")
async def test_noise_alone_is_no_board() -> None:
    async with pty(lambda data: b"") as line:
        device = DRIVER.make(YetiEvSettings(f"serial:{line.path}"), context("ev"))
        chatter = asyncio.create_task(_chatter(line))
        with pytest.raises(DeviceTimeout, match=r"^ev \(serial.*no message of kind 3"):
            await device.__aenter__()
        chatter.cancel()


async def _chatter(line: Pty) -> None:
    while True:
        await asyncio.sleep(EVERY)
        line.write(b"$GPGGA,,,,,,0,,,,,,,,*66\r\n\x00")


async def test_a_port_that_vanishes_is_told() -> None:
    board = Board()
    async with wired(board) as device:
        await device.__aenter__()
        assert board.line is not None
        board.line.vanish()
        with pytest.raises((LinkError, DeviceError), match=r"^ev"):
            await device.plug_in(1)
        with pytest.raises(DeviceError):
            await device.__aexit__(None, None, None)
