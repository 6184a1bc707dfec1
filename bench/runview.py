"""A run as a tree, folded from its records one by one: what front ends and reports draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.events import (
    AbortRequested,
    Answered,
    CaseEnded,
    CaseStarted,
    ChannelDeclared,
    Checked,
    Claimed,
    DeviceClosed,
    DeviceLost,
    DeviceOpened,
    EarlierResultsVoid,
    FileAttached,
    FrameLost,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    Measured,
    PhaseEntered,
    Prompted,
    PromptWithdrawn,
    Retried,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    StationConnected,
    StationDisconnected,
    StepEnded,
    StepStarted,
    Tabulated,
)
from bench.frame_views import FrameViews
from bench.journal import Record, stamp_of
from bench.timeline import TimeLine
from bench.verdict import Verdict, joined
from bench.views import (
    CaseView,
    CheckView,
    DeviceView,
    FrameView,
    Item,
    PromptView,
    State,
    StepView,
)


class RunView:
    """Fold records into the tree; `apply` takes them in order, one at a time."""

    def __init__(self, most: int | None = None) -> None:
        """`most`: things that one step keeps of its time line; None: all.

        Of a longer one the first and the last are kept, prompts, and what stands around checks
        that failed; a `Gap` stands for the rest.
        """
        self._timeline = TimeLine(most)
        self.started: RunStarted | None = None
        self.ended: RunEnded | None = None
        self.first: Record | None = None
        self.last: Record | None = None
        self.records = 0
        self.cases: list[CaseView] = []
        """In the order of the plan."""
        self.case: CaseView | None = None
        """The case that runs."""
        self.step: StepView | None = None
        """The step that runs."""
        self.outside: list[Item] = []
        """What happened while no case ran."""
        self.void: list[EarlierResultsVoid] = []
        """What made earlier results void."""
        self.devices: dict[str, DeviceView] = {}
        self.prompts: dict[str, PromptView] = {}
        self.channels: dict[int, ChannelDeclared] = {}
        """Those that were sampled, by number."""
        self.attached: dict[str, FileAttached] = {}
        """The bulk data beside the journal, by the file's name."""
        self.connected: StationConnected | None = None
        self.paused = False
        self.aborted_by: str | None = None
        self._frames = FrameViews()

    @property
    def counts(self) -> dict[str, int]:
        """Count the verdicts of the cases that ended."""
        found = Counter(case.verdict for case in self.cases if case.state is State.ENDED)
        return {name: found[name] for name in ("pass", "fail", "inconclusive", "error")}

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the cases that ended."""
        return joined(Verdict.of(case.verdict) for case in self.cases)

    @property
    def complete(self) -> bool:
        """Tell whether every planned case ran to its end."""
        return self.ended is not None and self.ended.complete

    @property
    def duration(self) -> float:
        """Seconds from the first record to the newest."""
        if self.first is None or self.last is None:
            return 0.0
        return self.last.mono - self.first.mono

    @property
    def frames(self) -> Iterable[FrameView]:
        """All messages, in the order of their records."""
        return self._frames

    def frame(self, n: int) -> FrameView | None:
        """Return the frame of a record."""
        return self._frames.get(n)

    def remaining(self, mono: float) -> float | None:
        """Estimate the seconds to go: prescribed waits, and what the cases took beyond them."""
        done = [case for case in self.cases if case.state is State.ENDED]
        if not done:
            return None
        beyond = sum(max(0.0, case.duration - case.waits) for case in done) / len(done)
        seconds = sum(case.waits + beyond for case in self.cases if case.state is not State.ENDED)
        if self.case is not None and self.case.started is not None:
            elapsed = mono - self.case.started.mono
            seconds -= min(elapsed, self.case.waits + beyond)
        return seconds

    def apply(self, record: Record) -> None:
        """Take the next record."""
        self.first = self.first or record
        self.last = record
        self.records += 1
        match record.event:
            case RunStarted() as event:
                self.started = event
                self.cases = [CaseView.planned(case) for case in event.cases]
            case RunEnded() as event:
                self.ended = event
            case EarlierResultsVoid() as event:
                self.void.append(event)
                for case in self.cases:
                    case.is_void = case.state is State.ENDED
                self._place(record)
            case RunPaused() | RunResumed() as event:
                self.paused = isinstance(event, RunPaused)
                self._place(record)
            case AbortRequested(by):
                self.aborted_by = by
                self._place(record)
            case CaseStarted() as event:
                self._case_started(record, event)
            case CaseEnded() as event:
                self._case_ended(event)
            case PhaseEntered(phase):
                if self.case is not None:
                    self.case.phase = phase
            case Retried():
                self._place(record)
                if self.case is not None:
                    for step in self.case.steps:
                        step.is_void = True
            case StepStarted() as event:
                self._step_started(record, event)
            case StepEnded() as event:
                self._step_ended(record, event)
            case Checked() as event:
                self._checked(record, event)
            case Measured() as event:
                self._place(record)
                if self.case is not None:
                    self.case.steps[-1].measured.append(event)
            case Tabulated() as event:
                self._place(record)
                if self.case is not None:
                    self.case.steps[-1].tables.append(event)
            case FrameReceived() | FrameSent() as event:
                self._place(self._frames.take(record, event))
            case FrameLost() | LeftUnanswered() as event:
                self._frames.mark(event)
            case Claimed():
                pass
            case Prompted() as event:
                prompt = PromptView(record.n, stamp_of(record), event)
                self.prompts[event.prompt] = prompt
                self._place(prompt)
            case Answered() as event if event.prompt in self.prompts:
                self.prompts[event.prompt].answer = event
                self.prompts[event.prompt].answered = stamp_of(record)
            case PromptWithdrawn(prompt=name, reason=reason) if name in self.prompts:
                self.prompts[name].withdrawn = reason
            case StationConnected() as event:
                self.connected = event
                self._frames.forget_calls()
                self._place(record)
            case StationDisconnected(connection):
                if self.connected is not None and self.connected.connection == connection:
                    self.connected = None
                self._place(record)
            case DeviceOpened() | DeviceLost() | DeviceClosed() as event:
                self._device(event)
                self._place(record)
            case ChannelDeclared() as event:
                self.channels[event.channel] = event
            case FileAttached() as event:
                self.attached[event.file] = event
            case _:
                self._place(record)
        if self.case is not None and self.case.started is not None:
            self.case.duration = max(0.0, record.mono - self.case.started.mono)

    def _place(self, item: FrameView | PromptView | CheckView | Record) -> None:
        """Put an item where it belongs: the running step, the case between steps, or outside."""
        if self.case is None:
            self._append(self.outside, item)
            return
        if self.step is None:
            steps = self.case.steps
            if not steps or steps[-1].number is not None or steps[-1].phase != self.case.phase:
                stamp = item.stamp if not isinstance(item, Record) else stamp_of(item)
                title = "clean-up" if self.case.phase == "postamble" else "outside the steps"
                steps.append(StepView(None, self.case.phase, title, stamp))
        self._append(self.case.steps[-1].items, item)

    def _append(self, items: list[Item], item: Item) -> None:
        self._drop(self._timeline.append(items, item))

    def _drop(self, items: Iterable[Item]) -> None:
        for item in items:
            self._frames.drop(item.n)

    def _case_started(self, record: Record, event: CaseStarted) -> None:
        waiting = (c for c in self.cases if c.id == event.case and c.state is State.WAITING)
        case = next(waiting, None)
        if case is None:
            case = CaseView(event.case, event.title, event.mark, event.group)
            self.cases.append(case)
        case.state = State.RUNNING
        case.purpose, case.refs = event.purpose, event.refs
        case.started = stamp_of(record)
        self.case, self.step = case, None

    def _case_ended(self, event: CaseEnded) -> None:
        if self.case is None:
            return
        case, self.case, self.step = self.case, None, None
        case.state = State.ENDED
        case.verdict, case.ended, case.reason = event.verdict, event.ended, event.reason
        case.cause, case.phase, case.duration = event.cause, event.phase, event.duration
        case.traceback, case.unclaimed = event.traceback, event.unclaimed

    def _step_started(self, record: Record, event: StepStarted) -> None:
        if self.case is not None:
            self.step = StepView(event.step, event.phase, event.title, stamp_of(record))
            self.case.steps.append(self.step)

    def _step_ended(self, record: Record, event: StepEnded) -> None:
        if self.step is not None:
            self.step.verdict, self.step.reason = event.verdict, event.reason
            self.step.duration = record.mono - self.step.started.mono
            self._drop(self._timeline.finish(self.step.items))
            self.step = None

    def _checked(self, record: Record, event: Checked) -> None:
        check = CheckView(record.n, stamp_of(record), event)
        self._place(check)
        if self.case is not None:
            self.case.steps[-1].checks.append(check)
        if (frame := self._frames.get(event.frame)) is not None:
            frame.checks.append(check)

    def _device(self, event: DeviceOpened | DeviceLost | DeviceClosed) -> None:
        match event:
            case DeviceOpened(name, driver, offers, identity):
                self.devices[name] = DeviceView(name, driver, offers, identity)
            case DeviceLost(name, reason) if name in self.devices:
                self.devices[name].state, self.devices[name].message = "lost", reason
            case DeviceClosed(name) if name in self.devices:
                self.devices[name].state = "closed"


def fold(records: Iterable[Record], most: int | None = None) -> RunView:
    """Fold a whole run; `most` as in `RunView`."""
    view = RunView(most)
    for record in records:
        view.apply(record)
    return view
