"""The window of a replay: the widgets of the Run screen over a recorded run, and the bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import QMainWindow, QProgressBar, QVBoxLayout, QWidget

from bench.journal import Record
from bench.sample_file import SAMPLES
from gui.banner import Banner
from gui.link import Link
from gui.live import LiveRun
from gui.looks import looks
from gui.parts import GRID, Empty, deed
from gui.playback import Playback
from gui.recording import Recording, journal_of, reading
from gui.replay import PlaybackBar
from gui.run.screen import RunScreen
from gui.shortcuts import Shortcuts

SLICE = 500
"""Records of a file that are read before the window gets its turn."""


class Shown:
    """A `LiveRun` that is fed by a playback."""

    def __init__(self, run: LiveRun, name: str) -> None:
        self._run, self._name = run, name

    def start_over(self) -> None:
        """Forget all records."""
        self._run.prompts.clear()
        self._run.deadlines.clear()
        self._run.restart(self._name)

    def take(self, records: Sequence[Record]) -> None:
        """Show further records."""
        self._run.take(records)


class ReplayWindow(QMainWindow):
    """A window of its own, so that nobody takes it for the run that goes on."""

    def __init__(
        self, link: Link | None = None, *, speed: int = 1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._speed = speed
        self.setObjectName("replay-window")
        self.setMinimumSize(1024, 640)
        self.resize(1366, 768)
        self.run = LiveRun(self)
        self.bar: PlaybackBar | None = None
        self.screen_shown: RunScreen | None = None
        self.deeds: list[QAction] = []
        self._link = link or Link("http://127.0.0.1:1", "", self)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        central = QWidget()
        central.setLayout(self._column)
        self.setCentralWidget(central)
        self._waiting = Empty("Reading the journal", "")
        busy = QProgressBar()
        busy.setRange(0, 0)
        busy.setAccessibleName("The journal is being read")
        self._column.addWidget(busy)
        self._column.addWidget(self._waiting, 1)
        self._busy = busy
        self._steps: Iterable[Recording] = ()

    def open_folder(self, folder: Path) -> None:
        """Read a run's folder bit by bit, then show it; raises `ConfigError` for no journal."""
        self.setWindowTitle(f"Replay of {folder.name}")
        samples = journal_of(folder).with_name(SAMPLES)
        self.run.samples = samples if samples.is_file() else None
        self._steps = iter(reading(folder))
        self._read_on()

    def _read_on(self) -> None:
        recording = None
        for count, recording in enumerate(self._steps, start=1):
            if count == SLICE:
                self._waiting.say("Reading the journal", f"{len(recording.records)} records so far")
                QTimer.singleShot(0, self._read_on)
                return
            self._last = recording
        self.show_recording(recording or self._last)

    def show_recording(self, recording: Recording) -> None:
        """Show a recording from its begin, paused."""
        self.setWindowTitle(f"Replay of {recording.name}")
        for part in (self._busy, self._waiting):
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()
        if not recording.records:
            self._column.addWidget(Empty("Nothing to replay", recording.missing))
            return
        self._column.addWidget(Banner(self.run, None))
        screen = RunScreen(self.run, self._link)
        screen.setObjectName("replay-screen")
        screen.setContentsMargins(GRID, 0, GRID, 0)
        screen.addActions(screen.deeds)
        self._column.addWidget(screen, 1)
        self.screen_shown = screen
        playback = Playback(recording, Shown(self.run, recording.name), parent=self)
        self.bar = PlaybackBar(playback, self)
        self._column.addWidget(self.bar)
        self.deeds = [
            *looks(self),
            deed(self, "shortcuts", "List the shortcuts", self._shortcuts, "F1"),
            deed(self, "quit", "Close the replay", self.close, "Ctrl+Q"),
        ]
        self.addActions(self.deeds)
        menu = self.menuBar()
        assert menu is not None
        for title, deeds in (("Playback", self.bar.deeds), ("Window", self.deeds)):
            listed = menu.addMenu(title)
            assert listed is not None
            listed.addActions(deeds)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        playback.set_speed(self._speed)
        playback.seek(0.0)
        self.bar.play.setFocus()

    def _shortcuts(self) -> None:
        if self.bar is not None and self.screen_shown is not None:
            deeds = [*self.bar.deeds, *self.screen_shown.deeds, *self.deeds]
            Shortcuts(self, deeds, asks=False).open()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Hold the time: nothing goes on in a window that is gone."""
        if self.bar is not None:
            self.bar.playback.pause()
        super().closeEvent(event)
