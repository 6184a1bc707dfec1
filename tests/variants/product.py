"""One product in real time: `pilotbench lab`, `pilotbench run --all` and `pilotbench verify`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from drivers.sim.lab_process import running_lab
from tests.mutants.matrix import applicable


@dataclass(frozen=True, slots=True)
class Tried:
    """How a product went through all its cases."""

    variant: str
    passed: int
    took: float
    """Wall clock of the run in s."""
    waits: float
    """The sum in s of what its cases prescribe to wait."""
    faults: tuple[str, ...]
    """What is not as it must be; empty for a product that is in order."""


def try_product(variant: str, out: Path, *, within: float) -> Tried:
    """Run everything on a product's lab for at most `within` s, and verify the run."""
    began = time.monotonic()
    try:
        with running_lab("--variant", variant) as files:
            began = time.monotonic()
            wired = ["--bench", files["bench"], "--dut", files["dut"], "--operator", "refuse"]
            faults = _fault("run", "--all", *wired, "--out", str(out), within=within)
            took = time.monotonic() - began
        faults += _fault("verify", str(out), within=within)
    except (BenchError, subprocess.TimeoutExpired) as error:
        return Tried(variant, 0, time.monotonic() - began, 0.0, (str(error),))
    ended = _ended(out)
    passed = {case for case, verdict in ended.items() if verdict == "pass"}
    for case in applicable(variant):
        if case not in passed:
            faults.append(f"{case}: {ended.get(case, 'did not run')}")
    return Tried(variant, len(passed), took, _waits(out), tuple(faults))


def _fault(*arguments: str, within: float) -> list[str]:
    """Run `pilotbench`; say what is wrong with how it ended."""
    command = [sys.executable, "-m", "bench", *arguments]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL
    )
    if ended.returncode == 0 and not ended.stderr:
        return []
    last = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
    return [f"{arguments[0]} ended with {ended.returncode}: {''.join(last)}"]


def _ended(out: Path) -> dict[str, str]:
    """Read the verdicts of a run by case, with the reasons of those that are not passed."""
    results = json.loads((out / "results.json").read_text("utf-8"))
    return {
        case["id"]: " ".join(filter(None, (case["verdict"], case["reason"])))
        for case in results["cases"]
    }


def _waits(out: Path) -> float:
    with (out / "journal.jsonl").open(encoding="utf-8") as journal:
        records = map(json.loads, journal)
        planned = next(r["data"]["cases"] for r in records if r["event"] == "RunStarted")
    return float(sum(case["waits"] for case in planned))
