"""What a calibration needs of a digital multimeter."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from bench.metrology import Quantity


class Multimeter(Protocol):
    """Measure one quantity at the terminals, with its standard uncertainty.

    `at_most` is the largest value that is expected, and chooses the range; without it the
    instrument does. Raises `Unverifiable` when the value is beyond the range, and `ValueError` when
    `at_most` is beyond what the instrument has.
    """

    @abstractmethod
    async def measure_dc_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Measure the mean voltage in V."""

    @abstractmethod
    async def measure_ac_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Measure the effective value of the alternating voltage in V."""

    @abstractmethod
    async def measure_resistance(self, *, at_most: float | None = None) -> Quantity:
        """Measure resistance in Ω, by four wires where the instrument has them."""

    @abstractmethod
    async def measure_frequency(self) -> Quantity:
        """Measure the frequency of an alternating voltage in Hz."""
