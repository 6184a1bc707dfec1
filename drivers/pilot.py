"""What the levels and the duty cycle of a control pilot mean (IEC 61851-1 Annex A)."""

from __future__ import annotations

_LEVELS = (("A", 12.0), ("B", 9.0), ("C", 6.0), ("D", 3.0), ("E", 0.0), ("F", -12.0))
"""Nominal high level in V of each state, with a tolerance of 1 V (IEC 61851-1 table A.3)."""


def state_of(high: float) -> str | None:
    """Tell the pilot state of a high level in V, None between two states."""
    for letter, level in _LEVELS:
        if abs(high - level) <= 1.0:
            return letter
    return None


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
