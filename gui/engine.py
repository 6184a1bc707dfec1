"""An engine of the window's own: started as a process, found again, told to end."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from bench.served import where_served

LOOKING = 50
"""Milliseconds between two looks at the process."""
SEATS = "engine/windows"
"""The file that each window on the engine holds locked, shared with the others."""
TOKEN = "operator.token"
"""The file with the operator's token, in the folder of the runs."""
LOG = "engine/messages.txt"
"""What the engine says, in the folder of the runs."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which engine is wanted: on a bench with its DUTs, or on a simulated lab without."""

    runs: Path
    """Folder of the runs."""
    bench: Path | None = None
    duts: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """Name it for people."""
        return "Simulated lab" if self.bench is None else str(self.bench)

    @property
    def command(self) -> list[str]:
        """Write the command line that starts it."""
        out = ["--out", str(self.runs)]
        if self.bench is None:
            return ["demo", "--serve", *out]
        duts = [part for dut in self.duts for part in ("--dut", str(dut))]
        return ["serve", "--bench", str(self.bench), *duts, *out, "--api", "127.0.0.1:0"]


class OwnEngine(QObject):
    """Starts the engine of an order, or finds the one that still runs; outlives no order to end.

    One that ended by itself is looked for further: another window may start it anew.
    """

    ready = pyqtSignal(str, str)
    """Its URL and the operator's token; again, each time that it is another engine."""
    failed = pyqtSignal(str)
    """It could not be started, or it ended without having been told to; why, in words."""
    ended = pyqtSignal()
    """It ended as it was told."""

    def __init__(self, order: Order, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.order = order
        self.was_found = False
        """True when an earlier window had started it."""
        self._child: subprocess.Popen[bytes] | None = None
        self._process = 0
        self._is_ready = False
        self._is_ending = False
        self._is_lost = False
        """It ended by itself after it was ready, and is looked for."""
        self._seat = -1
        self._timer = QTimer(self)
        self._timer.setInterval(LOOKING)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        """Tell whether it runs, as far as the last look tells."""
        return self._timer.isActive() and not self._is_lost

    def start(self) -> None:
        """Find or start it; `ready` or `failed` follows."""
        self._is_ready = self._is_ending = self._is_lost = False
        self.was_found = where_served(self.order.runs) is not None
        if not self.was_found:
            try:
                self._child = self._start()
            except OSError as error:
                self.failed.emit(f"{error.filename or self.order.runs}: {error.strerror}")
                return
        self._timer.start()

    def _start(self) -> subprocess.Popen[bytes]:
        log = self.order.runs / LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        # A session and files of its own: neither Ctrl-C at our terminal nor our end concern it.
        with log.open("wb") as messages:
            return subprocess.Popen(
                [sys.executable, "-m", "bench", *self.order.command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Tell it to end: a run is aborted with the lab made safe; `ended` follows.

        A second time cuts clean-ups short.
        """
        self._is_ending = True
        if not self.is_running:
            self.ended.emit()
            return
        with suppress(ProcessLookupError):
            os.kill(self._child.pid if self._child else self._process, signal.SIGTERM)

    def let_go(self) -> None:
        """Let it go on without us."""
        self._timer.stop()
        if self._child is not None:
            self._child.returncode = 0  # it is not ours to wait for any more
            self._child = None
        if self._seat >= 0:
            os.close(self._seat)
            self._seat = -1

    @property
    def is_last_window(self) -> bool:
        """Tell whether no other window of this machine sits at the engine."""
        if self._seat < 0:
            return True
        try:
            fcntl.flock(self._seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(self._seat, fcntl.LOCK_SH)
            return False
        fcntl.flock(self._seat, fcntl.LOCK_SH)
        return True

    def _sit_down(self) -> None:
        if self._seat < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._seat = os.open(self.order.runs / SEATS, flags, 0o644)
            fcntl.flock(self._seat, fcntl.LOCK_SH)

    def _look(self) -> None:
        served = where_served(self.order.runs)
        if self._is_lost:
            if served is None:
                return
            self._is_lost, self.was_found = False, True
        code = None if self._child is None else self._child.poll()
        if self._child is not None and not self._is_ready and served is not None:
            if code is not None:
                # Another window was faster: its engine is the one.
                self._child, self.was_found, code = None, True, None
            elif served.process != self._child.pid:
                return
        if served is not None and not self._is_ready:
            self._is_ready, self._process = True, served.process
            try:
                self._sit_down()
                token = (self.order.runs / TOKEN).read_text("ascii").strip()
            except OSError as error:
                self.failed.emit(f"{error.filename}: {error.strerror}")
                return
            self.ready.emit(served.url, token)
        gone = code is not None if self._child else served is None and self._is_ready
        if not gone:
            return
        self._child = None
        self._is_lost = self._is_ready and not self._is_ending
        self._is_ready = False
        if not self._is_lost:
            self._timer.stop()
        if self._is_ending:
            self.ended.emit()
        else:
            self.failed.emit(self._why(code))

    def _why(self, code: int | None) -> str:
        """Say why it ended by itself: by whom it was killed, else the last thing it said."""
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"it was ended by {signal.Signals(-code).name}"
        with suppress(OSError):
            said = (self.order.runs / LOG).read_text("utf-8", "replace").strip()
            if said:
                return said.splitlines()[-1].removeprefix("pilotbench: ")
        return "it left no word" if code is None else f"it ended with exit code {code}"
