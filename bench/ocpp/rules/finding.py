"""What a rule finds, and what a rule is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bench.ocpp.frame import Frame
from bench.ocpp.message import Received


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


class Rule(Protocol):
    """Watches both directions of a dialogue; judges from the frames alone."""

    def connected(self) -> None:
        """Begin a new connection."""
        return

    def sent(self, frame: Frame, mono: float) -> None:
        """Note what the bench sent, and when on the monotonic clock in s."""
        return

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge a message of the DUT."""
        yield from ()
