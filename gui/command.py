"""The commands `gui` and `replay`: the desktop app on an engine, or on a recorded run."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from bench.command import Command
from bench.errors import ConfigError

_ELSE = "; for what works without, see pilotbench --help"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--api", metavar="URL", help="connect to this engine")
    parser.add_argument("--token-file", type=Path, metavar="F", help="with --api: its token")
    parser.add_argument("--bench", type=Path, metavar="F", help="start an engine on this bench")
    parser.add_argument(
        "--dut", type=Path, metavar="F", action="append", default=[], dest="duts", help="repeatable"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the runs")
    parser.add_argument("--demo", action="store_true", help="simulated lab, and its plan started")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="with --demo: ids (default: all)")


def hindrance() -> str | None:
    """Tell what keeps a window from being opened here; None when nothing does."""
    if find_spec("PyQt6") is None:
        return "the desktop app needs PyQt6 (pip install 'pilotbench[desktop]')" + _ELSE
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if not any(os.environ.get(name) for name in named):
        return "the desktop app needs a display (DISPLAY or WAYLAND_DISPLAY is not set)" + _ELSE
    return None


def _run(options: argparse.Namespace) -> int:
    why = hindrance()
    if why is not None:
        raise ConfigError(why)
    if (options.api is None) != (options.token_file is None):
        raise ConfigError("--api and --token-file: expected both or none")
    if options.api is not None and (options.bench or options.demo):
        raise ConfigError("--api: the engine is there already, so no --bench and no --demo")
    if options.duts and options.bench is None:
        raise ConfigError("--dut: expected with --bench")
    if options.cases and not options.demo:
        raise ConfigError("CASE: expected with --demo")
    for path in (options.token_file, options.bench, *options.duts):
        if path is not None and not path.is_file():
            raise ConfigError(f"{path}: no such file")
    from gui.desktop import open_desktop

    return open_desktop(options)


def _configure_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")


def _replay(options: argparse.Namespace) -> int:
    from bench.journal import JOURNAL

    path = options.run / JOURNAL if options.run.is_dir() else options.run
    if not path.is_file():
        raise ConfigError(f"{options.run}: holds no {JOURNAL}")
    if hindrance() is not None:
        return _replay_in_terminal(path)
    from gui.desktop import open_replay

    return open_replay(path)


def _replay_in_terminal(path: Path) -> int:
    from bench.journal import JournalReader
    from bench.runview import RunView
    from bench.terminal import plain_lines

    view, reader = RunView(), JournalReader(path)
    for record in reader:
        view.apply(record)
        for line in plain_lines(view, record):
            sys.stdout.write(f"{line}\n")
    if reader.fault is not None:
        sys.stderr.write(f"pilotbench: {path}: the record ends here: {reader.fault}\n")
    return 0


GUI = Command("gui", "the desktop app", _configure, _run, hindrance)
REPLAY = Command("replay", "show a recorded run", _configure_replay, _replay)
