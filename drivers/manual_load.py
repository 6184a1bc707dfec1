"""The operator as a load: a person who switches one on and off, and reads what it takes."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

from bench.capability import Load, LoadReading
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from bench.metrology import Quantity
from bench.pictures import Picture
from drivers.hand import Hand, ManualDevice


@dataclass(frozen=True, slots=True)
class ManualLoadSettings:
    """Keys of a load that the operator switches."""

    max_current: float = 32.0
    """What the load is made for in A."""

    def __post_init__(self) -> None:
        if not 0 < self.max_current < math.inf:
            raise ValueError(f"'max_current' is {self.max_current:g}, expected more than 0")


class ManualLoad(ManualDevice, Load):
    """The operator switches the load at the vehicle's end of the cable."""

    def __init__(self, context: DriverContext, settings: ManualLoadSettings) -> None:
        self._hand = Hand(context, Load)
        self._name = context.name
        self._most = settings.max_current
        self._current: float | None = 0.0
        """What the operator has set; None: not known."""

    async def make_safe(self) -> None:
        """Have the load switched off that this device has had switched on."""
        try:
            await self.release()
        except Unverifiable:
            self._current = 0.0
            raise

    async def draw(self, *, current: float) -> None:
        """Ask to set the load and switch it on, unless it is known to draw that."""
        if not 0 < current <= self._most:
            raise ValueError(
                f"{self._name}: current is {current:g} A, expected more than 0, "
                f"at most {self._most:g} A"
            )
        if self._current != current:
            text = f"Set the load to {current:g} A and switch it on."
            await self._act(current, text, "draw", Picture.SET_LOAD, current=current)

    async def release(self) -> None:
        """Ask to switch the load off, unless it is known to be off."""
        if self._current != 0.0:
            await self._act(0.0, "Switch the load off.", "release", Picture.SWITCH_LOAD_OFF)

    async def is_drawing(self) -> bool:
        """Tell from memory; ask when it is not known."""
        if self._current is not None:
            return self._current > 0
        return await self._hand.tells("Is the load switched on?", "is_drawing")

    async def read(self) -> LoadReading:
        """Ask for voltage and current; power is their product."""
        volts = await self._hand.enters(
            "Read the load: voltage in V.", 0.0, "read", quantity="voltage", unit="V"
        )
        amperes = await self._hand.enters(
            "Read the load: current in A.", -math.inf, "read", quantity="current", unit="A"
        )
        return LoadReading(
            Quantity(volts, "V"), Quantity(amperes, "A"), Quantity(volts * amperes, "W")
        )

    async def _act(
        self, current: float, text: str, method: str, picture: Picture, /, **arguments: Any
    ) -> None:
        try:
            await self._hand.does(text, method, picture, **arguments)
        except asyncio.CancelledError:
            self._current = None
            raise
        self._current = current


MANUAL_LOAD = Driver(
    settings=ManualLoadSettings,
    offers=(Load,),
    make=lambda settings, context: ManualLoad(context, settings),
    by_hand=True,
)
