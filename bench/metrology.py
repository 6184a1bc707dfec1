"""Values with their units and uncertainties, and limits with their decision rule."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value: number, SI unit, standard uncertainty (GUM, k = 1) if known."""

    value: float
    unit: str
    uncertainty: float | None = None


def within_limits(error: float) -> float:
    """Make the standard uncertainty of what is known to lie within ± `error` (GUM 4.3.7)."""
    return error / math.sqrt(3)


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
