"""What every device profile has: its header, and the check of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TYPES = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q"}
"""Value types and their `struct` letters."""

ValueType = Literal["u16", "i16", "u32", "i32", "f32", "u64", "i64"]
WordOrder = Literal["high-first", "low-first"]


@dataclass(frozen=True, slots=True)
class Header:
    """Table `[profile]`: what the file describes."""

    kind: str
    """Which driver reads it, and how, for example `pilot-box`, `register-meter` or `ev-lines`."""
    name: str
    maker: str
    model: str
    source: str = ""
    """Where the map comes from."""


def check_range(key: str, value: int, low: int, high: int) -> None:
    """Raise ValueError when a number is out of its range."""
    if not low <= value <= high:
        raise ValueError(f"{key!r} is {value}, expected {low} to {high}")
