"""The monitors: all rules that hold in every case, run over the frames of one dialogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bench.ocpp.frame import Frame
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule
from bench.ocpp.rules.metering import Registers, Units
from bench.ocpp.rules.payload import Schemas, Timestamps
from bench.ocpp.rules.registration import FirstStatuses, Registration
from bench.ocpp.rules.rpc import Rpc
from bench.ocpp.rules.status import Connectors, Statuses
from bench.ocpp.rules.transactions import Transactions

NAMES = (
    *("schema", "timestamp-format", "timestamp-drift", "timestamp-lag"),
    *("framing", "message-id", "one-call", "answer", "error-code"),
    *("before-acceptance", "first-status", "connector", "status", "status-error"),
    *(
        "transaction",
        "one-transaction",
        "stop-once",
        "stop-time",
        "stop-register",
        "register",
        "unit",
    ),
)
"""What the monitors are called, in findings and where a DUT's waivers name them."""


class Monitors:
    """Watch both directions of a dialogue and report what the specification forbids."""

    def __init__(
        self,
        *,
        connectors: int,
        deviation: float,
        triggered: float = 70.0,
        waived: Collection[str] = (),
    ) -> None:
        """Watch a DUT with so many connectors.

        Its clock may be `deviation` s off, what an event causes comes within `triggered` s. What
        the monitors in `waived` find is a warning.
        """
        self._waived = frozenset(waived)
        self._rpc = Rpc()
        self._rules: tuple[Rule, ...] = (
            self._rpc,
            Registration(connectors),
            FirstStatuses(connectors, triggered),
            Schemas(),
            Timestamps(deviation),
            Connectors(connectors),
            Statuses(),
            Transactions(deviation),
            Registers(),
            Units(),
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
        return [
            replace(finding, warning=True) if finding.monitor in self._waived else finding
            for rule in self._rules
            for finding in rule.received(message)
        ]
