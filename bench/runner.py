"""Run the cases of a plan: preamble, body, clean-up, safe lab, verdict."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from bench.bench import Bench
from bench.cancellation import cancelling
from bench.case import Case
from bench.case_limit import longest, overdue
from bench.clock import now
from bench.control import Control
from bench.device import Operator
from bench.dut import DutConfig
from bench.earlier import EarlierRun
from bench.errors import (
    BenchError,
    CaseOverdue,
    CheckFailed,
    JournalError,
    RunAborted,
    Unverifiable,
)
from bench.events import CaseEnded, CaseStarted, EarlierResultsVoid, Instructed, Noted, Retried
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.explain import describe
from bench.ocpp.frame import Call
from bench.ocpp.match import error, result
from bench.ocpp.station import Station
from bench.plan import Plan
from bench.procedure import Procedure, run_body
from bench.stream import Stream
from bench.transfer.files import Files, FileSettings
from bench.verdict import Phase, Verdict, case_verdict, joined, verdict_of

log = logging.getLogger(__name__)

PROTOCOLS = "CFG.SupportedFileTransferProtocols"
"""The PICS item that says how the DUT transfers files."""

LIFE = result() | error()
"""Any answer is a sign of life."""

HURRIED = 1.0
"""Deadline in s of all clean-ups together once the operator asked twice to abort."""


class Runner:
    """Runs cases, one after the other, on one bench and one DUT."""

    def __init__(
        self,
        *,
        stream: Stream,
        bench: Bench,
        dialogue: Dialogue,
        dut: DutConfig,
        operator: Operator,
        control: Control,
        files: FileSettings,
        folder: Path,
        earlier: Sequence[EarlierRun] = (),
    ) -> None:
        self._stream = stream
        self._bench = bench
        self._dialogue = dialogue
        self._dut = dut
        self._operator = operator
        self._control = control
        self._files = files
        self._folder = folder
        self._earlier = [one.run for one in earlier]
        self._software = earlier[0].reported if earlier else None
        """What the DUT reported last as its software, in this run or in the one before."""
        self.counts: Counter[str] = Counter()

    async def run(self, plan: Plan) -> bool:
        """Run the plan's cases; tell whether all of them ran to their end."""
        for one in plan.cases:
            if self._control.aborted_by is not None:
                return False
            await self.run_case(one, None if one is plan.suite.reset else plan.suite.reset)
            self._heed_software(one)
        return self._control.aborted_by is None

    def _heed_software(self, one: Procedure) -> None:
        """Say when the DUT has another software than before, unless the case updated it."""
        before, after = self._software, self._dialogue.csms.book.software
        self._software = after or before
        if before and after and before != after and not one.updates_firmware:
            why = f"the DUT reported the software {before!r} before, now {after!r}"
            self._stream.emit(EarlierResultsVoid(why, self._earlier))

    async def run_case(self, one: Procedure, reset: Procedure | None) -> Verdict:
        """Run one case after restoring the basic state with `reset`."""
        stream = self._stream
        started = now()
        stream.emit(
            CaseStarted(one.id, one.title, one.mark, one.group, one.purpose, list(one.refs))
        )
        case = Case(
            stream,
            self._dut,
            self._operator,
            gate=self._control.gate,
            clean_up_within=self._bench.clean_up_within,
        )
        timing = self._dut.pixit.timing
        csms = Csms(self._dialogue.csms.book, lambda text: _record(stream, text))
        station = Station(
            self._dialogue, case, response=timing.response, triggered=timing.triggered
        )
        case.at_step_end = station.forbidden.check
        self._dialogue.csms, self._dialogue.listener = csms, station
        files = Files(stream, self._files, self._dut.pics.get(PROTOCOLS), self._folder)
        engine = {Case: case, Station: station, Csms: csms, Files: files}
        most = longest([one] if reset is None else [reset, one], timing)
        raised = await self._abortable(self._body(one, reset, engine), most)
        station.forbidden.forget()
        if self._deserves_another_try(raised, case):
            await self._clean_up(case)
            stream.emit(Retried(str(raised)))
            case.begin_again()
            csms.forget()
            raised = await self._abortable(self._body(one, reset, engine), most)
            station.forbidden.forget()
        phase = case.phase
        verdict, ended = verdict_of(raised, phase)
        reason = _reason(case, verdict, raised)
        await self._clean_up(case)
        await files.close()
        if self._may_have_crashed(raised, phase, station):
            gone = await self._abortable(self._still_there(case, station, csms), most)
            if isinstance(gone, CheckFailed):
                reason = case.first_reason
            elif gone is not None:
                raised, (verdict, ended) = gone, verdict_of(gone, Phase.BODY)
                reason = _reason(case, verdict, gone)
        self._dialogue.listener = None
        self._dialogue.csms = Csms(csms.book, lambda text: _record(stream, text))
        verdict = case_verdict(case.verdicts, verdict)
        reason = reason or case.first_reason or "nothing was checked"
        defect = verdict is Verdict.ERROR and not isinstance(raised, BenchError)
        trace = "".join(traceback.format_exception(raised)) if raised and defect else None
        stream.emit(
            CaseEnded(
                case=one.id,
                verdict=str(verdict),
                ended=str(ended),
                reason=None if verdict is Verdict.PASS else reason,
                cause=None if raised is None else type(raised).__name__,
                phase=str(phase),
                duration=round(now().mono - started.mono, 6),
                unclaimed=[message.n for message in station.unclaimed_calls()],
                traceback=trace,
            )
        )
        self.counts[str(verdict)] += 1
        if isinstance(raised, JournalError):
            raise raised
        return verdict

    def _deserves_another_try(self, raised: BaseException | None, case: Case) -> bool:
        """Tell whether the starting point was not reached, for the first time."""
        missed = isinstance(raised, CheckFailed) and case.phase is Phase.PREAMBLE
        return missed and self._control.aborted_by is None

    def _may_have_crashed(
        self, raised: BaseException | None, phase: Phase, station: Station
    ) -> bool:
        """Tell whether the DUT is to blame if it is gone: it was there, and the lab did well."""
        judged = isinstance(raised, CheckFailed | Unverifiable | None)
        return (
            judged
            and phase is Phase.BODY
            and station.was_connected
            and self._control.aborted_by is None
        )

    async def _still_there(self, case: Case, station: Station, csms: Csms) -> None:
        """Check that the station lives on after the case: one that crashed has failed it."""
        case.phase = Phase.BODY
        async with case.step("The station is still there"):
            await station.connects(within=self._dut.pixit.timing.boot)
            if csms.book.boot_status == "Accepted":
                await station.call(v16.GetConfiguration(key=["HeartbeatInterval"]), LIFE)

    async def _body(self, one: Procedure, reset: Procedure | None, engine: dict[type, Any]) -> None:
        case, station, csms = engine[Case], engine[Station], engine[Csms]
        case.phase = Phase.PREAMBLE
        await self._bench.reopen_lost()
        devices = self._devices(one)
        if reset is not None:
            await run_body(reset, engine, self._devices(reset))
            csms.forget()
        station.begin()
        case.phase = Phase.BODY
        await run_body(one, engine, devices)
        station.forbidden.lift_all()
        for message in station.unclaimed_calls():
            if isinstance(message.frame, Call) and message.frame.action == "BootNotification":
                case.judged(
                    "The DUT does not restart unasked",
                    False,
                    expected=f"no {v16.BootNotification()} that no step asked for",
                    actual=describe(message),
                    frame=message.n,
                    rule={"rule": "unclaimed", "action": "BootNotification"},
                    reason=f"the DUT restarted unasked: {describe(message)}",
                )

    def _devices(self, one: Procedure) -> dict[str, Any]:
        connector = self._dut.pixit.connector
        return {need.parameter: self._bench.hand_out(need, connector) for need in one.needs}

    async def _abortable(
        self, work: Coroutine[Any, Any, None], within: float
    ) -> BaseException | None:
        """Do the work until its end, the operator's abort or `within` s; return what it raised."""
        task = asyncio.ensure_future(work)
        cancel = cancelling(task)
        tripped: list[BenchError] = []

        def trip(error: BenchError) -> None:
            tripped.append(error)
            cancel()

        def close(limit: asyncio.Future[CaseOverdue]) -> None:
            if not limit.cancelled():
                trip(limit.result())

        limit = asyncio.ensure_future(overdue(self._stream, self._control, within))
        limit.add_done_callback(close)
        self._bench.interlocks.watch.tripped = trip
        self._control.cancels(cancel)
        if self._control.aborted_by is not None:
            cancel()
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # The engine itself is being stopped: that is an abort of this case, too.
            self._control.abort("the end of the engine")
            await asyncio.wait([task])
        finally:
            limit.cancel()
            self._control.cancels(None)
            self._bench.interlocks.watch.tripped = lambda error: None
        if tripped:
            return tripped[0]
        if task.cancelled():
            return RunAborted(f"aborted by {self._control.aborted_by or 'the engine'}")
        return _only(task.exception())

    async def _clean_up(self, case: Case) -> None:
        """Undo what the case did, then make the lab safe, whatever happens."""
        task = asyncio.ensure_future(case.clean_up())
        cancel = cancelling(task)
        self._control.cancels(lambda: cancel() if self._control.hurried else None)
        try:
            await asyncio.wait([task], timeout=HURRIED if self._control.hurried else None)
            cancel()
            await asyncio.wait([task])
            failures = [] if task.cancelled() else task.result()
        finally:
            self._control.cancels(None)
            await self._bench.make_safe()
        for failure in failures:
            self._stream.emit(Noted(f"clean-up: {failure}"))


def _only(error: BaseException | None) -> BaseException | None:
    """Unwrap groups of one: a check that failed in one of several tasks is a check that failed."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _record(stream: Stream, text: str) -> None:
    stream.emit(Instructed(text))


def _reason(case: Case, verdict: Verdict, raised: BaseException | None) -> str | None:
    """Say why a case is not passed: what decided it, in its own words."""
    if raised is None or (isinstance(raised, CheckFailed) and case.first_reason):
        return case.first_reason
    if verdict < joined(case.verdicts) and case.first_reason:
        return case.first_reason
    if isinstance(raised, BenchError):
        return str(raised)
    return f"{type(raised).__name__}: {raised}"
