"""Statuses: legal values, legal changes, connectors that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.ocpp.frame import Call, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

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

_LOWEST = {"StatusNotification": 0, "MeterValues": 0, "StartTransaction": 1}
"""The lowest connectorId that a message may name."""


_COMMUNICATING = ("Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing")
"""Statuses in which the station talks to a vehicle that can fail to answer."""


class Connectors(Rule):
    """OCPP 1.6 ed. 2 clause 3.7."""

    def __init__(self, connectors: int) -> None:
        self._connectors = connectors

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge the connectorId of a CALL."""
        call = message.frame
        if not isinstance(call, Call) or call.action not in _LOWEST:
            return
        lowest, connector = _LOWEST[call.action], call.payload.get("connectorId")
        if isinstance(connector, int) and not lowest <= connector <= self._connectors:
            yield Finding(
                "connector",
                "A message names a connector that the station has",
                f"connectorId {lowest} to {self._connectors}",
                f"connectorId {connector}",
                message.n,
                "OCPP 1.6 ed. 2 clause 3.7",
            )


class Statuses(Rule):
    """OCPP 1.6 ed. 2 clause 4.9."""

    def __init__(self) -> None:
        self._boots: set[str] = set()
        self._statuses: dict[int, str] = {}

    def connected(self) -> None:
        """Forget the statuses: they may have changed unseen."""
        self._statuses.clear()

    def sent(self, frame: Frame, mono: float) -> None:
        """Forget the statuses when the DUT has restarted."""
        if isinstance(frame, CallResult) and frame.message_id in self._boots:
            self._boots.discard(frame.message_id)
            self._statuses.clear()

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge a StatusNotification."""
        match message.frame:
            case Call(message_id, "BootNotification"):
                self._boots.add(message_id)
            case Call(action="StatusNotification", payload=payload):
                yield from self._status(message.n, payload)

    def _status(self, n: int, payload: dict[str, Any]) -> Iterator[Finding]:
        connector, status = payload.get("connectorId"), payload.get("status")
        if not isinstance(connector, int) or not isinstance(status, str):
            return
        clause = "OCPP 1.6 ed. 2 clause 4.9"
        if payload.get("errorCode") == "EVCommunicationError" and status not in _COMMUNICATING:
            yield Finding(
                "status-error",
                "EVCommunicationError comes with a status in which there is a vehicle",
                " or ".join(_COMMUNICATING),
                f"StatusNotification connectorId={connector} status={status}",
                n,
                clause,
                warning=True,
            )
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
                warning=_is_explained(str(before), status),
            )


def _is_explained(before: str, after: str) -> bool:
    """Tell whether a good station can report a change that is not in the table.

    It may leave out a status that was short, whatever MinimumStatusDuration says, and passes
    Preparing by itself. And clause 5.2 has it go out of service at once when no transaction runs.
    """
    prepares = "Preparing" in TRANSITIONS[before] and after in TRANSITIONS["Preparing"]
    return prepares or (before, after) == ("Preparing", "Unavailable")
