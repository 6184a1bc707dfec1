"""Patterns over frames: data that match, explain a miss, and can be written down and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.ocpp.frame import Call, CallError, CallResult, Frame
from bench.ocpp.predicate import Mismatch, compare, from_json, show, to_json


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
        if not self.codes or frame.code in self.codes:
            return []
        return [Mismatch("error code", str(self), frame.code)]

    def __or__(self, other: Pattern) -> EitherPattern:
        return EitherPattern((self, other))

    def __str__(self) -> str:
        return f"CALLERROR {' or '.join(self.codes)}".rstrip()

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
    """Expect a CALLERROR with one of these codes, with any when none is named."""
    return ErrorPattern(codes)


def call_other_than(*actions: str) -> OtherCallPattern:
    """Expect, or rather forbid, a CALL with any action but these."""
    return OtherCallPattern(actions)


def _arguments(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={show(value)}" for key, value in fields.items())
