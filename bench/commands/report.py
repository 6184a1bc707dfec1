"""`pilotbench report`: render a finished or running run from its journal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command

FORMATS = ("html", "pdf", "csv", "declaration", "junit", "json")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument("--format", choices=FORMATS, default="html")
    parser.add_argument(
        "--view",
        choices=("lab", "vendor"),
        default="lab",
        help="for whom; vendor: without the laboratory's internals",
    )
    parser.add_argument("--out", type=Path, metavar="F", help="where to write (RUN/… if none)")


def _run(options: argparse.Namespace) -> int:
    from bench.errors import ConfigError
    from bench.redaction import event_for_observer
    from bench.report import KEPT, read_run, write

    if options.view == "vendor" and options.format in ("json", "junit"):
        raise ConfigError(f"--view vendor: {options.format} has no views, expected html, pdf, csv")
    shown = event_for_observer if options.view == "vendor" else None
    try:
        run = read_run(options.run, shown, KEPT)
        path = write(run, options.format, options.out, options.view)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    sys.stdout.write(f"{path}\n")
    return 0


COMMAND = Command("report", "render a finished or running run", _configure, _run)
