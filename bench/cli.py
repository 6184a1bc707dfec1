"""The command line: find the commands, parse, run, and turn errors into one line and a code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

from bench import __version__
from bench.command import Command
from bench.errors import BenchError, ConfigError

USAGE = 3
"""Exit code of a usage or configuration error."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def commands() -> list[Command]:
    """Load every command, those of the spokes included."""
    own = ("run", "list", "check", "report", "verify")
    found = [import_module(f"bench.commands.{name}").COMMAND for name in own]
    found += [point.load() for point in entry_points(group="pilotbench.commands")]
    order = ("demo", "lab", "run")
    return sorted(found, key=lambda c: (order.index(c.name) if c.name in order else 9, c.name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `pilotbench`; return its exit code (CONTRACT, "Commands")."""
    parser = _Parser(
        prog="pilotbench",
        description="Hardware-in-the-loop lab bench controller for OCPP certification",
    )
    parser.add_argument("--version", action="version", version=f"pilotbench {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands():
        sub = subparsers.add_parser(command.name, help=command.summary, description=command.summary)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        command.configure(sub)
        sub.set_defaults(command=command)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    command = options.command
    try:
        return int(command.run(options))
    except ConfigError as error:
        return _fail(error, USAGE, debug=options.debug)
    except BenchError as error:
        return _fail(error, 2, debug=options.debug)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _fail(error: BenchError, code: int, *, debug: bool) -> int:
    if debug:
        raise error
    print(f"pilotbench: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
    return code
