"""Feature profiles, and what results mean for a certificate (Certification Document 2, 5, 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from bench.report.document import NotRunPart, ProfilePart, Statement
from bench.verdict import Verdict

CORE, SECURITY, OTHER = "Core", "Security", "Other"
ITEMS: Mapping[str, str] = {
    CORE: "FP.Core",
    "Firmware Management": "FP.FW",
    "Smart Charging": "FP.SC",
    "Reservation": "FP.RES",
    "Local Authorization List Management": "FP.LAL",
    "Remote Trigger": "FP.RT",
    SECURITY: "SEC.cert",
}
"""Profiles in the order of the PICS, with the item that claims each (Appendix A)."""
_GROUPS = {
    "firmware-management": "Firmware Management",
    "diagnostics": "Firmware Management",
    "smart-charging": "Smart Charging",
    "reservation": "Reservation",
    "local-authorization-list": "Local Authorization List Management",
    "remote-trigger": "Remote Trigger",
    "security": SECURITY,
}
FULFILLED, NOT_FULFILLED = "fulfilled", "not fulfilled"
NOT_SHOWN, NOT_CLAIMED = "not shown", "not claimed"


class CaseResult(Protocol):
    """What a profile is judged by."""

    @property
    def id(self) -> str:
        """Id of the case."""

    @property
    def profile(self) -> str:
        """The profile that it belongs to."""

    @property
    def mark(self) -> str:
        """M, C, O, or -."""

    @property
    def verdict(self) -> str:
        """The verdict that counts."""

    @property
    def is_void(self) -> bool:
        """Tell whether it does not count, as the DUT changed after it."""


def profile_of(group: str) -> str:
    """Name the profile that a group of cases belongs to."""
    return CORE if group.startswith("core-") or group == "core" else _GROUPS.get(group, OTHER)


def profile_parts(
    cases: Sequence[CaseResult],
    not_run: Sequence[NotRunPart],
    pics: Mapping[str, Any],
    waived: Collection[str] = (),
) -> Iterator[ProfilePart]:
    """Judge every profile; those that no case belongs to and nobody claims are left out.

    `waived` are cases that need not pass (Certification Document 2, 5.4).
    """
    for name in (*ITEMS, OTHER):
        own = [case for case in cases if case.profile == name]
        left = [one for one in not_run if one.profile == name]
        claimed = pics.get(ITEMS.get(name, ""))
        if name == OTHER and not own:
            continue
        if own or left or claimed:
            yield _judged(name, own, left, claimed if isinstance(claimed, bool) else None, waived)


def _judged(
    name: str,
    own: Sequence[CaseResult],
    left: Sequence[NotRunPart],
    claimed: bool | None,
    waived: Collection[str],
) -> ProfilePart:
    counts = {str(v): 0 for v in Verdict if v is not Verdict.NONE}
    for case in own:
        if case.verdict in counts:
            counts[case.verdict] += 1
    deciding = [case for case in own if case.mark in ("M", "C") and case.id not in waived]
    failed = [case.id for case in deciding if case.verdict == "fail"]
    open_ones = [
        case.id
        for case in deciding
        if case.verdict not in ("pass", "fail") or (case.is_void and case.verdict == "pass")
    ]
    open_ones += [
        one.id
        for one in left
        if one.outcome != "not-applicable" and one.mark not in ("O", "-") and one.id not in waived
    ]
    let_off = [case.id for case in own if case.id in waived and case.verdict != "pass"]
    let_off += [one.id for one in left if one.id in waived and one.outcome != "not-applicable"]
    reason = ""
    if claimed is False:
        status, reason = NOT_CLAIMED, "the PICS does not claim it"
    elif failed:
        status, reason = NOT_FULFILLED, f"failed: {_listed(failed)}"
        if open_ones:
            reason += f"; without a passed result: {_listed(open_ones)}"
    elif open_ones:
        status, reason = NOT_SHOWN, f"without a passed result: {_listed(open_ones)}"
    elif claimed is None and name in ITEMS:
        status, reason = NOT_CLAIMED, "the PICS does not say whether it is claimed"
    elif not counts["pass"]:
        status, reason = NOT_SHOWN, "none of its cases has passed"
    else:
        status, reason = FULFILLED, f"waived: {_listed(let_off)}" if let_off else ""
    return ProfilePart(
        name=name,
        item=ITEMS.get(name, ""),
        claimed=claimed,
        status=status,
        reason=reason,
        counts=counts,
        cases=tuple(case.id for case in own),
        missing=tuple(failed + open_ones),
        waived=tuple(let_off),
    )


def _listed(ids: Sequence[str], most: int = 8) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more


def statement_of(profiles: Sequence[ProfilePart], kind: str, *, complete: bool) -> Statement:
    """Say which certificate the results allow, and what the report does not decide."""
    by_name = {one.name: one for one in profiles}
    wanted = [name for name in ITEMS if name not in (CORE, SECURITY)]
    fulfilled = [n for n in wanted if n in by_name and by_name[n].status == FULFILLED]
    open_ones = [
        one for one in profiles if one.status in (NOT_FULFILLED, NOT_SHOWN) and one.name != SECURITY
    ]
    core = by_name.get(CORE)
    if core is None or core.status != FULFILLED or open_ones or not complete:
        return _none(core, open_ones, complete=complete)
    side = "CSMS" if kind == "csms" else "Charging Station"
    let_off = [case for one in profiles if one.status == FULFILLED for case in one.waived]
    but = f" But for what was waived: {', '.join(let_off)}." if let_off else ""
    passed = "passed but for what was waived" if let_off else "passed"
    if len(fulfilled) == len(wanted):
        text = "All mandatory and all applicable conditional cases of all six profiles have passed."
        text += but
        headline = f"OCPP 1.6 certificate, full, {side}: the conformance tests are {passed}"
        return Statement("full", headline, (text, *_terms()))
    names = ", ".join([CORE, *fulfilled])
    text = (
        "All mandatory and all applicable conditional cases of the claimed profiles have passed: "
        f"{names}. The other profiles are not claimed.{but}"
    )
    headline = f"OCPP 1.6 certificate, subset, {side}: the conformance tests are {passed}"
    return Statement("subset", headline, (text, *_terms()))


def _none(
    core: ProfilePart | None, open_ones: Sequence[ProfilePart], *, complete: bool
) -> Statement:
    reasons = [f"{one.name} is {one.status}: {one.reason}." for one in open_ones]
    if core is None:
        reasons.insert(0, "No case of the profile Core has run, which every certificate includes.")
    elif core.status == NOT_CLAIMED:
        reasons.insert(0, f"{CORE} is {core.status}: {core.reason}; every certificate includes it.")
    if not complete:
        reasons.append("Not all planned cases ran to their end.")
    headline = "The conditions of an OCPP 1.6 certificate are not shown to be met"
    return Statement("none", headline, (*reasons, *_terms()))


def _terms() -> tuple[str, ...]:
    return (
        "The criterion is that all mandatory and all applicable conditional cases pass "
        "(Certification Document 2, clauses 5.4 and 7.1.3). Optional cases are reported and do not "
        "decide. Performance is reported and has no limits (clause 8.1.3).",
        "The results hold for the hardware and the OCPP software version that are identified here "
        "alone (clause 5.5). The laboratory reports; the certificate is awarded by the Open Charge "
        "Alliance.",
    )
