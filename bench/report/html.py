"""`report.html`: one self-contained page that a lab can hand over, read and print."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench import __version__
from bench.clock import Stamp, spoken
from bench.journal import Record
from bench.metrology import Limit
from bench.report import RecordedRun, sequence
from bench.report.results import reason_of
from bench.runview import RunView
from bench.verdict import Verdict
from bench.views import CaseView, State

TEMPLATES = Path(__file__).parent / "templates"

MARKS = {"pass": "✔", "fail": "✘", "inconclusive": "?", "error": "!", "none": "–"}
"""Verdicts as signs, so that nobody has to tell them by colour."""


def render(run: RecordedRun) -> bytes:
    """Write the report of a run, finished or not."""
    view = run.view
    script = (TEMPLATES / "report.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = (
        _environment()
        .get_template("report.html")
        .render(
            run=run,
            view=view,
            started=view.started,
            headline=headline(view),
            attention=list(_attention(view)),
            style=(TEMPLATES / "report.css").read_text("utf-8"),
            script=script,
            script_hash=digest,
            marks=MARKS,
            version=__version__,
            samples=_samples(view),
            pixit=list(_flat(view.started.pixit)) if view.started else [],
        )
    )
    return page.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "spoken": spoken,
        "moment": _moment,
        "limit": _limit,
        "without_record": _without_record,
        "paragraphs": _paragraphs,
        "linked": _linked,
    }
    environment.globals |= {"rows": sequence.of_case, "items": sequence.of_items}
    environment.globals["reason_of"] = reason_of
    return environment


def headline(view: RunView) -> tuple[str, str]:
    """Say the run in a verdict and one sentence."""
    planned, counts = len(view.cases), view.counts
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    text = f"{planned} {'case' if planned == 1 else 'cases'}: {', '.join(parts) or 'none ended'}"
    left = planned - sum(counts.values())
    if left:
        text += f", {left} without a verdict"
    verdict = view.verdict
    if verdict is Verdict.PASS and not view.complete:
        verdict = Verdict.NONE
    return str(verdict), text


def _attention(view: RunView) -> Iterator[CaseView]:
    """List the cases that are not passed, the worst first."""
    cases = [case for case in view.cases if case.verdict != "pass"]
    cases = [case for case in cases if case.state is not State.WAITING]
    yield from sorted(cases, key=lambda case: -Verdict.of(case.verdict))


def _samples(view: RunView) -> dict[int, int]:
    """Tell how many samples of each channel the files hold."""
    counts = [file.samples for file in view.attached.values()]
    return {int(channel): count for some in counts for channel, count in some.items()}


def _moment(stamp: Stamp | Record | None) -> str:
    return "–" if stamp is None else f"{stamp.utc:%Y-%m-%d %H:%M:%S} UTC"


def _limit(limit: list[float | None] | None) -> str:
    return "–" if limit is None else str(Limit(*limit))


def _without_record(text: str, n: int | None) -> str:
    """Drop the record from a text that stands beside a link to it."""
    return text.removesuffix(f" (record {n})")


def _linked(text: str, view: RunView) -> Markup:
    """Turn the records that a text names into links to their messages."""

    def link(found: re.Match[str]) -> str:
        known = view.frame(int(found[1])) is not None
        return f'<a href="#r{found[1]}">{found[0]}</a>' if known else found[0]

    return Markup(re.sub(r"record (\d{1,9})", link, str(escape(text))))


def _paragraphs(docstring: str) -> list[str]:
    """Undo the line breaks of source code."""
    return [" ".join(part.split()) for part in docstring.split("\n\n")]


def _flat(table: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the keys of nested tables with their values, as `timing.response`."""
    if isinstance(table, dict) and table:
        for key, value in table.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif table is not None:
        yield path, table
