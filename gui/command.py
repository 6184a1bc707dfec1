"""The commands `gui` and `replay`: the desktop app on an engine, or on a recorded run."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
    display = os.environ.get("DISPLAY", "")
    if not any(os.environ.get(name) for name in named[1:]) and not _answers(display):
        return f"the desktop app needs a display, and none answers at DISPLAY={display}" + _ELSE
    return None


def _answers(display: str) -> bool:
    """Tell whether an X server is there: HOST:NUMBER.SCREEN, on this machine without a host."""
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    path = f"/tmp/.X11-unix/X{number}"
    places: list[tuple[int, Any]] = [(socket.AF_INET, (host, 6000 + int(number)))]
    if host in ("", "unix"):
        places = [(socket.AF_UNIX, path), (socket.AF_UNIX, f"\0{path}")]
    for family, place in places:
        with socket.socket(family, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.settimeout(2.0)
            probe.connect(place)
            return True
    return False


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
    parser.add_argument("--terminal", action="store_true", help="here, not in a window")
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="so many times as fast, 1 to 100"
    )


def _replay(options: argparse.Namespace) -> int:
    if not 1 <= options.speed <= 100:
        raise ConfigError(f"--speed: {options.speed:g}, expected 1 to 100")
    if options.terminal or hindrance() is not None:
        from gui.terminal_replay import replay_in_terminal

        return replay_in_terminal(options.run, sys.stdout, sys.stderr, speed=options.speed)
    from gui.desktop import open_replay

    return open_replay(options.run, options.speed)


GUI = Command("gui", "the desktop app", _configure, _run, hindrance)
REPLAY = Command(
    "replay", "show a recorded run, in a window or in the terminal", _configure_replay, _replay
)
