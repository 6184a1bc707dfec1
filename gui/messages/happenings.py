"""What happens in a run, line by line: messages, what was done beside them, and steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.ocpp.frame import Broken, Call, CallError, CallResult
from bench.views import FrameView

KINDS = {Call: "CALL", CallResult: "CALLRESULT", CallError: "CALLERROR", Broken: "broken"}


@dataclass(slots=True, eq=False)
class Step:
    """A step of a case, or with no number the case itself; times in s of the monotonic clock."""

    n: int
    case: str
    number: int | None
    title: str
    begin: float
    end: float | None = None
    verdict: str = "none"

    @property
    def label(self) -> str:
        """Name it in a few characters, as a column has room for."""
        case = self.case.removesuffix("_CSMS").removesuffix("_CS")
        return f"{case} · {self.number}" if self.number is not None else case


@dataclass(slots=True, eq=False)
class Message:
    """One message on the wire, with what belongs to it."""

    view: FrameView
    step: Step | None
    kind: str
    """CALL, CALLRESULT, CALLERROR or broken."""
    message_id: str
    """Empty when it has none that can be read."""
    searched: str
    """Its text in lower case."""
    verdict: str = "none"
    """The worst of the checks that were judged by it."""
    partner: Message | None = None
    """The answer of a CALL, or the CALL of an answer."""
    claims: list[str] = field(default_factory=list)
    """Patterns by which the procedure took it without judging it."""
    is_unclaimed: bool = False
    """No step expected it."""

    @property
    def n(self) -> int:
        """Its record."""
        return self.view.n

    @property
    def moment(self) -> float:
        """When it was read or sent, in s of the monotonic clock."""
        return self.view.stamp.mono

    @property
    def is_unanswered(self) -> bool:
        """Tell whether it is a CALL without an answer so far."""
        return self.partner is None and isinstance(self.view.frame, Call)

    @property
    def round_trip(self) -> float | None:
        """Seconds between a CALL and its answer."""
        return None if self.partner is None else abs(self.partner.moment - self.moment)


@dataclass(slots=True, eq=False)
class Act:
    """What is no message: a device was used, the operator asked, something missed."""

    n: int
    moment: float
    lane: str
    text: str
    error: str | None = None
    """Why it did not work, or the verdict of a check that no message came for."""
    duration: float = 0.0


Happening = Message | Act | Step
"""One line of the sequence chart; each has its record `n`."""


def said_of_argument(value: object) -> str:
    """Say an argument of a capability call in a word: a card by its name, a list by its parts."""
    match value:
        case {"name": str(name)}:
            return name
        case {"value": value, "unit": unit}:
            return f"{value:g} {unit}" if isinstance(value, int | float) else f"{value} {unit}"
        case dict():
            return " ".join(said_of_argument(part) for part in value.values())
        case list():
            return ", ".join(said_of_argument(part) for part in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
