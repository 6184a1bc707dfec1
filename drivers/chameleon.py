"""A Chameleon Ultra, which emulates cards: frames over its USB serial port.

Source: the maker's protocol description (RfidResearchGroup/ChameleonUltra/docs/protocol.md). The
device lies on the station's reader; whether the card was read, only the station knows.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import Card, CardPresenter
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, DeviceTimeout
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.stream import SCHEMES, ByteLink, byte_link

GET_APP_VERSION = 1000
CHANGE_DEVICE_MODE = 1001
GET_DEVICE_MODE = 1002
SET_ACTIVE_SLOT = 1003
SET_SLOT_TAG_TYPE = 1004
SET_SLOT_ENABLE = 1006
GET_DEVICE_CHIP_ID = 1011
GET_ACTIVE_SLOT = 1018
GET_SLOT_INFO = 1019
GET_ENABLED_SLOTS = 1023
GET_DEVICE_MODEL = 1033
HF14A_SET_ANTI_COLL_DATA = 4001
HF14A_GET_ANTI_COLL_DATA = 4018

_START = b"\x11\xef"
_EMULATOR, _READER = 0, 1
_HF = 2
_MIFARE_CLASSIC_1K = 1001
_SAK = 0x08
_ATQA = {4: 0x0004, 7: 0x0044, 10: 0x0084}
"""ATQA of a MIFARE Classic 1K by the length of its UID (ISO/IEC 14443-3 clause 6.5.2)."""

_MODELS = ("Chameleon Ultra", "Chameleon Lite")
_DONE = (0x68, 0x00)
"""Status of a command that was done: the device's own, and that of the card side."""
_STATUS = {
    0x60: "parameter error",
    0x66: "wrong mode",
    0x67: "unknown command",
    0x69: "not implemented",
}

_ANSWER_WITHIN = 0.5
"""Deadline in s for one answer."""

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class ChameleonSettings:
    """Keys of a Chameleon Ultra in `bench.toml`."""

    link: str
    """`serial:/dev/…` or `socket://HOST:PORT`."""
    slot: int = 0
    """Slot, 0 to 7, that the bench may overwrite."""
    hold: float = 1.0
    """Seconds that a card stays in the reader's field."""
    serial: str = ""
    """Chip id, 16 hexadecimal digits, that the device must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if not 0 <= self.slot <= 7:
            raise ValueError(f"'slot' is {self.slot}, expected 0 to 7")
        if not 0 < self.hold <= 60:
            raise ValueError(f"'hold' is {self.hold:g}, expected more than 0 and at most 60 s")


def frame(command: int, data: bytes = b"", *, status: int = 0) -> bytes:
    """Write a frame; commands and answers have the same form."""
    head = b"".join(number.to_bytes(2, "big") for number in (command, status, len(data)))
    return _START + head + _lrc(head) + data + _lrc(data)


def anti_collision(uid: bytes) -> bytes:
    """Write what a MIFARE Classic 1K with this UID answers to a reader: UID, ATQA, SAK, no ATS."""
    return bytes([len(uid)]) + uid + _ATQA[len(uid)].to_bytes(2, "little") + bytes([_SAK, 0])


class Chameleon(Device, CardPresenter):
    """One slot of the device; it lies at one reader, which serves all connectors."""

    def __init__(self, name: str, link: ByteLink, settings: ChameleonSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._queue = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect, check that a Chameleon answers, show no card."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show no card and close the link."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read model, chip id and firmware version."""
        model = (await self._ask(GET_DEVICE_MODEL, count=1))[0]
        if model >= len(_MODELS):
            raise DeviceError(f"{self._link}: model {model}, expected 0 (Ultra) or 1 (Lite)")
        version = await self._ask(GET_APP_VERSION, count=2)
        chip = await self._ask(GET_DEVICE_CHIP_ID, count=8)
        identity = Identity(
            "RfidResearchGroup",
            _MODELS[model],
            serial=chip.hex().upper(),
            firmware=f"{version[0]}.{version[1]}",
        )
        check_serial(self._name, identity, self._settings.serial)
        return identity

    async def make_safe(self) -> None:
        """Show no card."""
        await self.withdraw()

    async def self_test(self) -> str:
        """Enable the slot while the device is a reader itself, so that no card is seen."""
        await self._set_mode(_READER)
        try:
            await self._enable(True)
        finally:
            await self._enable(False)
        await self._set_mode(_EMULATOR)
        return f"slot {self._settings.slot} goes on and off"

    async def present(self, card: Card, *, connector: int = 1) -> None:
        """Emulate the card for the time set by `hold`."""
        if card.uid is None:
            raise DeviceError(
                f"{self._name}: card {card.name!r} has no uid in dut.toml, expected one to emulate"
            )
        await self._load(bytes.fromhex(card.uid))
        try:
            await self._enable(True)
            await asyncio.sleep(self._settings.hold)
        except BaseException:
            # Cancelled or failed: the card must not stay in the field.
            with contextlib.suppress(DeviceError):
                await self._enable(False)
            raise
        await self._enable(False)

    async def withdraw(self) -> None:
        """Show no card."""
        await self._enable(False)

    async def _load(self, uid: bytes) -> None:
        """Make the slot, which shows no card meanwhile, a card with this UID."""
        slot = self._settings.slot
        await self._enable(False)
        await self._set_mode(_EMULATOR)
        await self._ask(SET_ACTIVE_SLOT, bytes([slot]))
        self._check("active slot", await self._ask(GET_ACTIVE_SLOT, count=1), bytes([slot]))
        kind = _MIFARE_CLASSIC_1K.to_bytes(2, "big")
        await self._ask(SET_SLOT_TAG_TYPE, bytes([slot]) + kind)
        info = await self._ask(GET_SLOT_INFO, count=32)
        self._check("card type", info[4 * slot : 4 * slot + 2], kind)
        answers = anti_collision(uid)
        await self._ask(HF14A_SET_ANTI_COLL_DATA, answers)
        self._check("card", await self._ask(HF14A_GET_ANTI_COLL_DATA), answers)

    async def _set_mode(self, mode: int) -> None:
        await self._ask(CHANGE_DEVICE_MODE, bytes([mode]))
        self._check("mode", await self._ask(GET_DEVICE_MODE, count=1), bytes([mode]))

    async def _enable(self, on: bool) -> None:
        slot = self._settings.slot
        await self._ask(SET_SLOT_ENABLE, bytes([slot, _HF, on]))
        enabled = await self._ask(GET_ENABLED_SLOTS, count=16)
        self._check("card side", enabled[2 * slot : 2 * slot + 1], bytes([on]))

    def _check(self, what: str, read: bytes, commanded: bytes) -> None:
        if read != commanded:
            raise DeviceError(
                f"{self._name}: {what} reads {read.hex(' ') or 'nothing'}, "
                f"commanded {commanded.hex(' ')}"
            )

    async def _ask(self, command: int, data: bytes = b"", *, count: int | None = None) -> bytes:
        """Send a command and return the answer's data, which must have `count` bytes if given."""
        async with self._queue:
            self._link.discard()
            await self._link.write(frame(command, data))
            try:
                async with asyncio.timeout(_ANSWER_WITHIN):
                    answered, status, answer = await self._answer()
                    while answered != command:  # late, of a command that was given up
                        answered, status, answer = await self._answer()
            except TimeoutError as error:
                raise DeviceTimeout(
                    f"{self._link}: no answer to command {command} within {_ANSWER_WITHIN:g} s"
                ) from error
        if status not in _DONE:
            text = _STATUS.get(status, "failed")
            raise DeviceError(f"{self._link}: command {command}: status {status:#04x}, {text}")
        if count is not None and len(answer) != count:
            raise DeviceError(
                f"{self._link}: command {command} answered {len(answer)} bytes, expected {count}"
            )
        return answer

    async def _answer(self) -> tuple[int, int, bytes]:
        """Read one frame: command, status, data; the deadline is the caller's."""
        never = 2 * _ANSWER_WITHIN
        await self._link.read_until(_START, within=never)
        head = await self._link.read_exactly(7, within=never)
        command, status, count = (int.from_bytes(head[i : i + 2], "big") for i in (0, 2, 4))
        if head[6:] != _lrc(head[:6]) or count > _LONGEST:
            raise DeviceError(f"{self._link}: broken head of an answer: {head.hex(' ')}")
        data = await self._link.read_exactly(count + 1, within=never)
        if data[-1:] != _lrc(data[:-1]):
            raise DeviceError(f"{self._link}: broken answer to {command}: {data.hex(' ')}")
        return command, status, data[:-1]


def _lrc(data: bytes) -> bytes:
    return bytes([-sum(data) & 0xFF])


def _make(settings: ChameleonSettings, context: DriverContext) -> Chameleon:
    link = byte_link(address.parse(settings.link, *SCHEMES), context.name)
    return Chameleon(context.name, link, settings)


DRIVER = Driver(settings=ChameleonSettings, offers=(CardPresenter,), make=_make)
