"""The desktop app as a whole: which engine, which window, and how they end."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QApplication

from bench.errors import ConfigError
from gui.application import make_application
from gui.engine import Order, OwnEngine
from gui.link import Link
from gui.live import LiveRun
from gui.recording import journal_of
from gui.window import MainWindow


class Desktop(QObject):
    """One window on one engine, which may be its own."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = LiveRun(self)
        self.link: Link | None = None
        self.window: MainWindow | None = None
        self.engine: OwnEngine | None = None

    def connect_to(self, url: str, token: str) -> None:
        """Open the window on an engine that is there."""
        if self.link is not None:
            self.link.move(url, token)
            return
        self.link = Link(url, token, self)
        self.run.follow(self.link)
        self.window = MainWindow(self.run, self.link)
        self.window.show()
        self.link.open()

    def start(self, order: Order) -> None:
        """Start an engine of our own, then open the window on it."""
        self.engine = OwnEngine(order, self)
        self.engine.ready.connect(self.connect_to)
        self.engine.start()


def open_desktop(options: argparse.Namespace) -> int:
    """Run the desktop app as the command line says; return the exit code."""
    app = make_application()
    desktop = Desktop(app)
    if options.api is not None:
        try:
            token = options.token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--token-file {options.token_file}: {error}") from error
        desktop.connect_to(options.api, token)
    elif options.bench is not None:
        runs = options.out or options.bench.resolve().parent / "runs"
        desktop.start(Order(runs, options.bench.resolve(), tuple(options.duts)))
    return run_application(app)


def open_replay(folder: Path, speed: float) -> int:
    """Run the desktop app on a recorded run; raises `ConfigError` when there is none."""
    from gui.replay_window import ReplayWindow

    journal_of(folder)
    app = make_application()
    window = ReplayWindow(speed=round(speed))
    window.open_folder(folder)
    window.show()
    return run_application(app)


def run_application(app: QApplication) -> int:
    """Run Qt's loop; Ctrl-C at the terminal closes the windows."""
    signal.signal(signal.SIGINT, lambda *_: QApplication.closeAllWindows())
    # Python sees signals only between two of its own instructions.
    heartbeat = QTimer(app)
    heartbeat.start(200)
    heartbeat.timeout.connect(lambda: None)
    return app.exec()
