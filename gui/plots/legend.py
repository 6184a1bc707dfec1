"""What stands beside a plot: its title, and each channel with its colour and value."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import pyqtgraph
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPixmap

from gui.palette import font, px, theme
from gui.plots.channel import Channel, Group, labels
from gui.plots.scale import plain, prefix, step_of
from gui.plots.view import TimeView

CALM = 0.2
"""Seconds that a value stands at least; what changes faster can't be read."""
RIGHTMOST = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Legend(pyqtgraph.GraphicsWidget):
    """Values at a moment, else the newest ones; painted anew only when they have changed."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self._group = group
        self._names = labels(group.channels)
        self._key: object = None
        self._made = 0.0
        self._pixmap = QPixmap()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Put in its place what was written."""
        painter.drawPixmap(0, 0, self._pixmap)

    def prepare(
        self,
        view: TimeView,
        moment: float | None,
        scale: tuple[float, float],
        inks: Sequence[str],
        ratio: float,
    ) -> None:
        """Write names and values, for another moment or scale, or after a while."""
        size, now = self.size(), time.monotonic()
        known = sum(channel.revision for channel in self._group.channels)
        key = (scale, moment, view.is_live or view.range(), known, size, ratio, theme().name)
        if size.isEmpty() or (key == self._key and now - self._made <= CALM):
            return
        self._key, self._made = key, now
        self._pixmap = QPixmap((size * ratio).toSize())
        self._pixmap.setDevicePixelRatio(ratio)
        self._pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(self._pixmap)
        box = QRectF(px(14), 0, size.width() - px(22), size.height())
        self._write(painter, box, view, moment, scale, inks)
        painter.end()

    def _write(
        self,
        painter: QPainter,
        box: QRectF,
        view: TimeView,
        moment: float | None,
        scale: tuple[float, float],
        inks: Sequence[str],
    ) -> None:
        colours = theme()
        low, high = scale
        divisor, unit = prefix(max(abs(low), abs(high)), self._group.unit)
        fine = step_of(high - low, 400) / divisor
        painter.setPen(QColor(colours.text))
        painter.setFont(font(12, bold=True))
        title = QRectF(box.left(), box.top(), box.width(), px(18))
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft, f"{self._group.title}  {unit}")
        line = min(px(19), (box.height() - px(19)) / len(self._group.channels))
        if line < px(11):
            return
        painter.setFont(font(12))
        metrics = QFontMetricsF(painter.font())
        rows = zip(self._group.channels, inks, self._names, strict=True)
        for at, (channel, ink, name) in enumerate(rows):
            row = QRectF(box.left(), box.top() + px(19) + at * line, box.width(), line)
            painter.fillRect(
                QRectF(row.left(), row.center().y() - px(1), px(12), px(3)), QColor(ink)
            )
            values = (plain(one / divisor, fine) for one in _shown(channel, view, moment))
            value = f"{' … '.join(dict.fromkeys(values))} {unit}"
            painter.setPen(QColor(colours.text))
            painter.drawText(row, RIGHTMOST, value)
            painter.setPen(QColor(colours.muted))
            row.adjust(px(18), 0, -metrics.horizontalAdvance(value) - px(8), 0)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, shown)


def _shown(channel: Channel, view: TimeView, moment: float | None) -> tuple[float, ...]:
    """Return the newest value, or least and greatest at a moment that is shown or the end of it."""
    begin, end = view.range()
    zero = channel.declared.zero
    if moment is None or not begin <= moment <= end:
        if view.is_live and not math.isnan(channel.last):
            return (channel.last + zero,)
        moment = end
    low, high = channel.at(moment)
    return low + zero, high + zero
