"""`results.json`: a run's verdicts for programs (CONTRACT, "A run's folder")."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from bench.clock import iso
from bench.runview import RunView
from bench.views import CaseView, State, StepView


def results(view: RunView) -> dict[str, Any]:
    """Write what a run yielded so far as plain data."""
    started = view.started
    dut = started.dut if started else {}
    void = [{"why": one.why, "runs": one.runs} for one in view.void]
    return {
        "run": started.run if started else "",
        "started": _moment(view.first.utc if view.first else None),
        "ended": _moment(view.last.utc if view.last and view.ended else None),
        "complete": view.complete,
        "bench": {"name": started.bench.get("name", "") if started else ""},
        "dut": {key: dut.get(key, "") for key in ("kind", "vendor", "model", "software")},
        "counts": view.counts,
        "cases": [_case(case, view) for case in view.cases],
        "not_run": [
            {key: one.get(key) for key in ("id", "outcome", "reason")}
            for one in (started.not_run if started else [])
        ],
    } | ({"earlier_void": void} if void else {})


def render(view: RunView) -> bytes:
    """Write `results.json`."""
    return orjson.dumps(results(view), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _case(case: CaseView, view: RunView) -> dict[str, Any]:
    return {
        "id": case.id,
        "title": case.title,
        "mark": case.mark,
        "verdict": case.verdict,
        "ended": case.ended,
        "reason": reason_of(case, view),
        "started": _moment(case.started.utc if case.started else None),
        "duration_s": round(case.duration, 6),
        "steps": [_step(step) for step in case.steps if _counts(step)],
        "measured": [
            {
                "name": value.name,
                "value": value.value,
                "unit": value.unit,
                "uncertainty": value.uncertainty,
                "limit": value.limit,
                "verdict": value.verdict,
            }
            for value in case.measured
        ],
    }


def reason_of(case: CaseView, view: RunView) -> str | None:
    """Say why a case is not passed; for one without a verdict why it has none."""
    if case.state is State.ENDED:
        return case.reason
    why = "the run goes on, or was killed"
    if view.ended is not None:
        why = view.ended.reason or "the run ended"
    return f"{'not begun' if case.state is State.WAITING else 'not ended'}: {why}"


def _counts(step: StepView) -> bool:
    return not step.is_void and bool(step.number or step.checks)


def _step(step: StepView) -> dict[str, Any]:
    return {
        "title": step.title,
        "verdict": step.verdict_now,
        "duration_s": round(step.duration or 0.0, 6),
        "checks": [
            {
                "text": check.event.text,
                "verdict": check.event.verdict,
                "expected": check.event.expected,
                "actual": check.event.actual,
                "frame": check.event.frame,
            }
            for check in step.checks
        ],
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
