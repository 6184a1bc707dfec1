"""The moment of a run that all views point at together."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal


class TimeCursor(QObject):
    """Links plots, messages, sequence chart and steps: who is clicked in one is shown in all."""

    moved = pyqtSignal()
    """The moment or the record is another one."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.moment: float | None = None
        """Seconds on the engine's monotonic clock; None while nothing is selected."""
        self.record: int | None = None
        """The record that was selected; None where only a moment was."""

    def select(self, moment: float, record: int | None = None) -> None:
        """Point at a moment, or at the record that happened then."""
        if (moment, record) != (self.moment, self.record):
            self.moment, self.record = moment, record
            self.moved.emit()

    def clear(self) -> None:
        """Point at nothing, as when another run begins."""
        if self.moment is not None:
            self.moment = self.record = None
            self.moved.emit()
