"""`pilotbench verify`: is a recorded run unchanged, and do its records lead to its verdicts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")


def _run(options: argparse.Namespace) -> int:
    from bench.verify import verify

    verification = verify(options.run)
    lines = [*verification.summary, *(f"NOT SOUND: {fault}" for fault in verification.faults)]
    if verification.is_sound:
        lines.append("sound")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if verification.is_sound else 1


COMMAND = Command(
    "verify",
    "check a run's hash chain and files, and derive its verdicts again from the records",
    _configure,
    _run,
)
