"""`junit.xml`: a run's verdicts for CI servers."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from bench.clock import iso
from bench.report.results import reason_of
from bench.runview import RunView
from bench.views import CaseView, State

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, escaped ones included."""


def render(view: RunView) -> bytes:
    """Write `junit.xml`: a test suite per run, a test case per case, those not run skipped."""
    started = view.started
    suite = TestSuite(f"pilotbench {started.run if started else ''}".rstrip())
    if view.first is not None:
        suite.timestamp = iso(view.first.utc)
    for side in ("bench", "dut"):
        for key, value in (getattr(started, side) if started else {}).items():
            if isinstance(value, str):
                suite.add_property(f"{side}.{key}", _clean(value))
    suite.add_property("complete", str(view.complete).lower())
    suite.add_testcases([_case(case, view) for case in view.cases])
    suite.add_testcases([_not_run(one) for one in (started.not_run if started else [])])
    suite.time = round(view.duration, 3)
    document = JUnitXml("pilotbench")
    document.add_testsuite(suite)
    content = BytesIO()
    document.write(content)
    return content.getvalue()


def _case(case: CaseView, view: RunView) -> TestCase:
    test = TestCase(_clean(f"{case.id} {case.title}".rstrip()), case.group, round(case.duration, 3))
    _describe(test, verdict=case.verdict, mark=case.mark)
    reason = _clean(reason_of(case, view) or "")
    result: FinalResult
    match case.verdict:
        case "fail":
            result = Failure(reason, "fail")
        case "inconclusive" | "error" as verdict:
            result = Error(reason, verdict)
        case "none":
            result = Skipped(reason, str(case.state))
        case _:
            return test
    result.text = _clean("\n".join(_details(case)))
    test.result = [result]
    return test


def _details(case: CaseView) -> list[str]:
    """List the checks that speak against the DUT, and the traceback of a defect of ours."""
    lines = []
    for step in case.steps:
        for check in step.checks:
            if check.failed:
                event = check.event
                record = f" (record {event.frame})" if event.frame else ""
                lines.append(f"{step.title}: {event.text}: {event.verdict}{record}")
                lines += [f"  expected {event.expected}", f"  came     {event.actual}"]
    if case.state is State.ENDED and case.traceback:
        lines.append(case.traceback)
    return lines


def _not_run(one: dict[str, Any]) -> TestCase:
    test = TestCase(_clean(f"{one['id']} {one.get('title') or ''}".rstrip()), "not run", 0.0)
    outcome = str(one.get("outcome"))
    _describe(test, verdict="none", outcome=outcome)
    test.result = [Skipped(_clean(f"{outcome}: {one.get('reason')}"), outcome)]
    return test


def _describe(test: TestCase, **properties: str) -> None:
    """Put the true verdict and what else JUnit has no word for into properties."""
    described = Properties()  # type: ignore[no-untyped-call]
    for name, value in properties.items():
        described.add_property(Property(name, value))
    test.append(described)  # type: ignore[no-untyped-call]


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
