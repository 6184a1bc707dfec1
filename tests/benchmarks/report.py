"""Reports: how long they take for 100 cases, and for a day with half a million messages."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.long_run import write_run
from tests.benchmarks.table import Line

LONGEST, MOST = 60.0, 1024
"""Aims for the long run: s, and MB of memory."""


def per_100_cases() -> list[Line]:
    """Render a run of 100 cases with 60 messages each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "usual"
        write_run(folder, messages=6000, cases=100, seconds=600, channels=8)
        return [
            Line(f"report time per 100 cases, {kind}", f"{took:.1f} s, {memory:.0f} MB")
            for kind in ("html", "pdf")
            for took, memory in [measured(folder, kind)]
        ]


def of_a_day() -> list[Line]:
    """Render a day's run: 500,000 messages in 80 cases, 20 channels at 10 Hz."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "day"
        write_run(folder, messages=500_000, cases=80, seconds=86_400, channels=20)
        lines = []
        for kind in ("html", "pdf"):
            took, memory = measured(folder, kind)
            what = f"report of 24 h, 500,000 messages, 20 channels, {kind}"
            value = f"{took:.1f} s, {memory:.0f} MB"
            aim = f"aim: below {LONGEST:.0f} s and {MOST} MB"
            lines.append(Line(what, value, aim, f"{took / LONGEST:.2f}x, {memory / MOST:.2f}x"))
        return lines


def measured(folder: Path, kind: str) -> tuple[float, float]:
    """Run `pilotbench report`; return the seconds it took and its greatest memory in MB."""
    command = [sys.executable, "-m", "bench", "report", str(folder), "--format", kind]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return took, usage.ru_maxrss / 1024
