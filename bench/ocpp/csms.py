"""How the bench behaves as CSMS: a well-behaved default, and rules of the running case on top."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.capability import Card
from bench.clock import utc, wire
from bench.ocpp import schema
from bench.ocpp.action import Action
from bench.ocpp.frame import Call, CallError, CallResult, Frame, shorten
from bench.ocpp.match import CallPattern


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that the DUT opened and the bench gave an id."""

    transaction_id: int
    connector: int
    id_tag: str


@dataclass(slots=True)
class Book:
    """What the bench remembers of the DUT from case to case."""

    cards: Mapping[str, Card]
    """By idTag in lower case (IdToken is case-insensitive)."""
    heartbeat_interval: int
    """Seconds, given with an accepted BootNotification."""
    open: dict[int, Transaction] = field(default_factory=dict)
    """Transactions running, by id."""
    statuses: dict[int, str] = field(default_factory=dict)
    """The status that each connector reported last, since the last BootNotification."""
    reservations: set[int] = field(default_factory=set)
    """The reservationIds that the DUT may still hold."""
    boot_status: str = "Accepted"
    """Answer to the last BootNotification; Accepted for a DUT that just reconnects."""
    software: str | None = None
    """The firmwareVersion that the DUT reported last."""
    changed_keys: dict[str, str] = field(default_factory=dict)
    """Configuration keys whose value is not what it was, with the value that it was."""
    _keys: dict[str, str] = field(default_factory=dict)
    """The value of each configuration key when it was read or written last."""
    _starts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    _ids: itertools.count[int] = field(
        default_factory=lambda: itertools.count(int(time.time()) % 100_000_000)
    )

    def start(self, payload: Mapping[str, Any]) -> int:
        """Give a transaction id; a repetition of the same request gets the same one."""
        key = _start_key(payload)
        if key not in self._starts:
            number = next(self._ids)
            self._starts[key] = number
            reservation = payload.get("reservationId")
            if isinstance(reservation, int):
                self.reservations.discard(reservation)
            connector = payload.get("connectorId")
            self.open[number] = Transaction(
                number, connector if isinstance(connector, int) else 0, str(payload.get("idTag"))
            )
        return self._starts[key]

    def reservation_id(self) -> int:
        """Make a new reservationId; the DUT is taken to hold it until it is known not to."""
        number = next(self._ids)
        self.reservations.add(number)
        return number

    def configured(self, request: Call, answer: Frame) -> None:
        """Follow what a CALL of the bench and its answer tell of the configuration keys."""
        match request.action, answer:
            case "GetConfiguration", CallResult(_, {"configurationKey": list(keys)}):
                for key in keys:
                    match key:
                        case {"key": str(name), "value": str(value)}:
                            self._key_is(name, value)
            case "ChangeConfiguration", CallResult(_, {"status": "Accepted" | "RebootRequired"}):
                name, value = str(request.payload["key"]), str(request.payload["value"])
                if name in self._keys:
                    self.changed_keys.setdefault(name, self._keys[name])
                    self._key_is(name, value)

    def _key_is(self, name: str, value: str) -> None:
        self._keys[name] = value
        if self.changed_keys.get(name, "").lower() == value.lower():
            self.changed_keys.pop(name, None)

    def transaction_id(self, start: Mapping[str, Any]) -> int:
        """Return the id that was given for a StartTransaction."""
        return self._starts[_start_key(start)]

    def id_tag_info(self, id_tag: Any) -> dict[str, Any]:
        """Say what the CSMS knows of an idTag; Invalid when it is in no inventory."""
        card = self.cards.get(str(id_tag).lower())
        if card is None:
            return {"status": "Invalid"}
        info: dict[str, Any] = {"status": card.status}
        if card.parent is not None:
            info["parentIdTag"] = card.parent
        return info


def _start_key(payload: Mapping[str, Any]) -> tuple[str, ...]:
    keys = ("connectorId", "idTag", "timestamp", "meterStart")
    return tuple(str(payload.get(name)) for name in keys)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bench answers, after how many seconds; None: it stays silent."""

    frame: CallResult | CallError | None
    delay: float = 0.0


@dataclass(slots=True)
class _Rule:
    pattern: CallPattern
    fields: dict[str, Any] | None
    error: tuple[str, str] | None
    delay: float
    left: int | None


class Csms:
    """The bench's side of the dialogue in one case."""

    def __init__(self, book: Book, instructed: Callable[[str], None]) -> None:
        self.book = book
        self._instructed = instructed
        self._rules: list[_Rule] = []

    def answers(
        self,
        call: Action | CallPattern,
        *,
        times: int | None = None,
        after: float = 0.0,
        **fields: Any,
    ) -> None:
        """Answer matching CALLs with these fields in place of the default's; newest rule first.

        `times` limits the rule to so many CALLs; `after` delays the answer by so many s.
        """
        pattern = _pattern(call)
        known = schema.fields(pattern.action, "response")
        for name in fields:
            if name not in known:
                raise TypeError(f"the answer to {pattern.action} has no field {name}")
        self._add(_Rule(pattern, fields, None, after, times))

    def refuses(
        self,
        call: Action | CallPattern,
        code: str,
        description: str = "",
        *,
        times: int | None = None,
    ) -> None:
        """Answer matching CALLs with a CALLERROR."""
        self._add(_Rule(_pattern(call), None, (code, description), 0.0, times))

    def ignores(self, call: Action | CallPattern, *, times: int | None = None) -> None:
        """Leave matching CALLs unanswered."""
        self._add(_Rule(_pattern(call), None, None, 0.0, times))

    def forget(self) -> None:
        """Drop all rules; only the well-behaved default stays."""
        self._rules.clear()

    def _add(self, rule: _Rule) -> None:
        self._rules.insert(0, rule)
        if rule.fields is not None:
            what = f"answers {rule.pattern} with {shorten(rule.fields)}"
        elif rule.error is not None:
            what = f"refuses {rule.pattern} with CALLERROR {rule.error[0]}"
        else:
            what = f"leaves {rule.pattern} unanswered"
        times = "" if rule.left is None else f", {rule.left} times"
        self._instructed(f"The CSMS {what}{times}")

    def reply(self, call: Call) -> Reply:
        """Decide the answer to a CALL of the DUT, and keep the book."""
        rule = self._matching(call)
        if rule is not None and rule.left is not None:
            rule.left -= 1
        if rule is not None and rule.fields is None:
            if rule.error is None:
                return Reply(None)
            return Reply(CallError(call.message_id, *rule.error))
        if rule is None and self.book.boot_status != "Accepted":
            if call.action != "BootNotification":
                text = f"BootNotification was answered {self.book.boot_status}"
                return Reply(CallError(call.message_id, "SecurityError", text))
        payload = self._default(call)
        if payload is None:
            return Reply(CallError(call.message_id, "NotImplemented", f"no action {call.action}"))
        if rule is not None:
            payload = {**payload, **(rule.fields or {})}
        if call.action == "BootNotification":
            self.book.boot_status = str(payload["status"])
        return Reply(CallResult(call.message_id, payload), rule.delay if rule else 0.0)

    def _matching(self, call: Call) -> _Rule | None:
        for rule in self._rules:
            if rule.left != 0 and not rule.pattern.misses(call):
                return rule
        return None

    def _default(self, call: Call) -> dict[str, Any] | None:
        payload = call.payload
        match call.action:
            case "BootNotification":
                self.book.statuses.clear()
                self.book.software = str(payload.get("firmwareVersion") or "") or None
                interval = self.book.heartbeat_interval
                return {"status": "Accepted", "currentTime": utc_now(), "interval": interval}
            case "Heartbeat":
                return {"currentTime": utc_now()}
            case "Authorize":
                return {"idTagInfo": self.book.id_tag_info(payload.get("idTag"))}
            case "StartTransaction":
                info = self.book.id_tag_info(payload.get("idTag"))
                return {"transactionId": self.book.start(payload), "idTagInfo": info}
            case "StopTransaction":
                number = payload.get("transactionId")
                if isinstance(number, int):
                    self.book.open.pop(number, None)
                id_tag = payload.get("idTag")
                return {} if id_tag is None else {"idTagInfo": self.book.id_tag_info(id_tag)}
            case "StatusNotification":
                connector = payload.get("connectorId")
                if isinstance(connector, int):
                    self.book.statuses[connector] = str(payload.get("status"))
                return {}
            case "DataTransfer":
                return {"status": "UnknownVendorId"}
            case "SignCertificate":
                return {"status": "Rejected"}
            case (
                "MeterValues"
                | "FirmwareStatusNotification"
                | "DiagnosticsStatusNotification"
                | "LogStatusNotification"
                | "SignedFirmwareStatusNotification"
                | "SecurityEventNotification"
            ):
                return {}
            case _:
                return None


def utc_now() -> str:
    """Write this moment as the bench's messages carry it."""
    return wire(utc())


def _pattern(call: Action | CallPattern) -> CallPattern:
    return CallPattern(call.name) if isinstance(call, Action) else call
