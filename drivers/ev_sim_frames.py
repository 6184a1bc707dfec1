"""Status frames of the open serial EV simulator `ev_sim`, of both firmware builds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.pilot import state_of

HALF = 0.5
WHOLE = 1.0
"""Period of the frames in s: of the two firmware builds, and of the README."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One status frame: the state that is applied, and the pilot as it was since the last one."""

    state: str
    high: float
    """V."""
    low: float
    """V."""
    duty: float
    """Percent; 100 without PWM."""
    frequency: float
    """Hz; 0 without PWM."""
    period: float
    """Seconds from frame to frame."""

    @property
    def settled(self) -> bool:
        """Tell whether the pilot was in one state all the time, as far as the numbers show."""
        steady = self.frequency == 0 or 950 <= self.frequency <= 1050
        return steady and state_of(self.high) is not None


_STATE = re.compile(rb'\bstate\s*[:=]\s*("?)([A-D])\1\s*,')
_NUMBER = re.compile(rb"\b([a-z_]+)\s*[:=]\s*(-?\d+(?:\.\d+)?)(?=\s*[,}])")

_COUNTS = {"state_changes", "low_count", "high_count"}


def parse(text: bytes) -> Frame | None:
    """Read a status frame of any form, None when it is none or a damaged one.

    It is not JSON: no key is quoted, and the README has `=` where the firmware has `:`. A voltage
    between -1 and 0 V loses its sign in the firmware: what is less than 1 V counts as 0.
    """
    text = text[text.rfind(b"{") :]
    state = _STATE.search(text)
    values = {key.decode(): float(number) for key, number in _NUMBER.findall(text)}
    if state is None or not text.startswith(b"{"):
        return None
    if values.keys() == _COUNTS | {"low_adc", "high_adc"}:
        low, high = ((values[key] - 556) * 0.032 for key in ("low_adc", "high_adc"))
        period = WHOLE
    elif values.keys() == _COUNTS | {"min_volts", "max_volts"}:
        low, high = values["min_volts"], values["max_volts"]
        period = HALF
    else:
        return None
    if not -15 <= low <= high <= 15:
        return None
    low, high = (0.0 if abs(volts) < 1 else round(volts, 3) for volts in (low, high))
    total = values["low_count"] + values["high_count"]
    # Every cycle of the pilot has two edges.
    frequency = values["state_changes"] / 2 / period
    if not frequency or not total:
        return Frame(state[2].decode(), high, high, 100.0, 0.0, period)
    duty = 100 * values["high_count"] / total
    return Frame(state[2].decode(), high, low, duty, frequency, period)
