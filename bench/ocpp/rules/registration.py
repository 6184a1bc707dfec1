"""Registration: what a station may send before it is accepted, and must send after."""

from __future__ import annotations

from collections.abc import Iterator

from bench.ocpp.frame import Call, CallError, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule


class Registration(Rule):
    """OCPP 1.6 ed. 2 clause 4.2."""

    def __init__(self, connectors: int) -> None:
        self._connectors = connectors
        self._boots: set[str] = set()
        self._status = "Accepted"
        self._triggered = 0
        """How many messages our TriggerMessages may still bring."""

    def sent(self, frame: Frame, mono: float) -> None:
        """Note what a BootNotification was answered, and what was triggered since."""
        match frame:
            case Call(action="TriggerMessage", payload=payload) if self._status != "Accepted":
                every = "connectorId" not in payload
                self._triggered += self._connectors + 1 if every else 1
            case CallResult(message_id, payload) if message_id in self._boots:
                self._boots.discard(message_id)
                self._status = str(payload.get("status"))
            case CallError(message_id):
                self._boots.discard(message_id)

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge whether the DUT may send this CALL."""
        if not isinstance(message.frame, Call):
            return
        call = message.frame
        if call.action == "BootNotification":
            self._boots.add(call.message_id)
        elif self._status == "Pending" and self._triggered:
            self._triggered -= 1
        elif self._status != "Accepted":
            yield Finding(
                "before-acceptance",
                "Before it is accepted, the station sends BootNotification only",
                "no CALL but BootNotification",
                f"{call.action} after a BootNotification was answered {self._status}",
                message.n,
                "OCPP 1.6 ed. 2 clause 4.2",
            )


class FirstStatuses(Rule):
    """Errata sheet 4.0 clause 3.22: after a boot every connector reports its status."""

    def __init__(self, connectors: int, triggered: float) -> None:
        self._connectors = connectors
        self._within = triggered
        self._boots: set[str] = set()
        self._missing: set[int] = set()
        """Connectors that have not reported since the newest accepted boot."""
        self._due = 0.0

    def connected(self) -> None:
        """Forget what was due: a connection that was lost excuses it."""
        self._missing.clear()

    def sent(self, frame: Frame, mono: float) -> None:
        """Note when a boot was accepted, or that it was not."""
        if isinstance(frame, CallResult) and frame.message_id in self._boots:
            self._boots.discard(frame.message_id)
            accepted = frame.payload.get("status") == "Accepted"
            self._missing = set(range(self._connectors + 1)) if accepted else set()
            self._due = mono + self._within

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge, with the first message after the time is over, whether all have reported."""
        match message.frame:
            case Call(message_id, "BootNotification"):
                self._boots.add(message_id)
                self._missing.clear()
            case Call(action="StatusNotification", payload=payload):
                connector = payload.get("connectorId")
                if message.stamp.mono <= self._due and isinstance(connector, int):
                    self._missing.discard(connector)
        if self._missing and message.stamp.mono > self._due:
            missing = ", ".join(map(str, sorted(self._missing)))
            every = f"connectors 0 to {self._connectors}"
            self._missing.clear()
            yield Finding(
                "first-status",
                "Every connector, and connector 0, reports its status after a boot",
                f"StatusNotification of {every} within {self._within:g} s",
                f"none of connector {missing}",
                message.n,
                "OCPP 1.6 ed. 2 clause 4.2, errata sheet 4.0 clause 3.22",
            )
