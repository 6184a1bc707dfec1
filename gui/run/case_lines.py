"""A case as lines: its steps, and what happened in them, growing while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from bench.clock import spoken
from bench.events import (
    Acted,
    DeviceLost,
    Instructed,
    Interlocked,
    Measured,
    Noted,
    Retried,
    StationConnected,
    StationDisconnected,
)
from bench.journal import Record
from bench.verdict import Verdict
from bench.views import CaseView, CheckView, Item, PromptView, StepView


class Kind(Enum):
    """What a line shows."""

    STEP = auto()
    CHECK = auto()
    DETAIL = auto()
    """What was expected, or what came."""
    PROMPT = auto()
    REMARK = auto()
    ACT = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    kind: Kind
    text: str
    at: float
    """Seconds since the case began."""
    mark: str = ""
    right: str = ""
    record: int = 0
    """The record it came from, 0 for none."""
    is_void: bool = False


class CaseLines:
    """Folds a case into lines; `advance` says from which line on they are new or others."""

    def __init__(self, case: CaseView | None = None) -> None:
        self.case = case
        self.lines: list[Line] = []
        self._steps: list[tuple[int, int, int]] = []
        """Of each step: its line, how many items were taken, and how many lines they are."""
        self._waiting: dict[int, PromptView] = {}
        """Lines of prompts that were open."""

    def advance(self) -> tuple[int, set[int]]:
        """Take what is new; return how many lines stood before, and which of them are others."""
        stood = len(self.lines)
        changed: set[int] = set()
        if self.case is None:
            return stood, changed
        for number, step in enumerate(self.case.steps):
            if number == len(self._steps):
                self._steps.append((len(self.lines), 0, 0))
                self.lines.append(self._step(step))
            line, taken, _ = self._steps[number]
            header = self._step(step)
            if header != self.lines[line]:
                self.lines[line] = header
                changed.add(line)
            # Only the newest step grows.
            for item in step.items[taken:]:
                for one in self._lines_of(item, step):
                    if isinstance(item, PromptView) and item.is_open:
                        self._waiting[len(self.lines)] = item
                    self.lines.append(one)
            self._steps[number] = (line, len(step.items), 0)
        for line, prompt in list(self._waiting.items()):
            if not prompt.is_open:
                del self._waiting[line]
                self.lines[line] = self._prompt(prompt)
                changed.add(line)
        return stood, {line for line in changed if line < stood}

    def _at(self, mono: float) -> float:
        began = self.case.started if self.case is not None else None
        return 0.0 if began is None else max(0.0, mono - began.mono)

    def _step(self, step: StepView) -> Line:
        if step.number is None:
            mark = ""
        elif step.duration is None:
            mark = "running"
        else:
            mark = "pass" if step.verdict_now == "none" else step.verdict_now
        phase = "" if step.phase == "body" else step.phase
        took = "" if step.duration is None else spoken(step.duration)
        right = " · ".join(part for part in (phase, took) if part)
        title = step.title[:1].upper() + step.title[1:]
        return Line(Kind.STEP, title, self._at(step.started.mono), mark, right, 0, step.is_void)

    def _lines_of(self, item: Item, step: StepView) -> Iterator[Line]:
        match item:
            case CheckView():
                event, at = item.event, self._at(item.stamp.mono)
                yield Line(Kind.CHECK, event.text, at, event.verdict, event.clause or "", item.n)
                if Verdict.of(event.verdict) > Verdict.PASS:
                    yield Line(Kind.DETAIL, f"expected  {event.expected}", at, record=item.n)
                    yield Line(Kind.DETAIL, f"got  {event.actual}", at, record=item.n)
            case PromptView():
                yield self._prompt(item)
            case Record():
                text, kind, mark = _remark(item)
                if text:
                    yield Line(kind, text, self._at(item.mono), mark, record=item.n)
            case _:
                return  # messages have a list of their own

    def _prompt(self, prompt: PromptView) -> Line:
        at = self._at(prompt.stamp.mono)
        if prompt.answer is not None:
            said = said_in_words(prompt.event.kind, prompt.answer.answer)
            by = f" by {prompt.answer.by}" if prompt.answer.by else ""
            comment = f": {prompt.answer.comment}" if prompt.answer.comment else ""
            right = f"{said}{by}{comment}"
        else:
            right = prompt.withdrawn or "waits for the operator"
        return Line(Kind.PROMPT, prompt.event.text, at, "", right, prompt.n)


def said_in_words(kind: str, answer: object) -> str:
    """Say an answer as people do."""
    if kind == "confirm":
        return "done" if answer is True else "could not be done"
    return str(answer)


def _short(value: object) -> str:
    """Write an argument or a result as people do; a card by its name."""
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _remark(record: Record) -> tuple[str, Kind, str]:
    """Say what a record means to the operator; no text for what is of no interest here."""
    match record.event:
        case Acted(device, _, method, arguments, result, error):
            said = {name: _short(value) for name, value in arguments.items() if value is not None}
            given = ", ".join(f"{name} {value}" for name, value in said.items())
            text = f"{device}: {method.replace('_', ' ')}" + (f" ({given})" if given else "")
            if error is not None:
                return f"{text}: {error}", Kind.ACT, "error"
            if isinstance(result, bool | int | float | str):
                text = f"{text}: {_short(result)}"
            return text, Kind.ACT, ""
        case Measured(name, value, unit, _, _, verdict):
            shown = "" if verdict == "none" else verdict
            return f"{name}: {value:.6g} {unit}", Kind.REMARK, shown
        case Noted(text, by):
            return f"{text} ({by})" if by else text, Kind.REMARK, ""
        case Instructed(text):
            return text, Kind.ACT, ""
        case Interlocked(device, did, reason):
            return f"Interlock: {device} {did}: {reason}", Kind.REMARK, "error"
        case DeviceLost(device, reason):
            return f"{device} is lost: {reason}", Kind.REMARK, "error"
        case Retried(reason):
            return f"Begun once more: {reason}", Kind.REMARK, "inconclusive"
        case StationConnected(_, identity):
            return f"{identity} connected", Kind.REMARK, ""
        case StationDisconnected() as event:
            return f"The connection ended: {event.how}", Kind.REMARK, ""
        case _:
            return "", Kind.REMARK, ""
