"""`pilotbench verify`: is a recorded run unchanged, and do its records lead to its verdicts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from bench.verify import Verification


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run or a campaign")
    parser.add_argument(
        "--key", type=Path, metavar="PUB", help="the lab's public key: refuse all runs but its own"
    )
    parser.add_argument(
        "--tsa", type=Path, metavar="CERT", help="refuse a run without a time stamp that leads here"
    )


def _run(options: argparse.Namespace) -> int:
    from bench.campaign.check import verify_campaign
    from bench.campaign.folder import RECORD
    from bench.lab_key import load_public_key
    from bench.sealed import Trust
    from bench.timestamp import load_anchors
    from bench.verify import verify

    trust = Trust(
        None if options.key is None else load_public_key(options.key, "--key"),
        () if options.tsa is None else load_anchors(options.tsa, "--tsa"),
    )
    if (options.run / RECORD).is_file():
        return tell(verify_campaign(options.run, trust))
    return tell(verify(options.run, trust))


def tell(verification: Verification) -> int:
    """Print what was verified and what is wrong; return the exit code."""
    lines = [
        *verification.summary,
        *(f"warning: {text}" for text in verification.warnings),
        *(f"NOT SOUND: {fault}" for fault in verification.faults),
    ]
    if verification.is_sound:
        lines.append("sound")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if verification.is_sound else 1


COMMAND = Command(
    "verify",
    "check a run's chain and files, and derive its verdicts again",
    _configure,
    _run,
)
