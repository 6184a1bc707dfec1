"""`pilotbench list`: all procedures, and whether they would run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dut", type=Path, metavar="F", help="judge by the PICS of this dut.toml")
    parser.add_argument("--bench", type=Path, metavar="F", help="judge by this bench.toml")
    parser.add_argument("--why", action="store_true", help="print why a case would not run")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _run(options: argparse.Namespace) -> int:
    from bench.config import load_bench
    from bench.dut import load_dut
    from bench.plan import judge, load_suites

    dut = load_dut(options.dut) if options.dut else None
    bench = load_bench(options.bench) if options.bench else None
    outcomes = [
        judge(suite, one, dut, bench) for suite in load_suites() for one in suite.procedures
    ]
    if options.json:
        rows = [outcome.to_json() for outcome in outcomes]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    for outcome in outcomes:
        one = outcome.procedure
        why = f"  {outcome.reason}" if options.why and outcome.reason else ""
        line = f"{one.id:<14}{one.mark:<3}{one.group:<32}{outcome.outcome:<16}{one.title}{why}"
        sys.stdout.write(f"{line}\n")
    return 0


COMMAND = Command(
    "list", "all procedures, and whether and why not they would run", _configure, _run
)
