"""One execution of a procedure, as its author sees it: steps, checks, measurements, clean-up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.device import Operator
from bench.dut import DutConfig, Pixit
from bench.errors import CheckFailed, Unverifiable
from bench.events import Checked, Measured, Noted, PhaseEntered, StepEnded, StepStarted, Tabulated
from bench.metrology import Limit, Quantity
from bench.ocpp import predicate
from bench.ocpp.dialogue import checked
from bench.ocpp.message import Observed
from bench.ocpp.predicate import between
from bench.ocpp.rules.finding import Finding
from bench.stream import Stream
from bench.verdict import Phase, Verdict, check_verdict, joined, verdict_of


@dataclass(frozen=True, slots=True)
class CleanUp:
    """One act that undoes what the case did."""

    act: Callable[[], Awaitable[object]]
    within: float


class Case:
    """What a procedure's body does with the case it runs in."""

    def __init__(
        self,
        stream: Stream,
        dut: DutConfig,
        operator: Operator,
        *,
        gate: Callable[[], Awaitable[None]],
        clean_up_within: float = 30.0,
    ) -> None:
        self.pixit: Pixit = dut.pixit
        self.pics = dut.pics
        self.operator = operator
        self._phase = Phase.BODY
        self.verdicts: list[Verdict] = []
        self.first_reason: str | None = None
        """Why the case is not passed, in the words of the first check that says so."""
        self.at_step_end: Callable[[], None] = lambda: None
        self.clean_ups: list[CleanUp] = []
        self._stream = stream
        self._gate = gate
        self._clean_up_within = clean_up_within
        self._window = stream.last
        self._steps = 0
        self._in_step = False

    @property
    def phase(self) -> Phase:
        """Which part of the case runs; a change is recorded, as verdicts depend on it."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        if phase is not self._phase:
            self._phase = phase
            self._stream.emit(PhaseEntered(str(phase)))

    def begin_again(self) -> None:
        """Forget what was judged; steps are numbered on."""
        self.verdicts.clear()
        self.first_reason = None

    @property
    def window(self) -> int:
        """The record at which the current step (or the case) began."""
        return self._window

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[None]:
        """Do one step of the test plan; a paused run waits here."""
        if self._in_step:
            raise RuntimeError(f"step {title!r} begins inside another step; steps do not nest")
        await self._gate()
        self._steps += 1
        number, before = self._steps, len(self.verdicts)
        self._window = self._stream.emit(StepStarted(number, self.phase, title)).n
        self._in_step = True
        raised: BaseException | None = None
        try:
            yield
            self.at_step_end()
        except BaseException as error:
            raised = error
            raise
        finally:
            self._in_step = False
            verdict, _ = verdict_of(raised, self.phase)
            verdict = joined([*self.verdicts[before:], verdict])
            reason = cause = None
            if raised is not None:
                cause = type(raised).__name__
                aborted = isinstance(raised, asyncio.CancelledError)
                reason = "aborted" if aborted else str(raised) or cause
            self._stream.emit(StepEnded(number, str(verdict), reason, cause))

    @asynccontextmanager
    async def preamble(self) -> AsyncIterator[None]:
        """Bring DUT and bench to where the test purpose begins; failing here is inconclusive."""
        before, self.phase = self.phase, Phase.PREAMBLE
        self._window = self._stream.last
        yield
        # Only an orderly end leaves the preamble: what escapes is judged as part of it.
        self.phase = before
        self._window = self._stream.last

    def check(
        self,
        text: str,
        actual: Any,
        expected: Any = True,
        *,
        clause: str | None = None,
        fatal: bool = True,
    ) -> bool:
        """Judge a value against a literal or predicate.

        `actual` may be `Observed`, so that the value can be derived again from the frames.
        Raises `CheckFailed` when it does not hold; with `fatal=False` the case goes on and the
        check counts all the same.
        """
        given = {"kind": "given", "value": predicate.to_json(actual)}
        observed = actual if isinstance(actual, Observed) else Observed(actual, given)
        misses = predicate.compare(expected, observed.value, "")
        wanted, came = predicate.show(expected), predicate.show(observed.value)
        holds = not misses
        rule = {"rule": "value", "expected": predicate.to_json(expected), "of": observed.source}
        record = f" (record {observed.frame})" if observed.frame else ""
        reason = f"{text}: expected {wanted}, came {came}{record}"
        try:
            self.judged(
                text,
                holds,
                expected=wanted,
                actual=came,
                frame=observed.frame,
                rule=rule,
                reason=reason,
                clause=clause,
            )
        except CheckFailed:
            if fatal:
                raise
        return holds

    def judged(
        self,
        text: str,
        holds: bool,
        *,
        expected: str,
        actual: str,
        frame: int | None,
        rule: dict[str, Any],
        reason: str,
        clause: str | None = None,
    ) -> None:
        """Record a check; raises `CheckFailed` with `reason` when it does not hold."""
        verdict = check_verdict(holds, self.phase)
        self._count(verdict, reason)
        self._stream.emit(Checked(text, str(verdict), expected, actual, frame, rule, clause))
        if not holds:
            raise CheckFailed(reason)

    def found(self, finding: Finding) -> None:
        """Record a monitor's finding; it counts, but does not end the case."""
        verdict = Verdict.NONE if finding.warning else check_verdict(False, self.phase)
        reason = f"{finding.text}: expected {finding.expected}, came {finding.actual}"
        if not finding.warning:
            self._count(verdict, f"{reason} (record {finding.frame})")
        self._stream.emit(checked(finding, str(verdict)))

    def _count(self, verdict: Verdict, reason: str) -> None:
        worst = joined(self.verdicts)
        self.verdicts.append(verdict)
        if verdict > Verdict.PASS and (self.first_reason is None or verdict > worst):
            self.first_reason = reason

    def measure(
        self,
        name: str,
        quantity: Quantity | Observed,
        *,
        unit: str = "s",
        limit: Limit | None = None,
    ) -> None:
        """Record a measured value; with a limit it is a check that does not end the case."""
        rule: dict[str, Any] = {}
        if isinstance(quantity, Observed):
            rule = {"rule": "value", "of": quantity.source}
            self.check(f"{name} can be measured", quantity, between(None, None))
            quantity = Quantity(float(quantity.value), unit)
        verdict = Verdict.NONE
        if limit is not None:
            verdict = check_verdict(limit.accepts(quantity), self.phase)
            came = f"{quantity.value:g} {quantity.unit}"
            self._count(verdict, f"{name}: expected {limit} {quantity.unit}, came {came}")
        self._stream.emit(
            Measured(
                name,
                quantity.value,
                quantity.unit,
                quantity.uncertainty,
                None if limit is None else [limit.low, limit.high],
                str(verdict),
                rule,
            )
        )

    def note(self, text: str) -> None:
        """Leave a remark in the journal and the report."""
        self._stream.emit(Noted(text))

    def tabulate(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Leave a table in the journal and the report; it judges nothing."""
        cells = [[str(cell) for cell in row] for row in rows]
        self._stream.emit(Tabulated(title, list(heads), cells))

    async def confirm(self, text: str) -> None:
        """Ask the operator to judge something that no device can see.

        Raises `CheckFailed` when the answer is fail, `Unverifiable` when inconclusive or refused.
        """
        answer = await self.operator.ask("judge", text)
        said = f"the operator {answer.by or ''} judged {answer.value}".replace("  ", " ")
        if answer.value == "inconclusive":
            raise Unverifiable(f"{text}: {said} {answer.comment}".rstrip())
        self.judged(
            text,
            answer.value == "pass",
            expected="pass",
            actual=f"{answer.value} {answer.comment}".rstrip(),
            frame=None,
            rule={"rule": "operator"},
            reason=f"{text}: {said} {answer.comment}".rstrip(),
        )

    def afterwards(
        self, act: Callable[..., Awaitable[object]], *arguments: Any, within: float | None = None
    ) -> None:
        """Register a clean-up where the mess is made; the last one registered runs first.

        `within` is its deadline in s, None: the bench's.
        """
        deadline = self._clean_up_within if within is None else within
        self.clean_ups.append(CleanUp(lambda: act(*arguments), deadline))

    async def clean_up(self) -> list[str]:
        """Run the clean-ups, newest first, each with its deadline; return what went wrong."""
        self.phase = Phase.POSTAMBLE
        self._window = self._stream.last
        failures: list[str] = []
        while self.clean_ups:
            one = self.clean_ups.pop()
            try:
                async with asyncio.timeout(one.within):
                    await one.act()
            except TimeoutError:
                failures.append(f"a clean-up did not end within {one.within:g} s")
            except Exception as error:  # noqa: BLE001 - the other clean-ups must run as well
                failures.append(str(error) or type(error).__name__)
        return failures
