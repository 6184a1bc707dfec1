"""The program as its users meet it: start-up, and the demo against its prescribed waits."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.table import Line
from tests.mutants.matrix import see_good


def start_up(times: int = 9) -> Line:
    """Measure `pilotbench --help`, beside a Python that does nothing."""
    ours = _median(times, [sys.executable, "-m", "bench", "--help"])
    bare = _median(times, [sys.executable, "-c", "pass"])
    return Line(
        "pilotbench --help",
        f"{ours:.3f} s",
        f"aim 0.3 s; bare Python {bare:.3f} s",
        f"{ours / bare:.1f}x",
    )


def _median(times: int, command: list[str]) -> float:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def demo() -> list[Line]:
    """Measure the whole demo plan, beside the sum of waits that its cases prescribe."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        started = time.perf_counter()
        command = [sys.executable, "-m", "bench", "demo", "--headless", "--out", str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - started
        records = [json.loads(line) for line in (out / "journal.jsonl").open()]
        results = json.loads((out / "results.json").read_text())
    planned = next(r["data"]["cases"] for r in records if r["event"] == "RunStarted")
    waits = sum(case["waits"] for case in planned)
    running = sum(case["duration_s"] for case in results["cases"])
    started = time.perf_counter()
    seen = see_good("default")
    computing = time.perf_counter() - started
    return [
        Line(
            "demo in virtual time, where computing takes none",
            f"{seen.took:.1f} s",
            f"prescribed waits {seen.waits:.1f} s (aim 1.15x)",
            f"{seen.took / seen.waits:.2f}x",
        ),
        Line(
            "demo in virtual time, wall clock",
            f"{computing:.1f} s",
            f"{seen.took:.1f} s that pass in it",
            f"{computing / seen.took:.2f}x",
        ),
        Line(
            f"demo, {len(planned)} cases, wall clock",
            f"{took:.1f} s",
            f"prescribed waits {waits:.1f} s (aim 1.15x)",
            f"{took / waits:.2f}x",
        ),
        Line(
            "demo, the cases alone",
            f"{running:.1f} s",
            f"prescribed waits {waits:.1f} s",
            f"{running / waits:.2f}x",
        ),
    ]
