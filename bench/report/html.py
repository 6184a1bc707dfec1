"""`report.html`: one self-contained page that a lab can hand over, read and print."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.report.document import Document
from bench.report.parts import CasePart, Plot

TEMPLATES = Path(__file__).parent / "templates"

MARKS = {"pass": "✔", "fail": "✘", "inconclusive": "?", "error": "!", "none": "–"}
"""Verdicts as signs, so that nobody has to tell them by colour."""


def render(document: Document) -> bytes:
    """Lay out the document as a page."""
    script = (TEMPLATES / "report.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    records = frozenset(
        row.n for case in document.cases for row in case.rows if row.kind == "frame"
    )
    page = (
        _environment()
        .get_template("report.html")
        .render(
            doc=document,
            records=records,
            style=(TEMPLATES / "report.css").read_text("utf-8"),
            script=script,
            script_hash=digest,
            marks=MARKS,
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
        "blamed": _blamed,
        "drawing": _drawing,
        "linked": _linked,
    }
    return environment


def _linked(text: str, records: frozenset[int]) -> Markup:
    """Turn the records that a text names into links to their messages."""

    def link(found: re.Match[str]) -> str:
        known = int(found[1]) in records
        return f'<a href="#r{found[1]}">{found[0]}</a>' if known else found[0]

    return Markup(re.sub(r"record (\d{1,9})", link, str(escape(text))))


def _blamed(case: CasePart, most: int = 12) -> list[int]:
    """List the checks that decided the verdict of a case."""
    checks = (check for step in case.steps for check in step.checks)
    return [check.n for check in checks if check.verdict == case.verdict][:most]


def _drawing(plot: Plot) -> Markup:
    """Put a plot, whose texts are escaped, into a page; there it needs no name space."""
    return Markup(plot.svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))
