"""The time that all plots share: one box over all of them, that the mouse moves."""

from __future__ import annotations

from typing import Any

import pyqtgraph
from PyQt6.QtCore import QPointF, Qt, pyqtSignal

from gui.plots.view import TimeView

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class TimeBox(pyqtgraph.ViewBox):
    """Zooms and moves a view through time, and tells where the mouse points.

    Its coordinates are seconds since `origin`, a moment of the engine's clock.
    """

    looked = pyqtSignal()
    """The view was moved."""
    hovered = pyqtSignal(object)
    """The mouse is at this moment; None when it has left."""
    clicked = pyqtSignal(float, bool)
    """Where it was clicked, and whether with Ctrl."""
    measured = pyqtSignal(float, float)
    """A stretch was dragged with Shift."""

    def __init__(self, view: TimeView) -> None:
        super().__init__(enableMenu=False)
        self.origin = 0.0
        self._view = view
        self._measured_from: float | None = None
        self.disableAutoRange()
        self.setYRange(0, 1, padding=0)

    def show_stretch(self, begin: float, end: float) -> None:
        """Span a stretch of time."""
        self.setXRange(begin - self.origin, end - self.origin, padding=0)

    def moment_at(self, place: QPointF) -> float:
        """Return the moment at a place of the scene."""
        begin, end = self.viewRange()[0]
        part = (place.x() - self.geometry().left()) / self.geometry().width()
        return float(self.origin + begin + part * (end - begin))

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802
        """Zoom around the mouse; with Shift move."""
        if self._view.is_empty:
            event.ignore()
            return
        turned = event.delta() / 120
        if event.modifiers() & SHIFT:
            self._view.pan(-0.1 * turned)
        else:
            self._view.zoom(0.8**turned, self.moment_at(event.scenePos()))
        self.looked.emit()
        event.accept()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802
        """Move the view, or with Shift measure a stretch."""
        if event.button() is not Qt.MouseButton.LeftButton or self._view.is_empty:
            event.ignore()
            return
        event.accept()
        if event.isStart():
            is_measured = bool(event.modifiers() & SHIFT)
            begin = self.moment_at(event.buttonDownScenePos())
            self._measured_from = begin if is_measured else None
        if self._measured_from is not None:
            self.measured.emit(self._measured_from, self.moment_at(event.scenePos()))
            return
        moved = event.lastScenePos().x() - event.scenePos().x()
        self._view.pan(moved / self.geometry().width())
        self.looked.emit()

    def mouseClickEvent(self, event: Any) -> None:  # noqa: N802
        """Point at a moment; twice: follow the run again."""
        if event.button() is not Qt.MouseButton.LeftButton or self._view.is_empty:
            event.ignore()
            return
        event.accept()
        if event.double():
            self._view.live()
            self.looked.emit()
        else:
            is_second = bool(event.modifiers() & CONTROL)
            self.clicked.emit(self.moment_at(event.scenePos()), is_second)

    def hoverEvent(self, event: Any) -> None:  # noqa: N802
        """Tell the moment under the mouse."""
        self.hovered.emit(None if event.isExit() else self.moment_at(event.scenePos()))
