"""What a report says, as plain frozen data: PDF, HTML and CSV only lay it out.

Verdicts, counts and measured values are taken from the views of the runs as they stand there, so
that they are the same as in `results.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bench.report.parts import CasePart, Pair, Section, Table
from bench.report.sequence import Row


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One of the runs that the report is about."""

    run: str
    begun: str
    ended: str
    duration: str
    bench: str
    version: str
    complete: bool
    remark: str
    """Why it is not complete, or where its journal stops being sound; empty: nothing."""
    records: int
    head: str
    """Hash of the last sound record."""
    signature: str
    """With which key the record is signed, or that it is not."""
    stamp: str
    """Who stamped the time on it, or why nobody did who was asked; empty: nobody was."""
    files: tuple[Pair, ...]
    """SHA-256 of the files in its folder, by name."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing about the DUT: as it was stated, and as the DUT reported it."""

    name: str
    stated: str
    reported: str
    agrees: bool | None
    """None when one of the two says nothing."""


@dataclass(frozen=True, slots=True)
class NotRunPart:
    """A case that did not run, and why."""

    id: str
    title: str
    mark: str
    profile: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProfilePart:
    """A feature profile: what is claimed of it and what was shown."""

    name: str
    item: str
    """Its PICS item; empty when it has none."""
    claimed: bool | None
    """None: not answered."""
    status: str
    """fulfilled, not fulfilled, not shown, not claimed."""
    reason: str
    """Why it is not fulfilled."""
    counts: dict[str, int]
    """Verdicts of the cases that ended."""
    cases: tuple[str, ...]
    """Ids of the cases that ran, in order."""
    missing: tuple[str, ...]
    """Ids of the cases that a certificate asks for and that have no passed result."""
    waived: tuple[str, ...] = ()
    """Ids of the cases that did not pass and need not."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the results mean for a certificate."""

    kind: str
    """full, subset or none."""
    headline: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """One performance parameter: how often it was measured, in s."""

    item: str
    """PICS item with the vendor's statement; empty: none."""
    name: str
    stated: float | None
    count: int
    least: float | None
    median: float | None
    greatest: float | None
    texts: tuple[str, str, str, str]
    """Stated, least, median and greatest as they are printed."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A device of the bench, and the certificate that makes its values traceable."""

    name: str
    driver: str
    offers: tuple[str, ...]
    identity: str
    """Maker, model."""
    serial: str
    firmware: str
    state: str
    certificate: str
    """Number, issuer; empty: none."""
    calibrated: str
    due: str
    note: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A line to sign by hand."""

    role: str
    name: str
    """Empty: to be filled in."""


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report."""

    title: str
    view: str
    """`lab`, or `vendor` without the lab's internals."""
    run: str
    """The run, or how the runs are called together."""
    vendor: str
    model: str
    software: str
    kind: str
    identity: str
    verdict: str
    headline: str
    complete: bool
    remark: str
    """Why it is not complete."""
    void: tuple[str, ...]
    """What made earlier results void."""
    begun: str
    ended: str
    duration: str
    counts: dict[str, int]
    identification: tuple[Identity, ...]
    statement: Statement
    profiles: tuple[ProfilePart, ...]
    cases: tuple[CasePart, ...]
    not_run: tuple[NotRunPart, ...]
    pics: tuple[Section, ...]
    keys: tuple[Table, ...]
    """Configuration keys as read."""
    connection: tuple[Pair, ...]
    """Properties of the network connection, measured."""
    performance: tuple[Timing, ...]
    answers: Table
    """Response times by action."""
    instruments: tuple[Instrument, ...]
    channels: Table
    """What was sampled all the time."""
    pixit: tuple[Pair, ...]
    monitors: tuple[str, ...]
    waivers: tuple[Pair, ...]
    outside: tuple[Row, ...]
    """What happened while no case ran."""
    runs: tuple[RunFacts, ...]
    more: tuple[Section, ...]
    """What a campaign adds: intake, notes, runs done again with the reason."""
    signatures: tuple[Signature, ...]
    people: tuple[str, ...]
    """Names under which somebody acted, whom the vendor's view does not name."""
    rendered_by: str
    moment: datetime | None = None
    """When the last run was recorded, which dates the files."""

    @property
    def attention(self) -> tuple[CasePart, ...]:
        """List the cases that are not passed, the worst first."""
        rank = {"error": 0, "fail": 1, "inconclusive": 2, "none": 3}
        found = [one for one in self.cases if one.verdict != "pass" and one.was_begun]
        return tuple(sorted(found, key=lambda one: rank[one.verdict]))
