"""Say messages and misses in words, for verdicts that explain themselves."""

from __future__ import annotations

from bench.ocpp.frame import Broken, Call, CallError
from bench.ocpp.match import CallPattern, Pattern, distance, result
from bench.ocpp.message import Received


def describe(message: Received) -> str:
    """Say a message in one short text with its record."""
    frame = message.frame
    if isinstance(frame, Broken):
        return f"a broken frame ({frame.reason}, record {message.n})"
    if isinstance(frame, Call):
        return f"{CallPattern(frame.action, frame.payload)} (record {message.n})"
    if isinstance(frame, CallError):
        return f"CALLERROR {frame.code} (record {message.n})"
    return f"{result(**frame.payload)} (record {message.n})"


def explain(pattern: Pattern, nearest: Received | None, wait: float) -> str:
    """Say in one sentence what was expected and what came nearest to it."""
    missing = f"{pattern} did not come within {wait:g} s"
    if nearest is None:
        return f"{missing}; no other message came"
    misses = pattern.misses(nearest.frame)
    if isinstance(nearest.frame, Call) and distance(misses) < 50:
        what = " and ".join(map(str, misses)) or "came too late"
        return f"{nearest.frame.action}: {what} (record {nearest.n}); {missing}"
    return f"{missing}; nearest was {describe(nearest)}"


def name_of(pattern: Pattern) -> str:
    """Name a pattern in a few words: its action alone, if it is one."""
    if isinstance(pattern, CallPattern):
        return pattern.action
    return str(pattern)
