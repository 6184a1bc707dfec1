"""Meter values in messages: which of them are meant, when they were taken, what they must hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.case import Case
from bench.ocpp.message import Observed, Received
from bench.ocpp.predicate import ABSENT, absent, any_of, compare, containing, matching

REGISTER = "Energy.Active.Import.Register"
"""The measurand that no measurand, or an empty list of them, means (clauses 7.31 and 9.1)."""

PERIODIC = any_of("Sample.Periodic", absent)
"""The context of what was sampled at the interval, which it is without context (clause 7.43)."""
CLOCK = "Sample.Clock"
"""The context of what was sampled at an interval of the clock."""

PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
"""OCPP 1.6 ed. 2 clause 7.34."""


def taken(context: Any) -> dict[str, Any]:
    """Match a meter value of which at least one sample has this context."""
    return {"sampledValue": containing({"context": context})}


def moments(message: Received, context: Any) -> Iterator[Observed]:
    """Observe when the meter values with this context of a message were taken."""
    for index in _places(message, context):
        yield message.field(f"meterValue[{index}].timestamp")


def measurands(text: Any) -> list[str]:
    """Read the value of a key that lists measurands; an empty one means the energy register."""
    listed = [] if text is ABSENT else [name.strip() for name in str(text).split(",")]
    return [name for name in listed if name] or [REGISTER]


def check_samples(case: Case, message: Received, context: Any, names: Sequence[str]) -> None:
    """Check that the meter values with this context hold what the measurands `names` ask for.

    Each measurand must be there, each sample must have the context and a number as its value. All
    are looked at before the case ends.
    """
    for index in _places(message, context):
        place = f"meterValue[{index}].sampledValue"
        samples = message.field(place)
        for name in names:
            text = f"MeterValues sampledValue, {name} is there"
            case.check(text, samples, containing(_wanted(name)), fatal=False)
        for number in range(len(samples.value)):
            where = f"{place}[{number}]"
            measurand = message.field(f"{where}.measurand").value
            about = f"MeterValues sampledValue, {REGISTER if measurand is ABSENT else measurand}"
            case.check(f"{about}: context", message.field(f"{where}.context"), context, fatal=False)
            if message.field(f"{where}.format").value in (ABSENT, "Raw"):
                numeral = matching(r"[-+]?\d+(\.\d+)?")
                case.check(f"{about}: value", message.field(f"{where}.value"), numeral, fatal=False)


def _places(message: Received, context: Any) -> Iterator[int]:
    for index, value in enumerate(message["meterValue"]):
        if not compare(taken(context), value, ""):
            yield index


def _wanted(name: str) -> dict[str, Any]:
    """Match a sample of a measurand as a key names it, with or without a phase."""
    measurand, _, phase = name.rpartition(".")
    if phase not in PHASES:
        measurand, phase = name, ""
    wanted: dict[str, Any] = {"measurand": measurand}
    if measurand == REGISTER:
        wanted["measurand"] = any_of(REGISTER, absent)
    return wanted | ({"phase": phase} if phase else {})
