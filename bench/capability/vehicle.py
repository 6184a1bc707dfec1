"""What a test needs of the vehicle side: the cable, the control pilot, the proximity contact."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class End(StrEnum):
    """Which end of the cable a hand takes."""

    BOTH = "both"
    VEHICLE = "vehicle"
    STATION = "station"


class PilotFault(StrEnum):
    """A fault of the control pilot or proximity circuit (IEC 61851-1 Annex A and B)."""

    NONE = "none"
    DIODE_SHORT = "diode-short"
    CP_PE_SHORT = "cp-pe-short"
    CP_OPEN = "cp-open"
    PE_OPEN = "pe-open"
    PP_OPEN = "pp-open"


@dataclass(frozen=True, slots=True)
class PilotReading:
    """What the vehicle side sees on the control pilot: volts, percent, hertz; state A to F."""

    high: float
    """Positive level in V."""
    low: float
    """Negative level in V; equal to `high` without PWM."""
    duty: float
    """Duty cycle in percent, 0 to 100; 100 without PWM."""
    frequency: float
    """PWM frequency in Hz; 0 without PWM."""
    state: str
    """State letter A to F (IEC 61851-1 table A.3)."""

    @property
    def pwm(self) -> bool:
        """Tell whether the station offers current by PWM (the suffix 2 of x2)."""
        return self.frequency > 0

    @property
    def offered(self) -> float | None:
        """The current in A per phase that the station offers by PWM; None when it offers none."""
        return offered_current(self.duty) if self.pwm else None


def offered_current(duty: float) -> float | None:
    """Tell the current in A per phase that a duty cycle in percent offers (table A.8).

    None where it offers none by itself (steady pilot, digital communication required).
    """
    if 8.0 <= duty < 10.0:
        return 6.0
    if 10.0 <= duty <= 85.0:
        return duty * 0.6
    if 85.0 < duty <= 96.0:
        return (duty - 64.0) * 2.5
    if 96.0 < duty <= 97.0:
        return 80.0
    return None


class VehicleCoupler(Protocol):
    """Put the cable into the station and the vehicle, and take it out."""

    @abstractmethod
    async def plug_in(self, connector: int) -> None:
        """Plug the cable in at both ends; the vehicle is connected but asks for no energy yet."""

    @abstractmethod
    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Take the cable out at the vehicle, at the station, or at both ends."""

    @abstractmethod
    async def is_plugged_in(self, connector: int) -> bool:
        """Tell whether the vehicle end is plugged in."""


class VehicleEmulator(Protocol):
    """Act as the vehicle on the control pilot."""

    @abstractmethod
    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Ask for energy (state C), or for energy and `ventilation` (state D).

        Draw at most `current` A per phase, as offered when None. Raises `Unverifiable` for what the
        device has no means to show.
        """

    @abstractmethod
    async def suspend(self, connector: int) -> None:
        """Stop asking for energy but stay connected (state B)."""

    @abstractmethod
    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Apply one fault to the pilot circuit, or remove all with `PilotFault.NONE`."""

    @abstractmethod
    async def read_pilot(self, connector: int) -> PilotReading:
        """Measure the control pilot; raises `Unverifiable` when the device has no means to."""
