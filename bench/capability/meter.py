"""What a test needs of an energy meter."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from bench.metrology import Quantity


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One reading of an AC meter; per-phase values are L1, L2, L3 or L1 alone."""

    voltage: tuple[Quantity, ...]
    """Phase to neutral in V."""
    current: tuple[Quantity, ...]
    """Per phase in A."""
    power: Quantity
    """Total active power in W, import positive."""
    energy_import: Quantity
    """Imported active energy register in Wh."""
    temperature: Quantity | None = None
    """In °C, where the meter has its sensor; None when it has none."""


class PowerMeter(Protocol):
    """Measure what flows into the DUT or out of it."""

    @abstractmethod
    async def read(self) -> MeterReading:
        """Read all quantities once."""
