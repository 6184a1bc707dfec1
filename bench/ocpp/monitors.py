"""The monitors: all rules that hold in every case, run over the frames of one dialogue."""

from __future__ import annotations

from bench.ocpp.frame import Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule
from bench.ocpp.rules.payload import Schemas, Timestamps
from bench.ocpp.rules.registration import Registration
from bench.ocpp.rules.rpc import Rpc
from bench.ocpp.rules.status import Connectors, Statuses
from bench.ocpp.rules.transactions import Transactions


class Monitors:
    """Watch both directions of a dialogue and report what the specification forbids."""

    def __init__(self, *, connectors: int, deviation: float) -> None:
        """Watch a DUT with so many connectors, whose clock may be `deviation` s off."""
        self._rpc = Rpc()
        self._rules: tuple[Rule, ...] = (
            self._rpc,
            Registration(connectors),
            Schemas(),
            Timestamps(deviation),
            Connectors(connectors),
            Statuses(),
            Transactions(),
        )

    def connected(self) -> None:
        """Begin a new connection."""
        for rule in self._rules:
            rule.connected()

    def sent(self, frame: Frame, mono: float) -> None:
        """Note what the bench sent, and when on the monotonic clock in s."""
        for rule in self._rules:
            rule.sent(frame, mono)

    def left_open(self, message_id: str) -> None:
        """Note that the bench leaves a CALL unanswered on purpose."""
        self._rpc.left_open(message_id)

    def received(self, message: Received) -> list[Finding]:
        """Judge a message of the DUT."""
        return [finding for rule in self._rules for finding in rule.received(message)]
