"""What steers the plots by mouse: freeze, span, zoom, and the scope."""

from __future__ import annotations

import math

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

SPANS = {
    "10 s": 10.0,
    "30 s": 30.0,
    "1 min": 60.0,
    "5 min": 300.0,
    "15 min": 900.0,
    "1 h": 3600.0,
    "Whole run": math.inf,
}
USUAL = "1 min"


class PlotBar(QWidget):
    """The line above the plots."""

    zoomed = pyqtSignal(float)
    """So many times the time is to be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.pause = QPushButton("Pause")
        self.span = QComboBox()
        self.scoping = QPushButton("Scope")
        hint = QLabel("W S zoom · A D move · Shift-drag measures")
        hint.setProperty("role", "small")
        hint.setMinimumWidth(1)
        for button in (self.pause, self.scoping):
            button.setCheckable(True)
            button.setProperty("role", "flat")
        self.pause.setAccessibleName("Freeze the plots while capture goes on")
        self.pause.setToolTip("Freeze the plots while capture goes on (Space)")
        self.scoping.setToolTip("Show a few ms of a fast channel, standing on an edge")
        self.scoping.hide()
        self.span.addItems(list(SPANS))
        self.span.setCurrentText(USUAL)
        self.span.setAccessibleName("Time that the plots span")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        closer, wider = self._zoom("+", "Zoom in", "W", 0.5), self._zoom("−", "Zoom out", "S", 2.0)
        for part in (self.pause, self.span, closer, wider, self.scoping):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(hint)

    @property
    def seconds(self) -> float:
        """Seconds that a live view is to span; infinite for the whole run."""
        return SPANS[self.span.currentText()]

    def tell(self, *, is_live: bool) -> None:
        """Show whether the plots follow the run."""
        self.pause.setChecked(not is_live)
        self.pause.setText("Pause" if is_live else "Paused")

    def _zoom(self, text: str, name: str, key: str, factor: float) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("role", "flat")
        button.setToolTip(f"{name} ({key})")
        button.setAccessibleName(name)
        button.clicked.connect(lambda: self.zoomed.emit(factor))
        return button
