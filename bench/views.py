"""The parts of a run's tree: cases, steps, messages, checks, prompts, devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bench.clock import Stamp
from bench.events import Answered, Checked, Measured, Prompted, Tabulated
from bench.journal import Record
from bench.ocpp.frame import Frame
from bench.verdict import Verdict, joined


class State(StrEnum):
    """How far a case is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True)
class CheckView:
    """Something judged."""

    n: int
    stamp: Stamp
    event: Checked

    @property
    def failed(self) -> bool:
        """Tell whether it speaks against the DUT."""
        return Verdict.of(self.event.verdict) > Verdict.PASS


@dataclass(slots=True)
class FrameView:
    """One message on the wire."""

    n: int
    stamp: Stamp
    connection: int
    from_station: bool
    text: str
    frame: Frame
    action: str
    """Its action; for an answer that of the CALL it answers; empty when unknown."""
    lost: str | None = None
    """Why it could not be handed to the socket."""
    left_unanswered: bool = False
    checks: list[CheckView] = field(default_factory=list)
    """What was judged by this frame."""


@dataclass(slots=True)
class PromptView:
    """A question to the operator, and what became of it."""

    n: int
    stamp: Stamp
    event: Prompted
    answer: Answered | None = None
    answered: Stamp | None = None
    withdrawn: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it still waits."""
        return self.answer is None and self.withdrawn is None


@dataclass(slots=True)
class Gap:
    """Things of a long time line that a bounded view did not keep; the journal has them."""

    n: int
    """Record of the first of them."""
    last: int
    count: int


Item = FrameView | PromptView | CheckView | Gap | Record
"""One thing on the time line; a plain record for what needs no view of its own."""


@dataclass(slots=True)
class StepView:
    """One step of a case; `number` is None for what happened outside the steps."""

    number: int | None
    phase: str
    title: str
    started: Stamp
    verdict: str = "none"
    reason: str | None = None
    duration: float | None = None
    checks: list[CheckView] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    tables: list[Tabulated] = field(default_factory=list)
    is_void: bool = False
    """The case was tried once more after it, and its verdict does not count."""
    items: list[Item] = field(default_factory=list)

    @property
    def verdict_now(self) -> str:
        """Join what is known: the recorded verdict, or the checks while there is none."""
        if self.verdict != "none":
            return self.verdict
        return str(joined(Verdict.of(check.event.verdict) for check in self.checks))


@dataclass(slots=True)
class CaseView:
    """One case of the plan."""

    id: str
    title: str
    mark: str
    group: str
    waits: float = 0.0
    """Seconds that the case prescribes to wait."""
    state: State = State.WAITING
    purpose: str = ""
    refs: list[str] = field(default_factory=list)
    phase: str = "body"
    verdict: str = "none"
    is_void: bool = False
    """The DUT is not what it was: the result does not count any more."""
    ended: str | None = None
    reason: str | None = None
    cause: str | None = None
    traceback: str | None = None
    started: Stamp | None = None
    duration: float = 0.0
    """Seconds; while the case runs, up to the newest record."""
    steps: list[StepView] = field(default_factory=list)
    """In order of time, with a numberless one for what happened between two steps."""
    unclaimed: list[int] = field(default_factory=list)
    """Records of the DUT's CALLs that no step expected."""

    @classmethod
    def planned(cls, case: Mapping[str, Any]) -> CaseView:
        """Read a case of the plan as RunStarted tells it."""
        return cls(
            id=str(case["id"]),
            title=str(case.get("title", "")),
            mark=str(case.get("mark", "")),
            group=str(case.get("group", "")),
            waits=float(case.get("waits") or 0.0),
        )

    @property
    def checks(self) -> Iterator[CheckView]:
        """All that was judged."""
        return (check for step in self.steps for check in step.checks)

    @property
    def measured(self) -> Iterator[Measured]:
        """All that was measured."""
        return (value for step in self.steps for value in step.measured)

    @property
    def tables(self) -> Iterator[Tabulated]:
        """All tables that the procedure put together."""
        return (table for step in self.steps for table in step.tables)

    @property
    def prompts(self) -> Iterator[PromptView]:
        """All that the operator was asked."""
        items = (item for step in self.steps for item in step.items)
        return (item for item in items if isinstance(item, PromptView))


@dataclass(slots=True)
class DeviceView:
    """A device of the bench, as far as the run knows it."""

    name: str
    driver: str
    offers: list[str]
    identity: dict[str, str]
    state: str = "ready"
    message: str = ""
