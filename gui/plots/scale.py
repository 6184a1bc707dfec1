"""Round numbers for axes, and values as people read them."""

from __future__ import annotations

import math

from bench.clock import spoken

STEPS = (1, 2, 5, 10)
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
PREFIXED = ("W", "Wh", "V", "A", "s")
"""Units before which prefixes stand."""


def step_of(span: float, count: float) -> float:
    """Return a round step that divides a span into about `count` parts."""
    if not span > 0:
        return 1.0
    rough = span / max(1.0, count)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * 0.999)


def time_step(span: float, count: float) -> float:
    """Return a step for times: as `step_of`, but from seconds on in parts of the clock."""
    rough = span / max(1.0, count)
    if rough <= 1:
        return step_of(span, count)
    return float(next((step for step in TIME_STEPS if step >= rough), TIME_STEPS[-1]))


def limits(low: float, high: float) -> tuple[float, float]:
    """Widen a range of values to round numbers, so that a plot rarely changes its scale."""
    if not low <= high:
        return 0.0, 1.0
    middle = (low + high) / 2
    least = max(abs(middle) * 0.02, 1e-3)
    if high - low < least:
        low, high = middle - least / 2, middle + least / 2
    margin = (high - low) * 0.06
    step = step_of(high - low, 4)
    return math.floor((low - margin) / step) * step, math.ceil((high + margin) / step) * step


def prefix(largest: float, unit: str) -> tuple[float, str]:
    """Return by what to divide values, and the unit that they then have."""
    if unit not in PREFIXED or not math.isfinite(largest):
        return 1.0, unit
    if largest >= 1000:
        return 1000.0, f"k{unit}"
    if 0 < largest < 0.5 and unit != "Wh":
        return 0.001, f"m{unit}"
    return 1.0, unit


def plain(value: float, step: float) -> str:
    """Write a value with the decimals that a step asks for."""
    if not math.isfinite(value):
        return "–"
    decimals = min(9, max(0, -math.floor(math.log10(step) + 1e-9)))
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def spelled(value: float, unit: str) -> str:
    """Write a value with its unit, in four digits."""
    if not math.isfinite(value):
        return "–"
    divisor, named = prefix(abs(value), unit)
    size = abs(value / divisor)
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{plain(value / divisor, 10.0**-decimals)} {named}"


def time_text(seconds: float, step: float) -> str:
    """Write a time since the run began, with the decimals that a step asks for."""
    if step < 1:
        return f"{plain(seconds, min(1.0, step))} s"
    sign = "−" if seconds < 0 else ""
    whole = round(abs(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{sign}{minutes}:{rest:02d}"
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def distance_text(seconds: float) -> str:
    """Write a span of time, and how often a second it fits."""
    size = abs(seconds)
    text = f"{size * 1000:.3g} ms" if 0 < size < 0.1 else spoken(size)
    return f"{text}  ({spelled_rate(1 / size)})" if 0 < size < 10 else text


def spelled_rate(hertz: float) -> str:
    """Write a frequency."""
    return f"{hertz / 1000:.4g} kHz" if hertz >= 999.95 else f"{hertz:.4g} Hz"
