"""Patterns over frames: data that match, explain a miss, and can be written down and read back."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.ocpp.frame import Call, CallError, CallResult, Frame, shorten

ABSENT = object()
"""Stands for a field that is not there."""


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


_PREDICATES = (AnyOf, Between, Absent, Present, Matching, Containing, NotEqual)

absent = Absent()
present = Present()


def any_of(*options: Any) -> AnyOf:
    """Accept one of several values; `absent` may be among them."""
    return AnyOf(options)


def between(low: float | None, high: float | None) -> Between:
    """Accept a number from `low` to `high`."""
    return Between(low, high)


def matching(expression: str) -> Matching:
    """Accept a text that the regular expression matches as a whole, letter case aside."""
    return Matching(expression)


def containing(*items: Any) -> Containing:
    """Accept a list that holds an element for each item."""
    return Containing(items)


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
            case "$not":
                return NotEqual(from_json(argument))
            case _ if key.startswith("$"):
                raise ValueError(f"unknown predicate {key}")
    return {key: from_json(part) for key, part in value.items()}


@dataclass(frozen=True, slots=True)
class CallPattern:
    """A CALL with an action and a payload that has at least these fields."""

    action: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def misses(self, frame: Frame) -> list[Mismatch]:
        """Say how a frame misses the pattern; empty when it matches."""
        if not isinstance(frame, Call):
            return [Mismatch("message", self.action, type(frame).__name__.upper(), 100)]
        if frame.action != self.action:
            return [Mismatch("message", self.action, frame.action, 50)]
        return compare(self.fields, frame.payload, "")

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((self, other))

    def __str__(self) -> str:
        return f"{self.action}({_arguments(self.fields)})"

    def to_json(self) -> dict[str, Any]:
        """Write as data."""
        return {"call": self.action, "fields": to_json(self.fields)}


@dataclass(frozen=True, slots=True)
class ResultPattern:
    """A CALLRESULT whose payload has at least these fields."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def misses(self, frame: Frame) -> list[Mismatch]:
        """Say how a frame misses the pattern; empty when it matches."""
        if isinstance(frame, CallError):
            text = f"CALLERROR {frame.code} {frame.description}".rstrip()
            return [Mismatch("answer", str(self), text, 50)]
        if not isinstance(frame, CallResult):
            return [Mismatch("answer", str(self), type(frame).__name__.upper(), 100)]
        return compare(self.fields, frame.payload, "")

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((self, other))

    def __str__(self) -> str:
        return f"CALLRESULT({_arguments(self.fields)})"

    def to_json(self) -> dict[str, Any]:
        """Write as data."""
        return {"result": to_json(self.fields)}


@dataclass(frozen=True, slots=True)
class ErrorPattern:
    """A CALLERROR with one of these codes."""

    codes: tuple[str, ...]

    def misses(self, frame: Frame) -> list[Mismatch]:
        """Say how a frame misses the pattern; empty when it matches."""
        if not isinstance(frame, CallError):
            actual = f"CALLRESULT({_arguments(getattr(frame, 'payload', {}))})"
            return [Mismatch("answer", str(self), actual, 50)]
        return [] if frame.code in self.codes else [Mismatch("error code", str(self), frame.code)]

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((self, other))

    def __str__(self) -> str:
        return "CALLERROR " + " or ".join(self.codes)

    def to_json(self) -> dict[str, Any]:
        """Write as data."""
        return {"error": list(self.codes)}


@dataclass(frozen=True, slots=True)
class EitherPattern:
    """One of several patterns."""

    options: tuple[Pattern, ...]

    def misses(self, frame: Frame) -> list[Mismatch]:
        """Say how a frame misses the nearest of the options; empty when one matches."""
        return min((option.misses(frame) for option in self.options), key=distance)

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((*self.options, other))

    def __str__(self) -> str:
        return " or ".join(map(str, self.options))

    def to_json(self) -> dict[str, Any]:
        """Write as data."""
        return {"either": [option.to_json() for option in self.options]}


@dataclass(frozen=True, slots=True)
class OtherCallPattern:
    """A CALL with any action but these."""

    actions: tuple[str, ...]

    def misses(self, frame: Frame) -> list[Mismatch]:
        """Say how a frame misses the pattern; empty when it matches."""
        if not isinstance(frame, Call):
            return [Mismatch("message", str(self), type(frame).__name__.upper(), 100)]
        if frame.action in self.actions:
            return [Mismatch("message", str(self), frame.action, 50)]
        return []

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((self, other))

    def __str__(self) -> str:
        return "CALL other than " + " or ".join(self.actions)

    def to_json(self) -> dict[str, Any]:
        """Write as data."""
        return {"call other than": list(self.actions)}


Pattern = CallPattern | ResultPattern | ErrorPattern | EitherPattern | OtherCallPattern


def distance(misses: list[Mismatch]) -> int:
    """Tell how far away a frame is; 0 is a match."""
    return sum(miss.weight for miss in misses)


def pattern_from_json(value: Mapping[str, Any]) -> Pattern:
    """Read back what a pattern's `to_json` wrote."""
    if "call" in value:
        return CallPattern(value["call"], from_json(value.get("fields", {})))
    if "result" in value:
        return ResultPattern(from_json(value["result"]))
    if "error" in value:
        return ErrorPattern(tuple(value["error"]))
    if "call other than" in value:
        return OtherCallPattern(tuple(value["call other than"]))
    return EitherPattern(tuple(pattern_from_json(option) for option in value["either"]))


def result(**fields: Any) -> ResultPattern:
    """Expect a CALLRESULT whose payload has at least these fields."""
    return ResultPattern(fields)


def error(*codes: str) -> ErrorPattern:
    """Expect a CALLERROR with one of these codes."""
    return ErrorPattern(codes)


def call_other_than(*actions: str) -> OtherCallPattern:
    """Expect, or rather forbid, a CALL with any action but these."""
    return OtherCallPattern(actions)


def _arguments(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={show(value)}" for key, value in fields.items())
