"""The document of one run, or of several runs of one DUT, made from their records alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bench import __version__
from bench.clock import spoken
from bench.questionnaire import CS, questions_for
from bench.report import KEPT, RecordedRun, read_run, sequence
from bench.report.before import flat
from bench.report.cases import ROWS, case_part, moment
from bench.report.document import Document, NotRunPart, Signature
from bench.report.failure import failure_part, marks_of, moment_of, passed_before, wanted_plot
from bench.report.laboratory import answer_times, channels, connection, instruments, performance
from bench.report.parts import CasePart, FailurePart, Pair, Plot, Section
from bench.report.plot import Wanted, plots
from bench.report.product import identification, keys_as_read, pics_sections
from bench.report.profiles import profile_of, profile_parts, statement_of
from bench.report.run_facts import facts_of, remark_of
from bench.verdict import Verdict, joined
from bench.views import CaseView, State

PLOTTED = ("smart-charging", "core-meter-values")
"""Groups whose verdicts pilot and current explain also where they passed."""
SHORTEST = 1.0
"""Seconds that a case must have lasted for that."""
SIGNATURES = (
    Signature("Test operator", ""),
    Signature("Reviewed by the laboratory", ""),
    Signature("For the vendor", ""),
)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A case and the run whose result of it counts."""

    case: CaseView
    run: RecordedRun


@dataclass(frozen=True, slots=True)
class Counting:
    """What of several runs counts, where somebody knows more than their records say."""

    runs: Mapping[str, str]
    """By case, in the report's order, the run whose result counts; any other case has none."""
    not_run: tuple[NotRunPart, ...]
    """Cases without a result, and why."""
    waived: Mapping[str, str]
    """Cases that need not pass, and why."""
    remark: str
    """Why the results are not complete; empty: they are."""


def document_of(
    runs: Sequence[RecordedRun],
    *,
    counting: Counting | None = None,
    view: str = "lab",
    name: str = "",
    more: Sequence[Section] = (),
    signatures: Sequence[Signature] = SIGNATURES,
    people: Iterable[str] = (),
) -> Document:
    """Make the document of runs of one DUT, the oldest first.

    Without `counting` the newest result of a case counts that is not void. `name` is how several
    runs are called together, `more` what they have beyond their records, `people` who acted there.
    """
    last = runs[-1]
    assert last.view.started is not None
    chosen = list(_chosen(runs, counting))
    faults: list[str] = []
    cases = [
        part for run in runs for part in _parts(run, [c for c in chosen if c.run is run], faults)
    ]
    order = {case.id: place for place, case in enumerate(c.case for c in chosen)}
    cases.sort(key=lambda part: order[part.id])
    ran = {part.id for part in cases}
    left = _not_run(last) if counting is None else counting.not_run
    not_run = [one for one in left if one.id not in ran]
    pics = last.view.started.pics
    waived = {} if counting is None else counting.waived
    profiles = tuple(profile_parts(cases, not_run, pics, waived))
    complete = all(run.view.complete and run.fault is None for run in runs)
    remark = "; ".join(filter(None, map(remark_of, runs)))
    if counting is not None:
        complete, remark = not counting.remark, counting.remark
    verdict, headline, counts = _headline(cases, complete=complete)
    kind = str(last.view.started.dut.get("kind", CS))
    return Document(
        title="Certification test report",
        view=view,
        run=name or last.view.started.run,
        vendor=str(last.view.started.dut.get("vendor", "")),
        model=str(last.view.started.dut.get("model", "")),
        software=str(last.view.started.dut.get("software", "")),
        kind=kind,
        identity=str(last.view.started.dut.get("identity", "")),
        verdict=verdict,
        headline=headline,
        complete=complete,
        remark=remark,
        void=tuple(_void(runs)),
        begun=moment(runs[0].view.first),
        ended=moment(last.view.last) if last.view.ended else "not ended",
        duration=spoken(sum(run.view.duration for run in runs)),
        counts=counts,
        identification=tuple(identification(_booted(runs))),
        statement=statement_of(profiles, kind, complete=complete),
        profiles=profiles,
        cases=tuple(cases),
        not_run=tuple(not_run),
        pics=tuple(pics_sections(pics, questions_for(kind))),
        keys=tuple(keys_as_read(cases)),
        connection=tuple(connection(runs)),
        performance=tuple(performance(runs, pics, kind)),
        answers=answer_times(runs),
        instruments=tuple(instruments(runs)),
        channels=replace(channels(last), remark="; ".join(faults)),
        pixit=tuple(Pair(name, str(value)) for name, value in _pixit(last)),
        monitors=tuple(last.view.started.monitors),
        waivers=tuple(
            Pair(name, str(reason))
            for name, reason in (last.view.started.pixit.get("waivers") or {}).items()
        ),
        outside=tuple(_outside(last)),
        runs=tuple(map(facts_of, runs)),
        more=tuple(more),
        signatures=tuple(signatures),
        people=tuple(sorted({*people, *(name for run in runs for name in run.gathered.people)})),
        rendered_by=__version__,
        moment=last.view.last.utc if last.view.last else None,
    )


def _booted(runs: Sequence[RecordedRun]) -> RecordedRun:
    """Return the newest run in which the DUT said who it is."""
    return next((run for run in reversed(runs) if run.gathered.boots), runs[-1])


def _chosen(runs: Sequence[RecordedRun], counting: Counting | None) -> Iterator[_Chosen]:
    """Pick for every planned case the execution whose result counts."""
    void = {name for run in runs for one in run.view.void for name in one.runs}
    found: dict[str, _Chosen] = {}
    for run in runs:
        assert run.view.started is not None
        for case in run.view.cases:
            known = found.get(case.id)
            if counting is not None:
                if counting.runs.get(case.id) == run.folder.name:
                    found[case.id] = _Chosen(case, run)
            elif known is None or _counts(case, run, void) or not _counts(*_both(known), void):
                found[case.id] = _Chosen(case, run)
    order = found if counting is None else [case for case in counting.runs if case in found]
    yield from (found[case] for case in order)


def _both(chosen: _Chosen) -> tuple[CaseView, RecordedRun]:
    return chosen.case, chosen.run


def _counts(case: CaseView, run: RecordedRun, void: set[str]) -> bool:
    is_void = case.is_void or (run.view.started is not None and run.view.started.run in void)
    return case.state is State.ENDED and not is_void


def _parts(run: RecordedRun, chosen: Sequence[_Chosen], faults: list[str]) -> Iterator[CasePart]:
    """Make the parts of one run's cases; its samples are read once, and what fails is noted."""
    cases = [one.case for one in chosen]
    moments = {case.id: at for case in cases if (at := moment_of(case, run.view)) is not None}
    wanted: list[tuple[str, Wanted]] = []
    for case in cases:
        if case.id in moments:
            wanted.append((f"{case.id} fail", wanted_plot(case, moments[case.id])))
        long_enough = case.duration >= SHORTEST
        if case.started is not None and long_enough and case.group in PLOTTED:
            begin, end = case.started.mono, case.started.mono + case.duration
            at = moments.get(case.id)
            marks = () if at is None else marks_of(case, at)
            title = f"{case.id}: control pilot and current"
            wanted.append((case.id, Wanted(title, begin, end, begin, marks)))
    drawn, fault = plots(run.folder, run.view.channels, [one for _, one in wanted])
    if fault:
        faults.append(f"There are no plots, or not all: {fault}")
    by_name: dict[str, Plot] = {
        name: plot for (name, _), plot in zip(wanted, drawn, strict=False) if plot is not None
    }
    failed = [case for case in cases if case.id in moments]
    before = {} if run.alone else passed_before(run, failed, partial(read_run, most=KEPT))
    for case in cases:
        failure: FailurePart | None = None
        if case.id in moments:
            plot = by_name.get(f"{case.id} fail")
            failure = failure_part(case, run, moments[case.id], plot)
            if case.id in before:
                passed_in, changed = before[case.id]
                failure = replace(failure, passed_in=passed_in, changed=changed)
        own = (by_name[case.id],) if case.id in by_name else ()
        yield case_part(case, run.view, plots=own, failure=failure)


def _headline(cases: Sequence[CasePart], *, complete: bool) -> tuple[str, str, dict[str, int]]:
    """Say the runs in a verdict, one sentence and the counts of the cases that ended."""
    ended = [case for case in cases if case.state == State.ENDED]
    names = ("pass", "fail", "inconclusive", "error")
    counts = {name: sum(case.verdict == name for case in ended) for name in names}
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    text = f"{len(cases)} {'case' if len(cases) == 1 else 'cases'}: "
    text += ", ".join(parts) or "none ended"
    left = len(cases) - sum(counts.values())
    if left:
        text += f", {left} without a verdict"
    verdict = joined(Verdict.of(case.verdict) for case in cases)
    if verdict is Verdict.PASS and not complete:
        verdict = Verdict.NONE
    return str(verdict), text, counts


def _void(runs: Sequence[RecordedRun]) -> Iterator[str]:
    for one in (one for run in runs for one in run.view.void):
        yield one.why + (f" (earlier runs: {', '.join(one.runs)})" if one.runs else "")


def _not_run(run: RecordedRun) -> Iterator[NotRunPart]:
    for one in run.view.started.not_run if run.view.started else []:
        yield NotRunPart(
            id=str(one.get("id", "")),
            title=str(one.get("title") or ""),
            mark=str(one.get("mark") or ""),
            profile=profile_of(str(one.get("group") or "")),
            outcome=str(one.get("outcome", "")),
            reason=str(one.get("reason") or ""),
        )


def _pixit(run: RecordedRun) -> Iterator[tuple[str, object]]:
    pixit = run.view.started.pixit if run.view.started else {}
    yield from flat({name: value for name, value in pixit.items() if name != "waivers"})


def _outside(run: RecordedRun) -> Iterator[sequence.Row]:
    begin = run.view.first.mono if run.view.first else 0.0
    yield from sequence.bounded(list(sequence.of_items(run.view.outside, begin)), ROWS)
