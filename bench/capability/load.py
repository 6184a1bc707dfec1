"""What a test needs of a load that takes energy from the DUT."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from bench.metrology import Quantity


@dataclass(frozen=True, slots=True)
class LoadReading:
    """What a load takes now."""

    voltage: Quantity
    """At its terminals in V."""
    current: Quantity
    """In A, positive out of the DUT; per phase for an AC load."""
    power: Quantity
    """In W, positive out of the DUT."""


class Load(Protocol):
    """Take energy from the DUT, as the battery of a vehicle does."""

    @abstractmethod
    async def draw(self, *, current: float) -> None:
        """Draw up to `current` A; returns when the load reads back that it is on with it.

        The DUT may give less. Raises `ValueError` when the load is not made for that current.
        """

    @abstractmethod
    async def release(self) -> None:
        """Draw nothing; returns when the load reads back that it is off."""

    @abstractmethod
    async def is_drawing(self) -> bool:
        """Read back whether the load is on."""

    @abstractmethod
    async def read(self) -> LoadReading:
        """Measure what the load takes."""
