"""The inside of a plot: grid and courses, on a scale that fits them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph
from PyQt6.QtCore import QPoint, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from gui.palette import theme
from gui.plots.axes import ValueAxis
from gui.plots.channel import Group
from gui.plots.drawing import Frame, draw
from gui.plots.picture import Picture, Stretch
from gui.plots.scale import limits
from gui.plots.summary import Course

SETTLED = 1.0
"""Seconds after which a plot is painted as a whole, so that its scale can become narrower."""
SERIES = {
    "light": ("#2563C9", "#C2501B", "#16805A", "#8B48B8", "#9A6500", "#0B7A88", "#B3306F"),
    "dark": ("#82B4FF", "#FF9D63", "#62D6A9", "#D3A8F5", "#F0C453", "#5FD0DC", "#FF93C4"),
}
"""Colours of the lines, each with a contrast of 3 or more on the surface."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What all plots show in a frame."""

    stretch: Stretch
    newest: float
    """Moment up to which the run is known."""
    ticks: Sequence[float]
    """Moments of the ticks of the time axis."""
    steps: Sequence[float]
    """Moments at which a step of the case begins."""
    ratio: float
    """Pixels of the screen for each logical one."""


class Curves(pyqtgraph.GraphicsObject):
    """Shows a picture that moves with the run, and paints no more than what is new in it."""

    def __init__(self, group: Group, box: pyqtgraph.ViewBox, axis: ValueAxis) -> None:
        super().__init__()
        self.range: tuple[float, float] | None = None
        """The scale."""
        self._group = group
        self._box = box
        self._axis = axis
        self._whole = -math.inf
        """When all of it was painted last."""
        self._picture = Picture()
        self.setParentItem(box)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """Return the whole inside of the plot."""
        return QRectF(self._box.rect())

    def paint(self, painter: QPainter, *_: object) -> None:
        """Put the picture in its place, and a line around it."""
        self._picture.show(painter, QPoint(0, 0))
        painter.setPen(QPen(QColor(theme().border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.boundingRect().adjusted(0, 0, -1, -1))

    def prepare(self, shown: Shown) -> None:
        """Paint what the picture lacks, and fit the scale."""
        stretch, channels = shown.stretch, self._group.channels
        area = QRect(0, 0, stretch.width, int(self._box.rect().height()))
        newest = (shown.newest, *(channel.trace.newest for channel in channels))
        look = (
            *(area.height(), shown.ratio, theme().name, tuple(shown.steps[-1:])),
            sum(channel.revision for channel in channels),
        )
        start, now = self._picture.start(stretch, (self.range, look), newest), time.monotonic()
        is_live = stretch.column is not None
        if (now - self._whole > SETTLED and is_live) or not shown.ratio.is_integer():
            start = 0
        courses = self._courses(stretch, start)
        wanted = self._scale(courses, may_shrink=start == 0)
        if start and wanted != self.range:
            start, courses = 0, self._courses(stretch, 0)
            wanted = self._scale(courses, may_shrink=True)
        if wanted != self.range:
            self.range = wanted
            self._box.setYRange(*wanted, padding=0)
        self._whole = now if start == 0 else self._whole
        self._picture.paint(
            area,
            shown.ratio,
            stretch,
            start,
            key=(self.range, look),
            newest=newest,
            ground=QColor(theme().surface),
            write=lambda painter: self._draw(painter, shown, start, courses, area.height()),
        )

    def inks(self) -> Sequence[str]:
        """List the colours of the channels."""
        return [ink_of(at) for at in range(len(self._group.channels))]

    def _courses(self, stretch: Stretch, start: int) -> list[Course]:
        """Return the courses from a column on."""
        begin, points = stretch.moment(start), max(1, stretch.width - start)
        if start >= stretch.width:
            return []
        return [channel.between(begin, stretch.end, points) for channel in self._group.channels]

    def _draw(
        self, painter: QPainter, shown: Shown, start: int, courses: Sequence[Course], height: int
    ) -> None:
        """Draw grid and courses; filled and opaque, as dashes and alpha take many times as long."""
        colours, stretch = theme(), shown.stretch
        low, high = self.range or (0.0, 1.0)
        faint, strong = mixed(colours.border, colours.surface), QColor(colours.border)
        frame = Frame(QRectF(0, 0, stretch.width, height), stretch.begin, stretch.end, low, high)
        for value in self._axis.ticks(low, high, height):
            painter.fillRect(QRectF(start, round(frame.y(value)), stretch.width, 1), faint)
        for moments, line in ((shown.ticks, faint), (shown.steps, strong)):
            for moment in moments:
                painter.fillRect(QRectF(round(stretch.x(moment)), 0, 1, height), line)
        until = min(stretch.end, shown.newest)
        for channel, course, ink in zip(self._group.channels, courses, self.inks(), strict=True):
            zero = channel.declared.zero
            painter.setPen(QPen(QColor(ink), 1))
            own = Frame(frame.area, frame.begin, frame.end, low - zero, high - zero)
            draw(painter, own, course, self._group.style, until)

    def _scale(self, courses: Sequence[Course], *, may_shrink: bool) -> tuple[float, float]:
        """Return the scale: wide enough for all, and only narrower when much would be empty."""
        pairs = zip(self._group.channels, courses, strict=False)
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


def ink_of(line: int) -> str:
    """Return the colour of a line, counted from 0, in the theme in force."""
    inks = SERIES["light" if theme().name == "light" else "dark"]
    return inks[line % len(inks)]


def mixed(colour: str, ground: str) -> QColor:
    """Return a colour half as strong, on a ground."""
    pairs = zip(QColor(colour).getRgb()[:3], QColor(ground).getRgb()[:3], strict=True)
    return QColor(*(((one or 0) + (other or 0)) // 2 for one, other in pairs))
