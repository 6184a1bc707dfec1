"""Frames with their record and time, and values observed in them that can be observed again."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.clock import Stamp, from_iso
from bench.errors import CheckFailed
from bench.ocpp.frame import Call, CallResult, Frame
from bench.ocpp.predicate import ABSENT

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[([^=\]]+)=([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Observed:
    """A value with where it was observed, so that `verify` can observe it again."""

    value: Any
    source: dict[str, Any]
    frame: int | None = None

    def __str__(self) -> str:
        return "nothing" if self.value is ABSENT else str(self.value)


@dataclass(frozen=True, slots=True)
class Received:
    """One message of the DUT: its record, its moment at the socket, its frame."""

    n: int
    stamp: Stamp
    connection: int
    frame: Frame

    @property
    def payload(self) -> dict[str, Any]:
        """The payload of a CALL or CALLRESULT; empty for other frames."""
        return self.frame.payload if isinstance(self.frame, Call | CallResult) else {}

    def __getitem__(self, key: str) -> Any:
        """Return a field of the payload; raises `CheckFailed` when it is not there."""
        try:
            return self.payload[key]
        except KeyError:
            name = self.frame.action if isinstance(self.frame, Call) else "the answer"
            raise CheckFailed(f"{name} (record {self.n}) has no field {key}") from None

    def field(self, path: str) -> Observed:
        """Observe a field by path, such as `meterValue[0].timestamp` or `keys[key=X].value`."""
        source = {"kind": "field", "frame": self.n, "path": path}
        return Observed(at(self.payload, path), source, self.n)


def at(payload: Any, path: str) -> Any:
    """Walk a path of `.name`, `[index]` and `[name=value]`; `ABSENT` when it leads nowhere."""
    value = payload
    for name, index, key, wanted in _STEP.findall(path):
        if name:
            value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
        elif index:
            inside = isinstance(value, list) and int(index) < len(value)
            value = value[int(index)] if inside else ABSENT
        else:
            items = value if isinstance(value, list) else []
            same = wanted.casefold()  # what is looked up by is a CiString
            matches = (
                i for i in items if isinstance(i, dict) and str(i.get(key)).casefold() == same
            )
            value = next(matches, ABSENT)
    return value


def limits(answer: Received, start: float, end: float) -> Observed:
    """Observe the limits of a composite schedule from `start` to `end`, in s after its start.

    They are listed in the order of time. An answer whose periods do not begin at 0 and ascend, or
    that has a limit which is no number, has none.
    """
    source = {"kind": "limits", "frame": answer.n, "from": start, "to": end}
    periods = answer.field("chargingSchedule.chargingSchedulePeriod").value
    begins, values = (_numbers(periods, name) for name in ("startPeriod", "limit"))
    ascend = all(a < b for a, b in pairwise(begins))
    if begins[:1] != [0] or not ascend or len(begins) != len(values):
        return Observed(ABSENT, source, answer.n)
    ends = [*begins[1:], math.inf]
    spans = zip(begins, ends, values, strict=True)
    found = [value for begin, until, value in spans if begin < end and until > start]
    return Observed(found, source, answer.n)


def _numbers(objects: Any, name: str) -> list[float]:
    """List a field of objects; empty unless it is a number in all of them."""
    found = [at(one, name) for one in objects] if isinstance(objects, list) else []
    numbers = [n for n in found if isinstance(n, int | float) and not isinstance(n, bool)]
    return numbers if len(numbers) == len(found) else []


def interval(first: Received, second: Received) -> Observed:
    """Observe the seconds between two messages, by their stamps at the socket."""
    value = round(second.stamp.mono - first.stamp.mono, 6)
    source = {"kind": "interval", "from": first.n, "to": second.n}
    return Observed(value, source, second.n)


def age(message: Received, path: str) -> Observed:
    """Observe how many seconds old a time stamp of a message was when the message came."""
    stamp = message.field(path)
    source = {"kind": "age", "frame": message.n, "path": path}
    try:
        value: Any = (message.stamp.utc - from_iso(stamp.value)).total_seconds()
    except (TypeError, ValueError):
        value = ABSENT
    return Observed(value, source, message.n)


def elapsed(first: Observed, second: Observed) -> Observed:
    """Observe the seconds between two time stamps inside payloads."""
    source = {"kind": "elapsed", "from": first.source, "to": second.source}
    try:
        value: Any = (from_iso(second.value) - from_iso(first.value)).total_seconds()
    except (TypeError, ValueError):
        value = ABSENT
    return Observed(value, source, second.frame)
