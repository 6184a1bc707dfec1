"""The operator as a device: every capability, acted out by a person who answers prompts.

A manual device remembers what it had the operator do. It does not ask for what is already so, and
making it safe asks once to undo what is left. What the operator could not do counts as not done;
what was interrupted while the operator was at it counts as unknown, and is undone.

Cable and vehicle are in `manual_vehicle`.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any, Literal

from bench.capability import (
    Card,
    CardPresenter,
    Cut,
    MeterReading,
    NetworkPath,
    PowerMeter,
    PowerSwitch,
)
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from bench.metrology import Quantity
from bench.pictures import Picture
from drivers.hand import Hand, ManualDevice


@dataclass(frozen=True, slots=True)
class ManualSettings:
    """A manual device of this kind has no keys of its own."""


class ManualCards(ManualDevice, CardPresenter):
    """The operator holds cards to the reader."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, CardPresenter)
        self._at_reader = False

    async def make_safe(self) -> None:
        """Have a card taken away that may still be at the reader."""
        try:
            await self.withdraw()
        except Unverifiable:
            self._at_reader = False
            raise

    async def present(self, card: Card, *, connector: int = 1) -> None:
        """Ask to hold the card to the reader and take it away."""
        text = (
            f"Hold the card “{card.name}” (idTag {card.id_tag}) to the reader of "
            f"connector {connector} until it has been read, then take it away."
        )
        try:
            await self._hand.does(
                text,
                "present",
                Picture.PRESENT_CARD,
                card=card.name,
                id_tag=card.id_tag,
                connector=connector,
            )
        except asyncio.CancelledError:
            self._at_reader = True
            raise

    async def withdraw(self) -> None:
        """Ask to take cards away, if one may be at the reader."""
        if self._at_reader:
            text = "Take every card away from the reader."
            await self._hand.does(text, "withdraw", Picture.REMOVE_CARD)
            self._at_reader = False


@dataclass(frozen=True, slots=True)
class ManualMeterSettings:
    """Keys of a meter that the operator reads."""

    energy_unit: Literal["kWh", "Wh"] = "kWh"
    """What the meter's display shows energy in."""


class ManualMeter(ManualDevice, PowerMeter):
    """The operator reads a meter's display; voltage and current are not asked for."""

    def __init__(self, context: DriverContext, settings: ManualMeterSettings) -> None:
        self._hand = Hand(context, PowerMeter)
        self._unit = settings.energy_unit

    async def make_safe(self) -> None:
        """Do nothing: reading leaves nothing behind."""

    async def read(self) -> MeterReading:
        """Ask for total active power and imported energy."""
        power = await self._hand.enters(
            "Read the energy meter: total active power in W.",
            -math.inf,
            "read",
            Picture.READ_METER,
            quantity="power",
            unit="W",
        )
        energy = await self._hand.enters(
            f"Read the energy meter: imported active energy in {self._unit}.",
            0.0,
            "read",
            Picture.READ_METER,
            quantity="energy_import",
            unit=self._unit,
        )
        factor = 1000.0 if self._unit == "kWh" else 1.0
        return MeterReading((), (), Quantity(power, "W"), Quantity(energy * factor, "Wh"))


class ManualPower(ManualDevice, PowerSwitch):
    """The operator switches the supply of the charging station."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, PowerSwitch)
        self._on: bool | None = None
        """None: not known."""
        self._interrupted = False

    async def make_safe(self) -> None:
        """Have the supply switched on again that this device has had switched off."""
        if self._on is False or self._interrupted:
            try:
                await self.switch_on()
            except Unverifiable:
                self._on, self._interrupted = None, False
                raise

    async def switch_on(self) -> None:
        """Ask to switch on, unless it is known to be on."""
        if self._on is not True:
            text = "Switch the supply of the charging station on."
            await self._act(True, text, "switch_on", Picture.MAINS_ON)

    async def switch_off(self) -> None:
        """Ask to switch off, unless it is known to be off."""
        if self._on is not False:
            text = "Switch the supply of the charging station off."
            await self._act(False, text, "switch_off", Picture.MAINS_OFF)

    async def cycle(self, *, off_for: float) -> None:
        """Ask to switch off, wait, and switch on."""
        text = (
            "Switch the supply of the charging station off, "
            f"wait at least {off_for:g} s, and switch it on again."
        )
        await self._act(True, text, "cycle", Picture.MAINS_CYCLE, off_for=off_for)

    async def is_on(self) -> bool:
        """Tell from memory; ask when it is not known."""
        if self._on is not None:
            return self._on
        return await self._hand.tells("Is the supply of the charging station on?", "is_on")

    async def _act(
        self, on: bool, text: str, method: str, picture: Picture, /, **arguments: Any
    ) -> None:
        try:
            await self._hand.does(text, method, picture, **arguments)
        except asyncio.CancelledError:
            self._on, self._interrupted = None, True
            raise
        self._on, self._interrupted = on, False


_CUT_TEXTS = {
    Cut.DROP: (
        "Break the network connection of the charging station silently: block its traffic, or "
        "pull a cable beyond the device that it is connected to, so that its own link stays up."
    ),
    Cut.RESET: (
        "Break the network connection of the charging station so that it notices at once: pull "
        "its network cable, or switch off the access point or mobile network that it uses."
    ),
}
_CUT_PICTURES = {Cut.DROP: Picture.BLOCK_BEYOND, Cut.RESET: Picture.PULL_NETWORK_CABLE}


class ManualNetwork(ManualDevice, NetworkPath):
    """The operator breaks, delays, throttles and mends the network of the charging station."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, NetworkPath)
        self._cut: Cut | None = None
        self._delayed = False
        self._limited = False
        self._known = False
        """Whether `_cut` is what the operator said, and not merely what nobody has changed."""

    async def make_safe(self) -> None:
        """Have the network mended that this device has had broken, delayed or throttled."""
        try:
            await self.restore()
        except Unverifiable:
            self._cut, self._delayed, self._limited, self._known = None, False, False, False
            raise

    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Ask to break the network, silently or so that the station notices."""
        if self._known and self._cut is how:
            return
        before, self._cut = self._cut, how
        try:
            await self._hand.does(_CUT_TEXTS[how], "cut", _CUT_PICTURES[how], how=how.value)
        except Unverifiable:
            self._cut = before
            raise
        self._known = True

    async def restore(self) -> None:
        """Ask to mend the network, if this device has had it broken, delayed or throttled."""
        if self._cut is not None or self._delayed or self._limited:
            text = (
                "Mend the network connection of the charging station: nothing broken, no delay, "
                "no limit."
            )
            mends = self._cut is Cut.RESET
            picture = Picture.PLUG_NETWORK_CABLE if mends else None
            await self._hand.does(text, "restore", picture)
            self._cut, self._delayed, self._limited, self._known = None, False, False, True

    async def delay(self, seconds: float) -> None:
        """Ask to set a delay; asks nothing when there is none to remove."""
        if not seconds and not self._delayed:
            return
        text = (
            "Delay the network traffic of the charging station "
            f"by {seconds:g} s in each direction (network emulator)."
        )
        before, self._delayed = self._delayed, True
        try:
            await self._hand.does(text, "delay", seconds=seconds)
        except Unverifiable:
            self._delayed = before
            raise
        self._delayed = seconds > 0

    async def limit(self, bytes_per_second: float | None) -> None:
        """Ask to throttle; asks nothing when there is no limit to remove."""
        if bytes_per_second is None and not self._limited:
            return
        if bytes_per_second is None:
            text = "Take away the limit of the charging station's network traffic."
        else:
            text = (
                "Limit the network traffic of the charging station "
                f"to {bytes_per_second:g} bytes per second in each direction (network emulator)."
            )
        before, self._limited = self._limited, True
        try:
            await self._hand.does(text, "limit", bytes_per_second=bytes_per_second)
        except Unverifiable:
            self._limited = before
            raise
        self._limited = bytes_per_second is not None

    async def is_cut(self) -> bool:
        """Tell from memory; ask when it is not known."""
        if self._known:
            return self._cut is not None
        question = "Is the network connection of the charging station broken?"
        return await self._hand.tells(question, "is_cut")


MANUAL_CARDS = Driver(
    settings=ManualSettings,
    offers=(CardPresenter,),
    make=lambda settings, context: ManualCards(context),
    by_hand=True,
)
MANUAL_METER = Driver(
    settings=ManualMeterSettings,
    offers=(PowerMeter,),
    make=lambda settings, context: ManualMeter(context, settings),
    by_hand=True,
)
MANUAL_POWER = Driver(
    settings=ManualSettings,
    offers=(PowerSwitch,),
    make=lambda settings, context: ManualPower(context),
    by_hand=True,
)
MANUAL_NETWORK = Driver(
    settings=ManualSettings,
    offers=(NetworkPath,),
    make=lambda settings, context: ManualNetwork(context),
    by_hand=True,
)
