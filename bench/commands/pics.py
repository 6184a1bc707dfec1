"""`pilotbench pics`: the questionnaire, what is not answered, forms to fill in and to read."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dut", type=Path, metavar="F", required=True, help="the dut.toml")
    parser.add_argument(
        "--form", type=Path, metavar="FILE", help="write a form to fill in (.csv or .xlsx)"
    )
    parser.add_argument(
        "--fill", type=Path, metavar="FILE", help="take the answers of a filled form over"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _run(options: argparse.Namespace) -> int:
    from bench.dut import load_dut
    from bench.dut_file import fill
    from bench.intake import asked, read_form, write_form
    from bench.plan import load_suites

    dut = load_dut(options.dut)
    if options.fill is not None:
        for item, (before, after) in fill(options.dut, read_form(options.fill)).items():
            sys.stdout.write(f"{item}: {_said(before)} becomes {_said(after)}\n")
        dut = load_dut(options.dut)
    if options.form is not None:
        write_form(options.form, dut.dut.kind, dut.pics)
        sys.stdout.write(f"{options.form}: the questionnaire of {options.dut}\n")
        return 0
    procedures = [one for suite in load_suites() for one in suite.procedures]
    questions = asked(dut.dut.kind, dut.pics, procedures)
    if options.json:
        rows = [
            {
                "section": one.heading,
                "item": one.question.item,
                "question": one.question.text,
                "expected": str(one.question.answer),
                "answer": one.answer,
                "holds_up": list(one.holds_up),
            }
            for one in questions
        ]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    heading = ""
    for one in questions:
        if one.heading != heading:
            heading = one.heading
            sys.stdout.write(f"{heading}\n")
        text = one.question.text.replace("`", "")
        sys.stdout.write(f"  {one.question.item:<42}{_said(one.answer):<14}{text}\n")
    missing = [one for one in questions if one.answer is None]
    cases = {case for one in missing for case in one.holds_up}
    sys.stdout.write(
        f"{len(questions) - len(missing)} of {len(questions)} questions are answered; "
        f"{len(cases)} cases wait for an answer\n"
    )
    for one in missing:
        if one.holds_up:
            sys.stdout.write(f"  {one.question.item} decides on {', '.join(one.holds_up)}\n")
    return 0


def _said(answer: Any) -> str:
    from bench.intake import shown

    return shown(answer) or "not answered"


COMMAND = Command("pics", "the PICS questionnaire: answers, gaps, forms", _configure, _run)
