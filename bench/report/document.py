"""What a report says, as plain frozen data: PDF, HTML and CSV only lay it out.

Verdicts, counts and measured values are taken from the views of the runs as they stand there, so
that they are the same as in `results.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bench.report.sequence import Row


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and what belongs to it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells beneath heads; a remark says what was left out."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report that belongs to no case."""

    title: str
    paragraphs: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    tables: tuple[Table, ...] = ()


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
class CheckPart:
    """Something judged."""

    n: int
    text: str
    verdict: str
    expected: str
    actual: str
    frame: int | None
    clause: str | None


@dataclass(frozen=True, slots=True)
class StepPart:
    """One step of a case."""

    number: int | None
    title: str
    phase: str
    verdict: str
    duration: str
    why: str
    """Why it did not pass, where no check says so."""
    is_void: bool
    checks: tuple[CheckPart, ...]
    left_out: int
    """Checks that are not printed, all of them passed or after many that failed."""


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """A measured value, as numbers and as it is printed."""

    name: str
    value: float
    unit: str
    uncertainty: float | None
    limit: tuple[float | None, float | None] | None
    verdict: str
    value_text: str
    uncertainty_text: str
    limit_text: str


@dataclass(frozen=True, slots=True)
class PromptPart:
    """What the operator was asked and decided."""

    n: int
    text: str
    answer: str
    """What was answered, or why nothing was."""
    by: str
    at: str
    comment: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Traces over a time, drawn."""

    title: str
    svg: str
    alt: str
    """What is to be seen, for who does not see it."""


@dataclass(frozen=True, slots=True)
class FailurePart:
    """A fail explained: what was expected, what came, around which messages."""

    sentence: str
    """Names the message, the field, what was expected and what came."""
    check: CheckPart | None
    """The check that decided it; None when the case ended otherwise."""
    clauses: tuple[str, ...]
    """What the case and the check cite."""
    around: tuple[Row, ...]
    """What happened around that moment."""
    plot: Plot | None
    passed_in: str
    """The last run of this DUT in which the case passed, and when; empty: none was found."""
    changed: tuple[Pair, ...]
    """What is different since."""


@dataclass(frozen=True, slots=True)
class CasePart:
    """One case with everything that its verdict rests on."""

    id: str
    title: str
    mark: str
    group: str
    profile: str
    run: str
    """The run whose result counts."""
    state: str
    verdict: str
    is_void: bool
    """The DUT changed after it, so that the result does not count."""
    ended: str | None
    reason: str | None
    purpose: tuple[str, ...]
    refs: tuple[str, ...]
    begun: str
    duration: str
    duration_s: float
    checked: int
    """How many checks were made."""
    failed: int
    steps: tuple[StepPart, ...]
    measured: tuple[MeasuredPart, ...]
    tables: tuple[Table, ...]
    prompts: tuple[PromptPart, ...]
    rows: tuple[Row, ...]
    """The message sequence."""
    unclaimed: tuple[int, ...]
    """Records of CALLs that no step expected."""
    plots: tuple[Plot, ...]
    failure: FailurePart | None
    cause: str | None
    traceback: str | None

    @property
    def was_begun(self) -> bool:
        """Tell whether there is anything to say beyond that it has no verdict."""
        return self.state != "waiting"


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
