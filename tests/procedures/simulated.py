"""Run cases in one process with the simulated lab: real drivers, twins, station and engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.dut import DutConfig
from drivers.sim.simulated_bench import SimulatedBench, open_bench

Simulated = SimulatedBench

IMPATIENT: dict[str, Any] = {
    "response": 2.0,
    "triggered": 3.0,
    "boot": 6.0,
    "soft_boot": 2.0,
    "reconnect": 6.0,
}
"""Shorter deadlines than the demo's, since a defect makes a case wait until its deadline."""


@asynccontextmanager
async def simulated(
    folder: Path,
    *,
    defects: Sequence[str] = (),
    variant: str = "default",
    impatient: bool = True,
) -> AsyncIterator[SimulatedBench]:
    """Open a simulated lab and a session on its bench, in the time of the test's event loop."""
    change = _hasten if impatient else _leave
    async with open_bench(folder, defects=defects, variant=variant, change=change) as bench:
        yield bench


def _hasten(dut: DutConfig) -> DutConfig:
    timing = replace(dut.pixit.timing, **IMPATIENT)
    return replace(dut, pixit=replace(dut.pixit, timing=timing))


def _leave(dut: DutConfig) -> DutConfig:
    return dut
