"""Registration: what a station may send before it is accepted."""

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
