"""The two cursors through all plots, what lies between them, and a line under the mouse."""

from __future__ import annotations

import pyqtgraph
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QColor, QPen

from gui.palette import font, theme
from gui.plots.timebox import TimeBox

HANGING = {"position": 1.0, "anchors": [(0.5, 0.0), (0.5, 0.0)]}
"""Names of cursors hang from the upper end of their line."""


class Cursors(QObject):
    """Lines that can be dragged."""

    first_moved = pyqtSignal(float)
    """The first cursor was dragged to a moment."""
    second_moved = pyqtSignal(float)
    """The second one was."""

    def __init__(self, box: TimeBox) -> None:
        super().__init__()
        self._box = box
        self.between = pyqtgraph.LinearRegionItem(movable=False)
        self.under = pyqtgraph.InfiniteLine()
        self.first = self._line("A")
        self.second = self._line("B")
        for item in (self.between, self.under, self.first, self.second):
            item.hide()
            box.addItem(item, ignoreBounds=True)
        self.first.sigDragged.connect(lambda line: self.first_moved.emit(self._moment(line)))
        self.second.sigDragged.connect(lambda line: self.second_moved.emit(self._moment(line)))
        self.dress()

    def _line(self, name: str) -> pyqtgraph.InfiniteLine:
        return pyqtgraph.InfiniteLine(movable=True, label=name, labelOpts=HANGING)

    def _moment(self, line: pyqtgraph.InfiniteLine) -> float:
        return float(self._box.origin + line.value())

    def dress(self) -> None:
        """Take the colours of the theme in force."""
        colours = theme()
        accent = QColor(colours.accent)
        for line in (self.first, self.second):
            line.setPen(QPen(accent, 0))
            line.setHoverPen(pyqtgraph.mkPen(accent, width=3))
            line.label.fill = pyqtgraph.mkBrush(accent)
            line.label.setColor(QColor(colours.on_accent))
            line.label.setFont(font(11, bold=True))
        self.under.setPen(QPen(QColor(colours.muted), 0))
        accent.setAlpha(28)
        self.between.setBrush(accent)
        for edge in self.between.lines:
            edge.setPen(None)

    def show(self, first: float | None, second: float | None, under: float | None) -> None:
        """Stand at moments; None hides."""
        pairs = ((self.first, first), (self.second, second), (self.under, under))
        for line, moment in pairs:
            line.setVisible(moment is not None)
            if moment is not None:
                line.setValue(moment - self._box.origin)
        are_two = first is not None and second is not None
        self.first.label.setVisible(are_two)
        self.between.setVisible(are_two)
        if first is not None and second is not None:
            origin = self._box.origin
            self.between.setRegion(sorted((first - origin, second - origin)))
