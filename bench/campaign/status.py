"""A campaign in short, for people in a terminal and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.campaign.acts import untaken
from bench.campaign.certificate import certificate
from bench.campaign.events import RunAdded
from bench.campaign.findings import identification, milliseconds_seen, open_points
from bench.campaign.results import CaseHistory, histories
from bench.campaign.view import CampaignView
from bench.clock import iso


def lines(folder: Path, view: CampaignView) -> Iterator[str]:
    """Describe a campaign: what it is about, its runs, what counts, what is open."""
    assert view.opened is not None
    if view.inputs is not None:
        dut = view.inputs.dut
        software = dut["software"] or "not stated"
        yield f"DUT       {dut['vendor']} {dut['model']} ({dut['identity']}), software {software}"
        yield f"Bench     {view.inputs.bench['name']}"
    yield f"Opened    {view.records[0].utc:%Y-%m-%d %H:%M} UTC by {view.opened.by}"
    reported = [one.reported for one in identification(view)]
    if any(reported):
        yield f"Reported  {', '.join(one or 'nothing' for one in reported)}"
    if view.intake is not None:
        works = "works" if view.intake.works else "does NOT work"
        milliseconds = "with" if view.intake.milliseconds else "without"
        yield f"Intake    {works}, {milliseconds} milliseconds, by {view.intake.by}"
    for one in view.connections[-1:]:
        rssi = "" if one.rssi is None else f", {one.rssi:g} dBm"
        values = f"{one.bandwidth:g} kB/s, {one.latency:g} ms{rssi}"
        yield f"Network   {one.technology}: {values}, by {one.by}"
    for record, change in view.changes:
        over = "; all cases start over" if change.resets else ""
        yield f"Changed   {record.utc:%Y-%m-%d %H:%M} {change.kind}: {change.what}{over}"
    for run in view.added:
        yield f"Run       {_run(view, run)}"
    for path in untaken(folder, view):
        yield f"Run       {path.name}: not taken up yet"
    yield from _waivers(view)
    found = histories(view)
    yield f"Cases     {', '.join(f'{n} {state}' for state, n in _counts(found).items()) or 'none'}"
    for case in found:
        if case.state in ("fail", "error", "inconclusive", "waived") or case.attempts[1:]:
            yield f"  {case.id:<13} {_case(case)}"
            yield from (f"  {'':<13}   {text}" for text in _attempts(case))
    yield f"Result    {certificate(view)[1].headline}"
    points = open_points(view)
    for text in points:
        yield f"Open      {text}"
    if view.closed is not None:
        yield f"Closed    {view.records[-1].utc:%Y-%m-%d %H:%M} UTC by {view.closed.by}"
    elif not points:
        yield "Open      nothing"


def _run(view: CampaignView, run: RunAdded) -> str:
    counts = Counter(case["verdict"] for case in run.cases)
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "no case"
    more = "" if run.complete else f"; not complete: {run.reason}"
    again = "".join(f"; again, as {reason}" for reason in view.runs[run.run].reasons)
    return f"{run.run}: {verdicts}{more}{again}"


def _waivers(view: CampaignView) -> Iterator[str]:
    for one in view.waivers:
        granted = f"{one.granted.what} by {one.granted.by}: {one.granted.reason}"
        over = f"; withdrawn by {one.withdrawn.by}" if one.withdrawn else ""
        yield f"Waived    {granted}{over}"


def _case(case: CaseHistory) -> str:
    reason = case.waiver if case.state == "waived" else None
    if case.counts is not None and case.counts.verdict != "pass":
        reason = f"{reason}; {case.counts.reason}" if reason else case.counts.reason
    elif case.counts is None and case.outcome != "runnable":
        reason = reason or case.outcome_reason
    return f"{case.state}{f': {reason}' if reason else ''}"


def _attempts(case: CaseHistory) -> Iterator[str]:
    """Tell of every execution when there was more than one, or one that does not count."""
    if len(case.attempts) == 1 and case.attempts[0] is case.counts:
        return
    for one in case.attempts:
        mark = " (counts)" if one is case.counts else ""
        void = f"; void: {one.void}" if one.void else ""
        again = f"; again, as {'; '.join(one.rerun)}" if one.rerun else ""
        yield f"{one.begun[:16].replace('T', ' ')} {one.run}: {one.outcome}{mark}{again}{void}"


def _counts(found: list[CaseHistory]) -> Counter[str]:
    return Counter(one.state for one in found)


def as_json(folder: Path, view: CampaignView) -> dict[str, Any]:
    """Write the same, and all that is behind it, as plain data."""
    assert view.opened is not None
    found = histories(view)
    profiles, statement = certificate(view)
    closed = None
    if view.closed is not None:
        closed = {"by": view.closed.by, "utc": iso(view.records[-1].utc)}
    return {
        "campaign": view.opened.campaign,
        "opened": {"by": view.opened.by, "utc": iso(view.records[0].utc)},
        "closed": closed,
        "dut": view.inputs.dut if view.inputs else None,
        "bench": view.inputs.bench if view.inputs else None,
        "identification": [asdict(one) for one in identification(view)],
        "intake": asdict(view.intake) if view.intake else None,
        "milliseconds_seen": milliseconds_seen(view),
        "connections": [asdict(one) for one in view.connections],
        "changes": [{"utc": iso(record.utc), **asdict(one)} for record, one in view.changes],
        "waivers": [
            {
                **asdict(one.granted),
                "utc": iso(one.at),
                "withdrawn": asdict(one.withdrawn) if one.withdrawn else None,
            }
            for one in view.waivers
        ],
        "runs": [
            {
                "run": run.run,
                "head": run.head,
                "begun": run.begun,
                "ended": run.ended,
                "complete": run.complete,
                "by": run.by,
                "reasons": view.runs[run.run].reasons,
            }
            for run in view.added
        ],
        "not_taken_up": [path.name for path in untaken(folder, view)],
        "counts": dict(_counts(found)),
        "cases": [{**asdict(one), "state": one.state} for one in found],
        "notes": [asdict(one) for one in view.notes],
        "files": [asdict(one) for one in view.files],
        "profiles": [asdict(one) for one in profiles],
        "certificate": {"kind": statement.kind, "headline": statement.headline},
        "open_points": open_points(view),
    }
