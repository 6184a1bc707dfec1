"""Transactions: known ids, and energy registers that never fall."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench.clock import from_iso
from bench.ocpp.frame import Call, CallError, CallResult, Frame, shorten
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

_REGISTER = "Energy.Active.Import.Register"


class Transactions(Rule):
    """OCPP 1.6 ed. 2 clauses 4.7, 4.8 and 4.10, with the errata on ids and registers."""

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}
        """StartTransactions not answered yet: message id to connector."""
        self._transactions: dict[int, int] = {}
        """Transactions that we gave an id: connector."""
        self._registers: dict[int, tuple[datetime, float]] = {}
        """The newest energy register of each connector in Wh."""

    def sent(self, frame: Frame, mono: float) -> None:
        """Note the ids that we give."""
        match frame:
            case CallResult(message_id, payload) if message_id in self._starts:
                connector, number = self._starts.pop(message_id), payload.get("transactionId")
                if isinstance(number, int):
                    self._transactions[number] = connector
            case CallError(message_id):
                self._starts.pop(message_id, None)

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge what belongs to a transaction."""
        match message.frame:
            case Call(message_id, "StartTransaction", payload):
                connector = payload.get("connectorId")
                self._starts[message_id] = connector if isinstance(connector, int) else 0
            case Call(action="StopTransaction", payload=payload) as call:
                yield from self._transaction(message.n, call)
                yield from self._stop_register(message.n, payload)
            case Call(action="MeterValues", payload=payload) as call:
                yield from self._transaction(message.n, call)
                yield from self._meter(message.n, payload)

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
            # A transaction may have begun before the run, of which we then know nothing.
            warning=not self._transactions,
        )

    def _stop_register(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        number = payload.get("transactionId")
        connector = self._transactions.get(number) if isinstance(number, int) else None
        register, text = payload.get("meterStop"), payload.get("timestamp")
        if connector is not None and isinstance(register, int) and isinstance(text, str):
            yield from self._register(n, connector, text, float(register), "meterStop")

    def _meter(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector = payload.get("connectorId")
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
