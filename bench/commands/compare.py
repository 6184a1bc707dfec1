"""`pilotbench compare`: two runs side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.alignment import Message, Pair
    from bench.compare import CaseComparison, Comparison, Spread, Values


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("second", type=Path, metavar="RUN", help="another run's folder")
    parser.add_argument("--case", metavar="CASE", help="this case alone, message by message")
    parser.add_argument("--json", action="store_true", help="print all of it as a JSON object")


def _run(options: argparse.Namespace) -> int:
    from bench.compare import as_json, compare
    from bench.errors import ConfigError
    from bench.report import read_run

    runs = read_run(options.first).view, read_run(options.second).view
    comparison = compare(*runs, cases=None if options.case is None else (options.case,))
    if options.case is not None and not comparison.cases:
        raise ConfigError(f"--case {options.case}: neither run knows this case")
    if options.json:
        import orjson

        data = orjson.dumps(as_json(comparison), option=orjson.OPT_INDENT_2)
        sys.stdout.write(f"{data.decode()}\n")
    else:
        lines = _shown(comparison, whole=options.case is not None)
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if comparison.same_verdicts else 1


def _shown(comparison: Comparison, *, whole: bool) -> Iterator[str]:
    from bench.ocpp.frame import shorten
    from bench.unlike import MISSING

    def said(value: object) -> str:
        return "nothing" if value is MISSING else shorten(value, 60)

    yield f"first   {comparison.first}"
    yield f"second  {comparison.second}"
    for one in comparison.conditions:
        yield f"  {one.path}: {said(one.first)} | {said(one.second)}"
    if not comparison.conditions:
        yield "  made with the same product, answers, keys, bench and version"
    idle = [case for case in comparison.cases if case.same_outcome and not case.begun]
    for case in comparison.cases:
        if whole or case not in idle:
            yield from _case(case, whole=whole)
    others = sum(not case.same_outcome for case in comparison.cases)
    same = len(comparison.cases) - len(idle) - others
    yield f"cases: {same} came to the same, {others} to something else, {len(idle)} ran in neither"


def _case(case: CaseComparison, *, whole: bool) -> Iterator[str]:
    from bench.clock import spoken
    from bench.ocpp.frame import shorten

    sides = case.first, case.second
    mark = "=" if case.same_outcome else "≠"
    words = [
        side.outcome + ("" if side.duration is None else f" in {spoken(side.duration)}")
        for side in sides
    ]
    yield f"{mark} {case.case:<12} {words[0]:<26} | {words[1]}"
    for name, side in zip(("first", "second"), sides, strict=True):
        if side.reason and not (case.same_outcome and case.first.reason == case.second.reason):
            yield f"    {name}: {side.reason}"
    for value in case.measured:
        if whole or value.first != value.second:
            yield f"    {_value(value)}"
    if whole:
        for one in case.responses:
            times = f"{_spread(one.first)} | {_spread(one.second)}"
            yield f"    answers to {one.action}: {times}"
    other = case.first_other_message
    if whole:
        for row in case.messages:
            yield from _row(row)
        if case.cut:
            yield "    (more messages follow, which are not compared)"
    elif other is not None:
        yield "    the first message that differs:"
        yield from _row(other)
        if case.instead is not None:
            name = "second" if other.second is None else "first"
            yield f"    where the {name} run has:"
            yield f"    {_message(case.instead)}"
            yield f"        {shorten(case.instead.content, 100)}"


def _row(row: Pair) -> Iterator[str]:
    from bench.ocpp.frame import shorten
    from bench.unlike import MISSING

    mark = " " if row.same else "≠"
    yield f"  {mark} {_message(row.first):<50} | {_message(row.second)}"
    alone = row.first or row.second if None in (row.first, row.second) and not row.same else None
    if alone is not None:
        yield f"        {shorten(alone.content, 100)}"
    for one in row.fields:
        said = ["nothing" if v is MISSING else shorten(v, 60) for v in (one.first, one.second)]
        yield f"        {one.path}: {said[0]} | {said[1]}"


def _message(message: Message | None) -> str:
    if message is None:
        return "–"
    arrow = "→" if message.from_station else "←"
    kind = "" if message.kind == "CALL" else f" {message.kind}"
    return f"{message.n} {message.at:+.3f} {arrow} {message.action}{kind}"


def _value(value: Values) -> str:
    said = ["–" if one is None else f"{one:g} {value.unit}" for one in (value.first, value.second)]
    verdicts = [f" ({v})" if v not in (None, "none") else "" for v in value.verdicts]
    return f"{value.name}: {said[0]}{verdicts[0]} | {said[1]}{verdicts[1]}"


def _spread(spread: Spread | None) -> str:
    from bench.clock import spoken

    if spread is None:
        return "–"
    return f"{spread.count}, median {spoken(spread.median)}, at most {spoken(spread.greatest)}"


COMMAND = Command("compare", "two runs side by side: what differs, case by case", _configure, _run)
