"""Which certificate a campaign's results allow; the rules are those of any report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.campaign.results import TO_RUN, CaseHistory, histories
from bench.campaign.view import CampaignView
from bench.report.document import NotRunPart, ProfilePart, Statement
from bench.report.profiles import profile_of, profile_parts, statement_of


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of a case that counts."""

    id: str
    profile: str
    mark: str
    verdict: str
    is_void: bool = False


def certificate(view: CampaignView) -> tuple[list[ProfilePart], Statement]:
    """Judge every profile and say which certificate can be stated now."""
    found = histories(view)
    results = [
        _Result(one.id, profile_of(one.group), one.mark, one.counts.verdict)
        for one in found
        if one.counts is not None
    ]
    pics = view.inputs.pics if view.inputs else {}
    kind = view.inputs.dut["kind"] if view.inputs else ""
    profiles = list(profile_parts(results, not_run(found), pics, view.waived))
    return profiles, statement_of(profiles, kind, complete=not remark(found))


def not_run(found: Sequence[CaseHistory]) -> tuple[NotRunPart, ...]:
    """List the cases without a result that counts, and why they have none."""
    return tuple(
        NotRunPart(
            id=one.id,
            title=one.title,
            mark=one.mark,
            profile=profile_of(one.group),
            outcome=TO_RUN if one.outcome == "runnable" else one.outcome,
            reason=_why(one),
        )
        for one in found
        if one.counts is None
    )


def _why(one: CaseHistory) -> str:
    if one.outcome != "runnable":
        return one.outcome_reason or ""
    if not one.attempts:
        return "not run yet"
    last = one.attempts[-1]
    if last.void is not None:
        return f"{last.verdict} in run {last.run}, which is void: {last.void}"
    return f"{last.ended} in run {last.run}"


def remark(found: Sequence[CaseHistory]) -> str:
    """Say why the results are not complete; empty when they are."""
    left = [one.id for one in found if one.state == TO_RUN]
    if not left:
        return ""
    cases = "case is" if len(left) == 1 else "cases are"
    return f"{len(left)} {cases} to be run"
