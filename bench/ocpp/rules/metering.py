"""Metering: energy registers that never fall, units that fit what is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bench.clock import from_iso
from bench.ocpp.frame import Call, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

_REGISTER = "Energy.Active.Import.Register"
_OUTLET = "Outlet"
"""The location of a sample that names none (clause 7.43)."""

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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an energy register showed."""

    moment: datetime
    energy: float
    """Wh."""
    step: float
    """By how much the reading may be rounded, in Wh."""


class Registers(Rule):
    """OCPP 1.6 ed. 2 clause 3.14, errata sheet 4.0 clauses 3.9, 3.77.

    Without a meter whose register can be read a station may count every transaction from 0.
    """

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}
        """StartTransactions not answered yet: message id to connector."""
        self._connectors: dict[int, int] = {}
        """Connectors of the transactions that we gave an id."""
        self._registers: dict[tuple[int, str], _Reading] = {}
        """The newest reading at each connector and location, since its transaction began."""

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
                self._begin(self._starts[message_id], payload)
            case Call(action="StopTransaction", payload=payload):
                yield from self._stop(message.n, payload)
            case Call(action="MeterValues", payload=payload):
                yield from self._meter(message.n, payload)

    def _begin(self, connector: int, payload: dict[str, Any]) -> None:
        self._registers = {k: v for k, v in self._registers.items() if k[0] != connector}
        register, moment = payload.get("meterStart"), _moment(payload.get("timestamp"))
        if isinstance(register, int) and moment is not None:
            self._registers[connector, _OUTLET] = _Reading(moment, register, 1.0)

    def _stop(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        number = payload.get("transactionId")
        connector = self._connectors.get(number) if isinstance(number, int) else None
        register, moment = payload.get("meterStop"), _moment(payload.get("timestamp"))
        if connector is not None and isinstance(register, int) and moment is not None:
            reading = _Reading(moment, register, 1.0)
            yield from self._register(n, connector, _OUTLET, reading, "meterStop")
            self._registers = {k: v for k, v in self._registers.items() if k[0] != connector}

    def _meter(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector = payload.get("connectorId")
        if not isinstance(connector, int):
            return
        for text, sample in _samples(payload.get("meterValue")):
            reading = _energy(text, sample)
            if reading is not None:
                location = str(sample.get("location", _OUTLET))
                yield from self._register(n, connector, location, reading, _REGISTER)

    def _register(
        self, n: int, connector: int, location: str, reading: _Reading, name: str
    ) -> Iterator[Finding]:
        before = self._registers.get((connector, location))
        if before is not None and reading.moment < before.moment:
            return  # an older sample that was queued says nothing about the newest
        self._registers[connector, location] = reading
        if before is not None and reading.energy < before.energy - before.step - reading.step:
            yield Finding(
                "register",
                "The energy register of a connector never falls",
                f"at least {before.energy:g} Wh on connector {connector}",
                f"{name} {reading.energy:g} Wh",
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


def _energy(text: str, sample: dict[str, Any]) -> _Reading | None:
    """Read an energy import register from a sampled value, if it is one."""
    if sample.get("measurand", _REGISTER) != _REGISTER:
        return None
    if sample.get("phase") is not None or sample.get("format", "Raw") != "Raw":
        return None
    moment, factor = _moment(text), 1000.0 if sample.get("unit") == "kWh" else 1.0
    try:
        value = Decimal(sample["value"])
        _, _, exponent = value.as_tuple()
        energy, step = float(value) * factor, 10.0 ** int(exponent) * factor
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None  # what is no number, the case says
    return None if moment is None else _Reading(moment, energy, step)


def _moment(text: Any) -> datetime | None:
    try:
        return from_iso(text)
    except (TypeError, ValueError):
        return None
