"""Twin of a Chameleon Ultra that lies on the station's reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.sim.twin import Wired
from drivers.sim.wire import Line
from drivers.sim.world import World

CHIP_ID = bytes.fromhex("7A3F00C0FFEE0142")
SLOTS = 8

_START = b"\x11\xef"
_SUCCESS, _HF_OK, _PARAMETER, _WRONG_MODE, _UNKNOWN = 0x68, 0x00, 0x60, 0x66, 0x67
_MAX = 512
_HF, _LF = 2, 1
_TYPES = (1000, 1001, 1003, 1100, 1101, 1102)
"""Card types of the high frequency side."""


@dataclass(slots=True)
class Slot:
    """One of the cards that the device can be."""

    kind: int = 1001
    enabled: bool = False
    low_frequency: bool = False
    answers: bytes = b""
    """Length of the UID, UID, ATQA, SAK, length of the ATS, ATS."""

    @property
    def uid(self) -> bytes:
        """The UID that a reader sees."""
        return self.answers[1 : 1 + self.answers[0]] if self.answers else b""


class Refused(Exception):
    """A status as the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Chameleon(Wired):
    """The device; what it emulates is in the field of the world's reader 1.

    `id_tag` is how the station writes a UID.
    """

    def __init__(
        self, world: World, *, id_tag: Callable[[bytes], str] = lambda uid: uid.hex().upper()
    ) -> None:
        self.slots = [Slot() for _ in range(SLOTS)]
        self.active = 0
        self.reader_mode = False
        self.stuck = False
        """It says that it did what it was told, and does not."""
        self._world = world
        self._id_tag = id_tag
        self._shown: str | None = None
        self._commands: Mapping[int, Callable[[bytes], bytes]] = {
            1000: lambda _: b"\x02\x00",
            1001: self._set_mode,
            1002: lambda _: bytes([self.reader_mode]),
            1003: self._set_active,
            1004: self._set_type,
            1006: self._set_enabled,
            1011: lambda _: CHIP_ID,
            1018: lambda _: bytes([self.active]),
            1019: lambda _: b"".join(
                slot.kind.to_bytes(2, "big") + bytes(2) for slot in self.slots
            ),
            1023: lambda _: b"".join(
                bytes([slot.enabled, slot.low_frequency]) for slot in self.slots
            ),
            1033: lambda _: b"\x00",
            4001: self._set_answers,
            4018: lambda _: self.slots[self.active].answers,
        }

    def power_up(self) -> None:
        """Start as emulator, with the slots as they were stored."""
        self.reader_mode = False
        self._show()

    async def converse(self, line: Line) -> None:
        """Answer frames; bytes that are none are passed over."""
        while True:
            await line.reader.readuntil(_START)
            head = await line.reader.readexactly(7)
            size = int.from_bytes(head[4:6], "big")
            if sum(head) & 0xFF or size > _MAX:
                continue
            data = await line.reader.readexactly(size + 1)
            if sum(data) & 0xFF:
                continue
            command = int.from_bytes(head[:2], "big")
            if line.faults.wrong_identity and command == 1033:
                await line.send(_frame(command, _SUCCESS, b"\x07"))
                continue
            if line.faults.take_busy():
                continue
            await line.send(self._execute(command, data[:-1]))

    def _execute(self, command: int, data: bytes) -> bytes:
        if command not in self._commands:
            return _frame(command, _UNKNOWN, b"")
        try:
            answer = self._commands[command](data)
        except Refused as error:
            return _frame(command, error.status, b"")
        return _frame(command, _HF_OK if command >= 4000 else _SUCCESS, answer)

    def _set_mode(self, data: bytes) -> bytes:
        if data not in (b"\x00", b"\x01"):
            raise Refused(_PARAMETER)
        self.reader_mode = data == b"\x01"
        self._show()
        return b""

    def _set_active(self, data: bytes) -> bytes:
        self._slot(data, 1)
        self.active = data[0]
        self._show()
        return b""

    def _set_type(self, data: bytes) -> bytes:
        slot = self._slot(data, 3)
        kind = int.from_bytes(data[1:], "big")
        if kind not in _TYPES:
            raise Refused(_PARAMETER)
        slot.kind = kind
        return b""

    def _set_enabled(self, data: bytes) -> bytes:
        slot = self._slot(data, 3)
        if data[1] not in (_HF, _LF) or data[2] > 1:
            raise Refused(_PARAMETER)
        if self.stuck:
            return b""
        if data[1] == _HF:
            slot.enabled = bool(data[2])
        else:
            slot.low_frequency = bool(data[2])
        self._show()
        return b""

    def _set_answers(self, data: bytes) -> bytes:
        if self.reader_mode:
            raise Refused(_WRONG_MODE)
        size = data[0] if data else 0
        if size not in (4, 7, 10) or len(data) < size + 5 or len(data) != size + 5 + data[size + 4]:
            raise Refused(_PARAMETER)
        self.slots[self.active].answers = data
        self._show()
        return b""

    def _slot(self, data: bytes, size: int) -> Slot:
        if len(data) != size or data[0] >= SLOTS:
            raise Refused(_PARAMETER)
        return self.slots[data[0]]

    def _show(self) -> None:
        """Be in the reader's field what the settings make of it."""
        slot = self.slots[self.active]
        shows = slot.enabled and slot.uid and not self.reader_mode
        shown = self._id_tag(slot.uid) if shows else None
        if shown == self._shown:
            return
        if self._shown is not None:
            self._world.withdraw(self._shown)
        if shown is not None:
            self._world.present(shown)
        self._shown = shown


def _frame(command: int, status: int, data: bytes) -> bytes:
    head = b"".join(number.to_bytes(2, "big") for number in (command, status, len(data)))
    return _START + head + bytes([-sum(head) & 0xFF]) + data + bytes([-sum(data) & 0xFF])
