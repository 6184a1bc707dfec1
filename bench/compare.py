"""Two runs side by side: what they were made with, how they were judged, what was said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import dropwhile, zip_longest
from statistics import median
from typing import Any

from bench.alignment import BY_THE_CLOCK, Message, Pair, align, messages_of
from bench.configuration import configuration_keys
from bench.events import Measured
from bench.report.results import reason_of
from bench.runview import RunView
from bench.unlike import MISSING, Unlike, unlike
from bench.views import CaseView, Gap, State


@dataclass(frozen=True, slots=True)
class Side:
    """What became of a case in one run."""

    outcome: str
    """Its verdict; for a case without one `not run`, `not-applicable` and the like."""
    reason: str | None
    duration: float | None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Values:
    """A measured value in both runs; None where it was not measured."""

    name: str
    unit: str
    first: float | None
    second: float | None
    verdicts: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """How long the DUT took to answer CALLs of one action, in s."""

    count: int
    median: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Responses:
    """The response times to one action in both runs."""

    action: str
    first: Spread | None
    second: Spread | None


@dataclass(frozen=True, slots=True)
class CaseComparison:
    """A case of either run."""

    case: str
    title: str
    first: Side
    second: Side
    measured: tuple[Values, ...] = ()
    responses: tuple[Responses, ...] = ()
    messages: tuple[Pair, ...] = ()
    """Row by row; empty unless both runs executed it."""
    cut: bool = False
    """Whether there were more messages than are aligned, or than a bounded view has."""

    @property
    def same_outcome(self) -> bool:
        """Tell whether both runs came to the same."""
        return self.first.outcome == self.second.outcome

    @property
    def begun(self) -> bool:
        """Tell whether either run began it."""
        return self.first.duration is not None or self.second.duration is not None

    @property
    def first_other_message(self) -> Pair | None:
        """Return the first row in which the runs differ."""
        return next((pair for pair in self.messages if not pair.same), None)

    @property
    def instead(self) -> Message | None:
        """Return what the other run said next, when that row holds one message alone."""
        rows = dropwhile(lambda pair: pair.same, self.messages)
        alone = next(rows, None)
        if alone is None or None not in (alone.first, alone.second):
            return None
        others = (row.second if alone.second is None else row.first for row in rows)
        return next((one for one in others if one and one.action not in BY_THE_CLOCK), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    first: str
    second: str
    """Ids of the runs."""
    conditions: tuple[Unlike, ...]
    """What they were not made with alike; paths begin with dut, bench, pics, pixit, …"""
    cases: tuple[CaseComparison, ...]
    """In the order of the first run, then those that only the second has."""

    @property
    def same_verdicts(self) -> bool:
        """Tell whether every case came to the same in both."""
        return all(case.same_outcome for case in self.cases)


def compare(first: RunView, second: RunView, *, cases: Collection[str] | None = None) -> Comparison:
    """Compare two runs, finished or not; `cases` limits it to some of them."""
    ours, theirs = _executed(first), _executed(second)
    left_out = [(case, 0) for case in (*_left_out(first), *_left_out(second))]
    return Comparison(
        first=first.started.run if first.started else "",
        second=second.started.run if second.started else "",
        conditions=tuple(unlike(_conditions(first), _conditions(second))),
        cases=tuple(
            _case(key[0], first, second, ours.get(key), theirs.get(key))
            for key in dict.fromkeys([*ours, *theirs, *left_out])
            if cases is None or key[0] in cases
        ),
    )


def _conditions(view: RunView) -> dict[str, Any]:
    """Gather what a run was made with."""
    started = view.started
    if started is None:
        return {}
    devices = {
        device.name: {"driver": device.driver, **device.identity}
        for device in view.devices.values()
    }
    keys = {f"[key={key.key}]": key.value for key in configuration_keys(view).values()}
    return {
        "pilotbench": started.version,
        "dut": started.dut,
        "bench": {**started.bench, "devices": devices},
        "pics": started.pics,
        "pixit": started.pixit,
        "configuration": keys,
    }


def _executed(view: RunView) -> dict[tuple[str, int], CaseView]:
    """Find the executions by case and number, from 0."""
    found: dict[tuple[str, int], CaseView] = {}
    counts: Counter[str] = Counter()
    for case in view.cases:
        found[case.id, counts[case.id]] = case
        counts[case.id] += 1
    return found


def _left_out(view: RunView) -> dict[str, dict[str, Any]]:
    return {str(one["id"]): one for one in (view.started.not_run if view.started else [])}


def _case(
    name: str,
    first: RunView,
    second: RunView,
    ours: CaseView | None,
    theirs: CaseView | None,
) -> CaseComparison:
    known = ours or theirs
    title = known.title if known else _title(name, first) or _title(name, second)
    sides = _side(name, first, ours), _side(name, second, theirs)
    if ours is None or theirs is None:
        return CaseComparison(name, title, *sides)
    messages = messages_of(ours), messages_of(theirs)
    rows = align(*messages)
    shown = sum(row.first is not None for row in rows), sum(row.second is not None for row in rows)
    return CaseComparison(
        name,
        title,
        *sides,
        measured=tuple(_values(ours.measured, theirs.measured)),
        responses=tuple(_responses(*messages)),
        messages=rows,
        cut=shown != (len(messages[0]), len(messages[1])) or _has_gaps(ours) or _has_gaps(theirs),
    )


def _has_gaps(case: CaseView) -> bool:
    return any(isinstance(item, Gap) for step in case.steps for item in step.items)


def _title(name: str, view: RunView) -> str:
    return str(_left_out(view).get(name, {}).get("title", ""))


def _side(name: str, view: RunView, case: CaseView | None) -> Side:
    if case is None:
        left_out = _left_out(view).get(name, {})
        return Side(str(left_out.get("outcome", "not run")), left_out.get("reason"), None)
    outcome = case.verdict if case.state is State.ENDED else "not run"
    duration = round(case.duration, 6) if case.started else None
    return Side(outcome, reason_of(case, view), duration)


def _values(first: Iterable[Measured], second: Iterable[Measured]) -> Iterator[Values]:
    """Pair values of one name in the order in which they were measured."""
    found: dict[tuple[str, str], tuple[list[Measured], list[Measured]]] = {}
    for side, values in enumerate((first, second)):
        for value in values:
            found.setdefault((value.name, value.unit), ([], []))[side].append(value)
    for (name, unit), sides in found.items():
        for one, other in zip_longest(*sides):
            yield Values(
                name,
                unit,
                one.value if one else None,
                other.value if other else None,
                (one.verdict if one else None, other.verdict if other else None),
            )


def _responses(first: Iterable[Message], second: Iterable[Message]) -> Iterator[Responses]:
    sides = _spreads(first), _spreads(second)
    for action in sorted({*sides[0], *sides[1]}):
        yield Responses(action, sides[0].get(action), sides[1].get(action))


def _spreads(messages: Iterable[Message]) -> dict[str, Spread]:
    """Measure from each of the bench's CALLs to its answer, by action."""
    sent: dict[str, float] = {}
    times: dict[str, list[float]] = defaultdict(list)
    for message in messages:
        if message.kind == "CALL" and not message.from_station:
            sent[message.message_id] = message.at
        elif message.from_station and message.message_id in sent:
            times[message.action].append(message.at - sent.pop(message.message_id))
    return {
        action: Spread(len(took), round(median(took), 6), round(max(took), 6))
        for action, took in times.items()
    }


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Write a comparison as plain data, what its properties say included."""
    return {
        "first": comparison.first,
        "second": comparison.second,
        "same_verdicts": comparison.same_verdicts,
        "conditions": [_place(one) for one in comparison.conditions],
        "cases": [_case_as_json(case) for case in comparison.cases],
    }


def _case_as_json(case: CaseComparison) -> dict[str, Any]:
    other = case.first_other_message
    return {
        "case": case.case,
        "title": case.title,
        "same_outcome": case.same_outcome,
        "first": asdict(case.first),
        "second": asdict(case.second),
        "measured": [asdict(value) for value in case.measured],
        "responses": [asdict(one) for one in case.responses],
        "first_other_message": None if other is None else case.messages.index(other),
        "instead": _message(case.instead),
        "messages": [
            {
                "same": row.same,
                "first": _message(row.first),
                "second": _message(row.second),
                "fields": [_place(one) for one in row.fields],
            }
            for row in case.messages
        ],
        "cut": case.cut,
    }


def _message(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    data = asdict(message)
    del data["content"]
    return data


def _place(one: Unlike) -> dict[str, Any]:
    """Write a difference; a side that has nothing there is left out."""
    sides = {"first": one.first, "second": one.second}
    return {"path": one.path} | {k: v for k, v in sides.items() if v is not MISSING}
