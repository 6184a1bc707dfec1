"""Parts of a report: tables, and all that is said of a case."""

from __future__ import annotations

from dataclasses import dataclass

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
