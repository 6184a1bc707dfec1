"""`pilotbench key`: make the key that a lab signs its runs with, and show its public half."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("new", "show"), help="make a key, or show the public half of one"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the private key, mode 600")


def _run(options: argparse.Namespace) -> int:
    from bench.lab_key import load_key, new_key

    path = options.file
    key = new_key(path) if options.action == "new" else load_key(path, "key show")
    sys.stdout.write(f"{key.public.pem}fingerprint {key.public.fingerprint}\n")
    return 0


COMMAND = Command("key", "the lab's key, which signs runs: make one, show it", _configure, _run)
