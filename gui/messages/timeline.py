"""A run along its time: messages with their answers and steps, what devices did, and the steps."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from PyQt6.QtCore import QObject, pyqtSignal

from bench.events import (
    Acted,
    CaseEnded,
    CaseStarted,
    Checked,
    Claimed,
    FrameLost,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    Prompted,
    RunStarted,
    StationConnected,
    StationDisconnected,
    StepEnded,
    StepStarted,
)
from bench.journal import Record
from bench.ocpp.frame import Broken, Call, CallError, CallResult
from bench.ocpp.match import pattern_from_json
from bench.runview import RunView
from bench.verdict import Verdict, joined
from bench.views import FrameView
from gui.messages.happenings import KINDS, Act, Happening, Message, Step, said_of_argument


class Timeline(QObject):
    """Folds records into messages, acts and steps, once for all views of a run."""

    begun = pyqtSignal()
    """Another run: everything is new."""
    grown = pyqtSignal()
    """Something was added at the end."""
    changed = pyqtSignal(list)
    """Messages that have got an answer, a check or another remark."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clear()

    def _clear(self) -> None:
        self.begin: float | None = None
        """When the run began, in s of the monotonic clock."""
        self.messages: list[Message] = []
        self.happenings: list[Happening] = []
        """Messages, acts and steps in order."""
        self.steps: list[Step] = []
        self.checks: dict[int, Checked] = {}
        """What was judged, by record."""
        self.lanes: list[str] = []
        """Who did something beside CSMS and station, in order of appearance."""
        self._by_record: dict[int, Message] = {}
        self._numbers = array("q")
        self._moments = array("d")
        self._waiting: dict[tuple[int, bool, str], Message] = {}
        self._case: Step | None = None
        self._step: Step | None = None

    def message(self, n: int) -> Message | None:
        """Return the message of a record."""
        return self._by_record.get(n)

    def moment_of(self, n: int) -> float | None:
        """Return when a record happened, in s of the monotonic clock; None for one not taken."""
        at = bisect_left(self._numbers, n)
        return self._moments[at] if at < len(self._numbers) and self._numbers[at] == n else None

    def record_at(self, moment: float) -> int | None:
        """Return the last record up to a moment; None before the first."""
        at = bisect_right(self._moments, moment)
        return self._numbers[at - 1] if at else None

    def messages_between(self, begin: float, end: float) -> list[Message]:
        """Return the messages of a stretch of time, both ends included."""
        every = self.messages
        start = bisect_left(every, begin, key=lambda one: one.moment)
        return every[start : bisect_right(every, end, key=lambda one: one.moment)]

    def steps_between(self, begin: float, end: float) -> list[Step]:
        """Return the steps of a stretch of time, and the one before it."""
        every = self.steps
        start = max(0, bisect_right(every, begin, key=lambda one: one.begin) - 1)
        return every[start : bisect_right(every, end, key=lambda one: one.begin)]

    def begin_anew(self, records: Iterable[Record], view: RunView) -> None:
        """Start over with another run, or with the same one up to another moment."""
        self._clear()
        for record in records:
            self._apply(record, view)
        self.begun.emit()

    def take(self, records: Sequence[Record], view: RunView) -> None:
        """Add the next records, which `view` has applied already."""
        count = len(self.happenings)
        touched: dict[int, Message] = {}
        for record in records:
            for message in self._apply(record, view):
                touched[message.n] = message
        if len(self.happenings) > count:
            self.grown.emit()
        if touched:
            self.changed.emit(list(touched.values()))

    def _apply(self, record: Record, view: RunView) -> list[Message]:
        """Take a record; return the earlier messages that it says something about."""
        self._numbers.append(record.n)
        self._moments.append(record.mono)
        if self.begin is None:
            self.begin = record.mono
        match record.event:
            case RunStarted():
                self.begin = record.mono
            case CaseStarted(case, title):
                self._case = self._step = Step(record.n, case, None, title, record.mono)
                self.happenings.append(self._case)
            case StepStarted(number, _, title):
                case = self._case.case if self._case else ""
                self._step = Step(record.n, case, number, title, record.mono)
                self.steps.append(self._step)
                self.happenings.append(self._step)
            case StepEnded(_, verdict):
                if self._step is not None:
                    self._step.end, self._step.verdict = record.mono, verdict
                self._step = self._case
            case FrameReceived() | FrameSent():
                return self._framed(view.frame(record.n))
            case Checked(frame=None) as event:
                self.checks[record.n] = event
                if Verdict.of(event.verdict) > Verdict.PASS:
                    text = f"{event.text}: expected {event.expected}, {event.actual}"
                    self._acted(record, "", text, event.verdict)
            case Checked(frame=int(frame), verdict=verdict) as event:
                self.checks[record.n] = event
                messages = self._known([frame])
                for message in messages:
                    verdicts = (Verdict.of(one) for one in (message.verdict, verdict))
                    message.verdict = str(joined(verdicts))
                return messages
            case FrameLost(frame) | LeftUnanswered(frame):
                return self._known([frame])
            case Claimed(frames, pattern):
                messages = self._known(frames)
                for message in messages:
                    message.claims.append(str(pattern_from_json(pattern)))
                return messages
            case CaseEnded(verdict=verdict, unclaimed=unclaimed):
                if self._case is not None:
                    self._case.end, self._case.verdict = record.mono, verdict
                self._case = self._step = None
                messages = self._known(unclaimed)
                for message in messages:
                    message.is_unclaimed = True
                return messages
            case Acted() as event:
                words = ", ".join(said_of_argument(value) for value in event.arguments.values())
                text = f"{event.method.replace('_', ' ')} {words}".rstrip()
                self._acted(record, event.device, text, event.error, event.duration)
            case Prompted(text=text):
                self._acted(record, "operator", text)
            case StationConnected(identity=identity):
                self._waiting.clear()
                self._acted(record, "", f"{identity} connected")
            case StationDisconnected(code=code):
                self._acted(record, "", "disconnected" + (f" ({code})" if code else ""))
            case _:
                pass
        return []

    def _framed(self, view: FrameView | None) -> list[Message]:
        if view is None:
            return []
        frame, text = view.frame, view.text.lower()
        message = Message(view, self._step, KINDS[type(frame)], frame.message_id or "", text)
        self.messages.append(message)
        self.happenings.append(message)
        self._by_record[view.n] = message
        match frame:
            case Call(message_id):
                self._waiting[view.connection, view.from_station, message_id] = message
            case CallResult(message_id) | CallError(message_id):
                place = (view.connection, not view.from_station, message_id)
                message.partner = self._waiting.pop(place, None)
                if message.partner is not None:
                    message.partner.partner = message
                    return [message.partner]
            case Broken():
                pass
        return []

    def _known(self, frames: Iterable[int]) -> list[Message]:
        return [self._by_record[n] for n in frames if n in self._by_record]

    def _acted(
        self, record: Record, lane: str, text: str, error: str | None = None, duration: float = 0.0
    ) -> None:
        if lane and lane not in self.lanes:
            self.lanes.append(lane)
        self.happenings.append(Act(record.n, record.mono, lane, text, error, duration))
