"""The scope: a few ms of a fast channel, standing still on an edge, with period and duty cycle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.palette import px, theme
from gui.plots.axes import Axis, ValueAxis
from gui.plots.channel import Channel, Tile, labels
from gui.plots.curves import ink_of
from gui.plots.scale import limits, plain, spelled, spelled_rate
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
        self.said = QLabel("waiting for data")
        self.trace = ScopeTrace()
        self._build()

    def _build(self) -> None:
        self.edge.addItems(["Rising edge", "Falling edge"])
        self.span.addItems(list(SPANS))
        self.span.setCurrentText(USUAL)
        self.channel.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
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


class ScopeTrace(pyqtgraph.PlotWidget):
    """Shows the trace with times from the edge."""

    def __init__(self) -> None:
        self._values, self._times = ValueAxis("", says_unit=True), EdgeAxis()
        axes = {"left": self._values, "bottom": self._times}
        super().__init__(background=None, enableMenu=False, axisItems=axes)
        self.line = self.plotItem.plot()
        self._edge = pyqtgraph.InfiniteLine(0)
        self.setAccessibleName("Trace of the scope")
        self.setMinimumSize(QSize(px(240), px(120)))
        self.addItem(self._edge, ignoreBounds=True)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.showGrid(x=True, y=True, alpha=0.5)
        self._values.setWidth(px(64))
        self._times.setHeight(px(26))
        self.dress()

    def show_course(self, course: Course, edge: float, span: float, unit: str) -> None:
        """Show what surrounds an edge."""
        if not len(course):
            self.line.clear()
            return
        self._values.unit = unit
        self.line.setData(np.repeat(course.time - edge, 2), interleaved(course))
        self.setXRange(-span * BEFORE, span * (1 - BEFORE), padding=0)
        self.setYRange(*limits(float(course.low.min()), float(course.high.max())), padding=0)

    def dress(self) -> None:
        """Take font and colours of the theme in force."""
        colours = theme()
        self.setBackground(colours.surface)
        for axis in (self._values, self._times):
            axis.dress()
            axis.setTickPen(colours.border)
        self.line.setPen(QColor(ink_of(0)))
        self._edge.setPen(QColor(colours.accent))


class EdgeAxis(Axis):
    """Times from an edge in ms."""

    def __init__(self) -> None:
        super().__init__("bottom", 90)

    def tickStrings(  # noqa: N802
        self, values: Sequence[float], scale: float, spacing: float
    ) -> list[str]:
        """Write times."""
        return [f"{plain(value * 1000, spacing * 1000)} ms" for value in values]


def interleaved(course: Course) -> Values:
    """Return the least and the greatest value of each row, one after the other."""
    return np.stack((course.low, course.high), axis=1).ravel()
