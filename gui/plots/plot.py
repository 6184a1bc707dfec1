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
from gui.plots.picture import Picture, Stretch
from gui.plots.scale import limits, plain, prefix, step_of, ticks
from gui.plots.summary import Course
from gui.plots.view import TimeView

LEFT, RIGHT = 64, 208
"""Widths of the scale, and of the names and values."""
NARROW = 560
"""Width of all plots below which there is no room for names and values."""
SETTLED = 1.0
"""Seconds after which a plot is painted as a whole, so that its scale can become narrower."""
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
        self._whole = -math.inf
        """When all of it was painted last."""
        self._picture = Picture()
        self._values = _Kept()
        self._legend = _Kept()

    def paint(
        self,
        painter: QPainter,
        view: TimeView,
        upright: tuple[Sequence[float], Sequence[float]],
        moment: float | None,
    ) -> None:
        """Paint into `area`; `upright` are moments of faint and strong lines."""
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        area = self.area.toAlignedRect()
        stretch = Stretch.of(view, max(1, area.width()))
        channels = self.group.channels
        newest = (view.newest, *(channel.trace.newest for channel in channels))
        look = (
            *(area.getRect(), ratio, theme().name, upright[1][-1:]),
            sum(channel.revision for channel in channels),
        )
        start, now = self._picture.start(stretch, (self.range, look), newest), time.monotonic()
        if (now - self._whole > SETTLED and view.is_live) or not ratio.is_integer():
            start = 0
        courses = self._courses(stretch, start)
        wanted = self._scale(courses, may_shrink=start == 0)
        if start and wanted != self.range:
            start, courses = 0, self._courses(stretch, 0)
            wanted = self._scale(courses, may_shrink=True)
        self.range = wanted
        self._whole = now if start == 0 else self._whole
        self._picture.paint(
            area,
            ratio,
            stretch,
            start,
            key=(self.range, look),
            newest=newest,
            ground=QColor(theme().surface),
            write=lambda inner: self._draw(inner, stretch, start, courses, upright, view.newest),
        )
        self._picture.show(painter, area.topLeft())
        painter.setPen(QPen(QColor(theme().border), 1))
        painter.drawRect(area)
        self._paint_values(painter)
        self._paint_legend(painter, view, moment)

    def _courses(self, stretch: Stretch, start: int) -> list[Course]:
        """Return the courses from a column on."""
        begin, points = stretch.moment(start), max(1, stretch.width - start)
        if start >= stretch.width:
            return []
        return [channel.between(begin, stretch.end, points) for channel in self.group.channels]

    def _draw(
        self,
        painter: QPainter,
        stretch: Stretch,
        start: int,
        courses: Sequence[Course],
        upright: tuple[Sequence[float], Sequence[float]],
        newest: float,
    ) -> None:
        """Draw grid and courses; filled and opaque, as dashes and alpha take many times as long."""
        colours = theme()
        low, high = self.range or (0.0, 1.0)
        height = self.area.height()
        faint, strong = mixed(colours.border, colours.surface), QColor(colours.border)
        frame = Frame(QRectF(0, 0, stretch.width, height), stretch.begin, stretch.end, low, high)
        for value in ticks(low, high, self._step()):
            painter.fillRect(QRectF(start, round(frame.y(value)), stretch.width, 1), faint)
        for moments, line in zip(upright, (faint, strong), strict=True):
            for moment in moments:
                painter.fillRect(QRectF(round(stretch.x(moment)), 0, 1, height), line)
        until = min(stretch.end, newest)
        for channel, course, ink in zip(self.group.channels, courses, self._inks(), strict=True):
            zero = channel.declared.zero
            painter.setPen(QPen(QColor(ink), 1))
            own = Frame(frame.area, frame.begin, frame.end, low - zero, high - zero)
            draw(painter, own, course, self.group.style, until)

    def _step(self) -> float:
        low, high = self.range or (0.0, 1.0)
        return step_of(high - low, max(2.0, self.area.height() / px(34)))

    def _inks(self) -> Sequence[str]:
        inks = SERIES["light" if theme().name == "light" else "dark"]
        return [inks[at % len(inks)] for at in range(len(self.group.channels))]

    def _scale(self, courses: Sequence[Course], *, may_shrink: bool) -> tuple[float, float]:
        """Return the scale: wide enough for all, and only narrower when much would be empty."""
        pairs = zip(self.group.channels, courses, strict=False)
        known = [(channel.declared.zero, course) for channel, course in pairs if len(course)]
        lows = [float(course.low.min()) + zero for zero, course in known]
        highs = [float(course.high.max()) + zero for zero, course in known]
        low, high = min(lows, default=math.inf), max(highs, default=-math.inf)
        wanted = limits(low, high)
        kept = self.range or wanted
        if known and not kept[0] <= low <= high <= kept[1]:
            return wanted
        is_wide = wanted[1] - wanted[0] < 0.6 * (kept[1] - kept[0])
        return wanted if may_shrink and is_wide else kept

    def _paint_values(self, painter: QPainter) -> None:
        """Write the values of the scale."""
        area = self.area
        low, high = self.range or (0.0, 1.0)
        step = self._step()

        def write(inner: QPainter) -> None:
            divisor, _ = prefix(max(abs(low), abs(high)), self.group.unit)
            frame = Frame(area, 0, 1, low, high)
            inner.setFont(font(11))
            inner.setPen(QColor(theme().muted))
            for value in ticks(low, high, step):
                text = QRectF(0, round(frame.y(value)) - px(8), area.left() - px(8), px(16))
                inner.drawText(text, RIGHTMOST, plain(value / divisor, step / divisor))

        box = QRectF(0, area.top() - px(8), area.left() - 1, area.height() + px(16))
        self._values.paint(painter, box.toAlignedRect(), (low, high), write)

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
        rows = zip(self.group.channels, self._inks(), self._names, strict=True)
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
    """Return the newest value, or least and greatest at a moment that is shown."""
    begin, end = view.range()
    zero = channel.declared.zero
    if moment is None or not begin <= moment <= end:
        if view.is_live:
            return (channel.last + zero,)
        moment = end
    low, high = channel.at(moment)
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
            self._pixmap.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._pixmap)
            inner.translate(-box.left(), -box.top())
            write(inner)
            inner.end()
        painter.drawPixmap(box.topLeft(), self._pixmap)


def mixed(colour: str, ground: str) -> QColor:
    """Return a colour half as strong, on a ground."""
    pairs = zip(QColor(colour).getRgb()[:3], QColor(ground).getRgb()[:3], strict=True)
    return QColor(*(((one or 0) + (other or 0)) // 2 for one, other in pairs))
