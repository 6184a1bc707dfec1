"""What was expected of a message beside what came, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.events import Checked
from bench.ocpp.frame import Broken, Call, CallError, CallResult, Frame, shorten
from bench.ocpp.match import (
    CallPattern,
    EitherPattern,
    Pattern,
    ResultPattern,
    distance,
    pattern_from_json,
)
from bench.ocpp.message import at
from bench.ocpp.predicate import ABSENT, Absent, compare, from_json, show


class Mark(StrEnum):
    """How what came stands to what was expected."""

    SAME = "="
    DIFFERENT = "~"
    MISSING = "−"
    UNWANTED = "+"
    UNJUDGED = "·"
    """A field that the expectation says nothing about."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field: its path, the rule it was judged by, the value that came."""

    mark: Mark
    path: str
    expected: str
    received: str

    @property
    def is_equal(self) -> bool:
        """Tell whether it may be hidden: it fits, or nothing was expected of it."""
        return self.mark in (Mark.SAME, Mark.UNJUDGED)


def differences(check: Checked, frame: Frame | None) -> list[Line]:
    """Compare what a check expected with the frame it was judged by, None when none came."""
    rule = check.rule
    pattern = rule.get("pattern")
    match rule.get("rule"):
        case "expect" | "answer" if pattern is not None:
            return _against(pattern_from_json(pattern), frame)
        case "none" | "forbid" if pattern is not None and frame is not None:
            forbidden = pattern_from_json(pattern)
            unwanted = Line(Mark.UNWANTED, "message", f"no {forbidden}", _name(frame))
            return [unwanted, *_fields(_nearest(forbidden, frame), frame)]
        case "value":
            source = rule.get("of", {})
            path = source.get("path", check.text)
            expected = from_json(rule["expected"]) if "expected" in rule else None
            if source.get("kind") == "field" and frame is not None and expected is not None:
                value = at(getattr(frame, "payload", {}), path)
                judged = _value(expected, value, path)
                others = _unjudged(getattr(frame, "payload", {}), {path})
                return [*judged, *others]
            return [_by_words(check, path)]
        case _:
            return [_by_words(check, check.text)]


def _by_words(check: Checked, path: str) -> Line:
    fits = check.verdict in ("pass", "none")
    return Line(Mark.SAME if fits else Mark.DIFFERENT, path, check.expected, check.actual)


def _against(pattern: Pattern, frame: Frame | None) -> list[Line]:
    if frame is None:
        missing = Line(Mark.MISSING, "message", str(pattern), "nothing")
        fields = pattern.fields if isinstance(pattern, CallPattern | ResultPattern) else {}
        return [missing, *(Line(Mark.MISSING, k, show(v), "nothing") for k, v in fields.items())]
    nearest = _nearest(pattern, frame)
    has_fields = isinstance(nearest, CallPattern | ResultPattern)
    misses = [one for one in nearest.misses(frame) if one.weight >= 50 or not has_fields]
    name = str(pattern) if isinstance(pattern, EitherPattern) else _short(nearest)
    mark = Mark.DIFFERENT if misses else Mark.SAME
    return [Line(mark, "message", name, _name(frame)), *_fields(nearest, frame)]


def _nearest(pattern: Pattern, frame: Frame) -> Pattern:
    """Return the option of a pattern that a frame comes nearest to."""
    if isinstance(pattern, EitherPattern):
        options = (_nearest(option, frame) for option in pattern.options)
        return min(options, key=lambda option: distance(option.misses(frame)))
    return pattern


def _short(pattern: Pattern) -> str:
    match pattern:
        case CallPattern(action):
            return f"CALL {action}"
        case ResultPattern():
            return "CALLRESULT"
        case _:
            return str(pattern)


def _name(frame: Frame) -> str:
    match frame:
        case Call(_, action):
            return f"CALL {action}"
        case CallResult():
            return "CALLRESULT"
        case CallError(_, code, description):
            return f"CALLERROR {code} {description}".rstrip()
        case Broken(reason):
            return f"a broken frame: {reason}"


def _fields(pattern: Pattern, frame: Frame) -> list[Line]:
    """Compare the payload, if the frame is of the kind whose payload the pattern describes."""
    payload = getattr(frame, "payload", None)
    if payload is None:
        return []
    fits = not any(miss.weight >= 50 for miss in pattern.misses(frame))
    if not fits or not isinstance(pattern, CallPattern | ResultPattern):
        return _unjudged(payload, set())
    return [line for key in pattern.fields for line in _field(pattern, payload, key)] + _unjudged(
        payload, set(pattern.fields)
    )


def _field(pattern: CallPattern | ResultPattern, payload: Any, key: str) -> Iterator[Line]:
    yield from _value(pattern.fields[key], payload.get(key, ABSENT), key)


def _value(expected: Any, value: Any, path: str) -> Iterator[Line]:
    """Compare a value with a rule: objects and lists part by part, all else as one."""
    if isinstance(expected, Mapping) and isinstance(value, Mapping):
        for key, part in expected.items():
            yield from _value(part, value.get(key, ABSENT), f"{path}.{key}")
        yield from _unjudged(value, set(expected), path)
    elif isinstance(expected, list | tuple) and isinstance(value, list):
        for index in range(max(len(expected), len(value))):
            here = f"{path}[{index}]"
            part = value[index] if index < len(value) else ABSENT
            if index >= len(expected):
                yield Line(Mark.UNWANTED, here, "no such element", shorten(part))
            else:
                yield from _value(expected[index], part, here)
    else:
        yield Line(_mark(expected, value, path), path, show(expected), show(value))


def _mark(expected: Any, value: Any, path: str) -> Mark:
    if not compare(expected, value, path):
        return Mark.SAME
    if value is ABSENT:
        return Mark.MISSING
    return Mark.UNWANTED if isinstance(expected, Absent) else Mark.DIFFERENT


def _unjudged(payload: Any, judged: set[str], path: str = "") -> list[Line]:
    if not isinstance(payload, Mapping):
        return []
    tops = {name.partition(".")[0].partition("[")[0] for name in judged}
    return [
        Line(Mark.UNJUDGED, f"{path}.{key}" if path else key, "", shorten(value))
        for key, value in payload.items()
        if key not in tops
    ]
