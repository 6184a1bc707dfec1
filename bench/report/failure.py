"""The pages that teach: what a case failed by, around which messages, and what changed before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.report import RecordedRun, sequence
from bench.report.before import changed, last_passes
from bench.report.cases import check_part, moment
from bench.report.parts import FailurePart, Pair, Plot
from bench.report.plot import Wanted
from bench.report.results import reason_of
from bench.runview import RunView
from bench.views import CaseView, CheckView, FrameView, Item

log = logging.getLogger(__name__)

BEFORE, AFTER = 8, 4
"""Rows of the sequence that are shown before and after the moment of a fail."""
SECONDS_BEFORE, SECONDS_AFTER = 15.0, 5.0
"""What the plot of that moment shows at most, within the case."""
LEAST_BEFORE, LEAST_AFTER = 3.0, 1.0
"""And at least, as some cases are shorter than the time between two samples."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a case failed: by which check and message, at which record and time."""

    check: CheckView | None
    n: int
    mono: float
    frame: FrameView | None = None


def moment_of(case: CaseView, view: RunView) -> Moment | None:
    """Find the moment at which a case failed; None when it did not."""
    if case.verdict not in ("fail", "inconclusive", "error") or case.started is None:
        return None
    steps = [step for step in case.steps if not step.is_void]
    deciding = [c for step in steps for c in step.checks if c.event.verdict == case.verdict]
    reason = case.reason or ""
    # The reason is that of the first one; a check of a monitor may stand before it by record.
    named = [check for check in deciding if check.event.text in reason] or deciding
    if named:
        check = named[0]
        frame = None if check.event.frame is None else view.frame(check.event.frame)
        return Moment(check, check.n, check.stamp.mono, frame)
    items = [item for step in steps for item in step.items]
    if not items:
        return Moment(None, 0, case.started.mono + case.duration)
    return Moment(None, items[-1].n, case.started.mono + case.duration)


def wanted_plot(case: CaseView, at: Moment) -> Wanted:
    """Ask for the plot of the moment of a fail, within the case."""
    assert case.started is not None
    begin, end = case.started.mono, case.started.mono + case.duration
    first = at.mono if at.frame is None else max(at.frame.stamp.mono, at.mono - SECONDS_BEFORE)
    begin = min(max(begin, at.mono - SECONDS_BEFORE), first - LEAST_BEFORE)
    end = max(min(end, at.mono + SECONDS_AFTER), at.mono + LEAST_AFTER)
    title = f"{case.id} around the {case.verdict}"
    return Wanted(title, begin, end, case.started.mono, marks_of(case, at))


def marks_of(case: CaseView, at: Moment) -> tuple[tuple[float, str], ...]:
    """Mark the message that decided a case, and when it was judged."""
    marks = [(at.mono, case.verdict)]
    if at.frame is not None and at.mono - at.frame.stamp.mono > 0.1:
        marks.insert(0, (at.frame.stamp.mono, f"record {at.frame.n}"))
    return tuple(marks)


def failure_part(case: CaseView, run: RecordedRun, at: Moment, plot: Plot | None) -> FailurePart:
    """Explain a fail, but for what changed."""
    clause = at.check.event.clause if at.check is not None else None
    return FailurePart(
        sentence=reason_of(case, run.view) or "no reason is recorded",
        check=None if at.check is None else check_part(at.check),
        clauses=tuple(dict.fromkeys(filter(None, (clause, *case.refs)))),
        around=tuple(_around(case, at)),
        plot=plot,
        passed_in="",
        changed=(),
    )


def _around(case: CaseView, at: Moment) -> Sequence[sequence.Row]:
    items: list[Item] = [item for step in case.steps if not step.is_void for item in step.items]
    begin = case.started.mono if case.started else 0.0
    rows = list(sequence.of_items(items, begin))
    # The message that decided it tells more than the moment at which nobody waited any longer.
    wanted = at.n if at.frame is None else at.frame.n
    place = _place(rows, wanted)
    around = rows[max(0, place - BEFORE) : place + AFTER + 1]
    judged = _place(rows, at.n)
    if judged > place + AFTER:
        between = sequence.gap_of(rows[place + AFTER + 1 : judged])
        around = [*around, *between, *rows[judged : judged + 2]]
    return around


def _place(rows: Sequence[sequence.Row], n: int) -> int:
    """Find the row of a record, or the first one after it, or the last."""
    return next((place for place, row in enumerate(rows) if row.n >= n), len(rows) - 1)


def passed_before(
    run: RecordedRun, cases: Sequence[CaseView], read: Callable[[Path], RecordedRun]
) -> dict[str, tuple[str, tuple[Pair, ...]]]:
    """Say for cases in which earlier run each passed last, and what has changed since then.

    Runs beside this one that can't be read say nothing.
    """
    found = {}
    earlier: dict[Path, RecordedRun] = {}
    try:
        passes = last_passes(run.folder, run.view, [one.id for one in cases])
        for case, folder in passes.items():
            if folder not in earlier:
                earlier[folder] = read(folder)
            before = earlier[folder]
            pairs = changed(case, (run.view, run.gathered), (before.view, before.gathered))
            found[case] = f"{folder.name}, {moment(before.view.first)}", tuple(pairs)
    except BenchError as error:
        log.warning("the runs beside %s can't be compared with it: %s", run.folder, error)
    return found
