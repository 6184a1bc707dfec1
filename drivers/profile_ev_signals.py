"""What can be read from an EV emulator whose profile describes it."""

from __future__ import annotations

import math
from typing import Any

from bench.errors import DeviceError
from drivers.profile_ev_map import PILOT, EvProfile
from drivers.profile_ev_requests import Range, Shown, Value
from drivers.profile_ev_wiring import Wiring


class Signals:
    """The signals of one emulator, by the names of its profile."""

    def __init__(self, name: str, wiring: Wiring[Any, Any], profile: EvProfile) -> None:
        self._name = name
        self._wiring = wiring
        self._requests = profile.signals

    def __contains__(self, name: str) -> bool:
        return name in self._requests

    async def read(self, name: str) -> Value:
        """Read a signal."""
        return await self._wiring.read(self._requests[name])

    async def pilot(self) -> tuple[float, float, float, float]:
        """Read the control pilot: V, V, percent, Hz; raises `DeviceError` for what is no number."""
        high, low, duty, frequency = [await self._number(name) for name in PILOT]
        return high, low, duty, frequency

    async def _number(self, name: str) -> float:
        value = await self.read(name)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DeviceError(f"{self._name}: signal {name!r} reads {value!r}, expected a number")
        return number


def shows(expected: Shown, value: Value) -> bool:
    """Compare a signal with what is expected; a text counts as the number that it reads."""
    if isinstance(expected, str):
        return str(value) == expected
    try:
        number = float(value)
    except ValueError:
        return False
    if isinstance(expected, Range):
        return expected.least <= number <= expected.most
    return number == expected
