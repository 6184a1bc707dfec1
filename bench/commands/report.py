"""`pilotbench report`: render a run, finished or not, or a whole campaign."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command

FORMATS = ("html", "pdf", "csv", "declaration", "junit", "json")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run or a campaign")
    parser.add_argument("--format", choices=FORMATS, default="html")
    parser.add_argument(
        "--view",
        choices=("lab", "vendor"),
        default="lab",
        help="for whom; vendor: without the laboratory's internals",
    )
    parser.add_argument("--out", type=Path, metavar="F", help="where to write (RUN/… if none)")


def _run(options: argparse.Namespace) -> int:
    from bench.campaign.folder import RECORD
    from bench.errors import ConfigError
    from bench.redaction import event_for_observer
    from bench.report import KEPT, read_run, write

    if options.view == "vendor" and options.format in ("json", "junit"):
        raise ConfigError(f"--view vendor: {options.format} has no views, expected html, pdf, csv")
    shown = event_for_observer if options.view == "vendor" else None
    try:
        if (options.run / RECORD).is_file():
            path = _of_campaign(options)
        else:
            run = read_run(options.run, shown, KEPT)
            path = write(run, options.format, options.out, options.view)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    sys.stdout.write(f"{path}\n")
    return 0


def _of_campaign(options: argparse.Namespace) -> Path:
    from bench.campaign.report import document
    from bench.errors import ConfigError
    from bench.report import lay_out, name_of, put

    if options.format in ("json", "junit"):
        text = "a campaign has html, pdf, csv and declaration; campaign status has --json"
        raise ConfigError(f"--format {options.format}: {text}")
    rendered = lay_out(document(options.run, options.view), options.format)
    return put(rendered, options.out or options.run / name_of(options.format, options.view))


COMMAND = Command("report", "render a run, finished or not, or a campaign", _configure, _run)
