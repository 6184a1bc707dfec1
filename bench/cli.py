"""The command line: find the commands, parse, run, and turn errors into one line and a code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

from bench import __version__
from bench.command import Command
from bench.errors import BenchError, ConfigError, in_one_line

USAGE = 3
"""Exit code of a usage or configuration error."""
USUAL = "gui"
"""The command that `pilotbench` alone stands for."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def commands() -> list[Command]:
    """Load every command, those of the spokes included."""
    own = (
        *("run", "serve", "campaign", "list", "check", "compare", "devices", "key", "pics"),
        *("report", "share", "verify"),
    )
    found = [import_module(f"bench.commands.{name}").COMMAND for name in own]
    found += [point.load() for point in entry_points(group="pilotbench.commands")]
    order = ("gui", "demo", "lab", "run", "serve")
    return sorted(found, key=lambda c: (order.index(c.name) if c.name in order else 9, c.name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `pilotbench`; return its exit code (CONTRACT, "Commands")."""
    code = 0
    try:
        code = _main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on: Python must not try to flush the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _main(arguments: Sequence[str] | None) -> int:
    parser = _Parser(
        prog="pilotbench",
        description="Hardware-in-the-loop lab bench controller for OCPP certification",
    )
    parser.add_argument("--version", action="version", version=f"pilotbench {__version__}")
    known = commands()
    # Without a command it is the desktop app, where that is installed.
    usual = next((command for command in known if command.name == USUAL), None)
    parser.set_defaults(debug=False)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=usual is None)
    for command in known:
        sub = subparsers.add_parser(command.name, help=command.summary, description=command.summary)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        command.configure(sub)
        sub.set_defaults(command=command)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    if "command" not in options and usual is not None:
        return _main([usual.name])
    command = options.command
    try:
        return int(command.run(options))
    except ConfigError as error:
        return _fail(error, USAGE, debug=options.debug)
    except BenchError as error:
        return _fail(error, 2, debug=options.debug)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a defect of ours is told in one line, too
        return _fail(error, 2, debug=options.debug)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _fail(error: Exception, code: int, *, debug: bool) -> int:
    if debug:
        raise error
    text = in_one_line(error)
    if not isinstance(error, BenchError):
        text = f"{type(error).__name__}: {text}; --debug shows where"
    sys.stderr.write(f"pilotbench: {text}\n")
    return code
