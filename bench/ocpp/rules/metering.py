"""Metering: energy registers that never fall, units that fit what is measured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench.clock import from_iso
from bench.ocpp.frame import Call, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

_REGISTER = "Energy.Active.Import.Register"

_UNITS = (
    ("Energy.Active.", ("Wh", "kWh")),
    ("Energy.Reactive.", ("varh", "kvarh")),
    ("Power.Active.", ("W", "kW")),
    ("Power.Reactive.", ("var", "kvar")),
    ("Power.Offered", ("W", "kW")),
    ("Current.", ("A",)),
    ("Voltage", ("V",)),
    ("Frequency", ("Hertz",)),
    ("Temperature", ("K", "Celsius", "Celcius", "Fahrenheit")),
    ("SoC", ("Percent",)),
)
"""Units that fit a measurand, by how its name begins (OCPP 1.6 ed. 2 clauses 7.31, 7.45)."""


class Registers(Rule):
    """OCPP 1.6 ed. 2 clause 3.14, errata sheet 4.0 clause 3.77."""

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}
        """StartTransactions not answered yet: message id to connector."""
        self._connectors: dict[int, int] = {}
        """Connectors of the transactions that we gave an id."""
        self._registers: dict[int, tuple[datetime, float]] = {}
        """The newest energy register of each connector in Wh."""

    def sent(self, frame: Frame, mono: float) -> None:
        """Note which connector a transaction is at."""
        if isinstance(frame, CallResult) and frame.message_id in self._starts:
            connector = self._starts.pop(frame.message_id)
            number = frame.payload.get("transactionId")
            if isinstance(number, int):
                self._connectors[number] = connector

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge every register of a message."""
        match message.frame:
            case Call(message_id, "StartTransaction", payload):
                connector = payload.get("connectorId")
                self._starts[message_id] = connector if isinstance(connector, int) else 0
            case Call(action="StopTransaction", payload=payload):
                yield from self._stop(message.n, payload)
            case Call(action="MeterValues", payload=payload):
                yield from self._meter(message.n, payload)

    def _stop(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        number = payload.get("transactionId")
        connector = self._connectors.get(number) if isinstance(number, int) else None
        register, text = payload.get("meterStop"), payload.get("timestamp")
        if connector is not None and isinstance(register, int) and isinstance(text, str):
            yield from self._register(n, connector, text, float(register), "meterStop")

    def _meter(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector = payload.get("connectorId")
        if not isinstance(connector, int):
            return
        for text, sample in _samples(payload.get("meterValue")):
            register = _energy(sample)
            if register is not None:
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


class Units(Rule):
    """OCPP 1.6 ed. 2 clauses 7.31 and 7.45."""

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge the unit of every sampled value."""
        match message.frame:
            case Call(action="MeterValues" | "StopTransaction" as action, payload=payload):
                values = payload.get("meterValue" if action == "MeterValues" else "transactionData")
            case _:
                return
        for _, sample in _samples(values):
            measurand, unit = sample.get("measurand", _REGISTER), sample.get("unit")
            fitting = next((u for name, u in _UNITS if str(measurand).startswith(name)), None)
            if unit is not None and fitting is not None and unit not in fitting:
                yield Finding(
                    "unit",
                    "A sampled value has a unit that fits what is measured",
                    f"{measurand} in {' or '.join(fitting)}",
                    f"{action} with {measurand} in {unit}",
                    message.n,
                    "OCPP 1.6 ed. 2 clauses 7.31, 7.45",
                )


def _samples(values: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each sampled value with its time stamp; what is malformed, the schema rule says."""
    for value in values if isinstance(values, list) else []:
        samples = value.get("sampledValue") if isinstance(value, dict) else None
        for sample in samples if isinstance(samples, list) else []:
            if isinstance(sample, dict):
                yield str(value.get("timestamp")), sample


def _energy(sample: dict[str, Any]) -> float | None:
    """Read an energy import register in Wh from a sampled value, if it is one."""
    if sample.get("measurand", _REGISTER) != _REGISTER:
        return None
    if sample.get("phase") is not None or sample.get("format", "Raw") != "Raw":
        return None
    try:
        value = float(sample["value"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value * 1000 if sample.get("unit") == "kWh" else value
