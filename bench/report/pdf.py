"""`report.pdf`: the document set by Typst, as tagged PDF (PDF/UA-1) with its fonts embedded.

What people and DUTs wrote reaches Typst as data, in one JSON input, and never as source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import typst

from bench.report import sequence
from bench.report.document import Document
from bench.report.parts import CasePart
from bench.report.typeface import FONTS, SHOWN

SOURCES = Path(__file__).parent / "typst"
ROWS, ROWS_OF_PASSED = 160, 120
"""Rows that are printed of the sequence of a case; `report.html` has more."""
MANY, FEW = 6000, 40
"""Rows of all sequences from which on those of cases that passed are cut to `FEW`."""
LONGEST = 700
"""Characters that are printed of one text."""


def render(document: Document) -> bytes:
    """Set the report."""
    return compose("report.typ", _printed(document), document.moment)


def compose(source: str, content: Any, moment: datetime | None) -> bytes:
    """Set plain data or dataclasses by one of our Typst sources; `moment` dates the file."""
    when = (moment or datetime(1970, 1, 1, tzinfo=UTC)).replace(microsecond=0)
    data = {"document": plain(content), "moment": list(when.timetuple()[:6])}
    inputs = {"data": orjson.dumps(data).decode()}
    return typst.compile(
        SOURCES / source,
        root=SOURCES,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs=inputs,
        pdf_standards=["ua-1"],
        timestamp=when,
    )


def _printed(document: Document) -> Document:
    """Leave out what paper has no room for, and say so."""
    cases = [
        _cut(case, ROWS_OF_PASSED if case.verdict == "pass" else ROWS) for case in document.cases
    ]
    if sum(len(case.rows) for case in cases) > MANY:
        cases = [_cut(case, FEW) if case.verdict == "pass" else case for case in cases]
    return dataclasses.replace(document, cases=tuple(cases), outside=())


def _cut(case: CasePart, most: int) -> CasePart:
    return dataclasses.replace(case, rows=tuple(sequence.bounded(case.rows, most)))


def plain(value: Any) -> Any:
    """Write dataclasses as plain data, with texts that the fonts can show."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, datetime):
        return None
    if dataclasses.is_dataclass(value):
        return {
            field.name: _drawing(part) if field.name == "svg" else plain(part)
            for field in dataclasses.fields(value)
            if (part := getattr(value, field.name)) is not None and field.name != "raw"
        }
    return value


def shown(text: str) -> str:
    """Return a text in characters that the fonts have, cut where it is very long."""
    if len(text) > LONGEST:
        more = len(text) - LONGEST
        text = f"{text[:LONGEST]}… ({more} more characters are in the journal)"
    return text.translate(SHOWN)


def _drawing(svg: str) -> str:
    return svg.translate(SHOWN)
