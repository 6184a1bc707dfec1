"""Predicates on values of a payload: data that match, explain a miss, and can be written down."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bench.ocpp.frame import shorten

ABSENT = object()
"""Stands for a field that is not there."""

CASELESS = frozenset({"idTag", "parentIdTag", "key"})
"""Fields that hold the same whatever their letter case (OCPP 1.6 ed. 2 clauses 7.17, 7.28)."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which a frame misses a pattern."""

    path: str
    expected: str
    actual: str
    weight: int = 1
    """How far away this makes the frame; a wrong action weighs most."""

    def __str__(self) -> str:
        return f"{self.path} expected {self.expected}, came {self.actual}"


class Predicate(Protocol):
    """A condition on one value of a payload."""

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Tell whether the value (or `ABSENT`) satisfies the condition."""

    @abstractmethod
    def __str__(self) -> str:
        """Say what is expected, as in "one of A, B"."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Write the predicate as `{"$name": arguments}`."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of several values, or of several predicates."""

    options: tuple[Any, ...]

    def accepts(self, value: Any) -> bool:
        """Compare with each option."""
        return any(not compare(option, value, "") for option in self.options)

    def __str__(self) -> str:
        return " or ".join(show(option) for option in self.options)

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$any_of": [...]}`."""
        return {"$any_of": [to_json(option) for option in self.options]}


@dataclass(frozen=True, slots=True)
class Between:
    """A number within an interval, edges included; None leaves a side open."""

    low: float | None
    high: float | None

    def accepts(self, value: Any) -> bool:
        """Compare numerically; a value that is no number is refused."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.low is not None and value < self.low:
            return False
        return self.high is None or value <= self.high

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "a number"
        if self.low is None:
            return f"at most {self.high:.6g}"
        if self.high is None:
            return f"at least {self.low:.6g}"
        return f"{self.low:.6g} to {self.high:.6g}"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$between": [low, high]}`."""
        return {"$between": [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Absent:
    """The field is not there."""

    def accepts(self, value: Any) -> bool:
        """Accept only a missing field."""
        return value is ABSENT

    def __str__(self) -> str:
        return "no such field"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$absent": true}`."""
        return {"$absent": True}


@dataclass(frozen=True, slots=True)
class Present:
    """The field is there, whatever its value."""

    def accepts(self, value: Any) -> bool:
        """Accept all but a missing field."""
        return value is not ABSENT

    def __str__(self) -> str:
        return "any value"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$present": true}`."""
        return {"$present": True}


@dataclass(frozen=True, slots=True)
class Matching:
    """A text that a regular expression matches as a whole, letter case aside."""

    expression: str

    def accepts(self, value: Any) -> bool:
        """Match texts only."""
        return isinstance(value, str) and bool(re.fullmatch(self.expression, value, re.IGNORECASE))

    def __str__(self) -> str:
        return f"text like /{self.expression}/"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$matching": expression}`."""
        return {"$matching": self.expression}


@dataclass(frozen=True, slots=True)
class Containing:
    """A list with an element for each of several patterns, in any order."""

    items: tuple[Any, ...]

    def accepts(self, value: Any) -> bool:
        """Look for an element for each item."""
        return isinstance(value, list) and all(
            any(not compare(item, element, "") for element in value) for item in self.items
        )

    def __str__(self) -> str:
        return "a list with " + " and ".join(show(item) for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$containing": [...]}`."""
        return {"$containing": [to_json(item) for item in self.items]}


@dataclass(frozen=True, slots=True)
class Only:
    """A list in which every element fits one pattern."""

    item: Any

    def accepts(self, value: Any) -> bool:
        """Compare each element; an empty list is refused."""
        return (
            isinstance(value, list)
            and bool(value)
            and all(not compare(self.item, element, "") for element in value)
        )

    def __str__(self) -> str:
        return f"only {show(self.item)}"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$only": item}`."""
        return {"$only": to_json(self.item)}


@dataclass(frozen=True, slots=True)
class NotEqual:
    """Any value but one; a missing field is accepted."""

    value: Any

    def accepts(self, value: Any) -> bool:
        """Compare and negate."""
        return bool(compare(self.value, value, ""))

    def __str__(self) -> str:
        return f"anything but {show(self.value)}"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$not": value}`."""
        return {"$not": to_json(self.value)}


@dataclass(frozen=True, slots=True)
class Numeral:
    """A text that writes a whole number within an interval; None leaves a side open."""

    low: int | None
    high: int | None

    def accepts(self, value: Any) -> bool:
        """Read texts only."""
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
            return False
        return Between(self.low, self.high).accepts(int(value))

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "a whole number as text"
        if self.low is not None and self.low == self.high:
            return f'"{self.low}"'
        return f"{Between(self.low, self.high)} as text"

    def to_json(self) -> dict[str, Any]:
        """Write as `{"$numeral": [low, high]}`."""
        return {"$numeral": [self.low, self.high]}


_PREDICATES = (AnyOf, Between, Absent, Present, Matching, Containing, Only, NotEqual, Numeral)

absent = Absent()
present = Present()


def any_of(*options: Any) -> AnyOf:
    """Accept one of several values; `absent` may be among them."""
    return AnyOf(options)


def between(low: float | None, high: float | None) -> Between:
    """Accept a number from `low` to `high`."""
    return Between(low, high)


def numeral(low: int | None, high: int | None) -> Numeral:
    """Accept a text that writes a whole number from `low` to `high`, as configuration keys do."""
    return Numeral(low, high)


def matching(expression: str) -> Matching:
    """Accept a text that the regular expression matches as a whole, letter case aside."""
    return Matching(expression)


def containing(*items: Any) -> Containing:
    """Accept a list that holds an element for each item."""
    return Containing(items)


def only(item: Any) -> Only:
    """Accept a list whose elements all fit `item`."""
    return Only(item)


def compare(expected: Any, actual: Any, path: str) -> list[Mismatch]:
    """Compare a value with what is expected: objects by subset, lists element by element."""
    if isinstance(expected, _PREDICATES):
        if expected.accepts(actual):
            return []
        return [Mismatch(path, str(expected), show(actual))]
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return [Mismatch(path, show(expected), show(actual))]
        found: list[Mismatch] = []
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else key
            found += compare(value, actual.get(key, ABSENT), inner)
        return found
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [Mismatch(path, show(expected), show(actual))]
        pairs = zip(expected, actual, strict=True)
        return [m for i, (e, a) in enumerate(pairs) for m in compare(e, a, f"{path}[{i}]")]
    if type(expected) is bool or type(actual) is bool:
        same = expected is actual
    elif path.rpartition(".")[2] in CASELESS and isinstance(expected, str):
        same = isinstance(actual, str) and expected.casefold() == actual.casefold()
    else:
        same = bool(expected == actual)
    return [] if same else [Mismatch(path, show(expected), show(actual))]


def show(value: Any) -> str:
    """Say a value or predicate in one short text."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, _PREDICATES):
        return str(value)
    if isinstance(value, Mapping) and _has_predicates(value):
        return "{" + ", ".join(f"{key}={show(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple) and _has_predicates(value):
        return "[" + ", ".join(map(show, value)) + "]"
    return shorten(to_json(value), 120)


def _has_predicates(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_predicates, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_predicates, value))
    return isinstance(value, _PREDICATES)


def to_json(value: Any) -> Any:
    """Write a value with predicates in it as plain JSON."""
    if value is ABSENT:
        return absent.to_json()
    if isinstance(value, _PREDICATES):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    return value


def from_json(value: Any) -> Any:
    """Read back what `to_json` wrote."""
    if isinstance(value, list):
        return [from_json(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, argument), *_ = value.items()
        match key:
            case "$any_of":
                return AnyOf(tuple(from_json(part) for part in argument))
            case "$between":
                return Between(*argument)
            case "$absent":
                return absent
            case "$present":
                return present
            case "$matching":
                return Matching(argument)
            case "$containing":
                return Containing(tuple(from_json(part) for part in argument))
            case "$numeral":
                return Numeral(*argument)
            case "$only":
                return Only(from_json(argument))
            case "$not":
                return NotEqual(from_json(argument))
            case _ if key.startswith("$"):
                raise ValueError(f"unknown predicate {key}")
    return {key: from_json(part) for key, part in value.items()}
