"""The remote procedure call: frames, message ids, one CALL at a time, answers to what was asked."""

from __future__ import annotations

from collections.abc import Iterator

from bench.ocpp.frame import ERROR_CODES, Broken, Call, CallError, CallResult, Frame, shorten
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule


class Rpc(Rule):
    """OCPP-J 1.6 clauses 4.1 and 4.2."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._open: dict[str, int] = {}
        """The DUT's CALLs not answered yet: message id to record."""
        self._answered: tuple[int, float] = (0, 0.0)
        """The DUT's CALL that was answered last: its record, and when its answer was sent."""
        self._ours: set[str] = set()
        """Message ids of our CALLs not answered yet."""

    def connected(self) -> None:
        """Begin anew: message ids may be used again, nothing is open."""
        self._ids.clear()
        self._open.clear()
        self._answered = (0, 0.0)
        self._ours.clear()

    def sent(self, frame: Frame, mono: float) -> None:
        """Note our CALLs, and when the DUT's were answered."""
        match frame:
            case Call(message_id):
                self._ours.add(message_id)
            case CallResult(message_id) | CallError(message_id) if message_id in self._open:
                self._answered = (self._open.pop(message_id), mono)

    def left_open(self, message_id: str) -> None:
        """Note that the bench leaves a CALL unanswered on purpose, so that it blocks no other."""
        self._open.pop(message_id, None)

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge the frame, not what it says."""
        match message.frame:
            case Broken() as frame:
                yield self._broken(message, frame)
            case Call() as frame:
                yield from self._call(message, frame)
            case CallResult(message_id):
                yield from self._asked(message, message_id, "CALLRESULT")
            case CallError(message_id) as frame:
                yield from self._asked(message, message_id, "CALLERROR")
                yield from self._code(message, frame)

    def _broken(self, message: Received, frame: Broken) -> Finding:
        unknown = frame.kind is not None and frame.kind not in (2, 3, 4)
        clause = "OCPP-J 1.6 clause 4.1.3" if unknown else "OCPP-J 1.6 clause 4.2"
        reason, _, expected = frame.reason.partition(", expected ")
        return Finding(
            "framing",
            "Every message is an OCPP-J frame",
            expected or "an OCPP-J frame",
            reason,
            message.n,
            clause,
            warning=unknown,
        )

    def _call(self, message: Received, call: Call) -> Iterator[Finding]:
        n = message.n
        if call.message_id in self._ids:
            yield Finding(
                "message-id",
                "A message id is used for one CALL of a connection only",
                "a new message id",
                f"{call.action} with the message id {call.message_id!r} again",
                n,
                "OCPP-J 1.6 clause 4.1.4",
            )
        self._ids.add(call.message_id)
        first = self._open_when_sent(message)
        if first is not None:
            yield Finding(
                "one-call",
                "A CALL waits for the answer to the CALL before",
                "no CALL while another one is open",
                f"{call.action} while the CALL of record {first} was open",
                n,
                "OCPP-J 1.6 clause 4.1.1",
            )
        self._open[call.message_id] = n

    def _open_when_sent(self, message: Received) -> int | None:
        """Return the record of a CALL whose answer the DUT can't have had when it sent this one."""
        if self._open:
            return next(iter(self._open.values()))
        number, answered_at = self._answered
        return number if message.stamp.mono < answered_at else None

    def _asked(self, message: Received, message_id: str, kind: str) -> Iterator[Finding]:
        if message_id not in self._ours:
            yield Finding(
                "answer",
                "An answer carries the message id of an open CALL",
                "the message id of an open CALL",
                f"a {kind} with the message id {message_id!r}",
                message.n,
                "OCPP-J 1.6 clause 4.1.4",
            )
        self._ours.discard(message_id)

    def _code(self, message: Received, error: CallError) -> Iterator[Finding]:
        if error.code not in ERROR_CODES:
            yield Finding(
                "error-code",
                "A CALLERROR has one of the specified codes",
                ", ".join(sorted(ERROR_CODES)),
                shorten(error.code),
                message.n,
                "OCPP-J 1.6 clause 4.2.3",
            )
