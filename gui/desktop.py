"""The desktop app as a whole: which engine, which window, and how they end."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QApplication

from bench.errors import ConfigError
from gui.application import make_application
from gui.engine import Order, OwnEngine
from gui.link import Link
from gui.live import LiveRun
from gui.operator import operator_name
from gui.parts import ask
from gui.recent import Recent, remember
from gui.replies import Refusal
from gui.start import FIRST_RUN, StartPage, simulated_lab
from gui.window import MainWindow


class Desktop(QObject):
    """One window on one engine, which may be its own."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = LiveRun(self)
        self.link: Link | None = None
        self.window: MainWindow | None = None
        self.engine: OwnEngine | None = None
        self.page: StartPage | None = None
        self._plan: dict[str, Any] | None = None
        """What to run as soon as the engine is there, as the API takes it; None: nothing."""
        self._leaves = False
        """The operator has decided to close the window."""

    # The first page.

    def ask(self) -> StartPage:
        """Show the first page."""
        page = self.page = StartPage()
        page.lab_wanted.connect(lambda: self.start(simulated_lab(), plan=FIRST_RUN))
        page.order_wanted.connect(self.start)
        page.engine_wanted.connect(self.connect_by_file)
        page.cancelled.connect(self._cancel)
        page.show()
        return page

    def _cancel(self) -> None:
        self._plan = None
        if self.engine is not None and self.window is None:
            self.engine.stop()
            self.engine = None
        if self.page is not None:
            self.page.idle()

    # An engine elsewhere.

    def connect_by_file(self, url: str, token_file: str) -> None:
        """Open the window on an engine elsewhere, whose token is in a file."""
        try:
            token = read_token(Path(token_file).expanduser())
        except ConfigError as error:
            (self.page or self.ask()).fail(str(error))
            return
        page = self.page
        if page is None:
            self.connect_to(url, token)
            return
        page.work(f"Connecting to {url}")
        trial = Link(url, token, self)

        def there(_: dict[str, Any]) -> None:
            remember(Recent(None, url, token_file))
            self.connect_to(url, token)

        def not_there(refusal: Refusal) -> None:
            page.fail(f"{url}: {refusal.text}.")

        trial.get("/session", there, not_there)

    def connect_to(self, url: str, token: str) -> None:
        """Open the window on an engine that is there, or move it to where the engine is now."""
        if self.link is not None and self.window is not None:
            self.window.notices.settle("engine")
            self.link.move(url, token)
            return
        self.link = Link(url, token, self)
        self.run.follow(self.link)
        self.link.state_changed.connect(self._link_changed)
        self.window = MainWindow(self.run, self.link)
        self.window.closing.connect(self._closing)
        self.window.show()
        self.link.open()
        if self.page is not None:
            self.page.cancelled.disconnect()
            self.page.close()
            self.page.deleteLater()
            self.page = None

    # An engine of our own.

    def start(self, order: Order, plan: dict[str, Any] | None = None) -> None:
        """Start an engine, or find the one that still runs; then open the window on it."""
        self._plan = plan
        page = self.page or self.ask()
        page.work(f"Starting: {order.title}")
        if self.engine is not None:
            self.engine.let_go()
        engine = self.engine = OwnEngine(order, self)
        engine.ready.connect(self.connect_to)
        engine.ready.connect(lambda: remember(Recent(order)))
        engine.failed.connect(self._engine_failed)
        engine.ended.connect(self._engine_ended)
        engine.start()

    def _engine_failed(self, why: str) -> None:
        if self.window is None:
            self.engine = None
            if self.page is not None:
                self.page.fail(why)
            return
        self.window.notices.settle("link")  # for the same reason
        self.window.notices.tell(
            "engine",
            f"The engine has ended: {why}. What it recorded is kept; a run that went on is cut "
            "there. Start it anew, then look at the lab before you go on.",
            "Start the engine anew",
            self._start_anew,
        )

    def _start_anew(self) -> None:
        if self.engine is not None and self.window is not None:
            self.window.notices.tell("engine", "The engine is being started…")
            self.engine.start()

    def _engine_ended(self) -> None:
        if self.window is not None and self._leaves:
            self.window.close()

    def _link_changed(self, state: str) -> None:
        if state == "connected" and self._plan is not None and self.link is not None:
            plan, self._plan = self._plan, None
            if self.link.session.get("run") is None:
                self.link.post("/runs", plan, lambda _: None, within=120_000)

    # The end.

    @property
    def is_going_on(self) -> bool:
        """Tell whether a run goes on, as far as the engine told."""
        return self.link is not None and self.link.session.get("run") is not None

    def _closing(self, event: QCloseEvent) -> None:
        """Let the window close; ask before, while a run goes on."""
        engine, window, link = self.engine, self.window, self.link
        if window is None or link is None or self._leaves:
            self._over()
            return
        own = engine is not None and engine.is_running
        # Without a connection, an engine of our own would take the run with it.
        if self.is_going_on and (link.state == "connected" or own):
            event.ignore()
            ask(
                window,
                "A run goes on",
                "A run goes on. What shall become of it?",
                [
                    ("Abort it and make the lab safe", self._abort_and_leave),
                    ("Let the engine go on without the window", self._leave),
                ],
                no="Stay",
            )
        elif own and engine is not None and engine.is_last_window:
            event.ignore()
            self._end_engine("The engine ends…")
        else:
            self._over()

    def _leave(self) -> None:
        """Close the window and let the engine go on."""
        self._leaves = True
        if self.window is not None:
            self.window.close()

    def _abort_and_leave(self) -> None:
        """Abort, wait until the lab is safe, then close."""
        if self.engine is not None and self.engine.is_running and self.engine.is_last_window:
            self._end_engine("The run is being aborted and the lab made safe…")
            return
        if self.link is not None and self.window is not None:
            self.window.notices.tell(
                "leaving",
                "The run is being aborted and the lab made safe; then the window closes.",
                "Close it now",
                self._leave,
            )
            self.link.session_changed.connect(self._leave_when_idle)
            run = self.link.session.get("run")
            self.link.post(f"/runs/{run}/abort", {"by": operator_name()}, lambda _: None)

    def _leave_when_idle(self, session: dict[str, Any]) -> None:
        if session.get("run") is None:
            self._leave()

    def _end_engine(self, words: str) -> None:
        self._leaves = True
        if self.window is not None and self.engine is not None:
            self.window.notices.tell("leaving", words, "Cut it short", self.engine.stop)
            self.engine.stop()

    def _over(self) -> None:
        if self.engine is not None:
            self.engine.let_go()
        if self.link is not None:
            self.link.close()

    @property
    def exit_code(self) -> int:
        """Say how the run came out that was seen last (CONTRACT, exit codes of `demo`)."""
        view = self.run.view
        if view.started is None:
            return 0
        if view.counts["fail"]:
            return 1
        if view.ended is None or view.aborted_by is not None:
            return 130
        passed = view.counts["pass"] == len(view.cases)
        return 0 if passed and view.complete else 2


def read_token(path: Path) -> str:
    """Read an operator's token; raises `ConfigError`."""
    try:
        token = path.read_text("ascii").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        token = ""
    if not token or len(token) > 1000:
        raise ConfigError(f"{path}: holds no token, expected what pilotbench serve wrote there")
    return token


def open_desktop(options: argparse.Namespace) -> int:
    """Run the desktop app as the command line says; return the exit code."""
    token = None if options.api is None else read_token(options.token_file)
    app = make_application()
    desktop = Desktop(app)
    if options.api is not None and token is not None:
        desktop.connect_to(options.api, token)
    elif options.bench is not None:
        bench = options.bench.resolve()
        runs = (options.out or bench.parent / "runs").resolve()
        duts = tuple(dut.resolve() for dut in options.duts)
        desktop.start(Order(runs, bench, duts))
    elif options.demo:
        runs = (options.out or Path("runs")).resolve()
        whole = {"groups": ["all"]}
        desktop.start(Order(runs), plan={"cases": options.cases} if options.cases else whole)
    else:
        desktop.ask()
    code = run_application(app)
    return code or (desktop.exit_code if options.demo else 0)


def open_replay(folder: Path, speed: float) -> int:
    """Run the desktop app on a recorded run; raises `ConfigError` when there is none."""
    from gui.recording import journal_of
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
