"""`pilotbench check`: validate the files a lab edits, offline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")


def _run(options: argparse.Namespace) -> int:
    from bench.errors import ConfigError, in_one_line

    failed = 0
    for path in options.files:
        try:
            kind = _check(path)
        except ConfigError as error:
            sys.stderr.write(f"{in_one_line(error)}\n")
            failed += 1
        else:
            sys.stdout.write(f"{path}: a sound {kind} file\n")
    return 3 if failed else 0


def _check(path: Path) -> str:
    """Validate one file by the tables it has; return its kind."""
    from importlib.metadata import entry_points

    from bench import toml
    from bench.config import load_bench
    from bench.dut import load_dut
    from bench.errors import ConfigError
    from bench.lab_key import key_of
    from bench.plan import check_names, load_plan, load_suites

    document = toml.load(path)
    if "profile" in document:
        (point,) = entry_points(group="pilotbench.profiles")
        point.load()(path)
        return "profile"
    if "dut" in document:
        load_dut(path)
        return "dut"
    if "plan" in document:
        check_names(load_suites(), load_plan(path))
        return "plan"
    if "bench" in document:
        key_of(load_bench(path))
        return "bench"
    raise ConfigError(f"{path}: none of the tables [bench], [dut], [plan] and [profile] is there")


COMMAND = Command("check", "validate bench, dut, plan and profile files offline", _configure, _run)
