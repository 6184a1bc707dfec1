"""Who records what was judged on the wire."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from bench.ocpp.explain import describe, name_of
from bench.ocpp.match import Pattern
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding


class Judge(Protocol):
    """Who records what was judged: the running case."""

    @property
    @abstractmethod
    def window(self) -> int:
        """The record at which the current step began."""

    @abstractmethod
    def judged(
        self,
        text: str,
        holds: bool,
        *,
        expected: str,
        actual: str,
        frame: int | None,
        rule: dict[str, Any],
        reason: str,
    ) -> None:
        """Record a check; raise `CheckFailed` with `reason` when it does not hold."""

    @abstractmethod
    def found(self, finding: Finding) -> None:
        """Record a monitor's finding."""


def judge_absence(
    judge: Judge, pattern: Pattern, came: Received | None, none: str, rule: dict[str, Any]
) -> None:
    """Record that no match came, in the words `none`; raises `CheckFailed` if one did."""
    judge.judged(
        f"No {name_of(pattern)} comes",
        came is None,
        expected=f"no {pattern}",
        actual=describe(came) if came else none,
        frame=came.n if came else None,
        rule=rule,
        reason=f"no {pattern} was allowed, but {describe(came)} came" if came else "",
    )
