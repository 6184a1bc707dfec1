"""What the records of a case prove: its checks and values, judged again from the frames."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import Any

from bench.events import (
    Answered,
    Checked,
    FileTransferred,
    FrameReceived,
    FrameSent,
    Prompted,
)
from bench.journal import Record, stamp_of
from bench.ocpp.explain import describe
from bench.ocpp.frame import Call, CallError, CallResult, parse
from bench.ocpp.match import pattern_from_json
from bench.ocpp.message import Observed, Received, age, elapsed, interval, limits
from bench.ocpp.predicate import ABSENT, absent, compare, from_json, show

GRACE = 0.001
"""Seconds by which the engine's timers may differ from the deadlines that they stand for."""

_CLAIMING = ("expect", "none", "forbid")
"""Rules that use up the message by which they are decided."""


_NUMBER = attrgetter("n")


class Differs(Exception):
    """A record does not follow from those before it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A check judged again: whether it holds, why, and by which record or when it was decided."""

    holds: bool
    why: str
    by: tuple[int, ...] = ()
    """The messages of which any can have decided it."""
    not_before: float = 0.0
    """When it can have been decided at the earliest, on the monotonic clock."""


def received(record: Record) -> Received | None:
    """Read a record as a message of the DUT, if it is one."""
    match record.event:
        case FrameReceived(connection, str(text)):
            return Received(record.n, stamp_of(record), connection, parse(text))
        case FrameReceived(connection, None, data):
            frame = parse(base64.b64decode(data or ""))
            return Received(record.n, stamp_of(record), connection, frame)
        case _:
            return None


class Evidence:
    """The messages of a case, what was claimed of them, and what the operator said."""

    def __init__(
        self,
        messages: Sequence[Received],
        *,
        begun: int,
        connection: int | None,
        same_words: bool,
    ) -> None:
        self.begun = begun
        """Record at which the case proper began: later CALLs that nothing expects are unclaimed."""
        self.claimed: set[int] = set()
        """Messages that a check used up; no other expectation sees them."""
        self.connection = connection
        """The DUT's open connection."""
        self._connection_changed = 0
        self._same_words = same_words
        """True when the version that recorded words its texts as this one does."""
        self._messages = messages
        latest_first = (message.stamp.mono for message in reversed(messages))
        self._earliest = list(accumulate(latest_first, min))[::-1]
        """For each message the earliest moment from it on, by which a search ends in time."""
        self._by_record = {message.n: message for message in messages}
        self._calls: list[tuple[Record, Call]] = []
        """Our CALLs whose answers were not judged yet."""
        self._questions: dict[str, str] = {}
        self._answers: dict[str, Any] = {}
        """What the operator answered, by the text of the question."""
        self._transfers: dict[tuple[str, str], FileTransferred] = {}
        """The last whole transfer of a file, by direction and name."""

    def connection_changed(self, n: int, connection: int | None) -> None:
        """Note a new or a lost connection."""
        self.connection, self._connection_changed = connection, n

    def take(self, record: Record) -> None:
        """Note what checks are judged by later."""
        match record.event:
            case FrameSent(text=text):
                frame = parse(text)
                if isinstance(frame, Call):
                    self._calls.append((record, frame))
            case FileTransferred(complete=True) as transfer:
                self._transfers[transfer.direction, transfer.name] = transfer
            case Prompted(prompt=prompt, text=text):
                self._questions[prompt] = text
            case Answered(prompt=prompt, answer=answer) if prompt in self._questions:
                self._answers[self._questions[prompt]] = answer
            case _:
                pass

    def judge(self, record: Record, check: Checked) -> Judged:
        """Judge a check again by its rule; raises `Differs` when it can't have come about."""
        judged = self._judge(record, check)
        if judged.holds != (check.verdict == "pass"):
            return judged
        if judged.by and check.frame not in judged.by:
            by = f"record {judged.by[0]}"
            raise Differs(f"{check.text!r} was judged by record {check.frame}, {by} decides it")
        if record.mono < judged.not_before - GRACE:
            early = judged.not_before - record.mono
            raise Differs(f"{check.text!r} was judged {early:.3f} s before its deadline")
        self._compare_texts(check)
        if judged.by and check.frame is not None and check.rule["rule"] in _CLAIMING:
            self.claimed.add(check.frame)
        return judged

    def _compare_texts(self, check: Checked) -> None:
        """Compare what reports print with the pattern, message or value that stands behind it."""
        if not self._same_words:
            return
        if check.rule["rule"] == "value":
            value = show(self.observe(check.rule["of"]).value)
            same(f"the value of {check.text!r}", check.actual, value)
        if "pattern" not in check.rule:
            return
        expected = str(pattern_from_json(check.rule["pattern"]))
        if check.rule["rule"] in ("none", "forbid"):
            expected = f"no {expected}"
        same(f"what {check.text!r} expects", check.expected, expected)
        if check.frame is not None:
            came = describe(self._message(check.frame))
            same(f"what {check.text!r} was judged by", check.actual, came)

    def _judge(self, record: Record, check: Checked) -> Judged:
        rule = check.rule
        match rule.get("rule"):
            case "expect":
                fits = self._fitting(rule, until=rule["deadline"])
                if not fits:
                    why = "no unclaimed message fits and came in time"
                    return Judged(False, why, not_before=rule["deadline"])
                return Judged(True, f"record {fits[0]} fits and came in time", fits)
            case "none":
                fits = self._fitting(rule, until=rule["until"])
                if not fits:
                    return Judged(True, "no such message came", not_before=rule["until"])
                return Judged(False, f"record {fits[0]} came", fits)
            case "forbid":
                pattern = pattern_from_json(rule["pattern"])
                window = self._between(rule["after"], rule["before"])
                fits = tuple(m.n for m in window if not pattern.misses(m.frame))
                return Judged(not fits, f"record {fits[0]} came" if fits else "none came", fits)
            case "answer":
                return self._answer(record, rule)
            case "value":
                observed = self.observe(rule["of"])
                misses = compare(from_json(rule["expected"]), observed.value, "")
                by = () if observed.frame is None else (observed.frame,)
                return Judged(not misses, f"the value is {show(observed.value)}", by)
            case "connection":
                is_open = self.connection is not None
                state = "open" if is_open else "closed"
                return Judged(is_open is rule["open"], f"the connection is {state}")
            case "operator":
                answer = self._answers.get(check.text)
                return Judged(answer == "pass", f"the operator answered {answer}")
            case "unclaimed":
                fits = tuple(
                    call.n
                    for call in self.unclaimed_calls(record.n)
                    if isinstance(call.frame, Call) and call.frame.action == rule["action"]
                )
                return Judged(not fits, f"record {fits[0]} came" if fits else "none came", fits)
            case kind:
                raise Differs(f"{check.text!r} was judged by a rule {kind!r} that is not known")

    def unclaimed_calls(self, before: int) -> list[Received]:
        """List the DUT's CALLs from the case proper until a record that nothing used up."""
        between = self._between(self.begun, before)
        return [m for m in between if isinstance(m.frame, Call) and m.n not in self.claimed]

    def observe(self, source: dict[str, Any]) -> Observed:
        """Observe a value again where it was observed."""
        match source["kind"]:
            case "given":
                value = source["value"]
                return Observed(ABSENT if value == absent.to_json() else value, source)
            case "field":
                return self._message(source["frame"]).field(source["path"])
            case "interval":
                return interval(self._message(source["from"]), self._message(source["to"]))
            case "age":
                return age(self._message(source["frame"]), source["path"])
            case "limits":
                return limits(self._message(source["frame"]), source["from"], source["to"])
            case "transfer":
                last = self._transfers.get((source["direction"], source["name"]))
                return Observed(ABSENT if last is None else getattr(last, source["field"]), source)
            case "elapsed":
                return elapsed(self.observe(source["from"]), self.observe(source["to"]))
            case kind:
                raise Differs(f"a value was observed in a way {kind!r} that is not known")

    def _message(self, n: int) -> Received:
        if n not in self._by_record:
            raise Differs(f"record {n} is no message of the DUT in this case")
        return self._by_record[n]

    def _between(self, after: int, before: int | None = None) -> Sequence[Received]:
        start = bisect_right(self._messages, after, key=_NUMBER)
        stop = None if before is None else bisect_right(self._messages, before, key=_NUMBER)
        return self._messages[start:stop]

    def _fitting(self, rule: dict[str, Any], *, until: float) -> tuple[int, ...]:
        """List the messages in a window that fit, that came in time, and that nothing claimed."""
        pattern = pattern_from_json(rule["pattern"])
        start = bisect_right(self._messages, rule["after"], key=_NUMBER)
        stop = bisect_right(self._earliest, until, start)
        return tuple(
            message.n
            for message in self._messages[start:stop]
            if message.stamp.mono <= until
            and message.n not in self.claimed
            and not pattern.misses(message.frame)
        )

    def _answer(self, record: Record, rule: dict[str, Any]) -> Judged:
        """Judge the answer to one of our CALLs again."""
        for sent, call in self._calls:
            if sent.n > rule["after"] and call.action == rule["call"]:
                break
        else:
            if self.connection is not None:
                raise Differs(f"no {rule['call']} is recorded as sent")
            return Judged(False, "the DUT was not connected")
        self._calls.remove((sent, call))
        deadline = sent.mono + rule["within"]
        for reply in self._between(sent.n, record.n):
            frame = reply.frame
            if isinstance(frame, CallResult | CallError) and frame.message_id == call.message_id:
                if reply.stamp.mono > deadline + GRACE:
                    break
                misses = pattern_from_json(rule["pattern"]).misses(frame)
                why = "; ".join(map(str, misses)) or f"record {reply.n} fits"
                return Judged(not misses, why, (reply.n,))
        # A connection that ends takes the hope of an answer with it.
        not_before = deadline if self._connection_changed < sent.n else 0.0
        return Judged(False, "no answer came in time", not_before=not_before)


def same(what: str, recorded: Any, derived: Any) -> None:
    """Raise `Differs` unless a record says what was derived again."""
    if recorded != derived:
        raise Differs(f"{what} is recorded as {recorded}, the records say {derived}")
