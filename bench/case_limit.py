"""The longest time that a case may take: what no deadline of its own has ended, this does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bench.control import Control
from bench.dut import Timing
from bench.errors import CaseOverdue
from bench.events import Answered, Prompted, PromptWithdrawn
from bench.journal import Record
from bench.procedure import Procedure
from bench.stream import Stream

TIMES = 20
"""How many times the longest of its deadlines a case may take, beside what it is to wait."""
EVERY = 5.0
"""How often it is looked at, in s."""


def longest(procedures: Sequence[Procedure], timing: Timing) -> float:
    """Return how long procedures may take together, one after the other, in s."""
    deadline = max(
        timing.response,
        timing.triggered,
        timing.boot,
        timing.soft_boot,
        timing.reconnect,
        timing.firmware,
        timing.diagnostics,
    )
    return TIMES * deadline + sum(one.waits(timing) for one in procedures)


async def overdue(stream: Stream, control: Control, within: float) -> CaseOverdue:
    """Return when so many s are over, not counting those in which the operator is waited for."""
    waits_for: set[str] = set()

    def note(record: Record) -> None:
        match record.event:
            case Prompted(prompt=what):
                waits_for.add(what)
            case Answered(prompt=what) | PromptWithdrawn(prompt=what):
                waits_for.discard(what)

    left = within
    with stream.watched_by(note):
        while left > 0:
            pause = min(EVERY, left)
            await asyncio.sleep(pause)
            left -= 0 if waits_for or control.is_paused else pause
    return CaseOverdue(f"the case did not come to an end by itself within {within:g} s")
