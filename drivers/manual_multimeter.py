"""The operator as a multimeter: a person who connects one and reads its display."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.capability import Multimeter
from bench.device import Driver, DriverContext
from bench.metrology import Quantity, within_limits
from bench.pictures import Picture
from drivers.hand import Hand, ManualDevice


@dataclass(frozen=True, slots=True)
class ManualMultimeterSettings:
    """Keys of a multimeter that the operator reads."""

    of_reading: float
    """Limit of error in percent of the reading, as on the instrument's data sheet."""
    floor: float = 0.0
    """Limit of error that does not depend on the reading, in V, Ω or Hz."""

    def __post_init__(self) -> None:
        for key in ("of_reading", "floor"):
            value = getattr(self, key)
            if not 0 <= value < math.inf:
                raise ValueError(f"{key!r} is {value:g}, expected 0 or more")
        if not self.of_reading + self.floor:
            raise ValueError("'of_reading' and 'floor' are both 0: no instrument is exact")


class ManualMultimeter(ManualDevice, Multimeter):
    """The operator reads the display."""

    def __init__(self, context: DriverContext, settings: ManualMultimeterSettings) -> None:
        self._hand = Hand(context, Multimeter)
        self._settings = settings

    async def make_safe(self) -> None:
        """Do nothing: reading leaves nothing behind."""

    async def measure_dc_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Ask for the DC voltage."""
        return await self._read("DC voltage", "V", -math.inf, "measure_dc_voltage", at_most)

    async def measure_ac_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Ask for the AC voltage."""
        return await self._read("AC voltage", "V", 0.0, "measure_ac_voltage", at_most)

    async def measure_resistance(self, *, at_most: float | None = None) -> Quantity:
        """Ask for the resistance."""
        return await self._read("resistance (four wires)", "Ω", 0.0, "measure_resistance", at_most)

    async def measure_frequency(self) -> Quantity:
        """Ask for the frequency."""
        return await self._read("frequency", "Hz", 0.0, "measure_frequency", None)

    async def _read(
        self, what: str, unit: str, low: float, method: str, at_most: float | None
    ) -> Quantity:
        text = f"Measure the {what} with the multimeter"
        picture = Picture.MEASURE_RESISTANCE if unit == "Ω" else Picture.MEASURE_VOLTAGE
        arguments = {}
        if at_most is not None:
            text += f", in a range for {at_most:g} {unit}"
            arguments["at_most"] = at_most
        text += f"; read it in {unit}."
        value = await self._hand.enters(text, low, method, picture, **arguments)
        error = self._settings.of_reading / 100 * abs(value) + self._settings.floor
        return Quantity(value, unit, within_limits(error))


MANUAL_MULTIMETER = Driver(
    settings=ManualMultimeterSettings,
    offers=(Multimeter,),
    make=lambda settings, context: ManualMultimeter(context, settings),
    by_hand=True,
)
