"""One plot: channels of one kind on one scale, with their names and values beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap

from gui.palette import font, px, theme
from gui.plots.channel import Channel, Group, labels
from gui.plots.drawing import Frame, draw
from gui.plots.scale import limits, plain, prefix, step_of, ticks
from gui.plots.summary import Course
from gui.plots.view import TimeView

LEFT, RIGHT = 64, 208
"""Widths of the scale, and of the names and values."""
NARROW = 560
"""Width of all plots below which there is no room for names and values."""
CALM = 0.2
"""Seconds that a value stands at least; what changes faster can't be read."""
SERIES = {
    "light": ("#2563C9", "#C2501B", "#16805A", "#8B48B8", "#9A6500", "#0B7A88", "#B3306F"),
    "dark": ("#82B4FF", "#FF9D63", "#62D6A9", "#D3A8F5", "#F0C453", "#5FD0DC", "#FF93C4"),
}
"""Colours of the lines, each with a contrast of 3 or more on the surface."""
RIGHTMOST = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Plot:
    """Paints a group of channels; what stays the same from frame to frame is painted once."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.area = QRectF()
        self.right = 0.0
        """Where names and values end."""
        self.range: tuple[float, float] | None = None
        """The scale."""
        self._names = labels(group.channels)
        self._courses: list[Course] = []
        self._ground = _Kept()
        self._legend = _Kept()

    def paint(
        self,
        painter: QPainter,
        view: TimeView,
        lines: Sequence[Sequence[float]],
        moment: float | None,
    ) -> None:
        """Paint into `area`; `lines` are upright, faint and strong; `moment` is that of values."""
        begin, end = view.range()
        points = max(1, int(self.area.width()))
        channels = self.group.channels
        self._courses = [channel.between(begin, end, points) for channel in channels]
        low, high = self._scale()
        self._paint_ground(painter, low, high, lines)
        inks = self._inks()
        painter.save()
        painter.setClipRect(self.area)
        until = min(end, view.newest)
        for channel, course, ink in zip(channels, self._courses, inks, strict=True):
            painter.setPen(QPen(QColor(ink), 1))
            zero = channel.declared.zero
            frame = Frame(self.area, begin, end, low - zero, high - zero)
            draw(painter, frame, course, self.group.style, until)
        painter.restore()
        painter.setPen(QPen(QColor(theme().border), 1))
        painter.drawRect(self.area)
        self._paint_legend(painter, view, moment)

    def _inks(self) -> Sequence[str]:
        inks = SERIES["light" if theme().name == "light" else "dark"]
        return [inks[at % len(inks)] for at in range(len(self.group.channels))]

    def _scale(self) -> tuple[float, float]:
        """Return the scale: wide enough for all, and only narrower when much would be empty."""
        pairs = zip(self.group.channels, self._courses, strict=True)
        known = [(channel.declared.zero, course) for channel, course in pairs if len(course)]
        lowest = min((float(course.low.min()) + zero for zero, course in known), default=math.inf)
        highest = max(
            (float(course.high.max()) + zero for zero, course in known), default=-math.inf
        )
        wanted = limits(lowest, highest)
        kept = self.range or wanted
        fits = kept[0] <= wanted[0] and wanted[1] <= kept[1]
        if not fits or wanted[1] - wanted[0] < 0.6 * (kept[1] - kept[0]):
            kept = wanted
        self.range = kept
        return kept

    def _paint_ground(
        self, painter: QPainter, low: float, high: float, lines: Sequence[Sequence[float]]
    ) -> None:
        """Paint scale and grid: filled and opaque, as dashes and alpha take many times as long."""
        area, colours = self.area, theme()
        faint, strong = mixed(colours.border, colours.surface), QColor(colours.border)

        def write(inner: QPainter) -> None:
            step = step_of(high - low, max(2.0, area.height() / px(34)))
            divisor, _ = prefix(max(abs(low), abs(high)), self.group.unit)
            frame = Frame(area, 0, 1, low, high)
            inner.setFont(font(11))
            inner.setPen(QColor(colours.muted))
            for value in ticks(low, high, step):
                y = round(frame.y(value))
                inner.fillRect(QRectF(area.left(), y, area.width(), 1), faint)
                text = QRectF(0, y - px(8), px(LEFT) - px(8), px(16))
                inner.drawText(text, RIGHTMOST, plain(value / divisor, step / divisor))

        box = QRectF(0, area.top() - px(8), area.right(), area.height() + px(16))
        self._ground.paint(painter, box.toAlignedRect(), (low, high), write)
        for places, ink in zip(lines, (faint, strong), strict=True):
            for x in places:
                painter.fillRect(QRectF(round(x), area.top(), 1, area.height()), ink)

    def _paint_legend(self, painter: QPainter, view: TimeView, moment: float | None) -> None:
        """Name the channels with their values: at a moment, else the newest ones."""
        area = self.area
        width = self.right - area.right()
        if width < px(40):
            return
        box = QRectF(area.right() + 1, area.top(), width - 1, max(px(20), area.height()))
        inner = box.adjusted(px(14), 0, -px(8), 0)
        key = (self.range, moment, view.is_live or view.range())

        def write(painter: QPainter) -> None:
            self._write_legend(painter, view, moment, inner)

        self._legend.paint(painter, box.toAlignedRect(), key, write, patience=CALM)

    def _write_legend(
        self, painter: QPainter, view: TimeView, moment: float | None, box: QRectF
    ) -> None:
        colours = theme()
        low, high = self.range or (0.0, 1.0)
        divisor, unit = prefix(max(abs(low), abs(high)), self.group.unit)
        fine = step_of(high - low, 400) / divisor
        painter.setPen(QColor(colours.text))
        painter.setFont(font(12, bold=True))
        title = QRectF(box.left(), box.top(), box.width(), px(18))
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft, f"{self.group.title}  {unit}")
        line = min(px(19), (box.height() - px(19)) / len(self.group.channels))
        if line < px(11):
            return
        painter.setFont(font(12))
        metrics = QFontMetricsF(painter.font())
        rows = zip(self.group.channels, self._courses, self._inks(), self._names, strict=True)
        for at, (channel, course, ink, name) in enumerate(rows):
            row = QRectF(box.left(), box.top() + px(19) + at * line, box.width(), line)
            painter.fillRect(
                QRectF(row.left(), row.center().y() - px(1), px(12), px(3)), QColor(ink)
            )
            values = (plain(one / divisor, fine) for one in _values(channel, course, view, moment))
            value = f"{' … '.join(dict.fromkeys(values))} {unit}"
            painter.setPen(QColor(colours.text))
            painter.drawText(row, RIGHTMOST, value)
            painter.setPen(QColor(colours.muted))
            row.adjust(px(18), 0, -metrics.horizontalAdvance(value) - px(8), 0)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, shown)


def _values(
    channel: Channel, course: Course, view: TimeView, moment: float | None
) -> tuple[float, ...]:
    """Return the newest value, or least and greatest at a moment that is shown."""
    begin, end = view.range()
    zero = channel.declared.zero
    if moment is None or not begin <= moment <= end:
        if view.is_live:
            return (channel.last + zero,)
        moment = end
    low, high = channel.at(moment, course)
    return low + zero, high + zero


class _Kept:
    """A part of the picture that is painted anew only when something of it has changed."""

    def __init__(self) -> None:
        self._key: object = None
        self._made = 0.0
        self._pixmap = QPixmap()

    def paint(
        self,
        painter: QPainter,
        box: QRect,
        key: tuple[object, ...],
        write: Callable[[QPainter], None],
        patience: float = math.inf,
    ) -> None:
        """Put it where it belongs; `write` paints it for another key, or after so many seconds."""
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        key, now = (*key, box.getRect(), ratio, theme().name), time.monotonic()
        if key != self._key or now - self._made > patience:
            self._key, self._made = key, now
            self._pixmap = QPixmap((box.size().toSizeF() * ratio).toSize())
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(QColor(theme().surface))
            inner = QPainter(self._pixmap)
            inner.translate(-box.left(), -box.top())
            write(inner)
            inner.end()
        painter.drawPixmap(box.topLeft(), self._pixmap)


def mixed(colour: str, ground: str) -> QColor:
    """Return a colour half as strong, on a ground."""
    pairs = zip(QColor(colour).getRgb()[:3], QColor(ground).getRgb()[:3], strict=True)
    return QColor(*(((one or 0) + (other or 0)) // 2 for one, other in pairs))
