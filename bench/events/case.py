"""A case: its steps, and what they checked, measured and noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """A case began."""

    case: str
    title: str
    mark: str
    group: str
    purpose: str
    refs: list[str]


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """A case came to its verdict."""

    case: str
    verdict: str
    ended: str
    reason: str | None
    cause: str | None
    """Class of the exception that ended it, if one did."""
    phase: str
    """The phase in which it ended."""
    duration: float
    """Seconds."""
    unclaimed: list[int]
    """Records of the DUT's CALLs that no step expected."""
    traceback: str | None = None
    """For a defect of ours."""


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """The running case entered its preamble, body or postamble; a case begins in its body."""

    phase: str


@dataclass(frozen=True, slots=True)
class Retried:
    """The case begins once more: its preamble was not reached, and what it checked is void."""

    reason: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of a case began; the window of its expectations opens here."""

    step: int
    phase: str
    title: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended."""

    step: int
    verdict: str
    reason: str | None
    cause: str | None = None
    """Class of the exception that ended it, if one did."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Something was judged; `rule` holds what is needed to judge it again from the records."""

    text: str
    verdict: str
    expected: str
    actual: str
    frame: int | None
    """The record of the frame it was judged by, if one was."""
    rule: dict[str, Any]
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A value was measured; `verdict` is none without a limit."""

    name: str
    value: float
    unit: str
    uncertainty: float | None
    limit: list[float | None] | None
    verdict: str
    rule: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """The procedure or a person left a remark."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Tabulated:
    """The procedure put together what it read, as a table for the report."""

    title: str
    heads: list[str]
    rows: list[list[str]]
