"""What must not come from the DUT for a while."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bench.ocpp.inbox import Inbox
from bench.ocpp.judge import Judge, judge_absence
from bench.ocpp.match import Pattern
from bench.ocpp.message import Received


class Forbidden:
    """A class of frames that must not come, until the context is left or the case ends."""

    def __init__(self, pattern: Pattern, since: int, lift: Callable[[Forbidden], None]) -> None:
        self.pattern = pattern
        self.since = since
        self._lift = lift

    def lift(self) -> None:
        """End the interdiction; raises `CheckFailed` for a breach."""
        self._lift(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.lift()


class Interdictions:
    """All that is forbidden now, and the first breach of it that nobody has judged."""

    def __init__(self, judge: Judge, inbox: Inbox, last: Callable[[], int]) -> None:
        """Begin with none; `last` tells the newest record."""
        self._judge = judge
        self._inbox = inbox
        self._last = last
        self._rules: list[Forbidden] = []
        self._breach: tuple[Forbidden, Received] | None = None

    def forbid(self, pattern: Pattern) -> Forbidden:
        """Make matching messages a breach from now on."""
        rule = Forbidden(pattern, self._last(), self._lifted)
        self._rules.append(rule)
        return rule

    def see(self, message: Received) -> None:
        """Take a message as it comes."""
        if self._breach is None:
            broken = (rule for rule in self._rules if not rule.pattern.misses(message.frame))
            self._breach = next(((rule, message) for rule in broken), None)

    def check(self) -> None:
        """Raise `CheckFailed` when a forbidden message has come."""
        if self._breach is None:
            return
        rule, message = self._breach
        self._breach = None
        self._rules.remove(rule)
        self._inbox.claim(message, self._judge.window)
        self._judged(rule, message)

    def lift_all(self) -> None:
        """End every interdiction, at the end of a case; raises `CheckFailed` for a breach."""
        for rule in tuple(self._rules):
            self._lifted(rule)

    def forget(self) -> None:
        """Drop every interdiction unjudged: what a case meant to forbid is over with its body."""
        self._rules.clear()
        self._breach = None

    def _lifted(self, rule: Forbidden) -> None:
        self.check()
        if rule in self._rules:
            self._rules.remove(rule)
            self._judged(rule, None)

    def _judged(self, forbidden: Forbidden, came: Received | None) -> None:
        pattern = forbidden.pattern
        rule = {
            "rule": "forbid",
            "pattern": pattern.to_json(),
            "after": forbidden.since,
            "before": self._last(),
        }
        judge_absence(self._judge, pattern, came, "none", rule)
