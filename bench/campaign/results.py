"""What of a campaign counts: for each case its result, the runs before, and what is void."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.campaign.events import RunAdded
from bench.campaign.view import CampaignView, RunEntry
from bench.clock import iso
from bench.earlier import changed_claims
from bench.verdict import Ended

TO_RUN = "to run"
WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a case."""

    case: str
    run: str
    n: int
    """Record of the campaign by which its run became known."""
    begun: str
    verdict: str
    ended: str
    reason: str | None
    rerun: tuple[str, ...]
    """Why its run ran cases again."""
    void: str | None
    """Why it does not count: the DUT is not what it was then."""

    @property
    def outcome(self) -> str:
        """Its verdict, and how it ended if it was not by itself."""
        return self.verdict if self.ended == Ended.COMPLETED else f"{self.verdict}, {self.ended}"

    @property
    def decided(self) -> bool:
        """Tell whether it came to its verdict, so that another needs a reason."""
        return self.void is None and self.ended == Ended.COMPLETED


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case in the campaign: whether it is to run, what came of it, and which result counts."""

    id: str
    title: str
    mark: str
    group: str
    outcome: str
    """runnable, or why not, as judged from the files in force."""
    outcome_reason: str | None
    attempts: tuple[Attempt, ...]
    """All of them, in the order in which they were made."""
    counts: Attempt | None
    """The one whose result counts."""
    unreasoned: tuple[Attempt, ...]
    """Those that came after a result, and nobody said why: they do not count."""
    waiver: str | None
    """Why it need not pass."""

    @property
    def state(self) -> str:
        """A verdict, `waived`, `to run`, or why it is not to run."""
        if self.counts is not None and self.counts.verdict == "pass":
            return "pass"
        if self.waiver is not None:
            return WAIVED
        if self.counts is not None:
            return self.counts.verdict
        return TO_RUN if self.outcome == "runnable" else self.outcome

    @property
    def passed_at_last(self) -> bool:
        """Tell whether it passed, and had come to another verdict of the same DUT before."""
        others = (one for one in self.attempts if one.decided and one.verdict != "pass")
        return self.state == "pass" and any(others)


def histories(view: CampaignView) -> list[CaseHistory]:
    """Derive what counts for every case, in the order of the test plan."""
    attempts: dict[str, list[Attempt]] = {}
    known: dict[str, dict[str, Any]] = {one["id"]: one for one in view.planned}
    for run, void in zip(view.added, _void(view), strict=True):
        for case, why in zip(run.cases, void, strict=True):
            known.setdefault(case["id"], {**case, "outcome": "deselected", "reason": "not planned"})
            attempts.setdefault(case["id"], []).append(_attempt(view, run, case, why))
    return [_history(view, one, attempts.get(case, [])) for case, one in known.items()]


def _attempt(view: CampaignView, run: RunAdded, case: dict[str, Any], why: str | None) -> Attempt:
    return Attempt(
        case=case["id"],
        run=run.run,
        n=view.runs[run.run].n,
        begun=case["begun"],
        verdict=case["verdict"],
        ended=case["ended"],
        reason=case["reason"],
        rerun=tuple(view.runs[run.run].reasons),
        void=why,
    )


def _history(view: CampaignView, one: dict[str, Any], attempts: list[Attempt]) -> CaseHistory:
    counts: Attempt | None = None
    unreasoned: list[Attempt] = []
    for attempt in attempts:
        if not attempt.decided:
            continue
        # Of two runs the one that came into the campaign later must say why.
        if counts is None or max(counts, attempt, key=lambda one: one.n).rerun:
            counts = attempt
        else:
            unreasoned.append(attempt)
    return CaseHistory(
        id=one["id"],
        title=one["title"],
        mark=one["mark"],
        group=one["group"],
        outcome=one["outcome"],
        outcome_reason=one["reason"],
        attempts=tuple(attempts),
        counts=counts,
        unreasoned=tuple(unreasoned),
        waiver=view.waived.get(one["id"]),
    )


def _void(view: CampaignView) -> Iterator[list[str | None]]:
    """Say for each run, and each case begun in it, why it does not count, if it does not."""
    runs = view.added
    for place, run in enumerate(runs):
        whole = _changed_after(view, view.runs[run.run]) or _other_product(view, run)
        found = (one["why"] for later in runs[place + 1 :] for one in later.void)
        later = whole or next(found, None) or _reported_otherwise(runs, place)
        yield [
            later or next((one["why"] for one in run.void if index < one["after"]), None)
            for index in range(len(run.cases))
        ]


def _changed_after(view: CampaignView, entry: RunEntry) -> str | None:
    """Find a change of the DUT that came after a run: by the record, or by the clock elsewhere."""
    assert entry.added is not None
    elsewhere = entry.added.begun if entry.added.source else None
    for record, change in view.changes:
        earlier = elsewhere is not None and elsewhere < iso(record.utc)
        if change.resets and (entry.n < record.n or earlier):
            return f"{change.kind}: {change.what}"
    return None


def _other_product(view: CampaignView, run: RunAdded) -> str | None:
    """Say how the product that a run was made with differs from the one in force."""
    if view.inputs is None:
        return None
    now = view.inputs.dut
    for key in ("kind", "vendor", "model", "identity", "software"):
        if run.dut.get(key, "") != now.get(key, ""):
            return f"the run was made with {key} {run.dut.get(key, '')!r}, not {now.get(key, '')!r}"
    return next(iter(changed_claims(run.pics, view.inputs.pics)), None)


def _reported_otherwise(runs: list[RunAdded], place: int) -> str | None:
    """Say how the DUT's software, as it reported it, differs in the runs that followed.

    Within a run the runner heeds it, which knows the cases that update the firmware.
    """
    told = [(run.run, run.reported.get("software", [])) for run in runs]
    before = next((found[-1] for _, found in reversed(told[: place + 1]) if found), None)
    for run, found in told[place + 1 :]:
        if not found:
            continue
        if before is not None and found[0] != before:
            return f"the DUT reported the software {before!r} before, {found[0]!r} in run {run}"
        before = found[-1]
    return None
