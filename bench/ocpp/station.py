"""The DUT as a procedure sees it: what it does on the wire, and what it is asked."""

from __future__ import annotations

import asyncio

from bench.clock import now
from bench.errors import CheckFailed
from bench.events import Claimed
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.explain import describe, explain, name_of
from bench.ocpp.forbidden import Forbidden, Interdictions
from bench.ocpp.frame import Call
from bench.ocpp.inbox import Inbox
from bench.ocpp.judge import Judge, judge_absence
from bench.ocpp.match import CallPattern, Pattern, result
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding


class Station:
    """What the DUT does: expectations over its messages, and CALLs to it."""

    def __init__(
        self, dialogue: Dialogue, judge: Judge, *, response: float, triggered: float
    ) -> None:
        self._dialogue = dialogue
        self._judge = judge
        self._response = response
        self._triggered = triggered
        self._inbox = Inbox()
        self._begun = dialogue.stream.last
        self.was_connected = False
        """Whether the DUT was there when the case proper began."""
        self.forbidden = Interdictions(judge, self._inbox, lambda: dialogue.stream.last)
        """What `forbid` forbids, for those who end steps and cases."""

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
        self._inbox.add(message)
        self.forbidden.see(message)
        self._inbox.notify()

    def found(self, finding: Finding) -> None:
        """Take a monitor's finding (called by the dialogue)."""
        self._judge.found(finding)

    def connection_changed(self) -> None:
        """Notice a new or a lost connection (called by the dialogue)."""
        self._inbox.notify()

    async def expect(
        self,
        pattern: Pattern,
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
            begin = max(begin, self._inbox.last_claimed(self._judge.window))
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
        nearest = self._inbox.nearest(pattern, begin)
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

    async def may_come(self, pattern: Pattern, *, within: float) -> Received | None:
        """Wait `within` s for a message that may come, and claim it; None when it does not."""
        after = self._judge.window
        message = await self._claim(pattern, after, round(now().mono + within, 6))
        if message is not None:
            self._dialogue.stream.emit(Claimed([message.n], pattern.to_json(), after))
        return message

    async def _claim(self, pattern: Pattern, after: int, deadline: float) -> Received | None:
        seen, over = 0, False
        while True:
            message = self._inbox.first(pattern, after, deadline, skipped=seen)
            if message is not None:
                self._inbox.claim(message, self._judge.window)
                return message
            self.forbidden.check()
            if over:
                return None
            seen = len(self._inbox)
            over = not await self._arrives_by(deadline)

    async def expect_none(self, pattern: Pattern, *, during: float) -> None:
        """Watch for `during` s that no matching message comes, counted from now.

        A message that came since the step began and that no expectation claimed counts as well.
        """
        until = round(now().mono + during, 6)
        after = self._judge.window
        came = await self._claim(pattern, after, until)
        rule = {"rule": "none", "pattern": pattern.to_json(), "after": after, "until": until}
        judge_absence(self._judge, pattern, came, f"none in {during:g} s", rule)

    def forbid(self, pattern: Pattern) -> Forbidden:
        """Make matching messages fail from now until the context is left or the case ends."""
        return self.forbidden.forbid(pattern)

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

    def messages(self, pattern: Pattern) -> list[Received]:
        """List all messages since the step began that match, claimed or not, and claim them."""
        after = self._judge.window
        found = self._inbox.matching(pattern, after)
        for message in found:
            self._inbox.claim(message, after)
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
        return [m for m in self._inbox.unclaimed(self._begun) if isinstance(m.frame, Call)]

    async def _arrives_by(self, deadline: float) -> bool:
        """Wait for something to arrive; false when the deadline is over, and all of before here.

        A station that never stops talking must not hold a deadline.
        """
        arrival = self._inbox.arrival
        try:
            async with asyncio.timeout_at(deadline):
                await arrival.wait()
        except TimeoutError:
            await self._dialogue.caught_up()
            return False
        return True
