"""`results.csv`: every case of the test plan in a row, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re

from bench.report.document import Document, NotRunPart
from bench.report.parts import CasePart, MeasuredPart

HEADS = (
    *("case", "title", "profile", "mark", "outcome", "verdict", "reason", "run", "begun"),
    *("duration_s", "checks", "failed_checks", "measured"),
)
_FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a cell begins that a spreadsheet would take for a formula."""


def render(document: Document) -> bytes:
    """Write the results as CSV (RFC 4180, in UTF-8 with a byte order mark)."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(HEADS)
    rows.writerows(map(_case, document.cases))
    rows.writerows(map(_not_run, document.not_run))
    return text.getvalue().encode("utf-8-sig", "replace")


def _case(case: CasePart) -> tuple[str, ...]:
    outcome = case.state if case.ended is None else case.ended
    return (
        *map(_cell, (case.id, case.title, case.profile, case.mark)),
        "void" if case.is_void else outcome,
        case.verdict,
        _cell(case.reason or ""),
        _cell(case.run),
        case.begun if case.was_begun else "",
        f"{case.duration_s:g}" if case.was_begun else "",
        str(case.checked),
        str(case.failed),
        _cell("; ".join(map(_measured, case.measured))),
    )


def _measured(value: MeasuredPart) -> str:
    limit = f" (limits {value.limit_text})" if value.limit is not None else ""
    return f"{value.name} = {value.value!r} {value.unit}".rstrip() + limit


def _not_run(one: NotRunPart) -> tuple[str, ...]:
    cells = (one.id, one.title, one.profile, one.mark, one.outcome)
    return (*map(_cell, cells), "none", _cell(one.reason), *[""] * 6)


def _cell(text: str) -> str:
    """Write a text so that no spreadsheet runs it."""
    return f"'{text}" if _FORMULA.match(text) else text
