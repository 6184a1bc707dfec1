"""Run cases in one process with the simulated lab: real drivers, twins, station and engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.config import load_bench
from bench.dut import DutConfig, load_dut
from bench.events import CaseEnded, Checked
from bench.journal import Record
from bench.plan import Selection, load_suites, make_plan
from bench.session import RunResult, Session
from drivers.sim.lab import Lab, open_lab

IMPATIENT: dict[str, Any] = {
    "response": 2.0,
    "triggered": 3.0,
    "boot": 6.0,
    "soft_boot": 2.0,
    "reconnect": 6.0,
}
"""Shorter deadlines than the demo's, since a defect makes a case wait until its deadline."""


@dataclass(frozen=True)
class Simulated:
    """A simulated lab and a session on it, with every record."""

    lab: Lab
    session: Session
    records: list[Record]
    folder: Path

    async def run(self, *cases: str, groups: Sequence[str] = ()) -> RunResult:
        """Run cases and return how it ended."""
        selection = Selection(cases=cases, groups=tuple(groups))
        plan = make_plan(load_suites(), selection, self.session.dut, self.session.config)
        number = sum(1 for _ in self.folder.glob("run*")) + 1
        return await self.session.run(plan, self.folder / f"run{number}")

    def ended(self) -> dict[str, CaseEnded]:
        """Return the ends of the cases by id."""
        events = (record.event for record in self.records)
        return {event.case: event for event in events if isinstance(event, CaseEnded)}

    def failures(self) -> list[Checked]:
        """Return the checks that say something against the DUT."""
        events = (record.event for record in self.records)
        bad = ("fail", "inconclusive")
        return [event for event in events if isinstance(event, Checked) and event.verdict in bad]


@asynccontextmanager
async def simulated(
    folder: Path, *, defects: Sequence[str] = (), impatient: bool = True
) -> AsyncIterator[Simulated]:
    """Open a simulated lab and a session on its bench."""
    async with open_lab(folder, defects=defects) as lab:
        dut = load_dut(lab.dut_file)
        if impatient:
            dut = _with_timing(dut, IMPATIENT)
        session = Session(load_bench(lab.bench_file), dut, refuse_prompts=True)
        records: list[Record] = []
        with session.stream.watched_by(records.append):
            yield Simulated(lab, session, records, folder)


def _with_timing(dut: DutConfig, values: dict[str, Any]) -> DutConfig:
    timing = replace(dut.pixit.timing, **values)
    return replace(dut, pixit=replace(dut.pixit, timing=timing))
