"""Values with their units and uncertainties, and limits with their decision rule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value: number, SI unit, standard uncertainty (GUM, k = 1) if known."""

    value: float
    unit: str
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A tolerance interval with simple acceptance (ILAC-G8:09/2019 clause 4.2.1, no guard band)."""

    low: float | None = None
    high: float | None = None

    def accepts(self, quantity: Quantity) -> bool:
        """Tell whether the value lies within the interval, edges included."""
        if self.low is not None and quantity.value < self.low:
            return False
        return self.high is None or quantity.value <= self.high

    def __str__(self) -> str:
        low = "-∞" if self.low is None else f"{self.low:g}"
        high = "∞" if self.high is None else f"{self.high:g}"
        return f"{low} … {high}"
