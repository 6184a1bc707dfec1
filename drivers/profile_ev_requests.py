"""What a profile may ask of an EV emulator: Modbus writes, lines of text, HTTP requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from drivers.profile_header import ValueType, WordOrder, check_range

CURRENT = "{current}"
"""Stands in a request of `draw` for the current in A."""


Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `least` to `most`."""

    least: float
    most: float

    def __post_init__(self) -> None:
        if not self.least <= self.most:
            raise ValueError(f"'least' is {self.least:g}, more than 'most' {self.most:g}")

    def __str__(self) -> str:
        return f"{self.least:g} to {self.most:g}"


Shown = str | int | float | bool | Range


# Modbus


@dataclass(frozen=True, slots=True)
class ModbusLine:
    """Table `[modbus]`: what holds for every register."""

    unit: int = 1
    words: WordOrder = "high-first"

    def __post_init__(self) -> None:
        check_range("unit", self.unit, 1, 247)


@dataclass(frozen=True, slots=True)
class ModbusWrite:
    """Write one coil (true, false) or one number, `value` / `scale`, to holding registers."""

    table: Literal["coil", "holding"]
    address: int
    """Zero-based, on the wire."""
    value: bool | int | float | str
    """`"{current}"` writes the current in A."""
    type: ValueType = "u16"
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_range("address", self.address, 0, 65535)
        _check_scale(self.scale)
        if (self.table == "coil") is not isinstance(self.value, bool):
            expected = "true or false" if self.table == "coil" else "a number"
            raise ValueError(f"'value' is {self.value!r} for a {self.table}, expected {expected}")
        if isinstance(self.value, str) and self.value != CURRENT:
            raise ValueError(f"'value' is {self.value!r}, expected a number or {CURRENT!r}")


@dataclass(frozen=True, slots=True)
class ModbusSignal:
    """Read one coil, one number (register × `scale`), or a text of `count` registers."""

    table: Literal["coil", "holding", "input"]
    address: int
    type: ValueType | Literal["text"] = "u16"
    scale: float = 1.0
    count: int = 1

    def __post_init__(self) -> None:
        check_range("address", self.address, 0, 65535)
        check_range("count", self.count, 1, 60)
        _check_scale(self.scale)


@dataclass(frozen=True, slots=True)
class ModbusAction:
    """Writes in order, and the signals that show the outcome."""

    steps: tuple[ModbusWrite, ...] = ()
    shows: Mapping[str, Shown] = field(default_factory=dict)
    unconfirmed: bool = False
    within: float = 0.8


# Lines of text: SCPI and the like


@dataclass(frozen=True, slots=True)
class LineText:
    """Table `[lines]`: what holds for every line."""

    ends: str = "\n"
    """What ends a line in both directions; white space around an answer does not count."""
    answer_within: float = 0.5
    """Deadline in s for one answer."""
    ignore: str = ""
    """Regular expression for whole lines that the emulator sends unasked."""

    def __post_init__(self) -> None:
        if not self.ends or not self.ends.isascii():
            raise ValueError(f"'ends' is {self.ends!r}, expected ASCII characters")
        check_seconds("answer_within", self.answer_within, 10)
        check_pattern("ignore", self.ignore)


@dataclass(frozen=True, slots=True)
class LineStep:
    """Send one line; with `expect`, read one whose whole text is of that expression."""

    send: str
    expect: str = ""

    def __post_init__(self) -> None:
        _check_ascii("send", self.send)
        check_pattern("expect", self.expect)


@dataclass(frozen=True, slots=True)
class LineSignal:
    """Send one line and read one; the value is the group of `pattern`, times `scale`."""

    send: str
    pattern: str = "(.*)"
    scale: float | None = None
    """None keeps the text."""

    def __post_init__(self) -> None:
        _check_ascii("send", self.send)
        check_pattern("pattern", self.pattern)
        if re.compile(self.pattern).groups != 1:
            raise ValueError(f"'pattern' is {self.pattern!r}, expected one group in ( )")
        _check_scale(1.0 if self.scale is None else self.scale)


@dataclass(frozen=True, slots=True)
class LineAction:
    """Lines in order, and the signals that show the outcome."""

    steps: tuple[LineStep, ...] = ()
    shows: Mapping[str, Shown] = field(default_factory=dict)
    unconfirmed: bool = False
    within: float = 0.8


# HTTP with JSON


@dataclass(frozen=True, slots=True)
class HttpStep:
    """Send one request; it must be answered with a 2xx status and JSON."""

    path: str
    method: Literal["GET", "POST"] = "POST"
    json: Any = None
    """Body of a POST; the text `"{current}"` in it becomes the number."""

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.method == "GET" and self.json is not None:
            raise ValueError("'json' is given for a GET, which has no body")


@dataclass(frozen=True, slots=True)
class HttpSignal:
    """GET a path and take the value at a JSON pointer (RFC 6901), times `scale`."""

    path: str
    pointer: str = ""
    scale: float | None = None
    """None keeps the value as it is."""

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.pointer and not self.pointer.startswith("/"):
            raise ValueError(f"'pointer' is {self.pointer!r}, expected it to begin with /")
        _check_scale(1.0 if self.scale is None else self.scale)


@dataclass(frozen=True, slots=True)
class HttpAction:
    """Requests in order, and the signals that show the outcome."""

    steps: tuple[HttpStep, ...] = ()
    shows: Mapping[str, Shown] = field(default_factory=dict)
    unconfirmed: bool = False
    within: float = 0.8


Step = ModbusWrite | LineStep | HttpStep
Signal = ModbusSignal | LineSignal | HttpSignal
Action = ModbusAction | LineAction | HttpAction


def uses_current(action: Action) -> bool:
    """Tell whether the steps of an action say how much current to draw."""
    return any(CURRENT in repr(step) for step in action.steps)


def _check_scale(scale: float) -> None:
    if scale == 0:
        raise ValueError("'scale' is 0")


def check_seconds(key: str, seconds: float, most: float) -> None:
    """Raise ValueError when a deadline is out of its range."""
    if not 0 < seconds <= most:
        raise ValueError(f"{key!r} is {seconds:g}, expected more than 0 and at most {most:g} s")


def _check_ascii(key: str, text: str) -> None:
    if not text or not text.isascii():
        raise ValueError(f"{key!r} is {text!r}, expected ASCII characters")


def check_path(path: str) -> None:
    """Raise ValueError when a text is no path of a request."""
    if not path.startswith("/"):
        raise ValueError(f"'path' is {path!r}, expected it to begin with /")


def check_pattern(key: str, pattern: str) -> None:
    """Raise ValueError when a text is no regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{key!r} is {pattern!r}, no regular expression: {error}") from error
