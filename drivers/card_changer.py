"""A card changer: servo fingers that hold real cards to the reader, on a Pololu Maestro.

Source: Pololu Maestro user's guide, serial interface, compact protocol. The position that the
controller tells is the pulse it sends; whether the card was read, only the station knows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import Card, CardPresenter
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.stream import SCHEMES, ByteLink, byte_link
from drivers.readback import until

_SET_TARGET = 0x84
_GET_POSITION = 0x90
_GET_MOVING = 0x93
_GET_ERRORS = 0xA1

_ANSWER_WITHIN = 0.3
"""Deadline in s for one answer."""

_SAFE_WITHIN = 0.8
"""Deadline in s for the fingers when making safe; a servo needs about 0.3 s."""

_EVERY = 0.02
"""Pause between two position readings in s."""

_ERRORS = (
    "serial signal error",
    "serial overrun",
    "serial buffer full",
    "CRC error",
    "serial protocol error",
    "serial timeout",
    "script stack error",
    "script call stack error",
    "script program counter error",
)
"""Bits of the error register, from bit 0."""


@dataclass(frozen=True, slots=True)
class CardChangerSettings:
    """Keys of a card changer in `bench.toml`."""

    link: str
    """`serial:/dev/…?baudrate=…` or `socket://HOST:PORT`."""
    slots: Mapping[str, int]
    """Servo channel, 0 to 23, by card name or by the card's `slot`."""
    rest: float = 1000.0
    """Pulse in µs that holds a card away from the reader."""
    present: float = 2000.0
    """Pulse in µs that holds it to the reader."""
    hold: float = 1.0
    """Seconds that a card stays at the reader."""
    travel: float = 3.0
    """Deadline in s for one move of a finger; 0.8 s at most is allowed when making safe."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if not self.slots:
            raise ValueError("'slots' is empty, expected card names with servo channels")
        for card, channel in self.slots.items():
            if not 0 <= channel <= 23:
                raise ValueError(f"'slots' has channel {channel} for {card!r}, expected 0 to 23")
        if len(set(self.slots.values())) < len(self.slots):
            raise ValueError("'slots' gives one channel to two cards")
        for key, pulse in (("rest", self.rest), ("present", self.present)):
            if not 64 <= pulse <= 4000:
                raise ValueError(f"{key!r} is {pulse:g}, expected 64 to 4000 µs")
        if self.rest == self.present:
            raise ValueError("'rest' and 'present' are the same position")
        for key, seconds in (("hold", self.hold), ("travel", self.travel)):
            if not 0 < seconds <= 60:
                raise ValueError(f"{key!r} is {seconds:g}, expected more than 0 and at most 60 s")


class CardChanger(Device, CardPresenter):
    """Servo fingers with one card each; one reader serves all connectors."""

    def __init__(self, name: str, link: ByteLink, settings: CardChangerSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._queue = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect, check that a Maestro answers, bring all fingers to rest."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Bring all fingers to rest and close the link."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Check that the controller answers as a Maestro does; it has no name to tell.

        Errors of the time before (a port that other programs have probed) are read and so cleared.
        """
        await self._ask("errors", bytes([_GET_ERRORS]), 2)
        moving = await self._ask("moving state", bytes([_GET_MOVING]), 1)
        if moving[0] > 1:
            raise DeviceError(
                f"{self._link}: moving state is {moving[0]}, expected 0 or 1: not a Maestro?"
            )
        return Identity("Pololu", "Maestro servo controller")

    async def make_safe(self) -> None:
        """Bring all fingers to rest."""
        await self._rest(within=min(self._settings.travel, _SAFE_WITHIN))

    async def self_test(self) -> str:
        """Move every finger a tenth of its way, so that no card is read, and back."""
        away = self._settings.rest + 0.1 * (self._settings.present - self._settings.rest)
        fingers = sorted(self._settings.slots.values())
        try:
            for channel in fingers:
                await self._set_target(channel, away)
                await self._arrives(channel, away, within=self._settings.travel)
        finally:
            await self.withdraw()
        await self._check_errors()
        return f"fingers {', '.join(map(str, fingers))} go out and back"

    async def present(self, card: Card, *, connector: int = 1) -> None:
        """Hold the card to the reader for the time set by `hold`, then take it away."""
        channel = self._channel(card)
        try:
            await self._set_target(channel, self._settings.present)
            await self._arrives(channel, self._settings.present, within=self._settings.travel)
            await asyncio.sleep(self._settings.hold)
        except BaseException:
            # Cancelled or failed: the card must not stay at the reader.
            with contextlib.suppress(LinkError):
                await self._set_target(channel, self._settings.rest)
            raise
        await self._set_target(channel, self._settings.rest)
        await self._arrives(channel, self._settings.rest, within=self._settings.travel)
        await self._check_errors()

    async def withdraw(self) -> None:
        """Bring all fingers to rest."""
        await self._rest(within=self._settings.travel)

    def _channel(self, card: Card) -> int:
        slot = card.slot or card.name
        if slot not in self._settings.slots:
            known = ", ".join(sorted(self._settings.slots))
            raise DeviceError(f"{self._name}: no card {slot!r} in its slots, there are {known}")
        return self._settings.slots[slot]

    async def _rest(self, *, within: float) -> None:
        channels = sorted(self._settings.slots.values())
        for channel in channels:
            await self._set_target(channel, self._settings.rest)
        for channel in channels:
            await self._arrives(channel, self._settings.rest, within=within)

    async def _set_target(self, channel: int, pulse: float) -> None:
        target = round(pulse * 4)  # quarter microseconds in two 7-bit halves
        await self._link.write(bytes([_SET_TARGET, channel, target & 0x7F, target >> 7]))

    async def _arrives(self, channel: int, pulse: float, *, within: float) -> None:
        await until(
            lambda: self._position(channel),
            lambda position: position == round(pulse * 4),
            within=within,
            every=_EVERY,
            otherwise=lambda position: (
                f"{self._name}: the finger on channel {channel} is at {position / 4:g} µs, "
                f"commanded {pulse:g} µs,"
            ),
        )

    async def _position(self, channel: int) -> int:
        answer = await self._ask(f"position of {channel}", bytes([_GET_POSITION, channel]), 2)
        return int.from_bytes(answer, "little")

    async def _check_errors(self) -> None:
        bits = int.from_bytes(await self._ask("errors", bytes([_GET_ERRORS]), 2), "little")
        if bits:
            names = [name for bit, name in enumerate(_ERRORS) if bits >> bit & 1]
            text = ", ".join(names) or f"unknown error {bits:#06x}"
            raise DeviceError(f"{self._name}: the controller reports {text}")

    async def _ask(self, what: str, command: bytes, count: int) -> bytes:
        async with self._queue, self._link.exchange(_ANSWER_WITHIN):
            await self._link.write(command)
            try:
                return await self._link.read_exactly(count, within=_ANSWER_WITHIN)
            except DeviceTimeout as error:
                raise DeviceTimeout(f"{error} (asked for {what})") from error


def _make(settings: CardChangerSettings, context: DriverContext) -> CardChanger:
    link = byte_link(address.parse(settings.link, *SCHEMES), context.name)
    return CardChanger(context.name, link, settings)


DRIVER = Driver(settings=CardChangerSettings, offers=(CardPresenter,), make=_make)
