"""The scope: a few ms of a fast channel, standing still on an edge, with period and duty cycle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.palette import font, px, theme
from gui.plots.channel import Channel, Tile, labels
from gui.plots.drawing import Frame, draw
from gui.plots.plot import RIGHTMOST, SERIES, mixed
from gui.plots.scale import limits, plain, prefix, spelled, spelled_rate, step_of, ticks
from gui.plots.summary import Course, Values

FAST = 200.0
"""Samples a second from which a channel has something to show here."""
SPANS = {"2 ms": 0.002, "5 ms": 0.005, "10 ms": 0.01, "20 ms": 0.02, "50 ms": 0.05}
USUAL = "5 ms"
BEFORE = 0.2
"""Part of the span that lies before the edge."""
SEARCHED = 2.0
"""Spans in which an edge is looked for."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """What the edges in a stretch tell; NaN where there are too few."""

    period: float
    """Seconds from edge to edge."""
    duty: float
    """Per cent of the period above the level."""


def middle_of(values: Values) -> float:
    """Return the level between the least and the greatest value."""
    return float(values.min() + values.max()) / 2 if len(values) else math.nan


def crossings(time: Values, values: Values, level: float, *, rising: bool) -> Values:
    """Return when values cross a level, between the two samples in proportion."""
    above = values >= level
    turns = above[1:] & ~above[:-1] if rising else ~above[1:] & above[:-1]
    at = np.flatnonzero(turns)
    before, after = values[at].astype(np.float64), values[at + 1].astype(np.float64)
    part = (level - before) / (after - before)
    found: Values = time[at] + part * (time[at + 1] - time[at])
    return found


def pulses(time: Values, values: Values, level: float) -> Pulses:
    """Measure period and duty cycle from all edges."""
    up = crossings(time, values, level, rising=True)
    down = crossings(time, values, level, rising=False)
    if len(up) < 2:
        return Pulses(math.nan, math.nan)
    period = float(up[-1] - up[0]) / (len(up) - 1)
    widths = [float(down[down > edge][0] - edge) for edge in up[:-1]]
    return Pulses(period, 100 * sum(widths) / len(widths) / period)


class Scope(QWidget):
    """Shows the edge of a fast channel that came last before a moment."""

    def __init__(self, want: Callable[[list[Tile]], None]) -> None:
        """`want` asks for stretches of history, which come by `take`."""
        super().__init__()
        self._want = want
        self._channels: list[Channel] = []
        self._course: Course | None = None
        self._tile: Tile | None = None
        self.channel = QComboBox()
        self.edge = QComboBox()
        self.span = QComboBox()
        self.said = QLabel()
        self.trace = ScopeTrace()
        self._build()

    def _build(self) -> None:
        self.edge.addItems(["Rising edge", "Falling edge"])
        self.span.addItems(list(SPANS))
        self.span.setCurrentText(USUAL)
        for box, name in (
            (self.channel, "Channel of the scope"),
            (self.edge, "Edge that the scope stands on"),
            (self.span, "Time that the scope spans"),
        ):
            box.setAccessibleName(name)
            box.activated.connect(self._refresh)
        self.said.setProperty("role", "small")
        bar = QHBoxLayout()
        bar.setSpacing(6)
        for box in (self.channel, self.edge, self.span):
            bar.addWidget(box)
        bar.addStretch(1)
        bar.addWidget(self.said)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.trace, 1)

    def show_channels(self, channels: list[Channel]) -> None:
        """Offer these channels."""
        if channels == self._channels:
            return
        self._channels = channels
        self.channel.clear()
        self.channel.addItems(labels(channels))

    def look(self, moment: float) -> None:
        """Ask for what came before a moment."""
        at = self.channel.currentIndex()
        if not 0 <= at < len(self._channels):
            return
        number = self._channels[at].declared.channel
        length = SEARCHED * SPANS[self.span.currentText()]
        tile = Tile(number, length, math.floor(moment / length) - 1)
        if tile != self._tile:
            self._tile = tile
            self._want([tile])

    def take(self, tile: Tile, course: Course) -> bool:
        """Show a stretch if it is the one that was asked for."""
        if tile != self._tile:
            return False
        self._course = course
        self._refresh()
        return True

    def _refresh(self) -> None:
        at, course = self.channel.currentIndex(), self._course
        if course is None or not 0 <= at < len(self._channels):
            return
        unit = self._channels[at].declared.unit
        level = middle_of(course.high)
        rising = self.edge.currentIndex() == 0
        edges = crossings(course.time, course.high, level, rising=rising)
        span = SPANS[self.span.currentText()]
        fitting = edges[edges <= course.time[-1] - span * (1 - BEFORE)] if len(edges) else edges
        if not len(fitting):
            self.said.setText(f"no edge in {SEARCHED * span * 1000:.0f} ms")
            newest = float(course.time[-1]) if len(course) else 0.0
            self.trace.show_course(course, newest - span * (1 - BEFORE), span, unit)
            return
        found = pulses(course.time, course.high, level)
        words = [f"level {spelled(level, unit)}"]
        if math.isfinite(found.period):
            words += [spelled_rate(1 / found.period), f"duty {found.duty:.1f} %"]
        self.said.setText("  ·  ".join(words))
        self.trace.show_course(course, float(fitting[-1]), span, unit)


class ScopeTrace(QWidget):
    """Paints the trace with times from the edge."""

    def __init__(self) -> None:
        super().__init__()
        self._course: Course | None = None
        self._edge, self._span, self._unit = 0.0, SPANS[USUAL], ""
        self.setAccessibleName("Trace of the scope")
        self.setMinimumSize(QSize(px(240), px(120)))

    def show_course(self, course: Course, edge: float, span: float, unit: str) -> None:
        """Show what surrounds an edge."""
        self._course, self._edge, self._span, self._unit = course, edge, span, unit
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint grid, edge and trace."""
        painter = QPainter(self)
        colours, course = theme(), self._course
        painter.fillRect(self.rect(), QColor(colours.surface))
        if course is None or not len(course):
            painter.setPen(QColor(colours.muted))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, "Waiting for data")
            painter.end()
            return
        area = QRectF(px(64), px(8), self.width() - px(76), self.height() - px(34))
        begin = self._edge - self._span * BEFORE
        low, high = limits(float(course.low.min()), float(course.high.max()))
        frame = Frame(area, begin, begin + self._span, low, high)
        faint = mixed(colours.border, colours.surface)
        step = step_of(high - low, max(2.0, area.height() / px(34)))
        divisor, unit = prefix(max(abs(low), abs(high)), self._unit)
        painter.setFont(font(11))
        painter.setPen(QColor(colours.muted))
        for value in ticks(low, high, step):
            y = round(frame.y(value))
            painter.fillRect(QRectF(area.left(), y, area.width(), 1), faint)
            text = f"{plain(value / divisor, step / divisor)} {unit}"
            painter.drawText(QRectF(0, y - px(8), px(58), px(16)), RIGHTMOST, text)
        each = step_of(self._span, 8)
        for seconds in ticks(-self._span * BEFORE, self._span * (1 - BEFORE), each):
            x = round(frame.x(self._edge + seconds))
            painter.fillRect(QRectF(x, area.top(), 1, area.height()), faint)
            box = QRectF(x - px(40), area.bottom() + px(4), px(80), px(18))
            text = f"{plain(seconds * 1000, each * 1000)} ms"
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(QPen(QColor(colours.accent), 1))
        edge = round(frame.x(self._edge)) + 0.5
        painter.drawLine(QPointF(edge, area.top()), QPointF(edge, area.bottom()))
        painter.setClipRect(area)
        painter.setPen(QPen(QColor(SERIES["light" if colours.name == "light" else "dark"][0]), 1))
        draw(painter, frame, course, "line", frame.end)
        painter.setClipping(False)
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.drawRect(area)
        painter.end()
