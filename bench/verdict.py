"""Verdicts (TTCN-3, ETSI ES 201 873-1 clause 24) and how they come about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import IntEnum, StrEnum

from bench.errors import (
    CheckFailed,
    DeviceError,
    DeviceTimeout,
    LinkError,
    RunAborted,
    Unverifiable,
)


class Verdict(IntEnum):
    """What a check, a step or a case says of the DUT, from best to worst."""

    NONE = 0
    PASS = 1
    INCONCLUSIVE = 2
    FAIL = 3
    ERROR = 4

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, text: str) -> Verdict:
        """Read a verdict as it stands in journals and results."""
        return cls[text.upper()]


class Phase(StrEnum):
    """Which part of a case runs: what fails before the body says nothing about the test purpose."""

    PREAMBLE = "preamble"
    BODY = "body"
    POSTAMBLE = "postamble"


class Ended(StrEnum):
    """How a case came to its end."""

    COMPLETED = "completed"
    ABORTED = "aborted"


def joined(verdicts: Iterable[Verdict]) -> Verdict:
    """Join verdicts: the worst counts."""
    return max(verdicts, default=Verdict.NONE)


def check_verdict(holds: bool, phase: Phase) -> Verdict:
    """Judge one check: what fails outside the body is inconclusive."""
    if holds:
        return Verdict.PASS
    return Verdict.FAIL if phase is Phase.BODY else Verdict.INCONCLUSIVE


def case_verdict(checks: Iterable[Verdict], end: Verdict) -> Verdict:
    """Join what was checked in a case with how it ended; without a passed check it can't pass."""
    checked = list(checks)
    verdict = joined([*checked, end])
    if verdict is Verdict.PASS and Verdict.PASS not in checked:
        return Verdict.INCONCLUSIVE
    return verdict


def verdict_of(raised: BaseException | None, phase: Phase) -> tuple[Verdict, Ended]:
    """Judge what ended a case: the exception that left it, if any, in which phase."""
    match raised:
        case None:
            return Verdict.PASS, Ended.COMPLETED
        case CheckFailed():
            return check_verdict(False, phase), Ended.COMPLETED
        case Unverifiable():
            return Verdict.INCONCLUSIVE, Ended.COMPLETED
        case RunAborted() | asyncio.CancelledError():
            return Verdict.INCONCLUSIVE, Ended.ABORTED
        case DeviceError():
            return Verdict.ERROR, Ended.COMPLETED
        case _:
            return Verdict.ERROR, Ended.COMPLETED


_DECIDING: dict[str, type[BaseException]] = {
    kind.__name__: kind
    for kind in (
        CheckFailed,
        Unverifiable,
        DeviceError,
        LinkError,
        DeviceTimeout,
        RunAborted,
        asyncio.CancelledError,
    )
}


def raised_of(cause: str | None) -> BaseException | None:
    """Make an exception of the recorded class; one that is not listed is a defect of ours."""
    return None if cause is None else _DECIDING.get(cause, RuntimeError)()
