"""Run all benchmarks and print their table."""

from __future__ import annotations

import asyncio
import sys

from bench.server.loop import run_loop
from tests.benchmarks import (
    desktop,
    devices,
    engine,
    evidence,
    program,
    report,
    samples,
    viewer,
    window,
)
from tests.benchmarks.table import show


def main() -> None:
    """Measure everything once."""
    lines = [
        asyncio.run(engine.latency()),
        asyncio.run(engine.round_trips("Heartbeat", 5000)),
        asyncio.run(engine.round_trips("MeterValues", 3000)),
        asyncio.run(devices.plug_in()),
        asyncio.run(devices.meter_rate(9600)),
        asyncio.run(devices.meter_rate(115_200)),
        asyncio.run(devices.idle()),
        *evidence.journal(),
        evidence.killed(),
        evidence.verified(),
        *evidence.listed(),
        samples.to_file(),
        *run_loop(samples.viewers()),
        *run_loop(samples.lateness()),
        asyncio.run(viewer.sample_to_pixel()),
        *window.plots(),
        *window.messages(),
        *report.per_100_cases(),
        *report.of_a_day(),
        asyncio.run(desktop.first_paint()),
        desktop.day(),
        program.start_up(),
        *program.demo(),
    ]
    sys.stdout.write(show(lines) + "\n")


main()
