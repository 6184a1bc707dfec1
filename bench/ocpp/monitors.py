"""Rules that hold in every case, judged from the frames alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.clock import from_iso
from bench.ocpp import schema
from bench.ocpp.frame import (
    ERROR_CODES,
    Broken,
    Call,
    CallError,
    CallResult,
    Frame,
    shorten,
)
from bench.ocpp.message import Received

TRANSITIONS: dict[str, frozenset[str]] = {
    "Available": frozenset(
        "Preparing Charging SuspendedEV SuspendedEVSE Reserved Unavailable Faulted".split()
    ),
    "Preparing": frozenset(
        "Available Charging SuspendedEV SuspendedEVSE Finishing Faulted".split()
    ),
    "Charging": frozenset(
        "Available SuspendedEV SuspendedEVSE Finishing Unavailable Faulted".split()
    ),
    "SuspendedEV": frozenset(
        "Available Charging SuspendedEVSE Finishing Unavailable Faulted".split()
    ),
    "SuspendedEVSE": frozenset(
        "Available Charging SuspendedEV Finishing Unavailable Faulted".split()
    ),
    "Finishing": frozenset("Available Preparing Unavailable Faulted".split()),
    "Reserved": frozenset("Available Preparing Unavailable Faulted".split()),
    "Unavailable": frozenset(
        "Available Preparing Charging SuspendedEV SuspendedEVSE Faulted".split()
    ),
}
"""Legal status changes of a connector (OCPP 1.6 ed. 2 clause 4.9, errata sheet 4.0 clause 3.20)."""

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_REGISTER = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: the rule, what it demands, what came. A warning does not fail a case."""

    monitor: str
    text: str
    expected: str
    actual: str
    frame: int
    clause: str
    warning: bool = False


class Monitors:
    """Watch both directions of a dialogue and report what the specification forbids."""

    def __init__(self, *, connectors: int, deviation: float) -> None:
        self._connectors = connectors
        self._deviation = deviation
        self._ids: set[str] = set()
        self._open: dict[str, int] = {}
        """The DUT's CALLs not answered yet: message id to record."""
        self._answered: tuple[int, float] = (0, 0.0)
        """The DUT's CALL that was answered last: its record, and when its answer was sent."""
        self._ours: dict[str, str] = {}
        """Our CALLs not answered yet: message id to action."""
        self._starts: dict[str, Call] = {}
        self._boots: set[str] = set()
        self._boot_status = "Accepted"
        self._triggered = 0
        """How many messages our TriggerMessages may still bring."""
        self._synchronised = False
        self._transactions: dict[int, int] = {}
        """Transactions that we gave an id: connector."""
        self._statuses: dict[int, str] = {}
        self._registers: dict[int, tuple[datetime, float]] = {}

    def connected(self) -> None:
        """Begin a new connection: message ids start anew, statuses may have changed unseen."""
        self._ids.clear()
        self._open.clear()
        self._answered = (0, 0.0)
        self._ours.clear()
        self._statuses.clear()

    def sent(self, frame: Frame, mono: float) -> None:
        """Note what the bench sent, and when on the monotonic clock."""
        if isinstance(frame, CallResult | CallError) and frame.message_id in self._open:
            self._answered = (self._open.pop(frame.message_id), mono)
        match frame:
            case Call(message_id, action, payload):
                self._ours[message_id] = action
                if action == "TriggerMessage" and self._boot_status != "Accepted":
                    every = "connectorId" not in payload
                    self._triggered += self._connectors + 1 if every else 1
            case CallResult(message_id, payload):
                start = self._starts.pop(message_id, None)
                if start is not None and isinstance(payload.get("transactionId"), int):
                    connector = start.payload.get("connectorId", 0)
                    self._transactions[payload["transactionId"]] = connector
                if message_id in self._boots:
                    self._boots.discard(message_id)
                    self._boot_status = str(payload.get("status"))
                    self._synchronised = True
                    self._statuses.clear()
            case CallError(message_id):
                self._starts.pop(message_id, None)
                self._boots.discard(message_id)

    def left_open(self, message_id: str) -> None:
        """Note that the bench leaves a CALL unanswered on purpose, so that it blocks no other."""
        self._open.pop(message_id, None)

    def received(self, message: Received) -> list[Finding]:
        """Judge a message of the DUT."""
        match message.frame:
            case Broken() as frame:
                return [self._broken(message, frame)]
            case Call() as frame:
                return list(self._call(message, frame))
            case CallResult() as frame:
                return list(self._answer(message, frame))
            case CallError() as frame:
                return list(self._error(message, frame))

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
        yield from self._allowed(n, call)
        if call.action not in schema.actions():
            yield Finding(
                "schema",
                "A CALL has an action of OCPP 1.6",
                "a known action",
                shorten(call.action),
                n,
                "OCPP-J 1.6 clause 4.2.1",
            )
            return
        yield from self._schema(n, call.action, call.payload, "request")
        yield from self._timestamps(message, call)
        match call.action:
            case "BootNotification":
                self._boots.add(call.message_id)
            case "StatusNotification":
                yield from self._status(n, call.payload)
            case "StartTransaction":
                self._starts[call.message_id] = call
                yield from self._connector(n, call.payload.get("connectorId"), lowest=1)
            case "StopTransaction":
                yield from self._transaction(n, call)
                yield from self._stop_register(n, call.payload)
            case "MeterValues":
                yield from self._transaction(n, call)
                yield from self._meter(n, call.payload)

    def _open_when_sent(self, message: Received) -> int | None:
        """Return the record of a CALL whose answer the DUT can't have had when it sent this one."""
        if self._open:
            return next(iter(self._open.values()))
        number, answered_at = self._answered
        return number if message.stamp.mono < answered_at else None

    def _allowed(self, n: int, call: Call) -> Iterator[Finding]:
        if call.action == "BootNotification" or self._boot_status == "Accepted":
            return
        if self._boot_status == "Pending" and self._triggered:
            self._triggered -= 1
            return
        yield Finding(
            "before-acceptance",
            "Before it is accepted, the station sends BootNotification only",
            "no CALL but BootNotification",
            f"{call.action} after a BootNotification was answered {self._boot_status}",
            n,
            "OCPP 1.6 ed. 2 clause 4.2",
        )

    def _schema(
        self, n: int, action: str, payload: dict[str, Any], side: schema.Side
    ) -> Iterator[Finding]:
        name = action if side == "request" else f"{action} answer"
        for problem in schema.problems(action, payload, side):
            if problem.is_format and "date-time" in problem.text:
                continue  # the timestamp rule says it better
            actual, _, expected = problem.text.partition(", expected ")
            where = f"{name} {problem.path}".rstrip()
            yield Finding(
                "schema",
                f"{name} conforms to its JSON schema",
                expected or "a payload that conforms",
                f"{where}: {actual}",
                n,
                "OCPP 1.6 JSON schema",
            )

    def _timestamps(self, message: Received, call: Call) -> Iterator[Finding]:
        for path, text in _find_timestamps(call.payload, ""):
            where = f"{call.action} {path}"
            try:
                if not _DATE_TIME.fullmatch(text):
                    raise ValueError(text)
                moment = from_iso(text)
            except ValueError:
                yield Finding(
                    "timestamp-format",
                    "Time stamps are ISO 8601 with a time zone",
                    "such as 2017-09-28T12:00:00Z",
                    f"{where}: {shorten(text)}",
                    message.n,
                    "OCPP 1.6 ed. 2 clause 3.15, errata sheet 4.0 clause 3.10",
                )
                continue
            ahead = (moment - message.stamp.utc).total_seconds()
            if self._synchronised and ahead > self._deviation:
                yield Finding(
                    "timestamp-drift",
                    "The station's clock follows the CSMS",
                    f"at most {self._deviation:g} s ahead",
                    f"{where} is {ahead:.1f} s ahead",
                    message.n,
                    "OCPP 1.6 ed. 2 clause 3.15",
                )

    def _status(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector, status = payload.get("connectorId"), payload.get("status")
        if not isinstance(connector, int) or not isinstance(status, str):
            return
        yield from self._connector(n, connector, lowest=0)
        clause = "OCPP 1.6 ed. 2 clause 4.9"
        if connector == 0 and status not in ("Available", "Unavailable", "Faulted"):
            yield Finding(
                "status",
                "Connector 0 has only the statuses Available, Unavailable and Faulted",
                "Available, Unavailable or Faulted",
                f"StatusNotification connectorId=0 status={status}",
                n,
                clause,
            )
        before = self._statuses.get(connector)
        self._statuses[connector] = status
        if connector == 0 or before in (None, status, "Faulted"):
            return
        allowed = TRANSITIONS.get(str(before))
        if allowed is not None and status not in allowed:
            yield Finding(
                "status",
                "The status changes as the specification allows",
                f"after {before} one of {', '.join(sorted(allowed))}",
                f"StatusNotification connectorId={connector} status={status}",
                n,
                clause,
            )

    def _connector(self, n: int, connector: Any, *, lowest: int) -> Iterator[Finding]:
        if isinstance(connector, int) and not lowest <= connector <= self._connectors:
            yield Finding(
                "connector",
                "A message names a connector that the station has",
                f"connectorId {lowest} to {self._connectors}",
                f"connectorId {connector}",
                n,
                "OCPP 1.6 ed. 2 clause 3.7",
            )

    def _transaction(self, n: int, call: Call) -> Iterator[Finding]:
        number = call.payload.get("transactionId")
        if not isinstance(number, int) or number in self._transactions:
            return  # what is no number, the schema rule says
        known = ", ".join(map(str, self._transactions)) or "none was given"
        yield Finding(
            "transaction",
            "A message names a transaction that the CSMS gave an id",
            f"a known transactionId ({known})",
            f"{call.action} transactionId={shorten(number)}",
            n,
            "OCPP 1.6 ed. 2 clause 4.8, errata sheet 4.0 clause 3.18",
        )

    def _stop_register(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        number = payload.get("transactionId")
        connector = self._transactions.get(number) if isinstance(number, int) else None
        register, text = payload.get("meterStop"), payload.get("timestamp")
        if connector is not None and isinstance(register, int) and isinstance(text, str):
            yield from self._register(n, connector, text, float(register), "meterStop")

    def _meter(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector = payload.get("connectorId")
        yield from self._connector(n, connector, lowest=0)
        values = payload.get("meterValue")
        for value in values if isinstance(values, list) else []:
            if not isinstance(value, dict) or not isinstance(connector, int):
                continue
            samples = value.get("sampledValue")
            for sample in samples if isinstance(samples, list) else []:
                register = _energy(sample)
                if register is not None:
                    text = str(value.get("timestamp"))
                    yield from self._register(n, connector, text, register, _REGISTER)

    def _register(
        self, n: int, connector: int, text: str, register: float, name: str
    ) -> Iterator[Finding]:
        try:
            moment = from_iso(text)
        except ValueError:
            return
        before = self._registers.get(connector)
        if before is not None and moment < before[0]:
            return  # an older sample that was queued says nothing about the newest
        self._registers[connector] = (moment, register)
        if before is not None and register < before[1] - 1:
            yield Finding(
                "register",
                "The energy register of a connector never falls",
                f"at least {before[1]:g} Wh on connector {connector}",
                f"{name} {register:g} Wh",
                n,
                "OCPP 1.6 ed. 2 clause 3.14, errata sheet 4.0 clause 3.77",
            )

    def _answer(self, message: Received, result: CallResult) -> Iterator[Finding]:
        action = self._ours.pop(result.message_id, None)
        if action is None:
            yield self._unasked(message, f"a CALLRESULT with the message id {result.message_id!r}")
        elif action in schema.actions():
            yield from self._schema(message.n, action, result.payload, "response")

    def _error(self, message: Received, error: CallError) -> Iterator[Finding]:
        action = self._ours.pop(error.message_id, None)
        if action is None:
            yield self._unasked(message, f"a CALLERROR with the message id {error.message_id!r}")
        if error.code not in ERROR_CODES:
            yield Finding(
                "error-code",
                "A CALLERROR has one of the specified codes",
                ", ".join(sorted(ERROR_CODES)),
                shorten(error.code),
                message.n,
                "OCPP-J 1.6 clause 4.2.3",
            )

    def _unasked(self, message: Received, what: str) -> Finding:
        return Finding(
            "answer",
            "An answer carries the message id of an open CALL",
            "the message id of an open CALL",
            what,
            message.n,
            "OCPP-J 1.6 clause 4.1.4",
        )


def _find_timestamps(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            inner = f"{path}.{key}" if path else key
            if key in ("timestamp", "expiryDate", "currentTime") and isinstance(part, str):
                yield inner, part
            else:
                yield from _find_timestamps(part, inner)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _find_timestamps(part, f"{path}[{index}]")


def _energy(sample: Any) -> float | None:
    """Read an energy import register in Wh from a sampled value, if it is one."""
    if not isinstance(sample, dict) or sample.get("measurand", _REGISTER) != _REGISTER:
        return None
    if sample.get("phase") is not None or sample.get("format", "Raw") != "Raw":
        return None
    try:
        value = float(sample["value"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value * 1000 if sample.get("unit") == "kWh" else value
