"""The operator as a reference EVSE: a person at a charging controller that is known to be right."""

from __future__ import annotations

import asyncio
from typing import Any

from bench.capability import EvseReading, ReferenceEvse
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from drivers.hand import Hand, ManualDevice
from drivers.manual import ManualSettings

_WITHDRAWN = "Let the reference EVSE offer nothing (no release of charging)."


class ManualReference(ManualDevice, ReferenceEvse):
    """The operator sets the controller and reads what it shows."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, ReferenceEvse)
        self._name = context.name
        self._offer: float | None = 0.0
        """What the operator has set in A; None: not known."""

    async def make_safe(self) -> None:
        """Have an offer withdrawn that this device has had made."""
        try:
            await self.withdraw()
        except Unverifiable:
            self._offer = 0.0
            raise

    async def offer(self, *, current: float) -> None:
        """Ask to set the current and release charging, unless it is known to be so."""
        if not 6 <= current <= 80:
            raise ValueError(f"{self._name}: current is {current:g} A, expected 6 to 80")
        if self._offer != current:
            text = f"Let the reference EVSE offer {current:g} A and release charging."
            await self._act(current, text, "offer", current=current)

    async def withdraw(self) -> None:
        """Ask to take the release away, unless it is known to be."""
        if self._offer != 0.0:
            await self._act(0.0, _WITHDRAWN, "withdraw")

    async def read(self) -> EvseReading:
        """Ask for the state as the controller shows it, the duty cycle and the cable."""
        status = await self._hand.writes(
            "Read the reference EVSE: its status, A1 to F2.", _status, "read", quantity="status"
        )
        pwm, duty = status[1] == "2", 100.0
        if pwm:
            text = "Read the reference EVSE: duty cycle in percent."
            duty = await self._hand.enters(text, 0.0, "read", quantity="duty", unit="%")
        text = "Read the reference EVSE: what its cable is coded for in A, 0 for no plug."
        cable = await self._hand.enters(text, 0.0, "read", quantity="cable", unit="A")
        return EvseReading(status[0], pwm, duty, cable or None)

    async def _act(self, offer: float, text: str, method: str, /, **arguments: Any) -> None:
        try:
            await self._hand.does(text, method, **arguments)
        except asyncio.CancelledError:
            self._offer = None
            raise
        self._offer = offer


def _status(value: Any) -> str:
    status = str(value).strip().upper()
    if len(status) != 2 or status[0] not in "ABCDEF" or status[1] not in "12":
        raise ValueError(f"“{value}” is no status")
    return status


MANUAL_REFERENCE = Driver(
    settings=ManualSettings,
    offers=(ReferenceEvse,),
    make=lambda settings, context: ManualReference(context),
    by_hand=True,
)
