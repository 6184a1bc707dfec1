"""What stands in the way of a certificate, or must be looked at, as a campaign is now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.campaign.events import ConnectionMeasured
from bench.campaign.results import TO_RUN, CaseHistory, histories
from bench.campaign.view import CampaignView

LEAST_BANDWIDTH = 5.0
"""kB per second (Certification Document 2, 8.2.2)."""
MOST_LATENCY = 1000.0
"""ms."""
LEAST_RSSI = -81.0
"""dBm."""
NAMED = 6
"""Cases that a sentence names; it counts the others."""


@dataclass(frozen=True, slots=True)
class Identification:
    """One thing about the DUT: as it was stated, and as the DUT reported it."""

    name: str
    stated: str
    reported: str | None


def identification(view: CampaignView) -> list[Identification]:
    """Compare vendor, model and software with what BootNotification said.

    That is what it said first since nothing changed: a case may install another software later.
    """
    if view.inputs is None:
        return []
    counting = {one.run for case in histories(view) for one in case.attempts if one.void is None}
    runs = [run for run in view.added if run.run in counting] or view.added[-1:]
    return [
        Identification(
            key,
            view.inputs.dut[key],
            next((run.reported[key][0] for run in runs if run.reported.get(key)), None),
        )
        for key in ("vendor", "model", "software")
    ]


def milliseconds_seen(view: CampaignView) -> bool | None:
    """Tell whether time stamps of the DUT had milliseconds in any run; None without time stamps."""
    seen = {one for run in view.added for one in run.milliseconds}
    return (True in seen) if seen else None


def misses(measured: ConnectionMeasured) -> list[str]:
    """Say what is not good enough for the test setup."""
    found = []
    if measured.bandwidth < LEAST_BANDWIDTH:
        found.append(f"{measured.bandwidth:g} kB/s is less than {LEAST_BANDWIDTH:g} kB/s")
    if measured.latency > MOST_LATENCY:
        found.append(f"{measured.latency:g} ms is more than {MOST_LATENCY:g} ms")
    if measured.rssi is not None and measured.rssi < LEAST_RSSI:
        found.append(f"{measured.rssi:g} dBm is less than {LEAST_RSSI:g} dBm")
    return found


def open_points(view: CampaignView) -> list[str]:
    """Say in sentences what is not settled, the preparations first."""
    return [
        *_preparations(view),
        *_identities(view),
        *_cases(histories(view)),
        *_runs(view),
        *_certificates(view),
    ]


def _preparations(view: CampaignView) -> Iterator[str]:
    claimed = view.inputs.pics.get("GEN.ms") if view.inputs else None
    seen = milliseconds_seen(view)
    if view.intake is None:
        yield "the intake is not done"
    else:
        if not view.intake.works:
            yield f"the short function check failed: {view.intake.remark or 'no remark'}"
        if claimed is not None and claimed != view.intake.milliseconds:
            yield f"milliseconds: the PICS says {_yes(claimed)}, the intake the opposite"
    if claimed is not None and seen is not None and claimed != seen:
        yield f"milliseconds: the PICS says {_yes(claimed)}, the time stamps say {_yes(seen)}"
    if not view.connections:
        yield "the network connection is not measured"
    else:
        for what in misses(view.connections[-1]):
            yield f"the network connection is not good enough: {what}"


def _identities(view: CampaignView) -> Iterator[str]:
    for one in identification(view):
        if one.reported is not None and one.reported != one.stated:
            stated = f"stated is {one.stated!r}" if one.stated else "none is stated"
            yield f"the DUT reports the {one.name} {one.reported!r}, {stated}"


def _cases(found: list[CaseHistory]) -> Iterator[str]:
    for state, text in (
        ("fail", "failed"),
        ("error", "ended with an error of the bench"),
        ("inconclusive", "inconclusive"),
        (TO_RUN, "to be run"),
        ("undetermined", "of which the PICS does not tell whether they apply"),
        ("not-runnable", "that this bench can't run"),
    ):
        yield from _named([one.id for one in found if one.state == state], text)
    again = [one.id for one in found if one.unreasoned]
    yield from _named(again, "run again without a reason, which does not count")


def _named(cases: list[str], text: str) -> Iterator[str]:
    if cases:
        more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
        count = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
        yield f"{count} {text}: {', '.join(cases[:NAMED])}{more}"


def _runs(view: CampaignView) -> Iterator[str]:
    for one in view.runs.values():
        if one.added is None:
            yield f"run {one.run} was begun and is not over, or left no journal"


def _certificates(view: CampaignView) -> Iterator[str]:
    """Name the instruments whose certificate was out of date when a run was made."""
    seen = set()
    for run in view.added:
        for device, certificate in run.bench.get("calibrations", {}).items():
            due = certificate.get("due")
            if due and due < run.begun[:10] and (device, due) not in seen:
                seen.add((device, due))
                name = certificate.get("certificate", "")
                yield f"the certificate {name} of {device} was due on {due}, before run {run.run}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
