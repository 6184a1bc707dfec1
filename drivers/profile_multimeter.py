"""The profile of a multimeter: its dialect of SCPI, and its accuracy as the data sheet gives it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bench.metrology import within_limits
from drivers.profile_header import Header


@dataclass(frozen=True, slots=True)
class Dialect:
    """Table `[dialect]` of a multimeter."""

    model: str
    """Regular expression for the model in the answer to `*IDN?`."""
    remote: str = ""
    """What takes remote control; nothing when left out."""
    local: str = ""
    """What gives the front panel back; nothing when left out."""
    pause: float = 0.0
    """Seconds that the instrument needs after each setting."""
    reads_within: float = 5.0
    """Deadline of one measurement in s."""
    tests_within: float = 8.0
    """Deadline of the instrument's own test in s."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.model)
        except re.error as error:
            raise ValueError(f"'model' is no regular expression: {error}") from None
        if not 0 <= self.pause <= 1:
            raise ValueError(f"'pause' is {self.pause:g}, expected 0 to 1 s")
        for key in ("reads_within", "tests_within"):
            value = getattr(self, key)
            if not 0 < value <= 60:
                raise ValueError(f"{key!r} is {value:g}, expected more than 0, at most 60 s")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One range, and the limits of error in it: percent of the reading and percent of the range."""

    range: float
    """In the unit of the function."""
    of_reading: float
    of_range: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.range < math.inf:
            raise ValueError(f"'range' is {self.range:g}, expected more than 0")
        for key in ("of_reading", "of_range"):
            value = getattr(self, key)
            if not 0 <= value < 100:
                raise ValueError(f"{key!r} is {value:g}, expected 0 to 100 percent")
        if not self.of_reading + self.of_range:
            raise ValueError("'of_reading' and 'of_range' are both 0: no instrument is exact")

    def uncertainty(self, value: float) -> float:
        """Make the standard uncertainty of a reading."""
        return within_limits((self.of_reading * abs(value) + self.of_range * self.range) / 100)


@dataclass(frozen=True, slots=True)
class Function:
    """How one quantity is measured."""

    configure: str
    """Command; `{range}` stands for the range, or DEF."""
    accuracy: tuple[Accuracy, ...]
    """From the smallest range to the largest."""
    range: str = ""
    """Query of the range in use; left out when there is only one."""

    def __post_init__(self) -> None:
        ranges = [each.range for each in self.accuracy]
        if not ranges or ranges != sorted(set(ranges)):
            raise ValueError("'accuracy' has to go from the smallest range to the largest")
        chosen = "{range}" in self.configure
        if len(ranges) > 1 and not (chosen and self.range):
            raise ValueError("several ranges need '{range}' in 'configure', and a query 'range'")
        if self.configure.replace("{range}", "").count("{"):
            raise ValueError(
                f"'configure' is {self.configure!r}, only {{range}} stands for a value"
            )


@dataclass(frozen=True, slots=True)
class MultimeterProfile:
    """A multimeter that is told lines of SCPI."""

    profile: Header
    dialect: Dialect
    dc_voltage: Function
    """V."""
    ac_voltage: Function
    """V."""
    resistance: Function
    """Ω."""
    frequency: Function
    """Hz."""
