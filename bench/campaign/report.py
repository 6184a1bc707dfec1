"""The certification report of a campaign: the document of its runs, and what only it knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.campaign.certificate import not_run, remark
from bench.campaign.events import (
    CampaignClosed,
    CampaignEvent,
    CampaignOpened,
    ConnectionMeasured,
    DutChanged,
    FileAdded,
    InputsTaken,
    IntakeDone,
    NoteAdded,
    ReRunReasoned,
    RunAdded,
    RunBegun,
    TailCut,
    WaiverGranted,
    WaiverWithdrawn,
)
from bench.campaign.findings import misses, open_points
from bench.campaign.folder import RUNS, read
from bench.campaign.results import Attempt, CaseHistory, histories
from bench.campaign.view import CampaignRecord, CampaignView
from bench.errors import ConfigError
from bench.redaction import event_for_observer
from bench.report import KEPT, read_run
from bench.report.composition import Counting, document_of
from bench.report.document import Document
from bench.report.parts import Pair, Section, Table

REPEATED = "Cases run more than once"
"""Title of the section with every execution of them."""


def document(folder: Path, view: str = "lab") -> Document:
    """Make the document of a campaign; raises `ConfigError` when it has no run yet."""
    campaign = read(folder)
    added = campaign.added
    if not added:
        raise ConfigError(f"{folder}: no run is in the campaign yet, so there is nothing to report")
    assert campaign.opened is not None
    found = histories(campaign)
    counting = Counting(
        runs={one.id: one.counts.run for one in found if one.counts is not None},
        not_run=not_run(found),
        waived=campaign.waived,
        remark=remark(found),
    )
    shown = event_for_observer if view == "vendor" else None
    made = document_of(
        [read_run(folder / RUNS / run.run, shown, KEPT) for run in added],
        counting=counting,
        view=view,
        name=campaign.opened.campaign,
        more=list(sections(campaign, found, internal=view == "lab")),
        people={str(by) for one in campaign.records if (by := getattr(one.event, "by", ""))},
    )
    again = [one.id for one in found if one.passed_at_last]
    if not again:
        return made
    text = f"Passed when run again, after another verdict: {', '.join(again)} ({REPEATED})."
    first, *rest = made.statement.paragraphs
    return replace(made, statement=replace(made.statement, paragraphs=(first, text, *rest)))


def sections(
    view: CampaignView, found: Sequence[CaseHistory], *, internal: bool
) -> Iterator[Section]:
    """Write what the runs do not say; notes, files and who did what only as `internal`."""
    yield Section("Certification session", _openness(view), tuple(_session(view)))
    papers = _certificates(view)
    yield Section(
        "Runs of the session", tables=(_runs(view), papers) if papers.rows else (_runs(view),)
    )
    repeated = _repeated(found)
    if repeated.rows:
        text = "The result that counts is the one in the results above; no other is left out here."
        yield Section(REPEATED, (text,), tables=(repeated,))
    tables = [one for one in (_changes(view), _waivers(view), _connections(view)) if one.rows]
    if tables:
        yield Section("Changes, waivers, connection", tables=tuple(tables))
    if internal:
        notes = _notes(view)
        if notes.rows or view.files:
            shown = (notes,) if notes.rows else ()
            yield Section("Notes and files", pairs=tuple(_files(view)), tables=shown)
        yield Section("Who did what", tables=(_log(view),))


def _openness(view: CampaignView) -> tuple[str, ...]:
    points = open_points(view)
    if not points:
        return ("Nothing is open.",)
    return tuple(f"Open: {point}." for point in points)


def _session(view: CampaignView) -> Iterator[Pair]:
    assert view.opened is not None
    first = view.records[0]
    yield Pair("Opened", _at(first), f"by {view.opened.by}")
    if view.closed is not None:
        yield Pair("Closed", _at(view.records[-1]), f"by {view.closed.by}")
    if view.intake is not None:
        works = "the DUT works" if view.intake.works else "the DUT does not work"
        yield Pair("Short function check", works, view.intake.remark)
        stated = "yes" if view.intake.milliseconds else "no"
        yield Pair("Milliseconds in OCPP messages, as stated", stated, f"by {view.intake.by}")
    yield Pair("Record of the session", f"{len(view.records)} records", f"last hash {view.head}")
    seen = {one for run in view.added for one in run.milliseconds}
    if seen:
        words = "always" if seen == {True} else "never" if seen == {False} else "sometimes"
        yield Pair("Milliseconds in the DUT's time stamps", words)


def _runs(view: CampaignView) -> Table:
    rows = []
    for run in view.added:
        counts = Counter(case["verdict"] for case in run.cases)
        verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "none"
        rows.append(
            (
                run.run,
                run.begun[:19].replace("T", " "),
                str(run.bench.get("name", "")),
                verdicts,
                "yes" if run.complete else f"no: {run.reason}",
                "; ".join(view.runs[run.run].reasons) or "–",
            )
        )
    heads = ("Run", "Begun (UTC)", "Bench", "Verdicts", "Complete", "Why cases were run again")
    return Table("Runs", heads, tuple(rows))


def _certificates(view: CampaignView) -> Table:
    """Tabulate by which certificates the instruments were calibrated when a run was made."""
    rows = [
        (
            run.run,
            device,
            paper.get("certificate", ""),
            paper.get("date", ""),
            paper.get("due", "–"),
        )
        for run in view.added
        for device, paper in run.bench.get("calibrations", {}).items()
    ]
    heads = ("Run", "Instrument", "Certificate", "Calibrated", "Due")
    return Table("Certificates of the instruments at each run", heads, tuple(rows))


def _repeated(found: Iterable[CaseHistory]) -> Table:
    """Tabulate every execution of the cases that have more than the one that counts."""
    rows = [
        (
            one.id,
            attempt.begun[:19].replace("T", " "),
            attempt.run,
            attempt.outcome,
            "yes" if attempt is one.counts else _not_counted(one, attempt),
            "; ".join(attempt.rerun) or "–",
        )
        for one in found
        if [attempt for attempt in one.attempts if attempt is not one.counts]
        for attempt in one.attempts
    ]
    heads = ("Case", "Begun (UTC)", "Run", "Verdict", "Counts", "Why it was run again")
    return Table("All executions", heads, tuple(rows))


def _not_counted(one: CaseHistory, attempt: Attempt) -> str:
    if attempt.void is not None:
        return f"void: {attempt.void}"
    if attempt in one.unreasoned:
        return "no: nobody said why it was run again"
    return "no: a later one does" if attempt.decided else "no: it came to no end"


def _changes(view: CampaignView) -> Table:
    rows = [
        (_at(record), one.kind, one.what, "yes" if one.resets else "no", one.by)
        for record, one in view.changes
    ]
    return Table(
        "Changes of the DUT", ("When", "Kind", "What", "All cases start over", "By"), tuple(rows)
    )


def _waivers(view: CampaignView) -> Table:
    rows = [
        (
            one.granted.what,
            one.granted.reason,
            f"{one.at:%Y-%m-%d}, {one.granted.by}",
            f"{one.withdrawn.by}: {one.withdrawn.reason}" if one.withdrawn else "–",
        )
        for one in view.waivers
    ]
    return Table("Waivers", ("What", "Why", "Granted", "Withdrawn"), tuple(rows))


def _connections(view: CampaignView) -> Table:
    rows = [
        (
            _at(record),
            one.technology,
            f"{one.bandwidth:g}",
            f"{one.latency:g}",
            "–" if one.rssi is None else f"{one.rssi:g}",
            "; ".join(misses(one)) or "good enough",
            f"{one.remark}, {one.by}" if one.remark else one.by,
        )
        for record in view.records
        if isinstance(one := record.event, ConnectionMeasured)
    ]
    heads = ("When", "By way of", "kB/s", "ms", "dBm", "For the test setup", "How, and by whom")
    return Table("Network connection (Certification Document 2, clause 8.2.2)", heads, tuple(rows))


def _notes(view: CampaignView) -> Table:
    rows = [
        (_at(record), one.about or "–", one.text, one.by)
        for record in view.records
        if isinstance(one := record.event, NoteAdded)
    ]
    return Table("Notes", ("When", "About", "Note", "By"), tuple(rows))


def _files(view: CampaignView) -> Iterator[Pair]:
    for one in view.files:
        about = f"about {one.about}" if one.about else ""
        yield Pair(one.file, one.sha256, ", ".join(filter(None, (one.text, about, f"by {one.by}"))))


def _log(view: CampaignView) -> Table:
    rows = [
        (str(one.n), _at(one), getattr(one.event, "by", "–"), say(one.event))
        for one in view.records
    ]
    return Table("All records of the session", ("No", "When", "Who", "What"), tuple(rows))


def say(event: CampaignEvent) -> str:
    """Say in a few words what happened."""
    match event:
        case CampaignOpened(campaign=campaign):
            return f"opened the campaign {campaign}"
        case InputsTaken(changed=changed, files=files):
            return f"files taken: {'; '.join(changed) or ', '.join(files)}"
        case IntakeDone():
            return "did the intake"
        case ConnectionMeasured(technology=technology):
            return f"measured the connection: {technology}"
        case RunBegun(run=run, cases=cases):
            return f"began run {run} with {', '.join(cases[:3])}{'…' if cases[3:] else ''}"
        case RunAdded(run=run, head=head):
            return f"added run {run}, whose journal ends with {head[:16]}…"
        case ReRunReasoned(run=run, reason=reason):
            return f"said why run {run} ran cases again: {reason}"
        case NoteAdded(about=about):
            return f"wrote a note{f' about {about}' if about else ''}"
        case FileAdded(file=file):
            return f"put in {file}"
        case WaiverGranted(what=what):
            return f"waived {what}"
        case WaiverWithdrawn(what=what):
            return f"withdrew the waiver of {what}"
        case DutChanged(kind=kind, what=what):
            return f"recorded a change of the DUT ({kind}): {what}"
        case TailCut(size=size):
            return f"{size} bytes of a record that was never finished were cut off"
        case CampaignClosed(remark=text):
            return f"closed the campaign{f': {text}' if text else ''}"


def _at(record: CampaignRecord) -> str:
    return f"{record.utc:%Y-%m-%d %H:%M}"
