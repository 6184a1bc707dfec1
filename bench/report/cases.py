"""A case as its part of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.clock import Stamp, spoken
from bench.events import Checked, Measured
from bench.journal import Record
from bench.metrology import Limit
from bench.report import sequence
from bench.report.parts import (
    CasePart,
    CheckPart,
    FailurePart,
    MeasuredPart,
    Plot,
    PromptPart,
    StepPart,
    Table,
)
from bench.report.profiles import profile_of
from bench.report.results import reason_of
from bench.runview import RunView
from bench.views import CaseView, CheckView, PromptView, StepView

CHECKS, ROWS, CELLS = 60, 600, 400
"""Checks of a step, rows of a case's sequence and rows of a table that are printed at most."""


def case_part(
    case: CaseView,
    view: RunView,
    *,
    plots: Sequence[Plot] = (),
    failure: FailurePart | None = None,
) -> CasePart:
    """Make the part of one case."""
    checks = list(case.checks)
    return CasePart(
        id=case.id,
        title=case.title,
        mark=case.mark,
        group=case.group,
        profile=profile_of(case.group),
        run=view.started.run if view.started else "",
        state=str(case.state),
        verdict=case.verdict,
        is_void=case.is_void,
        ended=case.ended,
        reason=reason_of(case, view),
        purpose=tuple(paragraphs(case.purpose)),
        refs=tuple(case.refs),
        begun=moment(case.started),
        duration=spoken(case.duration) if case.started else "–",
        duration_s=round(case.duration, 6),
        checked=len(checks),
        failed=sum(check.failed for check in checks),
        steps=tuple(_step(step) for step in case.steps if step.number or step.checks),
        measured=tuple(measured_part(value) for value in case.measured),
        tables=tuple(bounded_table(one.title, one.heads, one.rows) for one in case.tables),
        prompts=tuple(_prompt(prompt) for prompt in case.prompts),
        rows=tuple(sequence.bounded(list(sequence.of_case(case)), ROWS)),
        unclaimed=tuple(case.unclaimed),
        plots=tuple(plots),
        failure=failure,
        cause=case.cause,
        traceback=case.traceback,
    )


def check_part(check: CheckView) -> CheckPart:
    """Make the part of one check."""
    event = check.event
    return CheckPart(
        check.n,
        event.text,
        event.verdict,
        event.expected,
        _without_record(event),
        event.frame,
        event.clause,
    )


def _without_record(event: Checked) -> str:
    """Drop the record from a text that stands beside a link to it."""
    return event.actual.removesuffix(f" (record {event.frame})")


def _step(step: StepView) -> StepPart:
    printed = list(_printed(step.checks))
    failed = any(check.failed for check in step.checks)
    return StepPart(
        number=step.number,
        title=step.title,
        phase="" if step.phase == "body" else step.phase,
        verdict=step.verdict_now,
        duration="" if step.duration is None else spoken(step.duration),
        why="" if failed else step.reason or "",
        is_void=step.is_void,
        checks=tuple(map(check_part, printed)),
        left_out=len(step.checks) - len(printed),
    )


def _printed(checks: Sequence[CheckView]) -> Iterator[CheckView]:
    """Pick what is printed of many checks: those that failed first, the others as room is left."""
    if len(checks) <= CHECKS:
        yield from checks
        return
    failed = [check.n for check in checks if check.failed][:CHECKS]
    others = [check.n for check in checks if not check.failed][: CHECKS - len(failed)]
    kept = {*failed, *others}
    yield from (check for check in checks if check.n in kept)


def measured_part(value: Measured) -> MeasuredPart:
    """Make the part of a measured value, with six digits, and its uncertainty with two."""
    limit = None if value.limit is None else (value.limit[0], value.limit[1])
    of_unit = f" {value.unit}".rstrip()
    uncertain = value.uncertainty
    return MeasuredPart(
        name=value.name,
        value=value.value,
        unit=value.unit,
        uncertainty=uncertain,
        limit=limit,
        verdict=value.verdict,
        value_text=f"{value.value:.6g}{of_unit}",
        uncertainty_text="–" if uncertain is None else f"{uncertain:.2g}{of_unit}",
        limit_text="–" if limit is None else f"{Limit(*limit)}{of_unit}",
    )


def _prompt(prompt: PromptView) -> PromptPart:
    answer = prompt.answer
    if answer is None:
        said = f"no answer: {prompt.withdrawn}" if prompt.withdrawn else "open"
        return PromptPart(prompt.n, prompt.event.text, said, "", "", "")
    words = {True: "done", False: "could not be done"}
    said = words[answer.answer] if isinstance(answer.answer, bool) else str(answer.answer)
    by = answer.by or "not named"
    return PromptPart(
        prompt.n, prompt.event.text, said, by, moment(prompt.answered), answer.comment
    )


def bounded_table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], most: int = CELLS
) -> Table:
    """Make a table of the first rows, and say how many there are."""
    cells = tuple(tuple(map(str, row)) for row in rows[:most])
    left = f"{len(rows) - most} more rows are in the journal." if len(rows) > most else ""
    return Table(title, tuple(heads), cells, left)


def moment(stamp: Stamp | Record | None) -> str:
    """Write a moment as people read it, – for none."""
    return "–" if stamp is None else f"{stamp.utc:%Y-%m-%d %H:%M:%S} UTC"


def paragraphs(docstring: str) -> list[str]:
    """Undo the line breaks of source code."""
    return [" ".join(part.split()) for part in docstring.split("\n\n") if part.strip()]
