"""Axes with round numbers, values in their unit, and times since the run began."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter

from gui.palette import font, px, theme
from gui.plots.scale import plain, prefix, step_of, time_step, time_text


class Axis(pyqtgraph.AxisItem):
    """Texts at the ticks of one level, in the app's font and colours."""

    def __init__(self, side: str, spacing: float) -> None:
        """`spacing` is the least distance of two ticks in pixels."""
        super().__init__(side, maxTickLength=0)
        self._spacing = spacing
        self.enableAutoSIPrefix(False)
        self.dress()

    def dress(self) -> None:
        """Take font and colours of the theme in force."""
        self.setPen(None)
        self.setTickPen(theme().surface)  # a tick without length and pen is still a dot
        self.setTextPen(QColor(theme().muted))
        self.setStyle(tickFont=font(11), tickTextOffset=px(8), autoExpandTextSpace=False)

    def ticks(self, low: float, high: float, size: float) -> list[float]:
        """List the ticks from low to high on an axis of so many pixels."""
        return self.tickValues(low, high, size)[0][1]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Return the one level of ticks: their distance, and multiples of it."""
        step = self._step(high - low, max(2.0, size / px(self._spacing)))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [(step, [at * step for at in range(first, last + 1)])]

    def _step(self, span: float, count: float) -> float:
        return step_of(span, count)


class ValueAxis(Axis):
    """Values at the left of a plot, in its unit under a fitting prefix."""

    def __init__(self, unit: str, *, says_unit: bool = False) -> None:
        """`says_unit` is for a plot that has no legend to tell it."""
        super().__init__("left", 34)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.unit = unit
        self._says_unit = says_unit

    def tickStrings(  # noqa: N802
        self, values: Sequence[float], scale: float, spacing: float
    ) -> list[str]:
        """Write values."""
        divisor, unit = prefix(max(map(abs, self.range)), self.unit)
        after = f" {unit}" if self._says_unit else ""
        return [plain(value / divisor, spacing / divisor) + after for value in values]


class TimeAxis(Axis):
    """Times in s since the run began; as they move in every frame, no picture of them is kept."""

    def __init__(self) -> None:
        super().__init__("bottom", 110)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Write the times."""
        begin, end = self.range
        width = self.size().width()
        painter.setFont(font(11))
        painter.setPen(QColor(theme().muted))
        step, values = self.tickValues(begin, end, width)[0]
        for value in values:
            x = width * (value - begin) / (end - begin)
            box = QRectF(x - px(50), px(2), px(100), px(20))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, time_text(value, step))

    def _step(self, span: float, count: float) -> float:
        return time_step(span, count)
