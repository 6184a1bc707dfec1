"""The DUT as a procedure sees it: what it does on the wire, and what it is asked."""

from __future__ import annotations

import asyncio
import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Protocol, Self

from bench.clock import now
from bench.errors import CheckFailed
from bench.events import Claimed
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.explain import describe, explain, name_of
from bench.ocpp.frame import Broken, Call
from bench.ocpp.match import CallPattern, Pattern, distance, result
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


class Station:
    """What the DUT does: expectations over its messages, and CALLs to it."""

    def __init__(
        self, dialogue: Dialogue, judge: Judge, *, response: float, triggered: float
    ) -> None:
        self._dialogue = dialogue
        self._judge = judge
        self._response = response
        self._triggered = triggered
        self._messages: list[Received] = []
        self._claimed: dict[int, int] = {}
        """Record of a claimed message to the window in which it was claimed."""
        self._begun = dialogue.stream.last
        self.was_connected = False
        """Whether the DUT was there when the case proper began."""
        self._arrival = asyncio.Event()
        self._forbidden: list[Forbidden] = []
        self._breach: tuple[Forbidden, Received] | None = None

    @property
    def is_connected(self) -> bool:
        """Tell whether the DUT has an open WebSocket connection."""
        return self._dialogue.is_connected

    @property
    def transactions(self) -> tuple[int, ...]:
        """List the transactionIds that the bench has given and that have not ended."""
        return tuple(self._dialogue.csms.book.open)

    def received(self, message: Received) -> None:
        """Take a message of the DUT (called by the dialogue)."""
        self._messages.append(message)
        if self._breach is None:
            for rule in self._forbidden:
                if not rule.pattern.misses(message.frame):
                    self._breach = (rule, message)
                    break
        self._arrived()

    def found(self, finding: Finding) -> None:
        """Take a monitor's finding (called by the dialogue)."""
        self._judge.found(finding)

    def connection_changed(self) -> None:
        """Notice a new or a lost connection (called by the dialogue)."""
        self._arrived()

    def _arrived(self) -> None:
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def expect(
        self,
        pattern: CallPattern | Pattern,
        *,
        within: float | None = None,
        in_order: bool = False,
        after: Received | None = None,
    ) -> Received:
        """Wait for a message of the DUT and claim it.

        The window opens when the step begins. A message satisfies one expectation only; with
        `in_order` it must come after all messages claimed in this step, with `after` after that
        message. `within` in s from now, None: the triggered function timeout. Raises `CheckFailed`
        naming the nearest miss.
        """
        wait = self._triggered if within is None else within
        deadline = round(now().mono + wait, 6)
        begin = max(self._judge.window, after.n if after else 0)
        if in_order:
            claimed = (n for n, window in self._claimed.items() if window == self._judge.window)
            begin = max(claimed, default=begin)
        rule = {
            "rule": "expect",
            "pattern": pattern.to_json(),
            "after": begin,
            "deadline": deadline,
        }
        message = await self._claim(pattern, begin, deadline)
        if message is not None:
            self._judge.judged(
                f"{name_of(pattern)} comes",
                True,
                expected=str(pattern),
                actual=describe(message),
                frame=message.n,
                rule=rule,
                reason="",
            )
            return message
        nearest = self._nearest(pattern, begin)
        reason = explain(pattern, nearest, wait)
        self._judge.judged(
            f"{name_of(pattern)} comes",
            False,
            expected=str(pattern),
            actual=describe(nearest) if nearest else "no message",
            frame=nearest.n if nearest else None,
            rule=rule,
            reason=reason,
        )
        raise CheckFailed(reason)

    async def may_come(self, pattern: CallPattern | Pattern, *, within: float) -> Received | None:
        """Wait `within` s for a message that may come, and claim it; None when it does not."""
        after = self._judge.window
        message = await self._claim(pattern, after, round(now().mono + within, 6))
        if message is not None:
            self._dialogue.stream.emit(Claimed([message.n], pattern.to_json(), after))
        return message

    async def _claim(
        self, pattern: CallPattern | Pattern, after: int, deadline: float
    ) -> Received | None:
        seen, over = 0, False
        while True:
            for message in self._unclaimed(after, seen):
                if message.stamp.mono <= deadline and not pattern.misses(message.frame):
                    self._claimed[message.n] = self._judge.window
                    return message
            self.check_forbidden()
            if over:
                return None
            seen = len(self._messages)
            over = not await self._arrives_by(deadline)

    async def expect_none(self, pattern: CallPattern | Pattern, *, during: float) -> None:
        """Watch for `during` s that no matching message comes, counted from now.

        A message that came since the step began and that no expectation claimed counts as well.
        """
        until = round(now().mono + during, 6)
        after = self._judge.window
        rule = {"rule": "none", "pattern": pattern.to_json(), "after": after}
        seen, over = 0, False
        while True:
            for message in self._unclaimed(after, seen):
                if message.stamp.mono <= until and not pattern.misses(message.frame):
                    self._claimed[message.n] = self._judge.window
                    self._judge.judged(
                        f"No {name_of(pattern)} comes",
                        False,
                        expected=f"no {pattern}",
                        actual=describe(message),
                        frame=message.n,
                        rule={**rule, "until": until},
                        reason=f"no {pattern} was allowed, but {describe(message)} came",
                    )
            self.check_forbidden()
            if over:
                break
            seen = len(self._messages)
            over = not await self._arrives_by(until)
        self._judge.judged(
            f"No {name_of(pattern)} comes",
            True,
            expected=f"no {pattern}",
            actual=f"none in {during:g} s",
            frame=None,
            rule={**rule, "until": until},
            reason="",
        )

    def forbid(self, pattern: CallPattern | Pattern) -> Forbidden:
        """Make matching messages fail from now until the context is left or the case ends."""
        forbidden = Forbidden(pattern, self._dialogue.stream.last, self._lifted)
        self._forbidden.append(forbidden)
        return forbidden

    def _lifted(self, rule: Forbidden) -> None:
        self.check_forbidden()
        if rule not in self._forbidden:
            return
        self._forbidden.remove(rule)
        until = self._dialogue.stream.last
        self._judge.judged(
            f"No {name_of(rule.pattern)} comes",
            True,
            expected=f"no {rule.pattern}",
            actual="none",
            frame=None,
            rule={
                "rule": "forbid",
                "pattern": rule.pattern.to_json(),
                "after": rule.since,
                "before": until,
            },
            reason="",
        )

    def lift_all(self) -> None:
        """End every interdiction, at the end of a case; raises `CheckFailed` for a breach."""
        for rule in tuple(self._forbidden):
            self._lifted(rule)

    def forget_forbidden(self) -> None:
        """Drop every interdiction unjudged: what a case meant to forbid is over with its body."""
        self._forbidden.clear()
        self._breach = None

    def check_forbidden(self) -> None:
        """Raise `CheckFailed` when a forbidden message has come."""
        if self._breach is None:
            return
        rule, message = self._breach
        self._breach = None
        self._forbidden.remove(rule)
        self._claimed[message.n] = self._judge.window
        self._judge.judged(
            f"No {name_of(rule.pattern)} comes",
            False,
            expected=f"no {rule.pattern}",
            actual=describe(message),
            frame=message.n,
            rule={
                "rule": "forbid",
                "pattern": rule.pattern.to_json(),
                "after": rule.since,
                "before": self._dialogue.stream.last,
            },
            reason=f"no {rule.pattern} was allowed, but {describe(message)} came",
        )

    async def call(
        self, request: CallPattern, answer: Pattern | None = None, *, within: float | None = None
    ) -> Received:
        """Send a CALL, wait for its answer and check it against `answer` (any CALLRESULT if None).

        `within` in s, None: the OCPP response timeout. Raises `CheckFailed`.
        """
        expected = result() if answer is None else answer
        wait = self._response if within is None else within
        rule = {
            "rule": "answer",
            "pattern": expected.to_json(),
            "call": request.action,
            "after": self._dialogue.stream.last,
            "within": wait,
        }
        text = f"{request.action} is answered"
        try:
            reply = await self._dialogue.call(request.action, dict(request.fields), within=wait)
        except CheckFailed as error:
            self._judge.judged(
                text,
                False,
                expected=str(expected),
                actual="no answer",
                frame=None,
                rule=rule,
                reason=str(error),
            )
            raise
        misses = expected.misses(reply.frame)
        what = " and ".join(map(str, misses))
        self._judge.judged(
            text,
            not misses,
            expected=str(expected),
            actual=describe(reply),
            frame=reply.n,
            rule=rule,
            reason=f"the answer to {request}: {what} (record {reply.n})",
        )
        return reply

    async def send_raw(self, text: str) -> int:
        """Send any text, for negative tests; return its record."""
        return await self._dialogue.send_raw(text)

    async def connects(self, *, within: float) -> None:
        """Wait until the DUT is connected; raises `CheckFailed`."""
        await self._connection(True, within)

    async def disconnects(self, *, within: float) -> None:
        """Wait until the DUT is not connected; raises `CheckFailed`."""
        await self._connection(False, within)

    async def _connection(self, wanted: bool, within: float) -> None:
        what = "open" if wanted else "closed"
        came = await self._dialogue.until_connected(wanted, within=within)
        self._judge.judged(
            f"The connection is {what}",
            came,
            expected=f"a connection {what} within {within:g} s",
            actual=what if came else f"not {what}",
            frame=None,
            rule={"rule": "connection", "open": wanted},
            reason=f"the DUT's connection was not {what} within {within:g} s",
        )

    def messages(self, pattern: CallPattern | Pattern) -> list[Received]:
        """List all messages since the step began that match, claimed or not, and claim them."""
        after = self._judge.window
        found = [m for m in self._messages if m.n > after and not pattern.misses(m.frame)]
        for message in found:
            self._claimed[message.n] = after
        if found:
            frames = [message.n for message in found]
            self._dialogue.stream.emit(Claimed(frames, pattern.to_json(), after))
        return found

    def begin(self) -> None:
        """Begin the case proper: what came while the basic state was restored is settled."""
        self._begun = self._dialogue.stream.last
        self.was_connected = self.is_connected

    def unclaimed_calls(self) -> list[Received]:
        """List the DUT's CALLs since the case proper began that no step expected."""
        return [m for m in self._unclaimed(self._begun) if isinstance(m.frame, Call)]

    def _unclaimed(self, after: int, skipped: int = 0) -> Iterator[Received]:
        for message in itertools.islice(self._messages, skipped, None):
            if message.n > after and message.n not in self._claimed:
                yield message

    def _nearest(self, pattern: Pattern, after: int) -> Received | None:
        candidates = [m for m in self._unclaimed(after) if isinstance(m.frame, Call | Broken)]
        return min(candidates, key=lambda m: distance(pattern.misses(m.frame)), default=None)

    async def _arrives_by(self, deadline: float) -> bool:
        """Wait for something to arrive; false when the deadline is over, and all of before here.

        A station that never stops talking must not hold a deadline.
        """
        arrival = self._arrival
        try:
            async with asyncio.timeout_at(deadline):
                await arrival.wait()
        except TimeoutError:
            await self._dialogue.caught_up()
            return False
        return True
