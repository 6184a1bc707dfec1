"""`pilotbench report`: render a finished or running run from its journal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument("--format", choices=("html", "junit", "json"), default="html")
    parser.add_argument("--out", type=Path, metavar="F", help="where to write (RUN/… if none)")


def _run(options: argparse.Namespace) -> int:
    from bench.errors import ConfigError
    from bench.report import KEPT, read_run, write

    try:
        path = write(read_run(options.run, most=KEPT), options.format, options.out)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    sys.stdout.write(f"{path}\n")
    return 0


COMMAND = Command("report", "render a finished or running run", _configure, _run)
