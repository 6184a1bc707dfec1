"""What changed since the last run of the same DUT in which a case passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.alignment import Message
from bench.alignment import Pair as Row
from bench.archive import Archive, dut_key
from bench.clock import iso
from bench.compare import compare
from bench.ocpp.frame import shorten
from bench.report.gathered import Gathered
from bench.report.parts import Pair
from bench.runview import RunView
from bench.unlike import MISSING

MOST = 100
"""How many earlier runs are looked at, the newest first."""
LISTED = 12
"""Differing conditions that are named."""


def last_passes(folder: Path, view: RunView, cases: Iterable[str]) -> dict[str, Path]:
    """Find the folder of the newest earlier run beside a run in which each case passed."""
    wanted, found = set(cases), dict[str, Path]()
    if view.started is None or view.first is None or not wanted:
        return found
    begun = iso(view.first.utc)
    key = dut_key(view.started.dut)
    archive = Archive(folder.parent)
    earlier = [
        one
        for one in archive.runs()
        if one.begun < begun and one.folder != folder and dut_key(one.dut) == key
    ]
    for one in reversed(earlier[-MOST:]):
        if not wanted:
            break
        # Of several executions in one run the last counts.
        verdicts = {case.case: case.verdict for case in archive.cases(one.run)}
        passed = {case for case in wanted if verdicts.get(case) == "pass"}
        found |= dict.fromkeys(passed, one.folder)
        wanted -= passed
    return found


def changed(
    case: str, now: tuple[RunView, Gathered], before: tuple[RunView, Gathered]
) -> Iterator[Pair]:
    """Say what differs between a run and an earlier one, as far as it can bear on a case."""
    (view, gathered), (old, old_gathered) = now, before
    reported, was = software(gathered), software(old_gathered)
    if reported != was:
        yield Pair("software as reported", f"{was or 'none'} → {reported or 'none'}")
    comparison = compare(old, view, cases=(case,))
    for both in comparison.cases:
        other = both.first_other_message
        if other is not None:
            yield Pair("first other message", _other(other, both.instead))
    for one in comparison.conditions[:LISTED]:
        yield Pair(one.path, f"{_value(one.first)} → {_value(one.second)}")
    if len(comparison.conditions) > LISTED:
        more = len(comparison.conditions) - LISTED
        yield Pair("more", f"{more} other conditions differ (pilotbench compare)")


def software(gathered: Gathered) -> str:
    """Return the firmware version that the DUT reported first."""
    return next((str(b["firmwareVersion"]) for b in gathered.boots if "firmwareVersion" in b), "")


def _value(value: object) -> str:
    return "nothing" if value is MISSING else shorten(value, 80)


def _other(row: Row, instead: Message | None) -> str:
    """Say in which message two executions of a case differ first."""
    if row.first is not None and row.second is not None:
        fields = ", ".join(
            f"{one.path or 'payload'} {_value(one.first)} → {_value(one.second)}"
            for one in row.fields[:4]
        )
        return f"{_said(row.second)}: {fields}"
    if row.second is not None:
        return f"{_said(row.second)}, which did not come then"
    came = f"; what came now is {_said(instead)}" if instead is not None else ""
    return f"then {_said(row.first)}, which did not come now{came}"


def _said(message: Message | None) -> str:
    if message is None:
        return "nothing"
    who = "DUT" if message.from_station else "bench"
    return f"{who}: {message.action} {message.kind} at {message.at:+.3f} s (record {message.n})"


def flat(table: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the keys of nested tables with their values, as `timing.response`."""
    if isinstance(table, dict) and table:
        for key, value in table.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    elif table is not None and path:
        yield path, table
