"""Replays of runs whose records the engine has: fetched with progress, each in its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt, pyqtSignal

from gui.fetch import RunFetch
from gui.link import Link
from gui.parts import counted
from gui.recording import Recording

if TYPE_CHECKING:
    from gui.replay_window import ReplayWindow


class Replays(QObject):
    """Fetches one run at a time; what is shown stays until it is closed."""

    progressed = pyqtSignal(str)
    """How far the fetching is, in words; empty: it is over."""
    failed = pyqtSignal(str, str)
    """Of which run, and why."""

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._fetching: RunFetch | None = None
        self.windows: list[ReplayWindow] = []

    def fetch(self, run: str) -> None:
        """Fetch a run's records, then show them."""
        self.cancel()
        fetch = self._fetching = RunFetch(self._link, run, self)
        self._progress(0)
        fetch.progressed.connect(self._progress)
        fetch.came.connect(self._show)
        fetch.failed.connect(lambda why: self._not_fetched(run, why))

    def cancel(self) -> None:
        """Fetch no more."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching.deleteLater()
            self._fetching = None
            self.progressed.emit("")

    def close(self) -> None:
        """Close all windows."""
        self.cancel()
        for window in list(self.windows):
            window.close()

    def _progress(self, records: int) -> None:
        so_far = f" {counted(records, 'record')} so far." if records else ""
        self.progressed.emit(f"The records are being fetched.{so_far}")

    def _not_fetched(self, run: str, why: str) -> None:
        self.cancel()
        self.failed.emit(run, why)

    def _show(self, recording: Recording) -> None:
        self.cancel()
        # What a replay is made of is slow to import.
        from gui.replay_window import ReplayWindow

        window = ReplayWindow(self._link)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.destroyed.connect(lambda: self.windows.remove(window))
        self.windows.append(window)
        window.show_recording(recording)
        window.show()
