"""Derive a run's verdicts again, record by record, and find the first that differs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from bench import __version__
from bench.events import (
    CaseEnded,
    CaseStarted,
    Checked,
    Claimed,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    Measured,
    PhaseEntered,
    Retried,
    RunEnded,
    RunStarted,
    StationConnected,
    StationDisconnected,
    StepEnded,
    StepStarted,
)
from bench.evidence import Differs, Evidence, received, same
from bench.journal import Record
from bench.metrology import Limit, Quantity
from bench.ocpp.frame import Broken, parse
from bench.ocpp.monitors import Monitors
from bench.ocpp.rules.finding import Finding
from bench.verdict import Phase, Verdict, case_verdict, check_verdict, joined, raised_of, verdict_of


@dataclass(frozen=True, slots=True)
class Difference:
    """The first record that can't be derived again."""

    record: int
    case: str | None
    step: str | None
    text: str

    def __str__(self) -> str:
        step = f"step {self.step!r}" if self.step else None
        where = [part for part in (f"record {self.record}", self.case, step) if part]
        return f"{', '.join(where)}: {self.text}"


@dataclass(slots=True)
class _Case:
    """The running case, and the verdicts in it so far."""

    id: str
    evidence: Evidence
    phase: Phase = Phase.BODY
    ended_in: Phase = Phase.BODY
    """The newest phase before the postamble."""
    entered_body: bool = False
    retried: bool = False
    verdicts: list[Verdict] = field(default_factory=list)
    step: StepStarted | None = None
    before_step: int = 0


class Derivation:
    """Walks through the records of a run and derives every verdict again."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.tally: Counter[str] = Counter()
        """How much was derived again: frames, findings, checks, values, steps, cases."""
        self._records = records
        messages = (received(record) for record in records)
        self._messages = {message.n: message for message in messages if message is not None}
        self._in_order = list(self._messages.values())
        self._ends = [record.n for record in records if isinstance(record.event, CaseEnded)]
        self._planned: list[str] = []
        self._version = ""
        """The version that recorded the run."""
        self._monitors: Monitors | None = None
        self._watched: frozenset[str] = frozenset()
        """The monitors that there were when the run was recorded."""
        self._findings: deque[Finding] = deque()
        """What the monitors find in the newest frame; it must be recorded next."""
        self._connection: int | None = None
        self._case: _Case | None = None
        self._ended: list[tuple[str, str]] = []
        """Cases with their verdicts."""

    def first_difference(self) -> Difference | None:
        """Derive everything again; return the first record that says something else."""
        for record in self._records:
            try:
                self._take(record)
            except (Differs, AttributeError, KeyError, TypeError, ValueError) as error:
                text = str(error) if isinstance(error, Differs) else f"can't be read: {error!r}"
                if self._version not in ("", __version__):
                    text += f" (recorded by version {self._version}, derived by {__version__})"
                case = self._case
                step = case.step.title if case and case.step else None
                return Difference(record.n, case.id if case else None, step, text)
        return None

    def _take(self, record: Record) -> None:
        event = record.event
        if self._findings and not (isinstance(event, Checked) and _is_finding(event)):
            finding = self._findings[0]
            text = f"{finding.text}, but came {finding.actual} (record {finding.frame})"
            raise Differs(f"the monitors find a violation that is not recorded: {text}")
        if self._case is not None:
            self._case.evidence.take(record)
        match event:
            case RunStarted(version=version, cases=cases, pixit=pixit, monitors=monitors):
                self._version = version
                self._watched = frozenset(monitors)
                self._planned = [str(case["id"]) for case in cases]
                timing = pixit["timing"]
                self._monitors = Monitors(
                    connectors=pixit["connectors"],
                    deviation=timing["deviation"],
                    triggered=timing["triggered"],
                    waived=pixit.get("waivers", ()),
                )
            case RunEnded():
                self._run_ended(event)
            case StationConnected(connection):
                self._connect(record, connection)
                self._watching.connected()
            case StationDisconnected(connection) if connection == self._connection:
                self._connect(record, None)
            case FrameReceived():
                self.tally["frames"] += 1
                found = self._watching.received(self._messages[record.n])
                self._findings.extend(one for one in found if one.monitor in self._watched)
            case FrameSent(text=text):
                self.tally["frames"] += 1
                frame = parse(text)
                if not isinstance(frame, Broken):
                    self._watching.sent(frame, record.mono)
            case LeftUnanswered(message_id=message_id):
                self._watching.left_open(message_id)
            case CaseStarted():
                self._case_started(record, event)
            case CaseEnded():
                self._case_ended(record, event)
            case PhaseEntered(phase):
                self._phase_entered(record, Phase(phase))
            case Retried():
                self._retried()
            case StepStarted():
                self._step_started(event)
            case StepEnded():
                self._step_ended(event)
            case Claimed(frames):
                self._running.evidence.claimed.update(frames)
            case Checked() if _is_finding(event):
                self._found(event)
            case Checked():
                self._checked(record, event)
            case Measured():
                self._measured(event)
            case _:
                pass

    @property
    def _watching(self) -> Monitors:
        if self._monitors is None:
            raise Differs("the journal does not begin with RunStarted")
        return self._monitors

    @property
    def _running(self) -> _Case:
        if self._case is None:
            raise Differs("no case is running")
        return self._case

    def _connect(self, record: Record, connection: int | None) -> None:
        self._connection = connection
        if self._case is not None:
            self._case.evidence.connection_changed(record.n, connection)

    def _case_started(self, record: Record, event: CaseStarted) -> None:
        if self._case is not None:
            raise Differs(f"{event.case} begins before {self._case.id} has ended")
        following = bisect_right(self._ends, record.n)
        end = self._ends[following] if following < len(self._ends) else self._records[-1].n
        number = attrgetter("n")
        start, stop = (bisect_right(self._in_order, n, key=number) for n in (record.n, end))
        evidence = Evidence(
            self._in_order[start:stop],
            begun=record.n,
            connection=self._connection,
            same_words=self._version == __version__,
        )
        self._case = _Case(event.case, evidence)

    def _phase_entered(self, record: Record, phase: Phase) -> None:
        case = self._running
        case.phase = phase
        if phase is not Phase.POSTAMBLE:
            case.ended_in = phase
        if phase is Phase.BODY and not case.entered_body:
            case.entered_body, case.evidence.begun = True, record.n

    def _retried(self) -> None:
        case = self._running
        same("the phase before another try", str(Phase.PREAMBLE), str(case.ended_in))
        if case.retried:
            raise Differs(f"{case.id} is tried a third time")
        case.retried, case.entered_body = True, False
        case.verdicts.clear()

    def _step_started(self, event: StepStarted) -> None:
        case = self._running
        if case.step is not None:
            raise Differs(f"step {event.title!r} begins inside another step")
        same(f"the phase of step {event.title!r}", event.phase, str(case.phase))
        case.step, case.before_step = event, len(case.verdicts)

    def _step_ended(self, event: StepEnded) -> None:
        case = self._running
        if case.step is None or case.step.step != event.step:
            raise Differs(f"step {event.step} ends, which does not run")
        end, _ = verdict_of(raised_of(event.cause), case.phase)
        verdict = joined([*case.verdicts[case.before_step :], end])
        same("the step's verdict", event.verdict, str(verdict))
        case.step = None
        self.tally["steps"] += 1

    def _case_ended(self, record: Record, event: CaseEnded) -> None:
        case = self._running
        if case.id != event.case or case.step is not None:
            raise Differs(f"{event.case} ends, but {case.id} still runs")
        same("the phase in which it ended", event.phase, str(case.ended_in))
        end, ended = verdict_of(raised_of(event.cause), case.ended_in)
        same("the case's verdict", event.verdict, str(case_verdict(case.verdicts, end)))
        same("how the case ended", event.ended, str(ended))
        unclaimed = [call.n for call in case.evidence.unclaimed_calls(record.n)]
        same("the list of CALLs that no step expected", event.unclaimed, unclaimed)
        self._ended.append((case.id, event.verdict))
        self._case = None
        self.tally["cases"] += 1

    def _run_ended(self, event: RunEnded) -> None:
        if self._case is not None:
            raise Differs(f"the run ends, but {self._case.id} still runs")
        counts = Counter(verdict for _, verdict in self._ended)
        same("the count of verdicts", dict(event.counts), dict(counts))
        if event.complete:
            same("the cases of a complete run", self._planned, [case for case, _ in self._ended])

    def _checked(self, record: Record, event: Checked) -> None:
        case = self._running
        judged = case.evidence.judge(record, event)
        verdict = check_verdict(judged.holds, case.phase)
        if event.verdict != str(verdict):
            text = f"{event.text!r} is recorded as {event.verdict}"
            raise Differs(f"{text}, the records say {verdict}: {judged.why}")
        case.verdicts.append(verdict)
        self.tally["checks"] += 1

    def _found(self, event: Checked) -> None:
        """Compare a recorded violation with what the monitors find again."""
        if not self._findings:
            raise Differs(f"a violation of {event.text!r} is recorded, the monitors find none")
        finding = self._findings.popleft()
        same("the rule violated", event.rule.get("monitor"), finding.monitor)
        same("the record of a violation", event.frame, finding.frame)
        if self._version == __version__:
            found = f"{finding.text}: expected {finding.expected}, came {finding.actual}"
            recorded = f"{event.text}: expected {event.expected}, came {event.actual}"
            same("a violation", recorded, found)
        verdict = Verdict.NONE
        if self._case is not None and not finding.warning:
            verdict = check_verdict(False, self._case.phase)
            self._case.verdicts.append(verdict)
        same(f"the verdict on {event.text!r}", event.verdict, str(verdict))
        self.tally["findings"] += 1

    def _measured(self, event: Measured) -> None:
        case = self._running
        if event.rule:
            value = float(case.evidence.observe(event.rule["of"]).value)
            same(f"the value of {event.name!r}", event.value, value)
        verdict = Verdict.NONE
        if event.limit is not None:
            accepted = Limit(*event.limit).accepts(Quantity(event.value, event.unit))
            verdict = check_verdict(accepted, case.phase)
            case.verdicts.append(verdict)
        same(f"the verdict on {event.name!r}", event.verdict, str(verdict))
        self.tally["values"] += 1


def _is_finding(event: Checked) -> bool:
    return event.rule.get("rule") == "monitor"
