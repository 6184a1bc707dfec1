"""Transactions: known ids, one at a time, begun and ended once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.clock import from_iso
from bench.ocpp.frame import Call, CallError, CallResult, Frame, shorten
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

_CLAUSES = "OCPP 1.6 ed. 2 clauses 4.8, 4.10"


@dataclass(slots=True)
class _Transaction:
    """A transaction that we gave an id."""

    start: dict[str, Any]
    """The payload of its StartTransaction."""
    stop: dict[str, Any] | None = None
    """The payload of its StopTransaction, once that was answered."""
    may_repeat: bool = False
    """The connection was lost since an answer, which the DUT may not have got."""

    @property
    def connector(self) -> int:
        number = self.start.get("connectorId")
        return number if isinstance(number, int) else 0


class Transactions(Rule):
    """OCPP 1.6 ed. 2 clauses 4.7, 4.8 and 4.10, with the errata on ids."""

    def __init__(self, deviation: float) -> None:
        self._deviation = deviation
        self._calls: dict[str, Call] = {}
        """StartTransactions and StopTransactions not answered yet, by message id."""
        self._stopping: dict[str, int] = {}
        """Our RemoteStopTransactions not answered yet: message id to transaction."""
        self._transactions: dict[int, _Transaction] = {}
        self._unnumbered: list[dict[str, Any]] = []
        """Payloads of the StartTransactions that got no id, which may be repeated."""

    def connected(self) -> None:
        """Begin a connection: what was not answered for sure may be sent again."""
        for call in self._calls.values():
            self._without_id(call)
        self._calls.clear()
        self._stopping.clear()
        for transaction in self._transactions.values():
            transaction.may_repeat = True

    def sent(self, frame: Frame, mono: float) -> None:
        """Note the ids that we give, the ends that we confirm, and what we want to stop."""
        match frame:
            case Call(message_id, "RemoteStopTransaction", payload):
                self._stopping[message_id] = payload.get("transactionId", 0)
            case CallResult(message_id, payload) if message_id in self._calls:
                self._answered(self._calls.pop(message_id), payload)
            case CallError(message_id) if message_id in self._calls:
                self._without_id(self._calls.pop(message_id))

    def _without_id(self, call: Call) -> None:
        if call.action == "StartTransaction":
            self._unnumbered.append(call.payload)

    def _answered(self, call: Call, answer: dict[str, Any]) -> None:
        if call.action == "StartTransaction":
            number = answer.get("transactionId")
            self._unnumbered = [start for start in self._unnumbered if start != call.payload]
            if isinstance(number, int) and number not in self._transactions:
                for other in self._transactions.values():
                    if other.start == call.payload and other.stop is None:
                        other.stop = {}  # a repetition that got another id: that one counts
                self._transactions[number] = _Transaction(call.payload)
            return
        transaction = self._named_in(call.payload)
        if transaction is not None:
            transaction.stop, transaction.may_repeat = call.payload, False

    def _named_in(self, payload: dict[str, Any]) -> _Transaction | None:
        number = payload.get("transactionId")
        return self._transactions.get(number) if isinstance(number, int) else None

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge what belongs to a transaction."""
        match message.frame:
            case Call(message_id, "StartTransaction") as call:
                self._calls[message_id] = call
                yield from self._start(message.n, call.payload)
            case Call(message_id, "StopTransaction", payload) as call:
                self._calls[message_id] = call
                yield from self._known(message.n, call)
                yield from self._stop(message.n, payload)
            case Call(action="MeterValues") as call:
                yield from self._known(message.n, call)
            case CallResult(message_id, payload) if message_id in self._stopping:
                number = self._stopping.pop(message_id)
                if payload.get("status") == "Rejected" and number in self._transactions:
                    # The DUT has no such transaction: that it lost one is said where it did.
                    self._transactions[number].stop = {}

    def _known(self, n: int, call: Call) -> Iterator[Finding]:
        number = call.payload.get("transactionId")
        if not isinstance(number, int) or number in self._transactions:
            return  # what is no number, the schema rule says
        waits = any(one.action == "StartTransaction" for one in self._calls.values())
        if number == -1 and (waits or self._unnumbered):
            return  # so a station writes that it was given no id
        known = ", ".join(map(str, self._transactions)) or "none was given"
        yield Finding(
            "transaction",
            "A message names a transaction that the CSMS gave an id",
            f"a known transactionId ({known})",
            f"{call.action} transactionId={shorten(number)}",
            n,
            "OCPP 1.6 ed. 2 clause 4.8, errata sheet 4.0 clause 3.18",
            # A transaction may have begun before the run, of which we then know nothing.
            warning=not self._transactions,
        )

    def _start(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector = payload.get("connectorId")
        for number, running in self._transactions.items():
            if running.stop is not None or running.connector != connector:
                continue
            if running.start == payload:
                if running.may_repeat:
                    running.may_repeat = False
                    return
                what = f"the StartTransaction of {number} again"
            else:
                what = f"StartTransaction while {number} runs"
            yield Finding(
                "one-transaction",
                "A connector has one transaction at a time, and begins it once",
                f"no StartTransaction on connector {connector}",
                what,
                n,
                _CLAUSES,
            )
            return

    def _stop(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        number, transaction = payload.get("transactionId"), self._named_in(payload)
        if transaction is None:
            return
        if transaction.stop and not (transaction.may_repeat and transaction.stop == payload):
            yield Finding(
                "stop-once",
                "A transaction is stopped once",
                f"no StopTransaction of {number}, which was answered",
                f"StopTransaction transactionId={number} again",
                n,
                _CLAUSES,
            )
        start = transaction.start
        lasted = _seconds(start.get("timestamp"), payload.get("timestamp"))
        if lasted is not None and lasted < -self._deviation:
            yield Finding(
                "stop-time",
                "A transaction ends after it began",
                f"a timestamp from {start.get('timestamp')} on",
                f"StopTransaction timestamp={payload.get('timestamp')}",
                n,
                _CLAUSES,
            )
        first, last = start.get("meterStart"), payload.get("meterStop")
        if isinstance(first, int) and isinstance(last, int) and last < first:
            yield Finding(
                "stop-register",
                "A transaction's meterStop is not below its meterStart",
                f"at least {first} Wh",
                f"meterStop {last} Wh",
                n,
                "OCPP 1.6 ed. 2 clauses 6.45, 6.49, errata sheet 4.0 clause 3.77",
            )


def _seconds(start: Any, stop: Any) -> float | None:
    """Return the seconds between two time stamps, None when one can't be read."""
    try:
        return (from_iso(stop) - from_iso(start)).total_seconds()
    except (TypeError, ValueError):
        return None
