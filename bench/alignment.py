"""The messages of two executions of a case side by side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import merge
from typing import Any

from bench.ocpp.frame import Broken, Call, CallError, dumps
from bench.unlike import Unlike, unlike
from bench.views import CaseView, FrameView

MOST = 2_000
"""Messages from the first difference on that are aligned one by one; what follows is left out."""
BY_THE_CLOCK = ("Heartbeat", "MeterValues")
"""CALLs whose number depends on how long a case took, and so is no difference."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:?\d\d(:?\d\d)?(\.?\d+)?(Z|[+-]\d\d:?\d\d)?")
_ADDRESS = re.compile(r"(\w+://)(?:[^/@]*@)?([^/:]+)(?::\d+)?/(?:.*/)?")
"""Of a URL what the bench makes up anew each time: login, port, and the folder."""
_GIVEN = ("transactionId", "reservationId", "requestId")
"""Numbers that the bench makes up: the same when they come up in the same order."""
_READ = ("meterStart", "meterStop")
_NAMES = {Broken: "broken frame", CallError: "CALLERROR", Call: "CALL"}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one execution."""

    n: int
    """Its record."""
    at: float
    """Seconds since the case began."""
    from_station: bool
    kind: str
    """CALL, CALLRESULT, CALLERROR or broken frame."""
    message_id: str
    action: str
    text: str
    """As it was on the wire."""
    content: Any
    """Its payload without what no two executions share: times, ids and values of meters."""

    @property
    def sort(self) -> tuple[bool, str, str]:
        """Direction, kind and action: what two messages must share to be compared by field."""
        return self.from_station, self.kind, self.action


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: messages that correspond, or one that has no counterpart."""

    first: Message | None
    second: Message | None
    fields: tuple[Unlike, ...] = ()
    """Where their contents differ."""

    @property
    def same(self) -> bool:
        """Tell whether the two runs do not differ here."""
        if self.first is not None and self.second is not None:
            return not self.fields
        one = self.first or self.second
        return one is not None and one.action in BY_THE_CLOCK


def messages_of(case: CaseView) -> list[Message]:
    """List the messages of an execution; those of a try that was given up are left out."""
    begun = case.started.mono if case.started else 0.0
    numbers: dict[str, dict[Any, str]] = defaultdict(dict)
    steps = (step for step in case.steps if not step.is_void)
    frames = [item for step in steps for item in step.items if isinstance(item, FrameView)]
    return [_message(one, begun, numbers) for one in frames]


def _message(view: FrameView, begun: float, numbers: dict[str, dict[Any, str]]) -> Message:
    match view.frame:
        case Broken(reason=reason):
            content: Any = {"reason": reason}
        case CallError(code=code, description=description, details=details):
            content = {"code": code, "description": description, "details": details}
        case frame:
            content = _settled("", frame.payload, numbers)
    kind = _NAMES.get(type(view.frame), "CALLRESULT")
    at = round(view.stamp.mono - begun, 6)
    return Message(
        n=view.n,
        at=at,
        from_station=view.from_station,
        kind=kind,
        message_id=view.frame.message_id or "",
        action=view.action,
        text=view.text,
        content=content,
    )


def _settled(name: str, value: Any, numbers: dict[str, dict[Any, str]]) -> Any:
    """Replace what differs between any two executions by what is the same."""
    match value:
        case dict():
            inside = name == "sampledValue"
            return {
                key: "(value)" if inside and key == "value" else _settled(key, part, numbers)
                for key, part in value.items()
            }
        case list() if value and all(isinstance(p, dict) and "key" in p for p in value):
            # Keys come in any order: they are compared by name.
            return {f"[key={p['key']}]": _settled(name, p, numbers) for p in value}
        case list():
            return [_settled(name, part, numbers) for part in value]
        case int() if name in _GIVEN:
            return numbers[name].setdefault(value, f"({name} {len(numbers[name]) + 1})")
        case int() | float() if name in _READ and not isinstance(value, bool):
            return "(value)"
        case str():
            return _TIME.sub("(time)", _ADDRESS.sub(r"\1\2/…/", value))
        case _:
            return value


def align(first: Sequence[Message], second: Sequence[Message]) -> tuple[Pair, ...]:
    """Lay messages side by side, in order.

    Of very many, the last are left out: see `MOST`.
    """
    before = _common(first, second)
    rows = [Pair(*pair) for pair in zip(first[:before], second[:before], strict=True)]
    ours, theirs = first[before : before + MOST], second[before : before + MOST]
    keys = [[_key(one) for one in side] for side in (ours, theirs)]
    for same, a, b in _blocks(ours, theirs, keys):
        if same:
            rows += [Pair(*pair) for pair in zip(a, b, strict=True)]
        else:
            rows += _replaced(a, b)
    return tuple(rows)


def _blocks(
    first: Sequence[Message], second: Sequence[Message], keys: Sequence[Sequence[Any]]
) -> Iterator[tuple[bool, Sequence[Message], Sequence[Message]]]:
    """Yield what two sequences have in common by their keys, and what lies between."""
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        yield what == "equal", first[a:b], second[c:d]


def _common(first: Sequence[Message], second: Sequence[Message]) -> int:
    """Count the messages at the begin that are the same in both."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one.sort != other.sort or one.content != other.content:
            break
        count += 1
    return count


def _at(row: Pair) -> float:
    one = row.first or row.second
    return 0.0 if one is None else one.at


def _key(message: Message) -> tuple[Any, ...]:
    return *message.sort, dumps(message.content)


def _replaced(first: Sequence[Message], second: Sequence[Message]) -> Iterator[Pair]:
    """Pair messages of one sort in order; the others have no counterpart."""
    sorts = [one.sort for one in first], [one.sort for one in second]
    for same, a, b in _blocks(first, second, sorts):
        if same:
            for one, other in zip(a, b, strict=True):
                yield Pair(one, other, tuple(unlike(one.content, other.content)))
        else:
            # By time, so that the first row is what happened first of what the other did not see.
            alone = [Pair(one, None) for one in a], [Pair(None, other) for other in b]
            yield from merge(*alone, key=_at)
