"""What a check of the bench's own plug needs: a charging controller that is known to be right."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EvseReading:
    """What the controller of a reference EVSE sees and does."""

    state: str
    """Pilot state A to F that it senses (IEC 61851-1 table A.3)."""
    pwm: bool
    """Whether it modulates the pilot (the suffix 2 of x2)."""
    duty: float
    """Duty cycle in percent that it makes, 100 without PWM."""
    cable: float | None
    """Current in A that the proximity contact codes; None: no plug, or none that it knows."""


class ReferenceEvse(Protocol):
    """Act as a charging station whose behaviour is known, in place of the DUT."""

    @abstractmethod
    async def offer(self, *, current: float) -> None:
        """Let a vehicle charge with up to `current` A per phase, 6 to 80; returns when set."""

    @abstractmethod
    async def withdraw(self) -> None:
        """Offer nothing; returns when that reads back."""

    @abstractmethod
    async def read(self) -> EvseReading:
        """Read once what the controller sees; `Unverifiable` when it tells none of A to F."""
